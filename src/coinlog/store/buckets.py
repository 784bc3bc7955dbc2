"""Stretches of equal length: the one definition that thinning, sampling and candles share.

A slot's bucket is named by its start. Python and the databases work it out alike, so what is
thinned here and what is thinned there are the same points. A bucket's lowest and highest values
are found at the first slot that has them: ties have one answer.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa

from coinlog.market import Origin
from coinlog.slots import DAY
from coinlog.store import schema
from coinlog.store.reader import Reader

WEEK = 7 * DAY
MONDAY = 4 * DAY
"""1970-01-05, a Monday: weeks begin there, and everything else at midnight UTC."""


def origin_of(width: int) -> int:
    """Return where buckets of a width (seconds) are counted from."""
    return 0 if width % WEEK else MONDAY


def bucket_start(slot: int, width: int) -> int:
    """Return the start of a slot's bucket, as the calendar has it (UTC)."""
    return slot - (slot - origin_of(width)) % width


class Buckets(msgspec.Struct, frozen=True):
    """Buckets of ``width`` seconds, counted from ``origin``, for the slots of a stretch."""

    start: int
    end: int
    width: int
    origin: int

    def cut(self, slots: Sequence[int]) -> Iterator[range]:
        """Yield the indexes of each bucket that has any of ``slots``, oldest first."""
        index = 0
        while index < len(slots):
            over = slots[index] - (slots[index] - self.origin) % self.width + self.width
            until = bisect_left(slots, over, index)
            yield range(index, until)
            index = until


class Summary(msgspec.Struct, frozen=True):
    """An asset's quotes in a bucket: how many, from where to where, how far apart, how high.

    ``resolutions`` and ``phases`` are the lowest and the highest; a phase is how far a slot lies
    behind a multiple of its resolution. ``backfilled`` is how many of the points were. ``lowest``
    and ``highest`` go by field: values of a summary, or the slots that have them.
    """

    start: int
    points: int
    first: int
    last: int
    resolutions: tuple[int, int]
    phases: tuple[int | None, int | None]
    backfilled: int
    lowest: tuple[Any, ...]
    highest: tuple[Any, ...]

    @property
    def even(self) -> bool:
        """Whether the points follow each other at one resolution, without a break."""
        step = self.resolutions[0]
        if step < 1 or self.resolutions[1] != step or self.phases[0] != self.phases[1]:
            return False
        return (self.points - 1) * step == self.last - self.first


def summaries(
    reader: Reader, asset_id: int, buckets: Buckets, fields: Sequence[str]
) -> list[Summary]:
    """Return an asset's buckets, oldest first, with the lowest and highest value of each field."""
    return _read(reader, _summaries(tuple(fields)), asset_id, buckets, len(fields))


def places(reader: Reader, asset_id: int, buckets: Buckets, fields: Sequence[str]) -> list[Summary]:
    """Return an asset's buckets with the slots where each field is lowest and highest."""
    return _read(reader, _places(tuple(fields)), asset_id, buckets, len(fields))


def ends_of(
    reader: Reader, asset_id: int, buckets: Buckets, field: str
) -> list[tuple[Summary, Any, Any]]:
    """Return an asset's buckets, each with the first and the last value of a field."""
    rows = _rows(reader, _ends(field), asset_id, buckets)
    return [(_summary(row, 1), row[-2], row[-1]) for row in rows]


def _read(
    reader: Reader, query: sa.Select[Any], asset_id: int, buckets: Buckets, fields: int
) -> list[Summary]:
    return [_summary(row, fields) for row in _rows(reader, query, asset_id, buckets)]


def _rows(
    reader: Reader, query: sa.Select[Any], asset_id: int, buckets: Buckets
) -> Sequence[Sequence[Any]]:
    asked = {"asset_id": asset_id, **msgspec.structs.asdict(buckets)}
    with reader.connected() as connection:
        return connection.execute(query, asked).fetchall()


