"""Writing: an attempt is settled in one transaction, quotes and ledger row together.

Whatever dies in the middle leaves nothing behind, and settling again is a no-op. Outcomes only
rise: failed < partial < stored. A second answer to a slot changes nothing but the count, unless
both were imported and it tells more.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec
import sqlalchemy as sa

from coinlog.attempts import is_imported
from coinlog.errors import MixedSourcesError
from coinlog.market import Outcome, SourceKind
from coinlog.slots import Schedule, schedule_at
from coinlog.store import names, rows, schema
from coinlog.store.engine import store_errors
from coinlog.store.room import make_room_in
from coinlog.store.settlements import (
    Held,
    Settlement,
    attempt_row,
    part_rows,
    resolution_of,
    slot_row,
    takes_place,
)
from coinlog.store.undoing import undo_about

MAX_CREDITS = 2**31 - 1


def settled(engine: sa.Engine, since_slot: int = 0) -> set[tuple[int, str]]:
    """Return the (slot, attempt) pairs that the store has settled, from a slot on."""
    table = schema.attempt.c
    query = sa.select(table.slot, table.attempt).where(table.slot >= since_slot)
    with store_errors(), engine.connect() as connection:
        return {(slot, attempt) for slot, attempt in connection.execute(query)}


def newest_settled(engine: sa.Engine) -> int | None:
    """Return the newest slot that the store has settled an attempt of."""
    query = sa.select(sa.func.max(schema.attempt.c.slot))
    with store_errors(), engine.connect() as connection:
        return connection.execute(query).scalar()


def settle(engine: sa.Engine, settlement: Settlement, stored_at: int) -> bool:
    """Settle an attempt in one transaction; ``False`` where it was settled before.

    Raises:
        MixedSourcesError: the store holds the other kind of data, simulated or real.
        StoreRefusedError: the database refused a value: nothing was changed.
        StoreUnavailableError: the database is away or too busy: nothing was changed.
    """
    return settle_many(engine, [settlement], stored_at)[0]


def settle_many(engine: sa.Engine, settlements: Sequence[Settlement], stored_at: int) -> list[bool]:
    """Settle attempts one after the other in one transaction; say of each what ``settle`` does.

    The quotes of all are written together, in asset order, which is much faster.

    Raises:
        MixedSourcesError: one of them is of the other kind of data: none was settled.
        StoreRefusedError: the database refused a value of one of them: none was settled.
        StoreUnavailableError: the database is away or too busy: nothing was changed.
    """
    try:
        with store_errors(), engine.begin() as connection:
            # The first statement locks the store's one row, so writers go one after another.
            version = raise_version(connection)
            quotes = rows.Quotes(connection)
            done = [
                _settle(connection, quotes, settlement, stored_at, version)
                for settlement in settlements
            ]
            quotes.flush()
            if not any(done):
                connection.rollback()
            return done
    except BaseException:
        # What was written is undone, and what was learnt from it must be forgotten.
        names.forget(engine)
        raise


def _settle(
    connection: sa.Connection,
    quotes: rows.Quotes,
    settlement: Settlement,
    stored_at: int,
    version: int,
) -> bool:
    if _is_settled(connection, settlement):
        return False
    if settlement.schedule:
        refuse_mixing(connection, settlement.schedule.source)
        # Nothing was due by what others did: a slot that they left out is not missed.
        if not settlement.imported:
            _remember_schedule(connection, settlement.schedule)
    connection.execute(schema.attempt.insert(), attempt_row(settlement, stored_at))
    _write_slot(connection, quotes, settlement, stored_at, version)
    return True


def raise_version(connection: sa.Connection) -> int:
    """Begin a transaction: raise the store's version, which locks out other writers; return it."""
    store = schema.store
    connection.execute(store.update().values(version=store.c.version + 1))
    version = int(connection.execute(sa.select(store.c.version)).scalar_one())
    names.begin(connection.engine, version)
    return version


def note_schedule(engine: sa.Engine, time: int, interval_seconds: int, assets: str) -> None:
    """Remember that other settings are in force from ``time`` on, if they are others.

    Settling an attempt remembers its schedule too; this is for the time before its first slot.
    An empty store learns its first schedule from its first attempt.
    """
    with store_errors(), engine.begin() as connection:
        held = schedule_at(known_schedules(connection), time)
        if held and (held.interval_seconds, held.assets) != (interval_seconds, assets):
            # What was due, and so what the page says, follows from it.
            raise_version(connection)
            _remember_schedule(connection, Schedule(time, interval_seconds, assets, held.source))


def slots_with_quotes(engine: sa.Engine, since_slot: int = 0) -> set[int]:
    """Return the slots that are stored or partial, from a slot on."""
    table = schema.slot.c
    query = sa.select(table.slot).where(table.outcome != Outcome.FAILED, table.slot >= since_slot)
    with store_errors(), engine.connect() as connection:
        return {slot for (slot,) in connection.execute(query)}


