"""``coinlog status``: what has been recorded, in plain words."""

from __future__ import annotations

import time
from collections import Counter

import click
from rich.markup import escape

from coinlog.cli import report
from coinlog.cli.report import MARKS, say
from coinlog.cli.shared import json_option, with_parts
from coinlog.loading import count_waiting
from coinlog.market import Outcome
from coinlog.parts import Parts
from coinlog.slots import DAY, format_interval, iso
from coinlog.sources.texts import counted
from coinlog.store.backfilled import Backfilled, read_backfilled
from coinlog.store.existing import refuse_absent
from coinlog.store.ledger import Head, LedgerRow, read_head, read_page
from coinlog.store.reader import Reader
from coinlog.verify.standing import Standing, read_standing

DAYS_SHOWN = 30


@click.command()
@json_option
@with_parts
def status(parts: Parts, *, as_json: bool) -> None:
    """Say what has been recorded, what is missing and what is next.

    \b
    Examples:
      coinlog status
      coinlog status --json
      coinlog status --simulated
    """
    now = time.time()
    refuse_absent(parts.settings.database_url)
    reader = Reader(parts.engine)
    head = read_head(reader)
    rows = _recent(reader, head, now)
    waiting = count_waiting(parts.engine, parts.archive)
    standing = read_standing(parts.engine)
    backfilled = read_backfilled(parts.engine)
    if as_json:
        verified = standing and {"verification": standing.newest, "unlike": standing.differences}
        further = {"backfilled": backfilled, **(verified or {"verification": None, "unlike": 0})}
        report.as_json({**_facts(parts, head, rows, waiting, now), **further})
        return
    say(f"[bold]coinlog[/] records {escape(parts.settings.assets)} every {_every(parts)}")
    say(f"  store    {escape(parts.settings.database_url.render_as_string())}")
    say(f"  archive  {escape(parts.archive.location)}")
    say(f"  holds    {head.source or 'nothing yet'}{_since(head)}")
    say(f"  newest   {_newest(head, now)}")
    say(f"  {DAYS_SHOWN} days  {_counts(rows)}")
    if backfilled.since is not None:
        say(f"  past     {_past(backfilled, backfilled.since)}")
    say(f"  verified {verified_words(standing)}")
    _say_troubles(rows, waiting)
    if (next_slot := head.next_slot(now)) is not None:
        say(f"  next     {report.day_and_time(next_slot)}, while `coinlog up` runs")


def _recent(reader: Reader, head: Head, now: float) -> list[LedgerRow]:
    per_day = DAY // min((s.interval_seconds for s in head.schedules), default=DAY)
    rows = read_page(reader, head, now, limit=DAYS_SHOWN * per_day)
    return [row for row in rows if row.slot > now - DAYS_SHOWN * DAY]


def _every(parts: Parts) -> str:
    return format_interval(parts.settings.interval_seconds)


def _since(head: Head) -> str:
    return f" data since {iso(head.first_slot)}" if head.first_slot is not None else ""


def _newest(head: Head, now: float) -> str:
    if head.newest is None:
        return "no slot with data yet"
    row = head.newest
    seen = row.observed_at or row.slot
    age = f"observed {report.duration(now - seen)} ago"
    stale = (
        f", [red]stale: {missed} due since[/]" if (missed := head.missed_since_newest(now)) else ""
    )
    return (
        f"{report.day_and_time(row.slot)} {MARKS[row.outcome]}, {row.assets} assets, {age}{stale}"
    )


def _counts(rows: list[LedgerRow]) -> str:
    counts = Counter(row.outcome for row in rows)
    return ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in Outcome)


def _past(backfilled: Backfilled, since: int) -> str:
    return (
        f"{backfilled.points:,} points since {iso(since)} backfilled, "
        f"{backfilled.answers:,} answers for {backfilled.credits:,} credits"
    )


def verified_words(standing: Standing | None) -> str:
    """Return what stands of comparing the store with the archive, with markup."""
    if standing is None:
        return "never; `coinlog verify` compares the store with the archive"
    last = standing.newest
    what = f"{last.slots:,} slots, {last.quotes:,} quotes"
    if last.sampled:
        what = f"{'a sample' if last.to_slot is None else 'a share'} of {what}"
    when = report.day_and_time(last.ended_at)
    if not standing.found:
        return f"{when} [green]✓[/] {what}, equal to the archive"
    found, first = standing.found[0], escape(report.short_hashes(standing.first))
    if found is not last:
        when = report.day_and_time(found.ended_at)
        what = f"{found.slots:,} slots, not looked at since"
    return f"{when} [red]✗ differences: {standing.differences:,}[/] in {what}: {first}"


def _say_troubles(rows: list[LedgerRow], waiting: int) -> None:
    last = next((row for row in rows if row.outcome in (Outcome.FAILED, Outcome.PARTIAL)), None)
    if last:
        detail = escape(last.detail or "")
        say(f"  trouble  {report.day_and_time(last.slot)} {MARKS[last.outcome]}: {detail}")
    if waiting:
        count = counted(waiting, "attempt")
        say(f"  [yellow]waiting[/]  {count} in the archive; `coinlog load` settles them")


def _facts(
    parts: Parts, head: Head, rows: list[LedgerRow], waiting: int, now: float
) -> dict[str, object]:
    counts = Counter(row.outcome for row in rows)
    next_slot = head.next_slot(now)
    return {
        "source": head.source,
        "store": parts.settings.database_url.render_as_string(),
        "archive": parts.archive.location,
        "interval": _every(parts),
        "assets": parts.settings.assets,
        "first_slot": head.first_slot,
        "newest": head.newest,
        "due_since_newest": head.missed_since_newest(now),
        "next_slot": next_slot,
        f"last_{DAYS_SHOWN}_days": {outcome: counts[outcome] for outcome in Outcome},
        "attempts_waiting": waiting,
    }
