"""An asset's record in a few numbers: highest, lowest, best rank, and how many quotes.

Two looks at one stretch of the disk: the database finds the extremes, then their first slots.
"""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from coinlog.market import Origin
from coinlog.store import schema
from coinlog.store.reader import HAS_QUOTES, Reader


class Extreme(msgspec.Struct, frozen=True):
    """A value and the first slot that has it."""

    value: float
    slot: int


class Extremes(msgspec.Struct, frozen=True, kw_only=True):
    """What an asset's recorded quotes range over: prices in USD, ranks where it had one.

    ``quotes`` counts all of them, ``backfilled`` those fetched later from the source's history;
    ``first`` is the slot of the oldest.
    """

    first: int
    quotes: int
    backfilled: int
    high: Extreme
    low: Extreme
    best_rank: Extreme | None
    worst_rank: Extreme | None


def read_extremes(reader: Reader, asset_id: int, start: int = 0) -> Extremes | None:
    """Return an asset's extremes from ``start`` on, or ``None`` where it has no quote."""
    mine = {"asset_id": asset_id, "start": start}
    with reader.connected() as connection:
        quotes, first, backfilled, *values = connection.execute(_VALUES, mine).one()
        if not quotes:
            return None
        asked = dict(zip(_NAMES, values, strict=True))
        slots = connection.execute(_SLOTS, {**mine, **asked}).one()
    found = {
        name: None if value is None else Extreme(value, slot)
        for name, value, slot in zip(_NAMES, values, slots, strict=True)
    }
    return Extremes(first=first, quotes=quotes, backfilled=int(backfilled), **found)  # type: ignore[arg-type]


def left_after(reader: Reader, last_slot: int) -> int | None:
    """Return the first slot with quotes after an asset's last: the one it was gone from."""
    table = schema.slot.c
    query = sa.select(sa.func.min(table.slot))
    query = query.where(table.slot > last_slot, table.outcome.in_(HAS_QUOTES))
    with reader.connected() as connection:
        found: int | None = connection.execute(query).scalar()
    return found


_QUOTE = schema.quote.c
_ENDS: dict[str, tuple[sa.Column[Any], Any]] = {
    "high": (_QUOTE.price, sa.func.max),
    "low": (_QUOTE.price, sa.func.min),
    "best_rank": (_QUOTE.rank, sa.func.min),
    "worst_rank": (_QUOTE.rank, sa.func.max),
}
_NAMES = tuple(_ENDS)
_MINE = (_QUOTE.asset_id == sa.bindparam("asset_id")) & (_QUOTE.slot >= sa.bindparam("start"))
_BACKFILLED = sa.case((_QUOTE.origin == Origin.BACKFILLED.value, 1), else_=0)
_VALUES = sa.select(
    sa.func.count(),
    sa.func.min(_QUOTE.slot),
    sa.func.sum(_BACKFILLED),
    *(end(column) for column, end in _ENDS.values()),
).where(_MINE)


def _first(name: str) -> sa.ScalarSelect[Any]:
    """Return the query for the first slot of an extreme: it ends where it finds it."""
    column, _ = _ENDS[name]
    here = sa.select(_QUOTE.slot).where(_MINE, column == sa.bindparam(name))
    return here.order_by(_QUOTE.slot).limit(1).scalar_subquery()


_SLOTS = sa.select(*map(_first, _NAMES))
