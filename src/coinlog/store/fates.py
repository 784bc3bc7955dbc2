"""What became of every slot of a stretch, in order: the ledger's rows and the missed ones."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from coinlog.market import Outcome, Reason
from coinlog.slots import DAY, schedule_at
from coinlog.store import schema
from coinlog.store.ledger import Head
from coinlog.store.reader import Reader


class Fate(NamedTuple):
    """A slot, its outcome and the reason for it: a tuple, because there are many."""

    slot: int
    outcome: str
    reason: str | None


def read_fates(reader: Reader, head: Head, now: float, start: int, end: int) -> list[Fate]:
    """Return what became of each slot from ``start`` to ``end`` (both included), oldest first."""
    table = schema.slot.c
    query = sa.select(table.slot, table.outcome, table.reason)
    with reader.connected() as connection:
        # Straight from the driver: wrapping a year of rows takes longer than reading them.
        cursor = connection.execute(query.where(table.slot.between(start, end))).cursor
        rows = cursor.fetchall() if cursor else ()
    told = {row[0]: Fate(*row) for row in rows}
    missed, reason = Outcome.MISSED.value, Reason.MISSED.value
    for due in head.over_ranges(start, end, now):
        for slot in due:
            if slot not in told:
                told[slot] = Fate(slot, missed, reason)
    return [told[slot] for slot in sorted(told)]


def following(head: Head, slot: int) -> int:
    """Return the slot after one, by the schedule of its time; a day later without one."""
    schedule = schedule_at(head.schedules, slot)
    return slot + (schedule.interval_seconds if schedule else DAY)
