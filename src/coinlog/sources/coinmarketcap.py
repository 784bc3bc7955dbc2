"""CoinMarketCap: which requests make up a slot, and what they answer.

The recorder needs this module alone; decoding and typed errors live beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from coinlog.errors import ClockError, SourceError
from coinlog.market import FIAT_IDS, Reason
from coinlog.slots import AssetSelection, floor_slot, iso
from coinlog.sources.answers import Answer
from coinlog.sources.asking import Asks
from coinlog.sources.decode import read_rows
from coinlog.sources.history import fetch_history, read_history
from coinlog.sources.key_info import KeyInfo, key_info
from coinlog.sources.reading import read_market
from coinlog.sources.remedies import error_of
from coinlog.sources.status import read_status

__all__ = [
    "KeyInfo",
    "check_clock",
    "credits_of",
    "error_of",
    "fetch_history",
    "fetch_market",
    "key_info",
    "read_history",
    "read_market",
]

PAGE_ROWS = 5000
IDS_A_REQUEST = 100
MOST_SKEW_SECONDS = 120

_LISTINGS = "v3/cryptocurrency/listings/latest"
_QUOTES = "v3/cryptocurrency/quotes/latest"
_GLOBAL_METRICS = "v1/global-metrics/quotes/latest"
_FEAR_AND_GREED = "v3/fear-and-greed/latest"

# After one of these, a further request of the same kind would fare no better.
_HOPELESS = {
    Reason.WRONG_KEY,
    Reason.PLAN,
    Reason.QUOTA,
    Reason.RATE_LIMITED,
    Reason.UNREACHABLE,
    Reason.TIMEOUT,
}

Keep = Callable[[Answer], None]


def fetch_market(client: Asks, selection: AssetSelection, keep: Keep) -> None:
    """Make the requests of a slot in order and hand each answer to ``keep`` as it comes.

    Listings by rank come first, in pages; then the explicit ids that are not among them; then the
    rates of the display currencies, global metrics, fear and greed.

    The first page of listings (or of quotes, where no top is asked for) decides: if it fails,
    nothing more is asked. What fails later is kept, and the rest is asked all the same.
    """
    listed: set[int] = set()
    if selection.top:
        for answer in _ask_listings(client, selection.top):
            keep(answer)
            listed |= _ids_in(answer)
        if not listed:
            return
    further = [asset_id for asset_id in selection.explicit_ids if asset_id not in listed]
    rates = [fiat for fiat in FIAT_IDS.values() if fiat not in listed and fiat not in further]
    for answer in _ask_quotes(client, further, rates):
        keep(answer)
        if answer.name == "quotes-1" and not selection.top and error_of(answer):
            return
    keep(client.get("global-metrics", _GLOBAL_METRICS, {"convert": "USD"}))
    keep(client.get("fear-and-greed", _FEAR_AND_GREED, {}))


def credits_of(answers: Iterable[Answer]) -> int:
    """Return what answers cost in the plan's credits, as they say themselves."""
    return sum(_credits(answer) for answer in answers)


def check_clock(answers: Sequence[Answer], slot: int, interval_seconds: int) -> None:
    """Check our clock against the source's where the two do not agree about the slot.

    Raises:
        ClockError: ours is more than 2 minutes off and the source's time is in another slot.
    """
    for answer in answers:
        if answer.server_date is None:
            continue
        skew = answer.received_at - answer.server_date
        there = floor_slot(answer.server_date, interval_seconds)
        if abs(skew) > MOST_SKEW_SECONDS and there != slot:
            raise ClockError(
                f"our clock says {iso(answer.received_at)} and the source's says "
                f"{iso(answer.server_date)}: expected at most 2 minutes between them, and slot "
                f"{iso(slot)} would be wrong; set this machine's clock (NTP)"
            )


def _ask_listings(client: Asks, top: int) -> Iterator[Answer]:
    """Ask page after page until all are asked for, one fails or one is empty.

    A short page is normal (4,500 rows for 5,000 asked) and is not the last by itself.
    """
    for number, start in enumerate(range(1, top + 1, PAGE_ROWS), 1):
        limit = min(PAGE_ROWS, top + 1 - start)
        params = {"start": str(start), "limit": str(limit), "convert": "USD"}
        answer = client.get(f"listings-{number}", _LISTINGS, params)
        yield answer
        if not _ids_in(answer):
            return


def _ask_quotes(client: Asks, *groups: Sequence[int]) -> Iterator[Answer]:
    """Ask for quotes by id, each group apart: what is wrong with one shall not cost the other."""
    batches = [
        group[start : start + IDS_A_REQUEST]
        for group in groups
        for start in range(0, len(group), IDS_A_REQUEST)
    ]
    for number, batch in enumerate(batches, 1):
        listed = ",".join(str(asset_id) for asset_id in batch)
        params = {"id": listed, "convert": "USD", "skip_invalid": "true"}
        answer = client.get(f"quotes-{number}", _QUOTES, params)
        yield answer
        error = error_of(answer)
        if error and error.reason in _HOPELESS:
            return


def _ids_in(answer: Answer) -> set[int]:
    """Return the ids of the rows in an answer; none where it failed or cannot be read."""
    if error_of(answer):
        return set()
    try:
        return {row.id for row in read_rows(answer.body)[1]}
    except SourceError:
        return set()


def _credits(answer: Answer) -> int:
    try:
        return read_status(answer.body).credits
    except SourceError:
        return 0
