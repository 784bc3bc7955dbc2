"""The mission on one page: capture what the source says, load what the archive holds.

**Capture** claims the slot, asks the source, and keeps the raw answers (or the failure) in the
archive. It needs the internet and no database. **Load** settles every attempt that the store has
not settled, oldest first. It needs the database and no internet. Each can fail alone and be
done again; recording is one after the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import msgspec
import sqlalchemy as sa

from coinlog.archive import Archive
from coinlog.attempts import AttemptKey
from coinlog.capturing import Captured, Plan, Standing, capture_unless_passed
from coinlog.errors import ArchiveError, StoreError
from coinlog.loading import sweep
from coinlog.market import Outcome
from coinlog.sources.client import Client
from coinlog.store.migrate import migrate
from coinlog.store.patience import Patience
from coinlog.store.seen import Seen, see
from coinlog.store.writer import note_schedule


class Recording(msgspec.Struct, frozen=True):
    """What one run did: the capture of a slot, and which attempts the store settled.

    ``trouble`` says why an answer could not be kept, or why the store could not settle what is
    in the archive; it stays there for later. Loading took ``load_seconds``.
    ``seen`` is what the store is known by next time; ``anew`` says that it is another one than the
    one seen last, and that all of the archive was looked through for it. What is in the archive
    from ``since_slot`` on was to be settled.
    """

    captured: Captured
    settled: tuple[AttemptKey, ...] = ()
    trouble: str | None = None
    load_seconds: float | None = None
    anew: bool = False
    seen: Seen | None = None
    since_slot: int = 0

    @property
    def done(self) -> bool:
        """Whether the slot is in the store, or in another recorder's hands."""
        manifest = self.captured.manifest
        failed = manifest is not None and manifest.outcome is Outcome.FAILED
        return self.trouble is None and not failed


def record(  # noqa: PLR0913  the sum of its two halves
    engine: sa.Engine,
    archive: Archive,
    connect: Callable[[], Client],
    plan: Plan,
    slot: int,
    *,
    since_slot: int = 0,
    seen: Seen | None = None,
    clock: Callable[[], float] = time.time,
) -> Recording:
    """Capture a slot, then settle whatever the archive holds from ``since_slot`` on.

    Or from an earlier slot, where one is captured or noted now: a clock may have been ahead. And
    all of it where the store is not the one that was ``seen`` last, whoever has made it.

    The store's schema is brought up to date in between, if it is not. A slot before one whose
    market is recorded already is left alone: the settings or the clock have changed since.

    An archive or a database that cannot be used costs nothing but time: its trouble is reported,
    not raised. A database that may soon be back is tried again for as long as the plan says.
    """
    captured = Captured(slot, Standing.NOT_KEPT)
    settled_keys: list[AttemptKey] = []
    anew, since_slot = False, min(since_slot, slot)
    try:
        captured = capture_unless_passed(archive, connect, plan, slot, clock)
        since_slot = min((since_slot, *captured.noted))
        started, patience = time.monotonic(), Patience(plan.patience_seconds)
        made = patience.keep_trying(partial(migrate, engine))
        found = patience.keep_trying(partial(see, engine))
        anew = seen is not None and found.is_another_than(seen)
        if made or anew:
            # Of a store that was just made, or put in another's place, nobody knows what it lacks.
            since_slot = 0
        settled_keys.extend(sweep(engine, archive, since_slot, clock, patience=patience))
        terms = int(clock()), plan.interval_seconds, plan.assets
        patience.keep_trying(partial(note_schedule, engine, *terms))
        left = patience.keep_trying(partial(see, engine))
    except (ArchiveError, StoreError) as error:
        trouble = str(error)
        return Recording(captured, tuple(settled_keys), trouble, anew=anew, since_slot=since_slot)
    seconds = round(time.monotonic() - started, 3)
    # One that took its place meanwhile is noticed next time, as lower than the one we began with.
    last = found if left.is_another_than(found) else left
    return Recording(
        captured,
        tuple(settled_keys),
        load_seconds=seconds,
        anew=anew,
        seen=last,
        since_slot=since_slot,
    )