def _summary(row: Sequence[Any], fields: int) -> Summary:
    return Summary(
        start=row[0],
        points=row[1],
        first=row[2],
        last=row[3],
        resolutions=(row[4], row[5]),
        phases=(row[6], row[7]),
        backfilled=row[8],
        lowest=tuple(row[9 : 9 + fields]),
        highest=tuple(row[9 + fields : 9 + 2 * fields]),
    )


_FACTS = (
    "bucket",
    "points",
    "first_slot",
    "last_slot",
    "finest",
    "coarsest",
    "low_phase",
    "high_phase",
    "backfilled",
)


_ORIGIN, _WIDTH = (sa.bindparam(name, type_=sa.Integer) for name in ("origin", "width"))


def bucket_of(
    slot: sa.ColumnElement[int],
    width: sa.ColumnElement[int] | int = _WIDTH,
    origin: sa.ColumnElement[int] | int = _ORIGIN,
) -> sa.ColumnElement[int]:
    """Return the start of a slot's bucket in SQL; unless given, both numbers are parameters."""
    return slot - (slot - origin) % width


def _within(table: sa.Table) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return (
        table.c.asset_id == sa.bindparam("asset_id"),
        table.c.slot.between(sa.bindparam("start"), sa.bindparam("end")),
    )


@cache
def _summaries(fields: tuple[str, ...]) -> sa.Select[Any]:
    quote = schema.quote
    slot, resolution = quote.c.slot, quote.c.resolution
    facts = (
        bucket_of(slot),
        sa.func.count(),
        sa.func.min(slot),
        sa.func.max(slot),
        sa.func.min(resolution),
        sa.func.max(resolution),
        sa.func.min(slot % resolution),
        sa.func.max(slot % resolution),
        sa.func.count(sa.case((quote.c.origin == Origin.BACKFILLED.value, 1))),
    )
    lowest = [sa.func.min(quote.c[name]).label(f"low_{name}") for name in fields]
    highest = [sa.func.max(quote.c[name]).label(f"high_{name}") for name in fields]
    named = [fact.label(name) for fact, name in zip(facts, _FACTS, strict=True)]
    query = sa.select(*named, *lowest, *highest).where(*_within(quote))
    return query.group_by(sa.text("bucket")).order_by(sa.text("bucket"))


@cache
def _places(fields: tuple[str, ...]) -> sa.Select[Any]:
    """Return the query for the slots of the extremes: the second look at every point.

    Only the points that hold an extreme, or begin a bucket, get past its condition, so grouping
    them costs little.
    """
    found = _summaries(fields).order_by(None).cte("found")
    quote = schema.quote
    slot = quote.c.slot
    lows = [quote.c[name] == found.c[f"low_{name}"] for name in fields]
    highs = [quote.c[name] == found.c[f"high_{name}"] for name in fields]
    joined = quote.join(found, bucket_of(slot) == found.c.bucket)
    # Each is the same in all rows of a bucket; databases that want them grouped are content.
    facts = [found.c.bucket, *(sa.func.min(found.c[name]) for name in _FACTS[1:])]
    extremes = [sa.func.min(sa.case((one, slot))) for one in (*lows, *highs)]
    query = sa.select(*facts, *extremes).select_from(joined).where(*_within(quote))
    query = query.where(sa.or_(slot == found.c.first_slot, *lows, *highs))
    return query.group_by(found.c.bucket).order_by(found.c.bucket)


@cache
def _ends(field: str) -> sa.Select[Any]:
    """Return the query for the ends of each bucket: two look-ups by key for each."""
    found = _summaries((field,)).order_by(None).cte("found")
    first, last = schema.quote.alias("first"), schema.quote.alias("last")
    joined: sa.FromClause = found
    for table, slot in ((first, found.c.first_slot), (last, found.c.last_slot)):
        here = (table.c.asset_id == sa.bindparam("asset_id")) & (table.c.slot == slot)
        joined = joined.join(table, here)
    query = sa.select(*found.c, first.c[field], last.c[field]).select_from(joined)
    return query.order_by(found.c.bucket)
