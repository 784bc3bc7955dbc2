"""What went wrong lately, one incident for all slots that failed alike one after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, takewhile

import msgspec
import sqlalchemy as sa

from coinlog.market import Outcome
from coinlog.slots import grace_seconds, schedule_at
from coinlog.store import schema
from coinlog.store.fates import Fate, read_fates
from coinlog.store.ledger import Head, LedgerRow, read_rows
from coinlog.store.reader import Reader

MAX_INCIDENTS = 100


class Incident(msgspec.Struct, frozen=True):
    """Slots one after another with the same outcome for the same reason.

    ``first`` stays what it is while the incident goes on; ``row`` is the ledger's of the last
    slot, ``None`` where it was missed. ``told_at`` is when the last became known (seconds UTC).
    """

    outcome: Outcome
    reason: str | None
    first: int
    last: int
    slots: int
    told_at: int
    row: LedgerRow | None = None


def read_incidents(
    reader: Reader, head: Head, now: float, since: int, limit: int = MAX_INCIDENTS
) -> list[Incident]:
    """Return the newest incidents that any slot from ``since`` on belongs to, newest first.

    One that had begun before is told from its own beginning.
    """
    with reader.connected():
        fates = read_fates(reader, head, now, since, int(now))
        runs = list(_runs(fates))[-limit:][::-1]
        rows = {row.slot: row for row in read_rows(reader, [run[-1].slot for run in runs])}
        found = [_incident(head, run, rows.get(run[-1].slot)) for run in runs]
        if found and fates and found[-1].first == fates[0].slot:
            found[-1] = _from_its_beginning(reader, head, now, found[-1])
    return found


def _runs(fates: Sequence[Fate]) -> Iterator[list[Fate]]:
    """Yield the runs of slots with the same outcome and reason, but for stored ones."""
    for (outcome, _), run in groupby(fates, lambda fate: (fate.outcome, fate.reason)):
        if outcome != Outcome.STORED:
            yield list(run)


def _incident(head: Head, run: Sequence[Fate], row: LedgerRow | None) -> Incident:
    last = run[-1]
    return Incident(
        outcome=Outcome(last.outcome),
        reason=last.reason,
        first=run[0].slot,
        last=last.slot,
        slots=len(run),
        told_at=(row and row.stored_at) or last.slot + _grace(head, last.slot),
        row=row,
    )


def _grace(head: Head, slot: int) -> int:
    schedule = schedule_at(head.schedules, slot)
    return grace_seconds(schedule.interval_seconds) if schedule else 0


def _from_its_beginning(reader: Reader, head: Head, now: float, found: Incident) -> Incident:
    """Return an incident with the slots that it had before those that were read."""
    table = schema.slot.c
    other = table.slot < found.first
    if found.outcome is not Outcome.MISSED:
        same = table.reason.is_(None) if found.reason is None else table.reason == found.reason
        other &= (table.outcome != found.outcome.value) | sa.func.coalesce(~same, sa.true())
    query = sa.select(sa.func.max(table.slot)).where(other)
    with reader.connected() as connection:
        newest_other = connection.execute(query).scalar()
    since = 0 if newest_other is None else newest_other + 1
    before = read_fates(reader, head, now, since, found.first - 1)
    kind = (found.outcome, found.reason)
    run = list(takewhile(lambda fate: (fate.outcome, fate.reason) == kind, reversed(before)))
    if not run:
        return found
    return msgspec.structs.replace(found, first=run[-1].slot, slots=found.slots + len(run))
