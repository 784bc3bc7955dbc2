"""An attempt on its way into the store, and the rows that it becomes there.

Settling writes these rows and verifying compares them, so the two cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from coinlog.market import Origin, Outcome, Reason, Snapshot
from coinlog.slots import Schedule
from coinlog.store import schema

DETAIL_LENGTH = 2_000
MISSING_KEPT = 10_000

Row = dict[str, Any]


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt as the store will remember it; times in seconds UTC.

    ``snapshot`` is there unless the attempt failed; ``schedule``, the one that the attempt was
    made by, unless its manifest is damaged. What was ``imported`` was captured by others: its
    schedule tells what a quote stands for, and was never one of ours.
    """

    slot: int
    attempt: str
    outcome: Outcome
    reason: Reason | None = None
    detail: str = ""
    captured_at: int
    schedule: Schedule | None = None
    credits: int = 0
    body_bytes: int = 0
    duration_ms: int = 0
    sha256: str = ""
    snapshot: Snapshot | None = None
    imported: bool = False


def attempt_row(settlement: Settlement, settled_at: int) -> Row:
    """Return an attempt's row in the table of all attempts."""
    return {
        "slot": settlement.slot,
        "attempt": settlement.attempt,
        "outcome": settlement.outcome.value,
        "reason": settlement.reason and settlement.reason.value,
        "captured_at": settlement.captured_at,
        "credits": settlement.credits,
        "sha256": settlement.sha256,
        "settled_at": settled_at,
    }


def slot_row(settlement: Settlement, stored_at: int, attempts: int, spent: int) -> Row:
    """Return the ledger's row of a slot where this attempt's outcome stands.

    ``attempts`` have been settled for it, and ``spent`` is what all of them cost.
    """
    snapshot = settlement.snapshot
    notes = snapshot.notes if snapshot else ()
    return {
        "slot": settlement.slot,
        "outcome": settlement.outcome.value,
        "reason": settlement.reason and settlement.reason.value,
        "detail": settlement.detail[:DETAIL_LENGTH] or None,
        "source": settlement.schedule.source.value if settlement.schedule else None,
        "attempt": settlement.attempt,
        "attempts": attempts,
        "observed_at": snapshot.observed_at if snapshot else None,
        "captured_at": settlement.captured_at,
        "stored_at": stored_at,
        "assets": _count_assets(snapshot),
        "credits": spent,
        "body_bytes": settlement.body_bytes,
        "duration_ms": settlement.duration_ms,
        "sha256": settlement.sha256,
        "notes": msgspec.json.encode(notes).decode()[:DETAIL_LENGTH] if notes else None,
    }


def part_rows(settlement: Settlement) -> Iterator[tuple[sa.Table, list[Row]]]:
    """Yield the rows of a snapshot besides its quotes, table by table; none where it has none."""
    snapshot, slot = settlement.snapshot, settlement.slot
    if snapshot is None:
        return
    place = {"slot": slot, "origin": Origin.OBSERVED.value, "resolution": resolution_of(settlement)}
    for table, part in (
        (schema.global_metrics, snapshot.global_metrics),
        (schema.fear_and_greed, snapshot.fear_and_greed),
    ):
        if part:
            yield table, [{**msgspec.structs.asdict(part), **place}]
    if snapshot.missing:
        kept = enumerate(snapshot.missing[:MISSING_KEPT], 1)
        yield (
            schema.missing,
            [{"slot": slot, "number": n, **msgspec.structs.asdict(line)} for n, line in kept],
        )


def resolution_of(settlement: Settlement) -> int:
    """Return how many seconds a quote of this attempt stands for: its schedule's interval."""
    return settlement.schedule.interval_seconds if settlement.schedule else 0


def _count_assets(snapshot: Snapshot | None) -> int:
    """Return how many cryptocurrencies a snapshot has; the display currencies do not count."""
    if snapshot is None:
        return 0
    return len(snapshot.quotes) - sum(asset.is_fiat for asset in snapshot.assets)
