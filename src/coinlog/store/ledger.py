"""Reading the ledger: what became of each slot, with ``missed`` derived.

A slot is missed when it was due, its grace has passed and it has no row. What was due follows
from the schedules that the store remembers, so a recorder that died shows too.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, islice
from typing import Any

import msgspec
import sqlalchemy as sa

from coinlog.market import Outcome, Reason, SourceKind
from coinlog.slots import MAX_TIME, Schedule, floor_slot, grace_seconds, schedule_at
from coinlog.store import schema
from coinlog.store.engine import store_errors
from coinlog.store.reader import HAS_QUOTES, Reader, Standing
from coinlog.store.thinned import Thinning, read_thinnings


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One slot and its outcome; a missed slot has nothing else to say."""

    slot: int
    outcome: Outcome
    reason: str | None = None
    detail: str | None = None
    source: str | None = None
    attempt: str | None = None
    attempts: int = 0
    observed_at: int | None = None
    captured_at: int | None = None
    stored_at: int | None = None
    assets: int = 0
    credits: int = 0
    body_bytes: int = 0
    duration_ms: int | None = None
    sha256: str | None = None
    notes: str | None = None


class MissingRow(msgspec.Struct, frozen=True):
    """Something that a partial slot lacks, and why."""

    slot: int
    asset_id: int | None
    what: str
    reason: str
    detail: str


class Head(msgspec.Struct, frozen=True):
    """Where the store stands: read once for each of its versions.

    ``newest`` is the newest slot with quotes, ``last`` the newest row of any outcome, and
    ``first_slot`` the oldest row's slot; ``None`` in an empty store.
    """

    version: int
    source: str | None
    schedules: tuple[Schedule, ...]
    newest: LedgerRow | None
    last: LedgerRow | None
    first_slot: int | None
    thinnings: tuple[Thinning, ...] = ()

    @property
    def standing(self) -> Standing:
        """Which store this is, as ``Reader.standing`` tells it."""
        last = self.last
        told = (last.slot, last.attempt or "", last.stored_at or 0) if last else None
        return Standing(self.version, self.source, told)

    @property
    def simulated(self) -> bool:
        """Whether the store holds a made-up market, or is about to."""
        planned = self.schedules[-1].source if self.schedules else None
        return (self.source or planned) == SourceKind.SIMULATED

    def schedule(self, now: float) -> Schedule | None:
        """Return the schedule in force."""
        return schedule_at(self.schedules, int(now))

    def current_slot(self, now: float) -> int | None:
        """Return the slot that ``now`` belongs to, where a schedule is remembered."""
        schedule = self.schedule(now)
        return None if schedule is None else floor_slot(now, schedule.interval_seconds)

    def next_slot(self, now: float) -> int | None:
        """Return the next slot after ``now`` that the schedule holds."""
        schedule = self.schedule(now)
        if schedule is None:
            return self.schedules[0].from_slot if self.schedules else None
        return floor_slot(now, schedule.interval_seconds) + schedule.interval_seconds

    def missed_since_newest(self, now: float) -> int:
        """Return how many slots have been due, and are past their grace, since the newest."""
        start = self.newest.slot + 1 if self.newest else 0
        return sum(map(len, self.over_ranges(start, int(now), now)))

    def over_ranges(self, start: int, end: int, now: float) -> list[range]:
        """Return the slots due from ``start`` to ``end`` whose grace has passed, oldest first."""
        return [
            due_range(self.schedules, index, start, min(end, _past(now, schedule)))
            for index, schedule in enumerate(self.schedules)
        ]


def _past(now: float, schedule: Schedule) -> int:
    """Return the newest time whose slots are past their grace."""
    return int(now) - grace_seconds(schedule.interval_seconds)


