"""One slot of the ledger by itself: its attempts, and the slots before and after it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from coinlog.store import schema
from coinlog.store.ledger import Head, LedgerRow, due_range, past_grace, read_page
from coinlog.store.reader import Reader


class AttemptRow(msgspec.Struct, frozen=True):
    """An attempt that the store has settled; times in seconds UTC."""

    attempt: str
    outcome: str
    reason: str | None
    captured_at: int
    credits: int
    sha256: str
    settled_at: int


def read_slot(reader: Reader, head: Head, now: float, slot: int) -> LedgerRow | None:
    """Return what became of a slot; ``None`` where it was never due, or is not told yet."""
    rows = read_page(reader, head, now, limit=1, before=slot + 1)
    return rows[0] if rows and rows[0].slot == slot else None


def is_due(head: Head, slot: int) -> bool:
    """Return whether a schedule holds a slot, in the past or the future."""
    ranges = (due_range(head.schedules, index, slot, slot) for index in range(len(head.schedules)))
    return any(ranges)


def read_attempts(reader: Reader, slot: int) -> list[AttemptRow]:
    """Return the attempts of a slot, in the order in which they were captured."""
    table = schema.attempt.c
    query = sa.select(*(table[name] for name in AttemptRow.__struct_fields__))
    query = query.where(table.slot == slot).order_by(table.captured_at, table.settled_at)
    with reader.connected() as connection:
        return [AttemptRow(*row) for row in connection.execute(query)]


def slot_before(reader: Reader, head: Head, now: float, slot: int) -> int | None:
    """Return the slot before one, missed ones included."""
    rows = read_page(reader, head, now, limit=1, before=slot)
    return rows[0].slot if rows else None


def slot_after(reader: Reader, head: Head, now: float, slot: int) -> int | None:
    """Return the slot after one, missed ones included."""
    table = schema.slot.c
    with reader.connected() as connection:
        recorded = connection.execute(
            sa.select(sa.func.min(table.slot)).where(table.slot > slot)
        ).scalar()
    return min(_known(recorded, _missed_after(head, now, slot)), default=None)


def _missed_after(head: Head, now: float, slot: int) -> int | None:
    for index in range(len(head.schedules)):
        due = due_range(head.schedules, index, slot + 1, int(now))
        if due:
            return due[0] if past_grace(head.schedules, due[0], now) else None
    return None


def _known(*slots: int | None) -> Iterable[int]:
    return (slot for slot in slots if slot is not None)
