"""Reading an attempt's answers into a snapshot: bytes in, snapshot out, nothing else.

Used at capture and again at every load and replay, so it asks neither clock nor network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from coinlog.errors import BrokenAnswerError, SourceError
from coinlog.market import FIAT_IDS, Asset, Missing, Quote, Reason, Snapshot, SourceKind
from coinlog.slots import MINUTE, AssetSelection
from coinlog.sources.answers import Answer
from coinlog.sources.asking import raise_error_of
from coinlog.sources.decode import AssetRow, Refused, read_rows
from coinlog.sources.metrics import read_fear_and_greed, read_global_metrics
from coinlog.sources.quotes import asset_of, quote_of
from coinlog.sources.status import Status, read_status, status_of

T = TypeVar("T")

RowsRead = tuple[Any, list[AssetRow], list[Refused]]
"""What an answer holds: its status as it is, its rows in order, and the rows refused."""

Read = Callable[[Answer], RowsRead]

_OLD_SECONDS = 2 * MINUTE
_IDS_NAMED = 10
_REPLACEMENT = "\ufffd"


def read_market(answers: Sequence[Answer], selection: AssetSelection) -> Snapshot:
    """Return the market that an attempt's answers tell.

    The first page decides: where it failed, the attempt failed. Whatever else failed, and each
    row that was refused or asked for by id and is not there, is named in ``missing``.

    Raises:
        SourceError: the attempt failed, with the ledger's reason.
    """
    listings = [answer for answer in answers if answer.name.startswith("listings")]
    quotes = [answer for answer in answers if answer.name.startswith("quotes")]
    primary, secondary = (listings, quotes) if listings else (quotes, [])
    if not primary:
        raise BrokenAnswerError(
            "the attempt has no answer named listings-1 or quotes-1: expected one of the two"
        )
    market = _Market()
    market.add(primary[0])
    market.add_or_miss(primary[1:])
    market.check_not_empty(primary[0])
    market.note_short(listings)
    market.add_or_miss(secondary)
    market.miss_unanswered(_wanted(quotes, selection), _ids_of(quotes))
    observed_at = market.observed_at(primary[0])
    return market.snapshot(observed_at, {answer.name: answer for answer in answers})


def read_unasked(answers: Sequence[Answer], read: Read) -> Snapshot:
    """Return the market that answers tell which others than us asked for: all that they hold.

    ``read`` is how each becomes rows; the first one decides. It was observed when the first was
    received, by whoever received it.

    Raises:
        SourceError: the attempt failed, with the ledger's reason.
    """
    market = _Market(read)
    market.add(answers[0])
    market.add_or_miss(answers[1:])
    market.check_not_empty(answers[0])
    return market.snapshot(int(answers[0].received_at), {})


def read_answer(answer: Answer) -> RowsRead:
    """Return the rows of listings or quotes, as the source answers today.

    Raises:
        SourceError: the answer is a failure or cannot be decoded.
    """
    raise_error_of(answer)
    return read_rows(answer.body)


class _Market:
    """The market as it grows, answer by answer."""

    def __init__(self, read: Read = read_answer) -> None:
        self._read = read
        self.assets: dict[int, Asset] = {}
        self.quotes: dict[int, Quote] = {}
        self.statuses: list[Status] = []
        self.missing: list[Missing] = []
        self.notes: list[str] = []
        self._failed: Missing | None = None
        self._rows = 0

    def add(self, answer: Answer) -> None:
        """Add the rows of an answer.

        Raises:
            SourceError: the answer is a failure or cannot be decoded.
        """
        status, rows, refused = self._read(answer)
        self.statuses.append(status_of(status))
        self._rows += len(rows) + len(refused)
        for refusal in refused:
            self._refuse(refusal)
        twice = [row.id for row in rows if not self._add_row(row)]
        if twice:
            self.notes.append(
                f"{answer.name}: {_named(twice)} came twice, as ranks shifted between pages; the "
                "first was kept"
            )

    def add_or_miss(self, answers: Iterable[Answer]) -> None:
        """Add answers; what a failed one would have held is missing."""
        for answer in answers:
            try:
                self.add(answer)
            except SourceError as error:
                self._failed = _missed(answer.name, error)
                self.missing.append(self._failed)
                self.missing.extend(_lost(each, self._failed) for each in _ids_of([answer]))

    def check_not_empty(self, answer: Answer) -> None:
        """Fail where no row could be read: a market without an asset is no market.

        Raises:
            BrokenAnswerError: there is none.
        """
        if not self.quotes:
            why = self.missing[0].detail if self.missing else "there is no row"
            rows = "row" if self._rows == 1 else "rows"
            raise BrokenAnswerError(
                f"got {self._rows} {rows} in {answer.name} and could use none ({why}): expected at "
                "least one asset with a price in USD; the answer is kept in the archive"
            )

    def note_short(self, listings: Iterable[Answer]) -> None:
        """Note that the source gave fewer rows than asked: normal, and no delisting."""
        limits = [answer.params.get("limit", "") for answer in listings]
        asked = sum(int(limit) for limit in limits if limit.isdecimal())
        if self._rows < asked:
            self.notes.append(f"asked for {asked} assets by rank, got {self._rows}")

    def miss_unanswered(self, wanted: Iterable[int], asked: Iterable[int]) -> None:
        """Name the assets wanted by id that no answer holds: not known, or never asked for.

        After a failure that more requests would share, the rest of the ids is not asked for.
        """
        known = self.quotes.keys() | {missing.asset_id for missing in self.missing}
        asked = set(asked)
        for asset_id in dict.fromkeys(wanted):
            if asset_id not in known:
                lost = self._failed is not None and asset_id not in asked
                self.missing.append(_lost(asset_id, self._failed if lost else None))

    def snapshot(self, observed_at: int, answers: dict[str, Answer]) -> Snapshot:
        """Return what has grown, with the parts of the slot that are no assets."""
        global_metrics = self._part(answers.get("global-metrics"), read_global_metrics)
        fear_and_greed = self._part(answers.get("fear-and-greed"), read_fear_and_greed)
        notices = [f"the source says: {each.notice}" for each in self.statuses if each.notice]
        simulated = any(status.simulated for status in self.statuses)
        return Snapshot(
            observed_at=observed_at,
            source=SourceKind.SIMULATED if simulated else SourceKind.COINMARKETCAP,
            assets=tuple(self.assets.values()),
            quotes=tuple(self.quotes.values()),
            global_metrics=global_metrics,
            fear_and_greed=fear_and_greed,
            missing=tuple(each for each in self.missing if each.asset_id not in self.quotes),
            notes=tuple(dict.fromkeys([*self.notes, *notices])),
        )

    def _add_row(self, row: AssetRow) -> bool:
        """Add one row; ``False`` where its asset has been added before."""
        if row.id in self.quotes:
            return False
        quote = quote_of(row)
        if quote is None:
            self._refuse(Refused(row.id, "it has no quote in USD"))
            return True
        asset = asset_of(row)
        if _REPLACEMENT in asset.name + asset.symbol + asset.slug:
            self.notes.append(f"asset {row.id}: its name has broken characters")
        self.assets[row.id], self.quotes[row.id] = asset, quote
        return True

    def _refuse(self, refused: Refused) -> None:
        who = f"asset {refused.asset_id}" if refused.asset_id else "a row without a readable id"
        detail = f"{who} was refused: {refused.why}"
        self.missing.append(Missing("quote", Reason.REFUSED, detail, refused.asset_id))

    def _part(self, answer: Answer | None, read: Callable[[bytes], T]) -> T | None:
        """Read a part of the slot; one that was asked for and cannot be read is missing."""
        if answer is None:
            return None
        try:
            raise_error_of(answer)
            part = read(answer.body)
        except SourceError as error:
            self.missing.append(_missed(answer.name, error))
            return None
        self.statuses.append(read_status(answer.body))
        return part

    def observed_at(self, first: Answer) -> int:
        """Return the source's time of its answer, else the next best clock, with a note."""
        told = self.statuses[0].timestamp
        if told is None:
            self.notes.append("the answer has no readable timestamp: its arrival stands for it")
            return int(first.server_date or first.received_at)
        late = int(first.received_at) - told
        if abs(late) > _OLD_SECONDS:
            words = "old" if late > 0 else "ahead of our clock"
            self.notes.append(f"the answer is {abs(late) // MINUTE} minutes {words}")
        return told