def due_range(schedules: Sequence[Schedule], index: int, start: int, end: int) -> range:
    """Return the slots due under one schedule from ``start`` to ``end``, without walking them."""
    schedule = schedules[index]
    step = schedule.interval_seconds
    until = schedules[index + 1].from_slot - 1 if index + 1 < len(schedules) else end
    first = max(schedule.from_slot, start)
    return range(-(-first // step) * step, min(until, end) + 1, step)


def past_grace(schedules: Sequence[Schedule], slot: int, now: float) -> bool:
    """Return whether a due slot without a row counts as missed by now."""
    schedule = schedule_at(schedules, slot)
    return schedule is None or now >= slot + grace_seconds(schedule.interval_seconds)


def read_head(reader: Reader) -> Head:
    """Return where the store stands, in one connection."""
    table = schema.slot.c
    newest = sa.select(schema.slot).order_by(table.slot.desc()).limit(1)
    with reader.connected() as connection:
        version = connection.execute(sa.select(schema.store)).first()
        schedules = connection.execute(
            sa.select(schema.schedule).order_by(schema.schedule.c.from_slot)
        ).fetchall()
        with_quotes = connection.execute(newest.where(table.outcome.in_(HAS_QUOTES))).first()
        last = connection.execute(newest).first()
        first = connection.execute(sa.select(sa.func.min(table.slot))).scalar()
        thinnings = read_thinnings(connection)
    return Head(
        version=version.version if version else 0,
        source=version.source if version else None,
        schedules=tuple(_schedule(row) for row in schedules),
        newest=_row(with_quotes) if with_quotes else None,
        last=_row(last) if last else None,
        first_slot=first,
        thinnings=thinnings,
    )


class SlotOutcome(msgspec.Struct, frozen=True):
    """The little of a ledger row that a chart needs."""

    slot: int
    outcome: str
    reason: str | None
    observed_at: int | None


def read_outcomes(reader: Reader, start: int, end: int) -> list[SlotOutcome]:
    """Return the outcomes that the ledger has from ``start`` to ``end`` (both included)."""
    table = schema.slot.c
    query = sa.select(table.slot, table.outcome, table.reason, table.observed_at)
    query = query.where(table.slot.between(start, end)).order_by(table.slot)
    with reader.connected() as connection:
        # Straight from the driver: wrapping a year of rows takes longer than reading them.
        cursor = connection.execute(query).cursor
        return [SlotOutcome(*row) for row in cursor.fetchall()] if cursor else []


def read_partial(reader: Reader, start: int, end: int) -> set[int]:
    """Return the slots from ``start`` to ``end`` (both included) that lack a part."""
    table = schema.slot.c
    query = sa.select(table.slot).where(table.slot.between(start, end))
    with reader.connected() as connection:
        partial = query.where(table.outcome == Outcome.PARTIAL.value)
        return set(connection.execute(partial).scalars())


def read_page(
    reader: Reader, head: Head, now: float, *, limit: int, before: int | None = None
) -> list[LedgerRow]:
    """Return up to ``limit`` slots, newest first, with the missed ones where they were due."""
    table = schema.slot.c
    end = int(now) if before is None else before - 1
    query = sa.select(schema.slot).where(table.slot <= (before or MAX_TIME) - 1)
    with reader.connected() as connection:
        found = connection.execute(query.order_by(table.slot.desc()).limit(limit)).fetchall()
    rows = {row.slot: _row(row) for row in found}
    # A full page reaches down to its oldest row; a short one to where the schedule began.
    oldest = min(rows) if len(rows) == limit else 0
    for slot in newest_due(head.schedules, oldest, end, limit):
        if slot not in rows and past_grace(head.schedules, slot, now):
            rows[slot] = LedgerRow(slot=slot, outcome=Outcome.MISSED, reason=Reason.MISSED.value)
    return [rows[slot] for slot in sorted(rows, reverse=True)[:limit]]


def read_rows(reader: Reader, slots: Sequence[int]) -> list[LedgerRow]:
    """Return the rows that the ledger has of some slots; missed ones have none."""
    with reader.connected() as connection:
        return _rows(connection, slots)


def read_rows_of(engine: sa.Engine, slots: Sequence[int]) -> list[LedgerRow]:
    """Return the same over a recorder's own connections."""
    with store_errors(), engine.connect() as connection:
        return _rows(connection, slots)


def _rows(connection: sa.Connection, slots: Sequence[int]) -> list[LedgerRow]:
    query = sa.select(schema.slot).where(schema.slot.c.slot.in_(slots))
    return [_row(row) for row in connection.execute(query)]


def newest_due(schedules: Sequence[Schedule], start: int, end: int, limit: int) -> list[int]:
    """Return the newest ``limit`` slots due from ``start`` to ``end``, newest first."""
    ranges = (due_range(schedules, index, start, end) for index in reversed(range(len(schedules))))
    return list(islice(chain.from_iterable(reversed(due) for due in ranges), limit))


def read_missing(reader: Reader, slots: Sequence[int], limit: int = 1000) -> list[MissingRow]:
    """Return what partial slots lack, up to ``limit`` rows."""
    table = schema.missing.c
    query = sa.select(table.slot, table.asset_id, table.what, table.reason, table.detail)
    query = query.where(table.slot.in_(slots)).order_by(table.slot.desc(), table.number)
    with reader.connected() as connection:
        return [MissingRow(*row) for row in connection.execute(query.limit(limit))]


def read_refusals(reader: Reader, asset_id: int, start: int, end: int) -> dict[int, str]:
    """Return why an asset has no quote, by slot, where a partial slot says so."""
    table = schema.missing.c
    query = sa.select(table.slot, table.reason).where(
        table.asset_id == asset_id, table.slot.between(start, end)
    )
    with reader.connected() as connection:
        return {row.slot: row.reason for row in connection.execute(query)}


def _row(row: sa.Row[Any]) -> LedgerRow:
    values = dict(row._mapping)  # noqa: SLF001  the public name of it in SQLAlchemy
    return LedgerRow(**{**values, "outcome": Outcome(values["outcome"])})


def _schedule(row: sa.Row[Any]) -> Schedule:
    return Schedule(row.from_slot, row.interval_seconds, row.assets, SourceKind(row.source))
