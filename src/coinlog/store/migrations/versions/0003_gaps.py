"""Gaps: the view of what is lacking, limited to slots that were due, each with its own reason.

Written out, like every migration; each step may be repeated, because MySQL and MariaDB commit
at every statement that changes a table.
"""

from __future__ import annotations

from collections.abc import Callable

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Iso = Callable[[str], str]


def upgrade() -> None:
    """Make the view, in the place of one that an older coinlog has made."""
    downgrade()
    op.execute(f"CREATE VIEW v_gaps AS {view(op.get_bind().dialect.name)}")


def downgrade() -> None:
    """Remove the view."""
    op.execute("DROP VIEW IF EXISTS v_gaps")


def view(dialect: str) -> str:
    """Return the view for a database: times in ISO 8601 (UTC), and ``slot`` to filter by."""

    def iso_sqlite(column: str) -> str:
        return f"strftime('%Y-%m-%dT%H:%M:%SZ', {column}, 'unixepoch')"

    def iso_mysql(column: str) -> str:
        moment = f"DATE_ADD('1970-01-01', INTERVAL {column} SECOND)"
        return f"DATE_FORMAT({moment}, '%Y-%m-%dT%H:%i:%sZ')"

    if dialect == "sqlite":
        return gaps(iso_sqlite, "CAST(strftime('%s', 'now') AS INTEGER)", "/")
    return gaps(iso_mysql, "UNIX_TIMESTAMP()", "DIV")


def gaps(iso: Iso, now: str, divided_by: str) -> str:
    """Return the stretches of due slots without quotes, by the schedules remembered.

    Each step looks at neighbours alone, so that a ledger of years takes no longer than reading it.
    A gap has a reason where all of it failed for that one; where nothing ran, it was missed.
    """
    found = (
        "SELECT since, until, failed, lowest, highest, MIN(first) AS slot, "
        f"MAX(last + step) AS past, SUM((last - first + step) {divided_by} step) AS due "
        f"FROM ({_due(now, divided_by)}) u WHERE first <= last "
        "GROUP BY since, until, failed, lowest, highest"
    )
    ends = (
        f"SELECT slot, {smaller('past', f'COALESCE(until, {now})')} AS until, "
        "CASE WHEN failed = 0 THEN 'missed' WHEN failed >= due AND lowest = highest THEN lowest "
        f"ELSE 'several' END AS reason FROM ({found}) g"
    )
    return (
        f"SELECT {iso('d.slot')} AS from_utc, {iso('d.until')} AS to_utc, "
        f"d.until - d.slot AS seconds, d.reason AS reason, d.slot AS slot FROM ({ends}) d"
    )


def _due(now: str, divided_by: str) -> str:
    """Return the first and the last slot due by each schedule between two slots with quotes."""
    schedules = (
        "SELECT from_slot, interval_seconds AS step, "
        "LEAD(from_slot) OVER (ORDER BY from_slot) AS next_slot FROM schedule"
    )
    # A slot is not missed before its grace has passed.
    grace = larger("120", f"c.step {divided_by} 10")
    over = f"COALESCE(e.until - 1, {now} - ({grace}))"
    times = (
        "SELECT e.since AS since, e.until AS until, e.failed AS failed, e.lowest AS lowest, "
        f"e.highest AS highest, c.step AS step, {larger('e.since + 1', 'c.from_slot')} AS start, "
        f"{smaller(over, f'COALESCE(c.next_slot - 1, {over})')} AS stop "
        f"FROM ({_failures()}) e JOIN ({schedules}) c ON c.from_slot <= {over} "
        "AND (c.next_slot IS NULL OR c.next_slot > e.since + 1)"
    )
    return (
        "SELECT since, until, failed, lowest, highest, step, "
        "start + (step - start % step) % step AS first, stop - stop % step AS last "
        f"FROM ({times}) t"
    )


def _failures() -> str:
    """Return each slot with quotes, the next one, and how many failed between them, and why."""
    good = "outcome IN ('stored', 'partial')"
    ledger = (
        f"SELECT slot, CASE WHEN {good} THEN 0 ELSE 1 END AS bad, "
        f"CASE WHEN NOT {good} THEN COALESCE(reason, 'broken_answer') END AS reason, "
        f"SUM(CASE WHEN {good} THEN 1 ELSE 0 END) OVER (ORDER BY slot ROWS UNBOUNDED PRECEDING) "
        "AS part FROM slot"
    )
    # Before the first slot with quotes there may be some that failed.
    parts = (
        "SELECT part, MIN(slot) - CASE WHEN part = 0 THEN 1 ELSE 0 END AS since, "
        "SUM(bad) AS failed, MIN(reason) AS lowest, MAX(reason) AS highest "
        f"FROM ({ledger}) l GROUP BY part"
    )
    return (
        "SELECT since, failed, lowest, highest, LEAD(since) OVER (ORDER BY part) AS until "
        f"FROM ({parts}) p"
    )


def smaller(one: str, other: str) -> str:
    """Return the smaller of two numbers, as every database knows to say it."""
    return f"CASE WHEN {one} < {other} THEN {one} ELSE {other} END"


def larger(one: str, other: str) -> str:
    """Return the larger of two numbers."""
    return f"CASE WHEN {one} > {other} THEN {one} ELSE {other} END"
