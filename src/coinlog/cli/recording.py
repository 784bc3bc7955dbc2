"""The commands that record once: ``record`` and its halves, and ``migrate``."""

from __future__ import annotations

import sys
import time

import click
from rich.markup import escape

from coinlog.backfill.load import waiting_backfills
from coinlog.capturing import capture as capture_slot
from coinlog.capturing import current_slot
from coinlog.cli import credits as credits_
from coinlog.cli import report
from coinlog.cli.bells import ring_after, slots_of
from coinlog.cli.credits import Foreseen
from coinlog.cli.lines import lines
from coinlog.cli.progress import progress
from coinlog.cli.report import say, tell
from coinlog.cli.shared import json_option, recorded_row, resumable, with_parts
from coinlog.loading import sweep
from coinlog.market import Reason, SourceKind
from coinlog.parts import Parts
from coinlog.recorder import Recording
from coinlog.recorder import record as record_slot
from coinlog.slots import iso, parse_time
from coinlog.store.ledger import LedgerRow, read_rows_of
from coinlog.store.migrate import current_revision
from coinlog.store.migrate import migrate as migrate_store
from coinlog.store.patience import Patience
from coinlog.telling import row_facts

slot_option = click.option(
    "--slot", metavar="TIME", help="Refuse unless this is the current slot (ISO 8601, UTC)."
)


@click.command()
@slot_option
@json_option
@with_parts
def record(parts: Parts, slot: str | None, *, as_json: bool) -> None:
    """Record the current slot once: capture it, then load it.

    Suits cron and systemd timers. Doing it again in the same slot changes nothing and costs
    nothing; of many at once, one asks the source. With a key, what the schedule costs is told
    first, and refused where the plan cannot pay for it. Exit code 0: stored, or in another
    recorder's hands; 1: failed, and the ledger says why; 2: used wrongly.

    \b
    Examples:
      coinlog record
      coinlog record --json
      0 */6 * * *  cd ~/coinlog && .venv/bin/coinlog record     (crontab, UTC)
    """
    now = current_slot(parts.plan, time.time(), parse_time(slot) if slot else None)
    foreseen = _foreseen(parts, now, as_json=as_json)
    recording = record_slot(parts.engine, parts.archive, parts.connect, parts.plan, now)
    row = recorded_row(parts, recording) if lines.json else None
    _report(recording, foreseen, row, as_json=as_json)
    _tell_no_market(parts, recording, as_json=as_json)
    ring_after(parts, slots_of(recording))
    _end(recording)


@click.command()
@slot_option
@json_option
@with_parts
def capture(parts: Parts, slot: str | None, *, as_json: bool) -> None:
    """Ask the source and keep its answers, without a database.

    \b
    Examples:
      coinlog capture
      coinlog capture && coinlog load     (the same as: coinlog record)
    """
    now = current_slot(parts.plan, time.time(), parse_time(slot) if slot else None)
    foreseen = _foreseen(parts, now, as_json=as_json)
    recording = Recording(capture_slot(parts.archive, parts.connect, parts.plan, now))
    _report(recording, foreseen, None, as_json=as_json)
    _tell_no_market(parts, recording, as_json=as_json)
    _end(recording)


@click.command()
@json_option
@with_parts
def load(parts: Parts, *, as_json: bool) -> None:
    """Settle what the archive holds and the store does not.

    \b
    Examples:
      coinlog load
      coinlog load --json
    """
    patience = Patience(parts.plan.patience_seconds)
    patience.keep_trying(lambda: migrate_store(parts.engine))
    backfilled = len(waiting_backfills(parts.engine, parts.archive))
    settled = []
    for key in sweep(parts.engine, parts.archive, patience=patience):
        settled.append(key.slot)
        _tell_loaded(parts, key.slot, as_json=as_json)
    _report_loaded([iso(slot) for slot in settled], backfilled, as_json=as_json)
    ring_after(parts, settled)


def _report_loaded(slots: list[str], backfilled: int, *, as_json: bool) -> None:
    if as_json:
        facts = {"settled_attempts": len(slots), "settled_backfills": backfilled, "slots": slots}
        report.as_json(facts)
        return
    if lines.json:
        return
    answers = f" and {backfilled} backfilled answers" if backfilled else ""
    span = f": slots {slots[0]} to {slots[-1]}" if slots else ": the store has all of the archive"
    say(f"[green]✓[/] {len(slots)} attempts{answers} settled{span}")


@click.command()
@click.option("--down", is_flag=True, help="Remove the tables and all data in them.")
@json_option
@with_parts
def migrate(parts: Parts, *, down: bool, as_json: bool) -> None:
    """Bring the database's tables and views to this version.

    Recording and the page go on meanwhile. Stopped at any moment, the same command goes on. The
    archive is never touched, so `coinlog load` fills a new store from it.

    \b
    Examples:
      coinlog migrate
      coinlog migrate --json
      coinlog migrate --down
    """
    before = current_revision(parts.engine)
    with resumable():
        steps = migrate_store(parts.engine, "base" if down else "head", watch=progress)
    if as_json:
        report.as_json({"from": before, "to": current_revision(parts.engine), "steps": steps})
        return
    say(f"[green]✓[/] {', '.join(steps) or 'the schema is up to date'}")


def _tell_loaded(parts: Parts, slot: int, *, as_json: bool) -> None:
    """Tell programs what became of a slot that was loaded."""
    if lines.json and not as_json:
        for row in read_rows_of(parts.engine, [slot]):
            lines.event("slot", **row_facts(row))


def _foreseen(parts: Parts, slot: int, *, as_json: bool) -> Foreseen | None:
    """Refuse a schedule that the plan cannot pay for, and tell what it costs."""
    foreseen = credits_.foresee_slot(parts, slot)
    if not as_json:
        credits_.tell(foreseen)
    return foreseen


def _report(
    recording: Recording, foreseen: Foreseen | None, row: LedgerRow | None, *, as_json: bool
) -> None:
    if as_json:
        report.as_json(report.recording_facts(recording) | {"forecast": credits_.facts(foreseen)})
    elif lines.json:
        report.slot_event(recording, row)
    else:
        say(report.recording_line(recording))


def _tell_no_market(parts: Parts, recording: Recording, *, as_json: bool) -> None:
    """Say what is missing where nobody makes a market up: it is no matter of the network."""
    manifest = recording.captured.manifest
    unreachable = manifest is not None and manifest.reason is Reason.UNREACHABLE
    if unreachable and parts.plan.source is SourceKind.SIMULATED and not as_json:
        tell(
            f"  no `coinlog simulate` runs at {escape(parts.settings.cmc_url)}: start it in "
            "another terminal, or `coinlog up`, which makes up a market of its own"
        )


def _end(recording: Recording) -> None:
    if not recording.done:
        sys.exit(1)
