"""What there is to count in the whole ledger, for who watches it: outcomes, reasons, credits."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import sqlalchemy as sa

from coinlog.market import Outcome
from coinlog.store import schema
from coinlog.store.ledger import Head
from coinlog.store.reader import Reader


class Counts(msgspec.Struct, frozen=True):
    """The ledger in numbers, ``missed`` slots included; ``size_bytes`` is what the store takes.

    ``credits_month`` is what slots of this month (UTC) have cost so far.
    """

    outcomes: dict[str, int]
    reasons: dict[str, int]
    attempts: int
    credits: int
    credits_month: int
    size_bytes: int | None


def read_counts(reader: Reader, head: Head, now: float) -> Counts:
    """Return what the ledger counts by now."""
    table = schema.slot.c
    query = sa.select(
        table.outcome,
        table.reason,
        sa.func.count(),
        sa.func.sum(table.attempts),
        sa.func.sum(table.credits),
    ).group_by(table.outcome, table.reason)
    with reader.connected() as connection:
        found = connection.execute(query).fetchall()
        month = connection.execute(
            sa.select(sa.func.sum(table.credits)).where(table.slot >= month_start(now))
        ).scalar()
        missed = _count_missed(connection, head, now)
        size = _size_bytes(connection)
    outcomes = {outcome.value: 0 for outcome in Outcome}
    for outcome, _, count, _, _ in found:
        outcomes[outcome] += count
    outcomes[Outcome.MISSED.value] = missed
    reasons = {row[1]: row[2] for row in found if row[0] == Outcome.FAILED.value and row[1]}
    attempts, spent = (sum(int(row[place] or 0) for row in found) for place in (3, 4))
    return Counts(outcomes, reasons, attempts, spent, int(month or 0), size)


def month_start(now: float) -> int:
    """Return when the month of a time began, UTC."""
    then = datetime.fromtimestamp(now, UTC)
    return int(datetime(then.year, then.month, 1, tzinfo=UTC).timestamp())


def _count_missed(connection: sa.Connection, head: Head, now: float) -> int:
    """Return how many slots were due, are past their grace, and have no row."""
    slot, missed = schema.slot.c.slot, 0
    for due in head.over_ranges(0, int(now), now):
        if due:
            on_grid = slot.between(due[0], due[-1]) & (slot % due.step == 0)
            there = connection.execute(sa.select(sa.func.count()).where(on_grid)).scalar_one()
            missed += len(due) - there
    return missed


def _size_bytes(connection: sa.Connection) -> int | None:
    """Return what the store takes on its disk, as far as that is known without counting."""
    url = connection.engine.url
    if connection.dialect.name == "sqlite":
        files = [Path(f"{url.database}{end}").expanduser() for end in ("", "-wal")]
        return sum(file.stat().st_size for file in files if file.is_file())
    query = sa.text(
        "SELECT SUM(data_length + index_length) FROM information_schema.tables "
        "WHERE table_schema = DATABASE()"
    )
    found = connection.execute(query).scalar()
    return None if found is None else int(found)
