"""Settling within a function's time: from where on to look, and what to leave for others."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from contextlib import closing

import msgspec
import sqlalchemy as sa

from coinlog.archive import Archive
from coinlog.attempts import AttemptKey, parse_slot
from coinlog.aws.buckets import mark_of
from coinlog.aws.lending import Lent, report
from coinlog.aws.rules import leave_alerts
from coinlog.errors import MixedSourcesError, UnreadError
from coinlog.loading import sweep
from coinlog.market import Outcome
from coinlog.settings import Settings
from coinlog.slots import DAY, floor_slot, iso
from coinlog.store.ledger import read_rows
from coinlog.store.patience import Patience
from coinlog.store.reader import Reader
from coinlog.store.writer import newest_settled, note_schedule
from coinlog.telling import row_facts

LATE_SECONDS = 2 * DAY
"""How much later than its slot an attempt may come and be found at the next look."""

FIRST_SECONDS = 900
"""How long after midnight (UTC) a look is the first one of a day: they come every 15 minutes."""

MOST_TOLD = 20
"""Of many slots settled at once the newest are told."""

_SLOT = re.compile(r"(?:^|/)captures/([0-9]{8}T[0-9]{6}Z)/")


def first_slot(engine: sa.Engine, keys: Sequence[str], moment: int | None) -> int:
    """Return the slot from which on to look: listing a bucket of many years takes its time.

    A look by hand and the first one of a day go through all of it, which finds whatever was put
    there late. Others go back to where the database stands, or to the slots of new objects.
    """
    if not keys and (moment is None or moment % DAY < FIRST_SECONDS):
        return 0
    newest = newest_settled(engine)
    if newest is None:
        return 0
    slots = [slot for key in keys if (slot := _slot_of(key)) is not None]
    return max(0, min([newest - LATE_SECONDS, *slots]))


def settle_archive(
    engine: sa.Engine, archive: Archive, settings: Settings, since_slot: int, lent: Lent
) -> dict[str, object]:
    """Settle what the store has not, as far as the time goes; mark it, and leave alerts.

    A database that may soon be back is tried again within that time.

    Raises:
        MixedSourcesError: attempts of the other kind of data lie in the archive; all others are
            settled.
        UnreadError: some cannot be read now; all others are settled.
    """
    settled: list[AttemptKey] = []
    left: MixedSourcesError | UnreadError | None = None
    try:
        patience = Patience(lent.left())
        with closing(sweep(engine, archive, since_slot, alone=True, patience=patience)) as coming:
            for key in coming:
                settled.append(key)
                if lent.over:
                    break
    except (MixedSourcesError, UnreadError) as error:
        left = error
    now = int(time.time())
    note_schedule(engine, now, settings.interval_seconds, settings.assets)
    stored = _mark(engine, archive, settled)
    # What is in memory alone nobody would find.
    slots = [key.slot for key in settled]
    alerts = leave_alerts(engine, archive, now, slots) if archive.objects.shared else 0
    if left:
        raise left
    due = floor_slot(now, settings.interval_seconds)
    facts = _facts(settled, stored, alerts, unfinished=lent.over)
    # What the alarm counts: catching up with old slots is no sign that new ones are recorded.
    return facts | {"stored_due": iso(due) if due in stored else None}


def _mark(engine: sa.Engine, archive: Archive, settled: Sequence[AttemptKey]) -> list[int]:
    """Tell of slots, mark those that have come to have quotes, and return these.

    The newest is marked: each mark starts a task, and the first does all there is to do.
    """
    newest = {key.slot: key for key in settled[-MOST_TOLD:]}
    rows = read_rows(Reader(engine), list(newest)) if newest else []
    for row in rows:
        report("load", event="slot", **row_facts(row))
    stored = sorted(row.slot for row in rows if row.outcome is not Outcome.FAILED)
    for slot in stored[-1:]:
        name = mark_of(slot)
        told = msgspec.json.encode({"slot": iso(slot), "attempt": newest[slot].attempt})
        # A slot that rises from partial to stored is marked a second time.
        if not archive.objects.create(name, told):
            archive.objects.create(f"{name}-{newest[slot].attempt}", told)
    return stored


def _facts(
    settled: Sequence[AttemptKey], stored: Sequence[int], alerts: int, *, unfinished: bool
) -> dict[str, object]:
    return {
        "settled_attempts": len(settled),
        "first_slot": iso(settled[0].slot) if settled else None,
        "last_slot": iso(settled[-1].slot) if settled else None,
        "stored": [iso(slot) for slot in stored],
        "alerts": alerts,
        "unfinished": unfinished,
    }


def _slot_of(key: str) -> int | None:
    """Return the slot that an object belongs to; ``None`` for one of something else."""
    found = _SLOT.search(key)
    return parse_slot(found[1]) if found else None
