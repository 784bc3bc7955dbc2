"""Room for points: what is observed takes the place of what was backfilled around it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from coinlog.market import Origin
from coinlog.slots import DAY
from coinlog.store import schema
from coinlog.store.names import chunks

_BACKFILLED = Origin.BACKFILLED.value
_METRICS = (schema.global_metrics, schema.fear_and_greed)


class Cover:
    """Stretches of time, both ends included, which may overlap: does one hold a time?"""

    def __init__(self, stretches: Iterable[tuple[int, int]]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(stretches):
            self._starts.append(start)
            self._ends.append(max(end, self._ends[-1] if self._ends else end))

    def holds(self, time: int) -> bool:
        """Return whether a time is in one of them."""
        index = bisect_right(self._starts, time) - 1
        return index >= 0 and self._ends[index] >= time

    def meets(self, start: int, end: int) -> bool:
        """Return whether one of them lies, with some of it, from ``start`` to ``end``."""
        index = bisect_right(self._starts, end) - 1
        return index >= 0 and self._ends[index] >= start


def nearest_slot(time: int, interval_seconds: int) -> int:
    """Return the slot that a time is nearest to; of two equally near ones, the later."""
    return (time + interval_seconds // 2) // interval_seconds * interval_seconds


def around(slot: int, interval_seconds: int) -> tuple[int, int]:
    """Return the first and the last second to which a slot is the nearest.

    No slots are further apart than a day, whatever a quote stands for after thinning.
    """
    step = max(1, min(interval_seconds, DAY))
    return slot - step // 2, slot + (step + 1) // 2 - 1


def make_room(
    connection: sa.Connection, slot: int, interval_seconds: int, ids: Sequence[int]
) -> None:
    """Remove the backfilled quotes of assets that are about to be observed at a slot.

    Where nothing was ever backfilled about this time, this is one short look.
    """
    first, last = around(slot, interval_seconds)
    if not backfilled_about(connection, first, last):
        return
    for some in chunks(ids):
        for table in (schema.quote, schema.latest):
            here = table.c.slot.between(first, last) & (table.c.origin == _BACKFILLED)
            connection.execute(table.delete().where(table.c.asset_id.in_(some), here))
        renew_first_slots(connection, some, first, last, slot)


def make_room_in(
    connection: sa.Connection, table: sa.Table, slot: int, interval_seconds: int
) -> None:
    """Remove what was backfilled of global metrics, or fear and greed, about an observed slot."""
    first, last = around(slot, interval_seconds)
    if table in _METRICS and backfilled_about(connection, first, last):
        here = table.c.slot.between(first, last) & (table.c.origin == _BACKFILLED)
        connection.execute(table.delete().where(here))


def renew_first_slots(
    connection: sa.Connection, ids: Sequence[int], first: int, last: int, slot: int | None = None
) -> None:
    """Renew the first slots of assets that lay where backfilled quotes have been removed.

    ``slot`` is where all of them are about to have a quote.
    """
    quote, asset = schema.quote.c, schema.asset
    mine = sa.select(sa.func.min(quote.slot)).where(quote.asset_id == asset.c.id)
    remaining = mine.scalar_subquery()
    otherwise = asset.c.first_slot if slot is None else sa.literal(slot)
    earliest: sa.ColumnElement[int] = sa.func.coalesce(remaining, otherwise)
    if slot is not None:
        earliest = sa.case((remaining < slot, remaining), else_=otherwise)
    here = asset.c.id.in_(ids) & asset.c.first_slot.between(first, last)
    connection.execute(asset.update().where(here).values(first_slot=earliest))


def backfilled_about(connection: sa.Connection, first: int, last: int) -> bool:
    """Return whether anything was ever backfilled about a time; one short look."""
    table = schema.backfill.c
    # A point may lie outside of what was asked for by a resolution, and its slot by half of one.
    spread = 2 * DAY
    query = sa.select(table.target).where(
        table.from_time <= last + spread, table.to_time >= first - spread
    )
    return connection.execute(query.limit(1)).first() is not None
