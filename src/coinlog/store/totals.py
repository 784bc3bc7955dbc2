"""Reading what the whole market was worth at given slots."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from coinlog.store import schema
from coinlog.store.reader import Reader


def read_total_caps(reader: Reader, slots: Sequence[int]) -> dict[int, float]:
    """Return the market cap of all assets together in USD, by slot, where it was recorded."""
    table = schema.global_metrics.c
    query = sa.select(table.slot, table.total_market_cap).where(
        table.slot.in_(slots), table.total_market_cap.is_not(None)
    )
    with reader.connected() as connection:
        return {row.slot: row.total_market_cap for row in connection.execute(query)}
