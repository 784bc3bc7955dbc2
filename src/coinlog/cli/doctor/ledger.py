"""The ledger: is what was due there, and if not, why: nobody ran, somebody slept, the source."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import takewhile

from coinlog.cli import report
from coinlog.cli.doctor.archive import attempts_in
from coinlog.cli.doctor.findings import Finding, fine, look, wrong
from coinlog.cli.doctor.programs import running_recorder
from coinlog.errors import SchemaError, StoreError
from coinlog.market import Outcome, SourceKind
from coinlog.parts import Parts
from coinlog.simulated_history import DAYS as DAYS_MADE_UP
from coinlog.simulated_history import history_slots
from coinlog.slots import DAY, floor_slot, format_interval
from coinlog.sources.texts import counted
from coinlog.store.existing import is_new
from coinlog.store.ledger import Head, LedgerRow, read_head, read_page
from coinlog.store.reader import HAS_QUOTES, Reader

WHAT = "ledger"
DAYS = 30
_ROWS = 500
_AHEAD_SECONDS = 120
UNREADABLE = "ledger_unreadable"
_EMPTY = wrong(WHAT, "nothing_recorded", "nothing is recorded yet", "coinlog up")


def examine_ledger(parts: Parts) -> Iterator[Finding]:
    """Yield what is to be said of what was recorded."""
    now = time.time()
    if is_new(parts.settings.database_url):
        if not attempts_in(parts):
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
        yield wrong(WHAT, UNREADABLE, str(error))
        return
    found = [*_other_market(parts, head), *_other_schedule(parts, head, now), *_ahead(head, now)]
    yield from found
    since = running_recorder(parts)
    if (filling := _being_filled(parts, head, since, now)) is not None:
        yield filling
        return
    yield _freshness(parts, head, rows, since, now)
    yield from _past(parts, rows, now)


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


def _being_filled(parts: Parts, head: Head, since: float | None, now: float) -> Finding | None:
    """Return how far a recorder is that fills in the made-up year before it records anything."""
    step = parts.plan.interval_seconds
    if not _made_up(parts) or since is None:
        return None
    if head.newest and head.newest.slot >= floor_slot(since, step):
        return None
    lacking, all_of_it = len(history_slots(parts, now)), DAYS_MADE_UP * DAY // step
    text = f"a made-up year is being recorded: {all_of_it - lacking:,} of {all_of_it:,} slots"
    return look(WHAT, "history_being_made", text) if lacking else None


def _made_up(parts: Parts) -> bool:
    return parts.plan.source is SourceKind.SIMULATED


def _freshness(
    parts: Parts, head: Head, rows: Sequence[LedgerRow], recorder: float | None, now: float
) -> Finding:
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
    if recorder is None:
        text = f"{count}, and no `coinlog up` runs in this folder"
        return wrong(WHAT, "recorder_not_running", text, "coinlog up")
    since = report.duration(now - recorder)
    text = f"{count}, though a recorder has been running for {since}: did the machine sleep?"
    # Only `coinlog up` has a made-up market at hand, and it fills in what is missing of the year.
    do = "coinlog up (started again)" if _made_up(parts) else "coinlog record"
    return wrong(WHAT, "slots_missed_now", text, do)


def _past(parts: Parts, rows: Sequence[LedgerRow], now: float) -> Iterator[Finding]:
    recent = [row for row in rows if row.slot > now - DAYS * DAY]
    missed = [row for row in recent if row.outcome is Outcome.MISSED]
    if missed:
        text = (
            f"{len(missed)} of the {counted(len(recent), 'slot')} before were missed, the last at "
            f"{report.day_and_time(missed[0].slot)}: nothing ran, or the machine slept"
        )
        do = "coinlog up (started again)" if _made_up(parts) else "coinlog backfill (with a key)"
        yield look(WHAT, "slots_missed", text, do)
