"""A month of the ledger: what became of each slot that was due or recorded, in a letter each."""

from __future__ import annotations

from typing import Any

from coinlog.chunks.names import Month, month_of
from coinlog.chunks.record import Record, deltas, is_complete
from coinlog.market import Outcome
from coinlog.store.ledger import read_outcomes

LETTERS = {outcome.value: outcome.value[0] for outcome in Outcome}


def months_logged(record: Record) -> tuple[Month, Month] | None:
    """Return the first and the last month of the ledger: the last is the one that it is now."""
    first = record.head.first_slot
    return None if first is None else (month_of(first), month_of(max(record.end, first)))


def log_chunk(record: Record, month: Month) -> dict[str, Any] | None:
    """Return a month's file; ``None`` before the first slot and after the month that it is."""
    known = months_logged(record)
    if known is None or not known[0] <= month <= known[1]:
        return None
    rows = {row.slot: row for row in read_outcomes(record.reader, month.start, month.end - 1)}
    start = max(month.start, record.head.first_slot or 0)
    due = record.head.over_ranges(start, month.end - 1, record.now)
    slots = sorted(set(rows).union(*due))
    outcomes = [rows[slot].outcome if slot in rows else Outcome.MISSED.value for slot in slots]
    return {
        "month": month.name,
        "complete": is_complete(record.head, month, record.now),
        "slots": deltas(slots),
        "outcomes": "".join(LETTERS[outcome] for outcome in outcomes),
        "reasons": {
            str(index): rows[slot].reason
            for index, slot in enumerate(slots)
            if slot in rows and rows[slot].reason
        },
    }
