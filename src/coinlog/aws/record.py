"""The function ``record``: capture and load at once, for a set-up made by hand.

It needs the internet, the database and the key. With COINLOG_ARCHIVE it keeps the raw answers in
a bucket, as the two functions do. Without one it keeps them nowhere, and of the archive's promises
only one is left: a slot is stored once.
"""

from __future__ import annotations

import time
from functools import partial

import sqlalchemy as sa

from coinlog.archive import Archive, open_archive
from coinlog.attempts import Claim
from coinlog.aws import asking
from coinlog.aws.buckets import bucket_of
from coinlog.aws.events import event_slot
from coinlog.aws.lending import Context, Lent, report
from coinlog.aws.setting_up import ready_settings
from coinlog.aws.settling import first_slot, settle_archive
from coinlog.capturing import Captured, Standing
from coinlog.market import Outcome
from coinlog.objects import is_bucket
from coinlog.settings import Settings
from coinlog.settings.stored_secrets import with_key
from coinlog.store.engine import open_engine
from coinlog.store.ledger import read_rows
from coinlog.store.migrate import migrate
from coinlog.store.patience import Patience
from coinlog.store.reader import Reader
from coinlog.store.writer import settled, slots_with_quotes

FOR_THE_DATABASE = 0.5
"""The share of a function's time that the source leaves to the database."""

NOT_KEPT = "COINLOG_ARCHIVE is not set, so the raw answers are not kept: set s3://bucket/prefix"


def handler(event: object, context: Context) -> dict[str, object]:
    """Record the slot that an event is for, and say what became of it.

    Raises:
        EventError: the event cannot be used.
        SettingError: the key's plan cannot pay for the schedule, and nothing was asked.
        StoreError: the database cannot be used; what is in the bucket is settled by a later call.
        ArchiveError: the bucket cannot be used.
    """
    settings = with_key(ready_settings())
    slot = event_slot(event, settings.interval_seconds, time.time())
    engine = open_engine(settings.database_url)
    try:
        return report("record", **record(engine, settings, slot, context))
    finally:
        # What is kept open would be cut off while the function is frozen.
        engine.dispose()


def record(engine: sa.Engine, settings: Settings, slot: int, context: Context) -> dict[str, object]:
    """Capture a slot and settle whatever is there to settle."""
    kept = is_bucket(settings.archive)
    archive = bucket_of(settings) if kept else open_archive("memory://")
    captured = None if kept else _known(engine, archive, slot)
    if captured is None:
        captured = asking.capture(archive, settings, slot, Lent(context, FOR_THE_DATABASE))
    lent = Lent(context)
    Patience(lent.left()).keep_trying(partial(migrate, engine))
    since_slot = first_slot(engine, [], slot)
    done = settle_archive(engine, archive, settings, since_slot, lent)
    return asking.facts(captured) | done | ({} if kept else {"warning": NOT_KEPT})


def _known(engine: sa.Engine, archive: Archive, slot: int) -> Captured | None:
    """Return what the store alone knows of a slot; ``None`` where the source is to be asked.

    The attempt to come gets a number that the store has not settled.
    """
    migrate(engine)
    found = settled(engine, slot)
    if any(later > slot for later in slots_with_quotes(engine, slot)):
        return Captured(slot, Standing.PASSED)
    if any(row.outcome is Outcome.STORED for row in read_rows(Reader(engine), [slot])):
        return Captured(slot, Standing.STORED)
    archive.claim(slot, Claim(len(found), 0.0, "", 0, 0.0))
    return None
