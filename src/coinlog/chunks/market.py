"""The market at a slot in columns, in the order of rank: the newest one, or any recorded one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from coinlog.chunks.record import Record
from coinlog.market import BITCOIN, ETHEREUM, FIAT_IDS
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
)
COLUMNS = ("id", "name", "symbol", "slug", "first_slot", *NUMBERS)

Chunk = dict[str, Any]


def market_chunk(record: Record) -> Chunk:
    """Return the file of the newest slot: all its assets, as they are called now."""
    newest = record.head.newest
    if newest is None:
        return _chunk(None, None, [], {})
    rows = _read(record, schema.latest, newest.slot)
    rates = _rates(record, newest.slot)
    return _chunk(newest.slot, newest.observed_at or newest.slot, rows, rates)


def slot_chunk(
    record: Record, slot: int, names: Names | None = None, most: int | None = None
) -> Chunk | None:
    """Return the file of a recorded slot, its assets as they were called then.

    ``most`` keeps the first of them alone; ``total`` counts all. ``None`` where the slot has no
    quotes.
    """
    observed_at = _observed_at(record, slot)
    if observed_at is None:
        return None
    names = names or Names(record.reader)
    rows = _read(record, schema.quote, slot)
    called = [(row, names.at(row[0], slot)) for row in rows[:most]]
    then = [(row[0], name, symbol, slug, *row[4:]) for row, (symbol, name, slug) in called]
    return _chunk(slot, observed_at, then, _rates(record, slot), len(rows))


def _observed_at(record: Record, slot: int) -> int | None:
    """Return when a slot was observed, where it has quotes and that is no time to come."""
    table = schema.slot.c
    query = sa.select(table.observed_at).where(table.slot == slot, table.outcome.in_(HAS_QUOTES))
    with record.reader.connected() as connection:
        row = connection.execute(query).first()
    if row is None or slot > record.end:
        return None
    return slot if row[0] is None else int(row[0])


def _read(record: Record, table: sa.Table, slot: int) -> list[tuple[Any, ...]]:
    """Return what ``COLUMNS`` names of every asset with a quote at a slot, fiat left out."""
    asset = schema.asset
    identity = [asset.c[name] for name in COLUMNS[: -len(NUMBERS)]]
    # From the assets to the quotes: nothing else finds a slot without reading all there are.
    joined = asset.join(table, (table.c.asset_id == asset.c.id) & (table.c.slot == slot))
    query = sa.select(*identity, *(table.c[name] for name in NUMBERS)).select_from(joined)
    rank = table.c.rank
    query = query.where(sa.not_(asset.c.is_fiat)).order_by(rank.is_(None), rank, asset.c.id)
    with record.reader.connected() as connection:
        return [tuple(row) for row in connection.execute(query)]


def _rates(record: Record, slot: int) -> dict[str, float]:
    """Return what one unit of each display currency cost at a slot, where that was recorded."""
    found = record.reader.prices_at([*CURRENCIES.values()], [slot])
    return {code: found[one][0][1] for code, one in CURRENCIES.items() if found[one]}


def _chunk(
    slot: int | None,
    as_of: int | None,
    rows: Sequence[Sequence[Any]],
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