def _missed(name: str, error: SourceError) -> Missing:
    return Missing(name, error.reason, f"{name} failed: {error}")


def _lost(asset_id: int, failed: Missing | None) -> Missing:
    """Return what is missing where an asset wanted by its id is in no answer."""
    if failed:
        return Missing("quote", failed.reason, f"asset {asset_id}: {failed.what} failed", asset_id)
    return Missing(
        "quote",
        Reason.NOT_ANSWERED,
        f"asset {asset_id} was asked for by its id and no answer holds it: the source does not "
        "know it, or tracks it no longer; check COINLOG_ASSETS",
        asset_id,
    )


def _wanted(quotes: Sequence[Answer], selection: AssetSelection) -> list[int]:
    """Return the ids asked for: those of every slot, and those of the requests by id.

    An attempt without such a request, put together from old answers, asked for no rates.
    """
    rates = FIAT_IDS.values() if quotes else ()
    return [*selection.explicit_ids, *rates, *_ids_of(quotes)]


def _ids_of(answers: Iterable[Answer]) -> list[int]:
    """Return the ids that were asked for, in order."""
    texts = (text for answer in answers for text in answer.params.get("id", "").split(","))
    return [int(text) for text in texts if text.isdecimal()]


def _named(ids: Sequence[int]) -> str:
    named = ", ".join(str(asset_id) for asset_id in ids[:_IDS_NAMED])
    more = f" and {len(ids) - _IDS_NAMED} more" if len(ids) > _IDS_NAMED else ""
    return f"asset {named}{more}"
