"""Which slots have a row in the ledger, which of them have quotes, and how many."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from coinlog.store import schema
from coinlog.store.engine import store_errors
from coinlog.store.reader import HAS_QUOTES, Reader


class RecordedSlot(msgspec.Struct, frozen=True):
    """How many assets a slot has, and after how many attempts."""

    assets: int
    attempts: int


def read_recorded(engine: sa.Engine, slot: int) -> RecordedSlot | None:
    """Return what the ledger has of a slot, over the recorder's own connections."""
    table = schema.slot.c
    query = sa.select(table.assets, table.attempts).where(table.slot == slot)
    with store_errors(), engine.connect() as connection:
        row = connection.execute(query).first()
    return RecordedSlot(*row) if row else None


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
