"""The one small file that changes with every slot: where the record stands."""

from __future__ import annotations

from typing import Any

from coinlog.chunks.record import Record
from coinlog.freshness import freshness


def latest_chunk(record: Record, build: str) -> dict[str, Any]:
    """Return the file; ``build`` names the program whose scripts go with the data."""
    head, fresh = record.head, freshness(record.head, record.now)
    schedule, whole = head.schedule(record.now), record.whole_month
    return {
        "slot": fresh.slot,
        "as_of": fresh.as_of,
        "next_slot": fresh.next_slot,
        "interval": schedule.interval_seconds if schedule else None,
        "stale": fresh.stale,
        "missed": fresh.missed,
        "whole_month": whole.name if whole else None,
        "simulated": head.simulated,
        "first_slot": head.first_slot,
        "version": head.version,
        "build": build,
    }
