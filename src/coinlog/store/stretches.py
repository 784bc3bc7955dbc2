"""Reading long stretches of the quotes: many assets, much time, little memory.

In the order of asset and slot, which is that of the disk, some thousand rows at a time. Each
asset's stretch is a look-up of its own: a month of a store of ten years reads that month alone.
Every read is a statement of its own, so no server waits for a reader that is busy elsewhere.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa

from coinlog.market import Origin
from coinlog.store import schema
from coinlog.store.reader import Reader

ROWS = 10_000
"""How many quotes are read at once; with all their fields some 10 MB."""

ASSETS = 200
"""How many assets one statement asks for; from 1,000 on, MariaDB would make a table of them."""

Row = tuple[Any, ...]


class Stretch(msgspec.Struct, frozen=True):
    """Which quotes: of assets (ids, ascending) from ``start`` to ``end``, both included."""

    ids: Sequence[int]
    start: int
    end: int
    fields: Sequence[str]


class Part(msgspec.Struct, frozen=True):
    """Some rows, and how many assets are done with them."""

    rows: Sequence[Row]
    assets_done: int


def read_stretch(reader: Reader, table: sa.Table, stretch: Stretch) -> Iterator[Part]:
    """Yield the quotes of a stretch, from the history or of the newest ones.

    A row is slot, time observed, asset, the fields, origin and resolution; the time observed is
    a backfilled quote's own.
    """
    query = _stretch(table, tuple(stretch.fields))
    asked, start, end = list(stretch.ids), stretch.start, stretch.end
    while asked:
        some = asked[:ASSETS]
        rows = _read(reader, query, some, start, end)
        if len(rows) < ROWS:
            asked = asked[len(some) :]
            yield Part(rows, len(some))
            continue
        # The rest of the asset that was cut off, then on with the one after it.
        slot, _, last, *_ = rows[-1]
        done = some.index(last) + 1
        yield Part(rows, 0)
        while rows := _read(reader, query, [last], slot + 1, end):
            slot = rows[-1][0]
            yield Part(rows, 0)
        asked = asked[done:]
        yield Part((), done)


def _read(
    reader: Reader, query: sa.Select[Any], ids: Sequence[int], start: int, end: int
) -> list[Row]:
    asked = {"ids": ids, "start": start, "end": end, "rows": ROWS}
    with reader.connected() as connection:
        # Straight from the driver: its tuples hold doubles and whole numbers already.
        cursor = connection.execute(query, asked).cursor
        return list(cursor.fetchall()) if cursor else []


@cache
def _stretch(table: sa.Table, fields: tuple[str, ...]) -> sa.Select[Any]:
    ledger = schema.slot
    observed_at = sa.case(
        (
            table.c.origin == Origin.BACKFILLED.value,
            sa.func.coalesce(table.c.last_updated, table.c.slot),
        ),
        else_=sa.func.coalesce(ledger.c.observed_at, table.c.slot),
    )
    columns = (*(table.c[name] for name in fields), table.c.origin, table.c.resolution)
    query = sa.select(table.c.slot, observed_at, table.c.asset_id, *columns)
    query = query.select_from(table.outerjoin(ledger, ledger.c.slot == table.c.slot))
    mine = table.c.asset_id.in_(sa.bindparam("ids", expanding=True))
    within = table.c.slot.between(sa.bindparam("start"), sa.bindparam("end"))
    query = query.where(mine, within).order_by(table.c.asset_id, table.c.slot)
    return query.limit(sa.bindparam("rows", type_=sa.Integer))


def ends_of(reader: Reader, ids: Sequence[int]) -> tuple[int, int] | None:
    """Return the first and the last slot of assets' quotes, where they have any."""
    asset, quote = schema.asset.c, schema.quote.c
    here = quote.asset_id == asset.id
    # Two look-ups an asset; asked for together, SQLite would read all that lies between.
    first, last = (
        sa.select(end(quote.slot)).where(here).scalar_subquery()
        for end in (sa.func.min, sa.func.max)
    )
    found: list[tuple[int, int]] = []
    with reader.connected() as connection:
        for number in range(0, len(ids), ASSETS):
            some = asset.id.in_(ids[number : number + ASSETS])
            rows = connection.execute(sa.select(first, last).where(some))
            found += [(row[0], row[1]) for row in rows if row[0] is not None]
    return (min(one[0] for one in found), max(one[1] for one in found)) if found else None


Called = tuple[str, str, str]


class Names:
    """What every asset was called at every slot: symbol, name and slug."""

    def __init__(self, reader: Reader) -> None:
        table = schema.asset_name.c
        query = sa.select(table.asset_id, table.from_slot, table.symbol, table.name, table.slug)
        self._names: dict[int, tuple[list[int], list[Called]]] = {}
        with reader.connected() as connection:
            for asset_id, from_slot, symbol, name, slug in connection.execute(
                query.order_by(table.asset_id, table.from_slot)
            ):
                slots, called = self._names.setdefault(asset_id, ([], []))
                slots.append(from_slot)
                called.append((symbol, name, slug))
            # Whom no slot has named, backfill alone knows.
            asset = schema.asset.c
            every = sa.select(asset.id, asset.symbol, asset.name, asset.slug)
            for asset_id, *now in connection.execute(every):
                self._names.setdefault(asset_id, ([0], [(now[0], now[1], now[2])]))

    def at(self, asset_id: int, slot: int) -> Called:
        """Return what an asset was called at a slot; before its first name, that one."""
        slots, called = self._names[asset_id]
        if len(called) == 1:
            return called[0]
        return called[max(bisect_right(slots, slot) - 1, 0)]
