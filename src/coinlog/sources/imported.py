"""Reading what was imported: answers that others saved, and the rows of their own tables.

What kind a body is stands in its answer's ``endpoint``, as it was found at import. Which assets
its labels mean lies beside it, as the answer named ``matches``.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec

from coinlog.errors import BrokenAnswerError
from coinlog.market import Snapshot
from coinlog.sources.answers import Answer
from coinlog.sources.decode import Refused, decode, read_rows
from coinlog.sources.labels import Label, Matches, matched, read_matches
from coinlog.sources.reading import RowsRead, read_answer, read_unasked
from coinlog.sources.status import parse_iso, status_of
from coinlog.sources.table import Beside, read_table
from coinlog.sources.texts import first_words
from coinlog.sources.ticker import read_first_ticker, read_second_ticker

MATCHES = "matches"
"""The name of the answer that holds which assets the labels mean."""


class Kind(StrEnum):
    """What kind of body was imported."""

    LISTINGS = "listings/latest"
    LISTINGS_DATA = "listings/latest, its data alone"
    FIRST_TICKER = "v1/ticker"
    SECOND_TICKER = "v2/ticker"
    TABLE = "table"


class Saved(msgspec.Struct, frozen=True):
    """What a saved answer says of itself; ``observed_at`` is None where it does not say when."""

    kind: Kind
    observed_at: int | None
    ids: frozenset[int]
    labels: tuple[Label, ...]
    refused: tuple[Refused, ...]
    simulated: bool = False


class _Outer(msgspec.Struct):
    status: Any = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    metadata: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


# What reading a body stumbles over where it is not as ``coinlog import`` wrote it.
_NOT_OURS = (msgspec.DecodeError, LookupError, ValueError, OverflowError, OSError, RecursionError)

_OUTER = msgspec.json.Decoder(_Outer)
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_KEYS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_imported(answers: Sequence[Answer]) -> Snapshot:
    """Return the market that an imported attempt tells: nothing was asked, so nothing lacks.

    Raises:
        SourceError: none of it can be used.
    """
    return read_with_beside(answers)[0]


def read_with_beside(answers: Sequence[Answer]) -> tuple[Snapshot, Beside]:
    """Return the market that an imported attempt tells, and what its rows say beside it.

    Raises:
        SourceError: none of it can be used.
    """
    told: list[Beside] = []

    def read(answer: Answer) -> RowsRead:
        if answer.endpoint == Kind.TABLE:
            rows, refused, beside = read_table(answer.body, matches)
            told.append(beside)
            return None, rows, refused
        return _read_saved(answer, matches)

    try:
        matches = _matches(answers)
        snapshot = read_unasked([each for each in answers if each.name != MATCHES], read)
    except _NOT_OURS as error:
        raise BrokenAnswerError(
            f"got an imported body of an unknown shape ({error!r}): expected one that `coinlog "
            "import` wrote; import it again"
        ) from error
    beside = Beside(
        sum(each.later for each in told), tuple(n for each in told for n in each.unread)
    )
    notes = (*snapshot.notes, *_later(beside.later), *beside.unread)
    return msgspec.structs.replace(snapshot, notes=notes), beside


def _later(count: int) -> list[str]:
    if not count:
        return []
    rows = "row" if count == 1 else "rows"
    return [f"{count} more {rows} of this slot came after the first of their asset"]


def look_at(body: bytes) -> Saved:
    """Return what a saved answer is, when it was told and whom it is about.

    Raises:
        SourceError: it is an error, or no answer that can be imported.
    """
    kind = _kind_of(body)
    if kind is Kind.FIRST_TICKER:
        first = read_first_ticker(body)
        labels = tuple(dict.fromkeys(each.label for each in first.rows))
        return Saved(kind, first.observed_at, frozenset(), labels, tuple(first.refused))
    if kind is Kind.SECOND_TICKER:
        second = read_second_ticker(body)
        ids = frozenset(each.label.id for each in second.rows)
        return Saved(kind, second.observed_at, ids, (), tuple(second.refused))
    status, rows, refused = read_rows(_whole(kind, body))
    told = status_of(status)
    newest = max((parse_iso(row.last_updated) or 0 for row in rows), default=0)
    observed_at = told.timestamp or newest or None
    ids = frozenset(row.id for row in rows)
    return Saved(kind, observed_at, ids, (), tuple(refused), told.simulated)


def _read_saved(answer: Answer, matches: Matches) -> RowsRead:
    """Return the rows of a saved answer.

    Raises:
        SourceError: it cannot be read.
    """
    if answer.endpoint == Kind.FIRST_TICKER:
        first = read_first_ticker(answer.body)
        rows, unmatched = matched(first.rows, matches)
        return None, rows, [*first.refused, *unmatched]
    if answer.endpoint == Kind.SECOND_TICKER:
        second = read_second_ticker(answer.body)
        rows, _ = matched(second.rows, matches)
        return None, rows, second.refused
    if answer.endpoint == Kind.LISTINGS_DATA:
        return read_rows(_whole(Kind.LISTINGS_DATA, answer.body))
    return read_answer(answer)


def _kind_of(body: bytes) -> Kind:
    """Return what a body is, by its shape.

    Raises:
        BrokenAnswerError: it is an error answer, or nothing that can be imported.
    """
    try:
        if body.lstrip()[:1] == b"[":
            return _kind_of_list(decode(_LIST, body))
        outer = decode(_OUTER, body)
    except msgspec.ValidationError as error:
        raise _unknown_shape(body) from error
    status = status_of(outer.status)
    if status.error_code:
        said = f" ({status.message})" if status.message else ""
        raise BrokenAnswerError(f"it is an error answer: code {status.error_code}{said}")
    if outer.data is msgspec.UNSET:
        raise _unknown_shape(body)
    if outer.metadata is not msgspec.UNSET:
        return Kind.SECOND_TICKER
    _check_listing(bytes(outer.data))
    return Kind.LISTINGS


def _check_listing(data: bytes) -> None:
    """Refuse an answer about single assets: who is not in a listing counts as not listed.

    Raises:
        BrokenAnswerError: it is one.
    """
    if data.lstrip()[:1] == b"{":
        raise BrokenAnswerError(
            "its data are told by name or id, as quotes/latest answers about those that were asked "
            "for, and not as a list: only whole listings are imported, those of listings/latest "
            "(v1 and v3) and of the ticker"
        )


def _kind_of_list(rows: list[msgspec.Raw]) -> Kind:
    if not rows:
        raise BrokenAnswerError("it is an empty list")
    keys = decode(_KEYS, bytes(rows[0]))
    if "price_usd" in keys:
        return Kind.FIRST_TICKER
    if "quote" in keys:
        return Kind.LISTINGS_DATA
    raise _unknown_shape(bytes(rows[0]))


def _unknown_shape(body: bytes) -> BrokenAnswerError:
    return BrokenAnswerError(
        f"it begins with {first_words(body)} and is no answer of listings/latest or of the ticker"
    )


def _whole(kind: Kind, body: bytes) -> bytes:
    """Return a body as the source sent it, where its data were saved alone."""
    return b'{"data":' + body + b"}" if kind is Kind.LISTINGS_DATA else body


def _matches(answers: Sequence[Answer]) -> Matches:
    return next((read_matches(each.body) for each in answers if each.name == MATCHES), {})
