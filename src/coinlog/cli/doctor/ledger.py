"""The ledger: is what was due there, and if not, why: nobody ran, somebody slept, the source."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path

import psutil

from coinlog.cli import report
from coinlog.cli.doctor.findings import Finding, fine, look, wrong
from coinlog.errors import SchemaError, StoreError
from coinlog.market import Outcome, SourceKind
from coinlog.parts import Parts
from coinlog.slots import DAY, format_interval
from coinlog.sources.texts import counted
from coinlog.store.existing import is_new
from coinlog.store.ledger import Head, LedgerRow, read_head, read_page
from coinlog.store.reader import HAS_QUOTES, Reader

WHAT = "ledger"
DAYS = 30
_ROWS = 500
_AHEAD_SECONDS = 120
_EMPTY = wrong(WHAT, "nothing_recorded", "nothing is recorded yet", "coinlog up")


def examine_ledger(parts: Parts) -> Iterator[Finding]:
    """Yield what is to be said of what was recorded."""
    now = time.time()
    if is_new(parts.settings.database_url):
        yield _EMPTY
        return
    try:
        reader = Reader(parts.engine)
        head = read_head(reader)
        rows = read_page(reader, head, now, limit=_ROWS)
    except SchemaError:
        yield _EMPTY
        return
    except StoreError as error:
        yield wrong(WHAT, "ledger_unreadable", str(error))
        return
    found = [*_other_market(parts, head), *_other_schedule(parts, head, now), *_ahead(head, now)]
    yield from found
    yield _freshness(head, rows, now)
    yield from _past(rows, now)


def _other_market(parts: Parts, head: Head) -> Iterator[Finding]:
    if head.source and head.source != parts.plan.source:
        text = f"the store holds {head.source} data, and the settings are for {parts.plan.source}"
        simulated = head.source == SourceKind.SIMULATED
        do = "coinlog status --simulated" if simulated else None
        yield wrong(WHAT, "other_market", f"{text}: the two never share a store", do)


def _other_schedule(parts: Parts, head: Head, now: float) -> Iterator[Finding]:
    schedule, settings = head.schedule(now), parts.settings
    wanted = (settings.interval_seconds, settings.assets)
    if schedule and (schedule.interval_seconds, schedule.assets) != wanted:
        was = f"{schedule.assets} every {format_interval(schedule.interval_seconds)}"
        will = f"{settings.assets} every {format_interval(settings.interval_seconds)}"
        text = f"recorded is {was}; the settings say {will}, from the next recording on"
        yield look(WHAT, "schedule_differs", text, "coinlog up (started again)")


def _ahead(head: Head, now: float) -> Iterator[Finding]:
    newest = head.newest
    if newest and (newest.observed_at or newest.slot) > now + _AHEAD_SECONDS:
        ahead = report.duration((newest.observed_at or newest.slot) - now)
        text = f"the newest quotes are {ahead} in the future: our clock is behind"
        yield wrong("clock", "clock_behind", text, "timedatectl set-ntp true")


def _freshness(head: Head, rows: Sequence[LedgerRow], now: float) -> Finding:
    if head.newest is None and not rows:
        return _EMPTY
    missed = head.missed_since_newest(now)
    if not missed and head.newest:
        return fine(WHAT, f"fresh: newest slot {report.day_and_time(head.newest.slot)}")
    lacking = [*takewhile(lambda row: row.outcome not in HAS_QUOTES, rows)]
    failed = [row for row in lacking if row.outcome is Outcome.FAILED]
    count = f"{counted(missed, 'slot')} due since the newest stored one"
    if failed and failed[0] is lacking[0]:
        text = f"{count}: {failed[0].reason}: {failed[0].detail}"
        return wrong(WHAT, "source_failing", text)
    recorder = running_recorder()
    if recorder is None:
        text = f"{count}, and no `coinlog up` runs in this folder"
        return wrong(WHAT, "recorder_not_running", text, "coinlog up")
    since = report.duration(now - recorder)
    text = f"{count}, though a recorder has been running for {since}: did the machine sleep?"
    return wrong(WHAT, "slots_missed_now", text, "coinlog record")


def _past(rows: Sequence[LedgerRow], now: float) -> Iterator[Finding]:
    recent = [row for row in rows if row.slot > now - DAYS * DAY]
    missed = [row for row in recent if row.outcome is Outcome.MISSED]
    if missed:
        text = (
            f"{len(missed)} of the {counted(len(recent), 'slot')} before were missed, the last at "
            f"{report.day_and_time(missed[0].slot)}: nothing ran, or the machine slept"
        )
        yield look(WHAT, "slots_missed", text, "coinlog backfill (with a key)")


def running_recorder() -> float | None:
    """Return since when `coinlog up` has been running in this folder, ``None`` where it does not.

    Another folder has another ``.env``, and so another store.
    """
    here = Path.cwd()
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            ours = any(word.rpartition("/")[2] in {"coinlog", "coinlog.exe"} for word in words)
            if ours and "up" in words and Path(process.cwd()) == here:
                return float(process.create_time())
        except psutil.Error:
            # It has ended meanwhile, or is somebody else's.
            continue
    return None
