"""An attempt on its way into the store, and the rows that it becomes there.

Settling writes these rows and verifying compares them, so the two cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from coinlog.attempts import is_imported
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


class Held(msgspec.Struct, frozen=True):
    """What stands at a slot: its outcome, of how many cryptocurrencies, and whether others' it is.

    ``observed_at`` is ``None`` where nothing was.
    """

    outcome: Outcome
    imported: bool
    observed_at: int | None
    assets: int


def held_of(settlement: Settlement) -> Held:
    """Return what stands where this attempt does."""
    snapshot = settlement.snapshot
    return Held(
        settlement.outcome,
        is_imported(settlement.attempt),
        snapshot.observed_at if snapshot else None,
        _count_assets(snapshot),
    )


def takes_place(
    outcome: Outcome,
    snapshot: Snapshot | None,
    held: Held,
    shared: Callable[[set[int]], int],
    *,
    imported: bool,
) -> bool:
    """Return whether an attempt takes the place of the one that stands at its slot.

    Outcomes only rise. What was imported was asked for nothing and so lacks nothing, which makes
    its outcome high and proves little: it never takes the place of an answer of our own, and of
    another import's where it has all of its assets and tells more. ``shared`` says how many of
    some assets stand there.
    """
    rise = outcome.height - held.outcome.height
    if not imported or held.outcome is Outcome.FAILED:
        return rise > 0
    if not held.imported or rise < 0 or snapshot is None:
        return False
    ids = crypto_ids(snapshot)
    # Later polls of one slot hold a coin more now and then, and are to leave the first alone.
    no_later = held.observed_at is None or snapshot.observed_at <= held.observed_at
    fuller = no_later and len(ids) > held.assets
    return (rise > 0 or fuller) and shared(ids) == held.assets


def crypto_ids(snapshot: Snapshot) -> set[int]:
    """Return the cryptocurrencies that a snapshot has quotes of."""
    fiat = {asset.id for asset in snapshot.assets if asset.is_fiat}
    return {quote.asset_id for quote in snapshot.quotes} - fiat


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