def _is_settled(connection: sa.Connection, settlement: Settlement) -> bool:
    table = schema.attempt.c
    query = sa.select(table.sha256).where(
        table.slot == settlement.slot, table.attempt == settlement.attempt
    )
    return connection.execute(query).first() is not None


def refuse_mixing(connection: sa.Connection, source: SourceKind) -> None:
    """Let an empty store take a source's data, and no store both.

    Raises:
        MixedSourcesError: it holds the other kind of data.
    """
    held = connection.execute(sa.select(schema.store.c.source)).scalar()
    if held is None:
        connection.execute(schema.store.update().values(source=source))
    elif held != source:
        raise MixedSourcesError(
            f"this store holds {held} data and refuses {source} data: the two never share a "
            "store; use another data folder (COINLOG_DATA) or database for one of them"
        )


def _remember_schedule(connection: sa.Connection, new: Schedule) -> None:
    """Note a schedule from its slot on, where it differs from the one remembered.

    Where a slot comes late, the one remembered goes on after it, and rows are left as they would
    be if it had come in its turn.
    """
    table = schema.schedule
    known = known_schedules(connection)
    held = schedule_at(known, new.from_slot)
    if held and _alike(held, new):
        return
    following = _next_slot(connection, new.from_slot)
    later = next((each for each in known if each.from_slot > new.from_slot), None)
    gone = [held] if held and held.from_slot == new.from_slot else []
    noted = [new]
    if held and following is not None and schedule_at(known, following) == held:
        noted.append(msgspec.structs.replace(held, from_slot=following))
    elif later and _alike(later, new):
        gone.append(later)
    for each in gone:
        connection.execute(table.delete().where(table.c.from_slot == each.from_slot))
    connection.execute(table.insert(), [msgspec.structs.asdict(each) for each in noted])


def _alike(one: Schedule, other: Schedule) -> bool:
    """Return whether two schedules ask for the same, from whatever slot on."""
    return msgspec.structs.replace(one, from_slot=other.from_slot) == other


def _next_slot(connection: sa.Connection, slot: int) -> int | None:
    """Return the first slot in the ledger after a slot."""
    table = schema.slot.c
    return connection.execute(sa.select(sa.func.min(table.slot)).where(table.slot > slot)).scalar()


def known_schedules(connection: sa.Connection) -> list[Schedule]:
    """Return the schedules that the store remembers, oldest first."""
    table = schema.schedule
    return [
        Schedule(row.from_slot, row.interval_seconds, row.assets, SourceKind(row.source))
        for row in connection.execute(sa.select(table).order_by(table.c.from_slot))
    ]


def _write_slot(
    connection: sa.Connection,
    quotes: rows.Quotes,
    settlement: Settlement,
    stored_at: int,
    version: int,
) -> None:
    table = schema.slot
    held = connection.execute(sa.select(table).where(table.c.slot == settlement.slot)).first()
    if held is None:
        _write_snapshot(connection, quotes, settlement, version)
        connection.execute(table.insert(), slot_row(settlement, stored_at, 1, settlement.credits))
        return
    spent = min(held.credits + settlement.credits, MAX_CREDITS)
    counts = {"attempts": held.attempts + 1, "credits": spent}
    here = table.update().where(table.c.slot == settlement.slot)
    if settlement.outcome == held.outcome == Outcome.FAILED:
        # Why it still fails is what one wants to know.
        connection.execute(here, slot_row(settlement, stored_at, *counts.values()))
        return
    if not _takes_place(quotes, settlement, held):
        connection.execute(here, counts)
        return
    lost = quotes.clear_slot(settlement.slot)
    _write_snapshot(connection, quotes, settlement, version)
    seen = (
        {quote.asset_id for quote in settlement.snapshot.quotes} if settlement.snapshot else set()
    )
    if lost - seen:
        quotes.flush()
        undo_about(connection, settlement.slot, lost - seen)
    connection.execute(here, slot_row(settlement, stored_at, *counts.values()))


def _takes_place(
    quotes: rows.Quotes, settlement: Settlement, row: sa.Row[tuple[object, ...]]
) -> bool:
    return takes_place(
        settlement.outcome,
        settlement.snapshot,
        Held(Outcome(row.outcome), is_imported(row.attempt), row.observed_at, row.assets),
        partial(quotes.count_at, settlement.slot),
        imported=settlement.imported,
    )


def _write_snapshot(
    connection: sa.Connection, quotes: rows.Quotes, settlement: Settlement, version: int
) -> None:
    snapshot, slot = settlement.snapshot, settlement.slot
    if snapshot is None:
        return
    names.write_assets(connection, slot, snapshot.assets, version, quotes.flush)
    quotes.add(slot, snapshot.quotes, resolution_of(settlement))
    for table, lines in part_rows(settlement):
        if table is not schema.missing:
            make_room_in(connection, table, slot, resolution_of(settlement))
        connection.execute(table.insert(), lines)
