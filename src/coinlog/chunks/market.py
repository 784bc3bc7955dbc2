"""The market at a slot in columns, in the order of rank: the newest one, or any recorded one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa

from coinlog.chunks.record import Record
from coinlog.market import BITCOIN, ETHEREUM, FIAT_IDS, Origin
from coinlog.store import schema
from coinlog.store.reader import HAS_QUOTES
from coinlog.store.stretches import Names

CURRENCIES = {**FIAT_IDS, "BTC": BITCOIN, "ETH": ETHEREUM}
NUMBERS = (
    "rank",
    "price",
    "market_cap",
    "volume_24h",
    "circulating_supply",
    "percent_change_1h",
    "percent_change_24h",
    "percent_change_7d",
    "percent_change_30d",
    "fully_diluted_market_cap",
    "total_supply",
    "max_supply",
    "num_market_pairs",
)
COLUMNS = ("id", "name", "symbol", "slug", "first_slot", *NUMBERS)

_RANK = COLUMNS.index("rank")

Chunk = dict[str, Any]
Row = tuple[Any, ...]


class Among(msgspec.Struct, frozen=True):
    """Where the first assets of a slot are to be found, so that not all need be looked at.

    No asset but those in ``ids`` has a rank up to ``rank`` in any slot; ``totals`` tells how many
    assets there were at each.
    """

    ids: Sequence[int]
    rank: int
    totals: Mapping[int, int]


def market_chunk(record: Record) -> Chunk:
    """Return the file of the newest slot: all its assets, as they are called now."""
    newest = record.head.newest
    if newest is None:
        return _chunk(None, None, [], {})
    rows = _read(record, schema.latest, newest.slot)
    rates = _rates(record, newest.slot)
    chunk = _chunk(newest.slot, newest.observed_at or newest.slot, rows, rates)
    return {**chunk, "shared": _sharing(record)}


def slot_chunk(record: Record, slot: int, names: Names | None = None) -> Chunk | None:
    """Return the file of a recorded slot, its assets as they were called then.

    ``None`` where the slot has no quotes.
    """
    observed_at = _observed_at(record, slot)
    if observed_at is None:
        return None
    rows = _called(_read(record, schema.quote, slot), names or Names(record.reader), slot)
    return _chunk(slot, observed_at, rows, _rates(record, slot))


def first_of_slot(
    record: Record, slot: int, names: Names, most: int, among: Among | None = None
) -> Chunk | None:
    """Return the file of a recorded slot with its first assets alone; ``total`` counts all."""
    observed_at = _observed_at(record, slot)
    if observed_at is None:
        return None
    total = among.totals.get(slot) if among else None
    rows = _read(record, schema.quote, slot, among.ids) if among and total is not None else []
    ranked = [row for row in rows if row[_RANK] is not None and among and row[_RANK] <= among.rank]
    if total is None or len(ranked) < min(most, total):
        # Those with other ranks, or none, may be among the first too.
        rows = _read(record, schema.quote, slot)
        total = len(rows)
    chosen = _called(rows[:most], names, slot)
    return _chunk(slot, observed_at, chosen, _rates(record, slot), total)


def _called(rows: Sequence[Row], names: Names, slot: int) -> list[Row]:
    """Return rows with what their assets were called at a slot."""
    found = []
    for asset_id, _, _, _, *rest in rows:
        symbol, name, slug = names.at(asset_id, slot)
        found.append((asset_id, name, symbol, slug, *rest))
    return found


def _observed_at(record: Record, slot: int) -> int | None:
    """Return when a slot was observed, where it has quotes and that is no time to come."""
    table = schema.slot.c
    query = sa.select(table.observed_at).where(table.slot == slot, table.outcome.in_(HAS_QUOTES))
    with record.reader.connected() as connection:
        row = connection.execute(query).first()
    if row is None or slot > record.end:
        return None
    return slot if row[0] is None else int(row[0])


def _read(
    record: Record, table: sa.Table, slot: int, ids: Sequence[int] | None = None
) -> list[Row]:
    """Return what ``COLUMNS`` names of every asset that was seen at a slot, fiat left out."""
    query = _market(table)
    asset = schema.asset.c
    # The ids stand in the condition so that the quotes are looked up by their key: nothing else
    # finds a slot without going through all there are.
    wanted = sa.select(asset.id).where(sa.not_(asset.is_fiat)).correlate(None)
    query = query.where(table.c.asset_id.in_(wanted if ids is None else ids))
    with record.reader.connected() as connection:
        return [tuple(row) for row in connection.execute(query, {"slot": slot})]


@cache
def _market(table: sa.Table) -> sa.Select[Any]:
    asset = schema.asset
    identity = [asset.c[name] for name in COLUMNS[: -len(NUMBERS)]]
    joined = table.join(asset, asset.c.id == table.c.asset_id)
    query = sa.select(*identity, *(table.c[name] for name in NUMBERS)).select_from(joined)
    # Only who was in the answer: what was fetched later was no member of it.
    seen = (table.c.slot == sa.bindparam("slot")) & (table.c.origin == Origin.OBSERVED.value)
    rank = table.c.rank
    return query.where(seen).order_by(rank.is_(None), rank, table.c.asset_id)


def _sharing(record: Record) -> list[int]:
    """Return the assets whose symbol is that of another one too: their ids must be told."""
    table = schema.asset.c
    several = sa.select(table.symbol).group_by(table.symbol).having(sa.func.count() > 1)
    query = sa.select(table.id).where(table.symbol.in_(several)).order_by(table.id)
    with record.reader.connected() as connection:
        return list(connection.execute(query).scalars())


def _rates(record: Record, slot: int) -> dict[str, float]:
    """Return what one unit of each display currency cost at a slot, where that was recorded."""
    found = record.reader.prices_at([*CURRENCIES.values()], [slot])
    return {code: found[one][0][1] for code, one in CURRENCIES.items() if found[one]}


def _chunk(
    slot: int | None,
    as_of: int | None,
    rows: Sequence[Row],
    rates: dict[str, float],
    total: int | None = None,
) -> Chunk:
    turned = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    return {
        "slot": slot,
        "as_of": as_of,
        "total": len(rows) if total is None else total,
        "assets": dict(zip(COLUMNS, turned, strict=True)),
        "currencies": rates,
    }
