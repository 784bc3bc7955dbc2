"""Writing: one attempt is settled in one transaction, quotes and ledger row together.

Whatever dies in the middle leaves nothing behind, and settling again is a no-op. Outcomes only
rise: failed < partial < stored. A second answer to a slot changes nothing but the count.
"""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from coinlog.errors import MixedSourcesError
from coinlog.market import Outcome, Reason, Snapshot, SourceKind
from coinlog.slots import Schedule, iso, schedule_at
from coinlog.store import names, rows, schema
from coinlog.store.engine import store_errors

DETAIL_LENGTH = 2_000
MISSING_KEPT = 10_000
MAX_CREDITS = 2**31 - 1


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt as the store will remember it; times in seconds UTC.

    ``snapshot`` is there unless the attempt failed; ``schedule``, the one that the attempt was
    made by, unless its manifest is damaged.
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


def settled(engine: sa.Engine, since_slot: int = 0) -> set[tuple[int, str]]:
    """Return the (slot, attempt) pairs that the store has settled, from a slot on."""
    table = schema.attempt.c
    query = sa.select(table.slot, table.attempt).where(table.slot >= since_slot)
    with store_errors(), engine.connect() as connection:
        return {(slot, attempt) for slot, attempt in connection.execute(query)}


def settle(engine: sa.Engine, settlement: Settlement, stored_at: int) -> bool:
    """Settle an attempt in one transaction; ``False`` where it was settled before.

    Raises:
        MixedSourcesError: the store holds the other kind of data, simulated or real.
        StoreUnavailableError: the database is away or too busy: nothing was changed.
    """
    try:
        with store_errors(), engine.begin() as connection:
            return _settle(connection, settlement, stored_at)
    except BaseException:
        # What was written is undone, and what was learnt from it must be forgotten.
        names.forget(engine)
        raise


def _settle(connection: sa.Connection, settlement: Settlement, stored_at: int) -> bool:
    # The first statement locks the store's one row, so writers go one after another.
    version = _raise_version(connection)
    if _is_settled(connection, settlement):
        connection.rollback()
        return False
    if settlement.schedule:
        _refuse_mixing(connection, settlement.schedule.source)
        _remember_schedule(connection, settlement.schedule)
    _remember_attempt(connection, settlement, stored_at)
    _write_slot(connection, settlement, stored_at, version)
    return True


def _raise_version(connection: sa.Connection) -> int:
    store = schema.store
    connection.execute(store.update().values(version=store.c.version + 1))
    return int(connection.execute(sa.select(store.c.version)).scalar_one())


def note_schedule(engine: sa.Engine, time: int, interval_seconds: int, assets: str) -> None:
    """Remember that other settings are in force from ``time`` on, if they are others.

    Settling an attempt remembers its schedule too; this is for the time before its first slot.
    An empty store learns its first schedule from its first attempt.
    """
    with store_errors(), engine.begin() as connection:
        held = schedule_at(_known_schedules(connection), time)
        if held and (held.interval_seconds, held.assets) != (interval_seconds, assets):
            # What was due, and so what the page says, follows from it.
            _raise_version(connection)
            _remember_schedule(connection, Schedule(time, interval_seconds, assets, held.source))


def slots_with_quotes(engine: sa.Engine) -> set[int]:
    """Return the slots that are stored or partial."""
    query = sa.select(schema.slot.c.slot).where(schema.slot.c.outcome != Outcome.FAILED)
    with store_errors(), engine.connect() as connection:
        return {slot for (slot,) in connection.execute(query)}


def _is_settled(connection: sa.Connection, settlement: Settlement) -> bool:
    table = schema.attempt.c
    query = sa.select(table.sha256).where(
        table.slot == settlement.slot, table.attempt == settlement.attempt
    )
    return connection.execute(query).first() is not None


def _refuse_mixing(connection: sa.Connection, source: SourceKind) -> None:
    held = connection.execute(sa.select(schema.store.c.source)).scalar()
    if held is None:
        connection.execute(schema.store.update().values(source=source))
    elif held != source:
        raise MixedSourcesError(
            f"this store holds {held} data and refuses {source} data: the two never share a "
            "store; use another data folder (COINLOG_DATA) or database for one of them"
        )


