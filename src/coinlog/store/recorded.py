"""Which slots have a row in the ledger, and which of them have quotes."""

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


def ledger_slots(reader: Reader) -> list[int]:
    """Return all slots of the ledger, oldest first; missed ones are not in it."""
    table = schema.slot.c
    with reader.connected() as connection:
        found = connection.execute(sa.select(table.slot).order_by(table.slot)).scalars()
        return [int(slot) for slot in found]
