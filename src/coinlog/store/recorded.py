"""Which slots have quotes."""

from __future__ import annotations

import sqlalchemy as sa

from coinlog.store import schema
from coinlog.store.reader import HAS_QUOTES, Reader


def recorded_slots(reader: Reader) -> list[int]:
    """Return the slots of the ledger that have quotes, oldest first."""
    table = schema.slot.c
    query = sa.select(table.slot).where(table.outcome.in_(HAS_QUOTES)).order_by(table.slot)
    with reader.connected() as connection:
        return [int(slot) for slot in connection.execute(query).scalars()]