def _remember_schedule(connection: sa.Connection, new: Schedule) -> None:
    """Note a schedule from its slot on, where it differs from the one remembered."""
    table = schema.schedule
    held = schedule_at(_known_schedules(connection), new.from_slot)
    if held == msgspec.structs.replace(new, from_slot=held.from_slot if held else new.from_slot):
        return
    if held is not None and held.from_slot == new.from_slot:
        connection.execute(table.delete().where(table.c.from_slot == new.from_slot))
    connection.execute(table.insert(), msgspec.structs.asdict(new))


def _known_schedules(connection: sa.Connection) -> list[Schedule]:
    table = schema.schedule
    return [
        Schedule(row.from_slot, row.interval_seconds, row.assets, SourceKind(row.source))
        for row in connection.execute(sa.select(table).order_by(table.c.from_slot))
    ]


def _remember_attempt(connection: sa.Connection, settlement: Settlement, stored_at: int) -> None:
    connection.execute(
        schema.attempt.insert(),
        {
            "slot": settlement.slot,
            "attempt": settlement.attempt,
            "outcome": settlement.outcome,
            "reason": settlement.reason,
            "captured_at": settlement.captured_at,
            "credits": settlement.credits,
            "sha256": settlement.sha256,
            "settled_at": stored_at,
        },
    )


def _write_slot(
    connection: sa.Connection, settlement: Settlement, stored_at: int, version: int
) -> None:
    table = schema.slot
    held = connection.execute(sa.select(table).where(table.c.slot == settlement.slot)).first()
    if held is None:
        _write_snapshot(connection, settlement, version)
        connection.execute(table.insert(), _slot_row(settlement, stored_at, 1, settlement.credits))
        return
    spent = min(held.credits + settlement.credits, MAX_CREDITS)
    counts = {"attempts": held.attempts + 1, "credits": spent}
    here = table.update().where(table.c.slot == settlement.slot)
    if settlement.outcome == held.outcome == Outcome.FAILED:
        # Why it still fails is what one wants to know.
        connection.execute(here, _slot_row(settlement, stored_at, *counts.values()))
        return
    if settlement.outcome.height <= Outcome(held.outcome).height:
        connection.execute(here, counts)
        return
    rows.clear_slot(connection, settlement.slot)
    _write_snapshot(connection, settlement, version)
    connection.execute(here, _slot_row(settlement, stored_at, *counts.values()))


def _slot_row(
    settlement: Settlement, stored_at: int, attempts: int, spent: int
) -> dict[str, object]:
    snapshot = settlement.snapshot
    notes = snapshot.notes if snapshot else ()
    return {
        "slot": settlement.slot,
        "outcome": settlement.outcome,
        "reason": settlement.reason,
        "detail": settlement.detail[:DETAIL_LENGTH] or None,
        "source": settlement.schedule.source if settlement.schedule else None,
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


def _count_assets(snapshot: Snapshot | None) -> int:
    """Return how many cryptocurrencies a snapshot has; the display currencies do not count."""
    if snapshot is None:
        return 0
    return len(snapshot.quotes) - sum(asset.is_fiat for asset in snapshot.assets)


def _write_snapshot(connection: sa.Connection, settlement: Settlement, version: int) -> None:
    snapshot, slot = settlement.snapshot, settlement.slot
    if snapshot is None:
        return
    names.write_assets(connection, slot, snapshot.assets, version)
    resolution_seconds = settlement.schedule.interval_seconds if settlement.schedule else 0
    rows.write_quotes(connection, slot, snapshot.quotes, resolution_seconds)
    if snapshot.global_metrics:
        values = msgspec.structs.asdict(snapshot.global_metrics)
        connection.execute(schema.global_metrics.insert(), {"slot": slot, **values})
    if snapshot.fear_and_greed:
        values = msgspec.structs.asdict(snapshot.fear_and_greed)
        connection.execute(schema.fear_and_greed.insert(), {"slot": slot, **values})
    if snapshot.missing:
        kept = enumerate(snapshot.missing[:MISSING_KEPT], 1)
        lines = [{"slot": slot, "number": n, **msgspec.structs.asdict(line)} for n, line in kept]
        connection.execute(schema.missing.insert(), lines)


def describe(settlement: Settlement) -> str:
    """Return one line for people: the slot, its outcome and why."""
    why = f": {settlement.detail}" if settlement.detail else ""
    return f"slot {iso(settlement.slot)} {settlement.outcome}{why}"
