"""The mission on one page: capture what the source says, load what the archive holds.

**Capture** claims the slot, asks the source, and keeps the raw answers (or the failure) in the
archive. It needs the internet and no database. **Load** settles every attempt that the store has
not settled, oldest first. It needs the database and no internet. Each can fail alone and be
done again; recording is one after the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import partial

import msgspec
import sqlalchemy as sa

from coinlog import __version__
from coinlog.ahead import MANY, batches_ahead
from coinlog.archive import Archive
from coinlog.attempts import MAX_CREDITS, AttemptKey, KeptAnswer, Manifest, slot_name
from coinlog.backfill.load import sweep_backfills
from coinlog.claims import claim_slot
from coinlog.errors import (
    ArchiveError,
    MixedSourcesError,
    NotCurrentSlotError,
    StoreError,
    StoreRefusedError,
)
from coinlog.market import Outcome, SourceKind
from coinlog.slots import AssetSelection, Schedule, floor_slot, iso, parse_assets
from coinlog.sources.answers import Answer
from coinlog.sources.client import Client
from coinlog.sources.coinmarketcap import credits_of, fetch_market
from coinlog.store.migrate import migrate
from coinlog.store.settlements import Settlement
from coinlog.store.writer import note_schedule, settle, settle_many, settled
from coinlog.verdict import damaged, judge, read_attempt

DETAILS_NAMED = 3


class Plan(msgspec.Struct, frozen=True):
    """What is recorded, how often and from where: the settings that the recorder needs."""

    interval_seconds: int
    assets: str
    source: SourceKind
    deadline_seconds: float = 90.0

    @property
    def selection(self) -> AssetSelection:
        """The assets asked for."""
        return parse_assets(self.assets)


class Standing(StrEnum):
    """Whose a slot is after a capture."""

    OURS = "ours"
    STORED = "stored already"
    BUSY = "another recorder is at work on it"
    PASSED = "a later slot is recorded already"
    NOT_KEPT = "the archive could not be used"


class Captured(msgspec.Struct, frozen=True):
    """What became of a capture; ``manifest`` is there for ours and for one stored already."""

    slot: int
    standing: Standing
    manifest: Manifest | None = None

    @property
    def ours(self) -> bool:
        """Whether we asked the source."""
        return self.standing is Standing.OURS


def current_slot(plan: Plan, now: float, asked: int | None = None) -> int:
    """Return the current slot.

    Raises:
        NotCurrentSlotError: another slot was asked for: its moment has passed or not come.
    """
    slot = floor_slot(now, plan.interval_seconds)
    if asked is not None and asked != slot:
        raise NotCurrentSlotError(
            f"slot {iso(asked)} cannot be recorded: only the current one, {iso(slot)}, can, as the "
            "source tells the market of now; what has passed is a matter of backfill"
        )
    return slot


def capture(
    archive: Archive,
    connect: Callable[[], Client],
    plan: Plan,
    slot: int,
    clock: Callable[[], float] = time.time,
) -> Captured:
    """Claim a slot, ask the source, and keep what it said or why it did not.

    Raises:
        ArchiveError: the archive cannot be used; the source may have been asked in vain.
    """
    # Claims are about living processes: their clock is the wall's, also where a market is asked
    # as of another time.
    claimed = claim_slot(archive, slot, plan.deadline_seconds, time.time())
    if claimed.stored:
        return Captured(slot, Standing.STORED, claimed.stored)
    if claimed.number is None:
        return Captured(slot, Standing.BUSY)
    key = AttemptKey(slot, str(claimed.number))
    manifest = _ask(archive, connect, plan, key, clock)
    archive.finish(manifest)
    return Captured(slot, Standing.OURS, manifest)


def load(engine: sa.Engine, archive: Archive, key: AttemptKey, clock: Callable[[], float]) -> bool:
    """Settle one attempt; ``False`` where it was settled before.

    One that the database refuses is settled as damaged, so that it stops nothing after it.

    Raises:
        StoreUnavailableError: the database is away; the attempt stays in the archive.
        MixedSourcesError: the store holds the other kind of data.
    """
    return _settle_alone(engine, read_attempt(archive, key), int(clock()))


def sweep(
    engine: sa.Engine,
    archive: Archive,
    since_slot: int = 0,
    clock: Callable[[], float] = time.time,
    keys: Sequence[AttemptKey] | None = None,
) -> Iterator[AttemptKey]:
    """Settle each attempt from a slot on that the store has not; yield it, oldest first.

    Then settle every backfilled answer that the store has not.

    ``keys`` are the archive's attempts in another order, for who must have that.

    Raises:
        MixedSourcesError: attempts of the other kind of data lie in the archive; all others have
            been settled by then.
    """
    done = settled(engine, since_slot)
    there = archive.attempts(since_slot) if keys is None else keys
    waiting = [key for key in there if (key.slot, key.attempt) not in done]
    mixed: list[tuple[AttemptKey, MixedSourcesError]] = []
    read, apart = partial(read_attempt, archive), archive.objects.shared and len(waiting) >= MANY
    for batch in batches_ahead(waiting, read, _weight, apart=apart):
        yield from _settle_batch(engine, batch, int(clock()), mixed)
    # What was observed first: it is what backfilled points must leave alone.
    for _ in sweep_backfills(engine, archive, int(clock())):
        pass
    if mixed:
        first, why = mixed[0]
        raise MixedSourcesError(f"{len(mixed)} attempts, the first at {iso(first.slot)}: {why}")


def _settle_batch(
    engine: sa.Engine,
    batch: Sequence[Settlement],
    stored_at: int,
    mixed: list[tuple[AttemptKey, MixedSourcesError]],
) -> list[AttemptKey]:
    """Settle attempts together, or one by one where one of them is refused."""
    keys = [AttemptKey(settlement.slot, settlement.attempt) for settlement in batch]
    try:
        done = settle_many(engine, batch, stored_at)
        return [key for key, ours in zip(keys, done, strict=True) if ours]
    except (StoreRefusedError, MixedSourcesError):
        found = []
    for key, settlement in zip(keys, batch, strict=True):
        try:
            if _settle_alone(engine, settlement, stored_at):
                found.append(key)
        except MixedSourcesError as error:
            mixed.append((key, error))
    return found


def _settle_alone(engine: sa.Engine, settlement: Settlement, stored_at: int) -> bool:
    try:
        return settle(engine, settlement, stored_at)
    except StoreRefusedError as error:
        key = AttemptKey(settlement.slot, settlement.attempt)
        return settle(engine, damaged(key, str(error)), stored_at)


def _weight(settlement: Settlement) -> int:
    """Return about how many rows an attempt becomes."""
    return 50 + (len(settlement.snapshot.quotes) if settlement.snapshot else 0)


class Recording(msgspec.Struct, frozen=True):
    """What one run did: the capture of a slot, and which attempts the store settled.

    ``trouble`` says why an answer could not be kept, or why the store could not settle what is
    in the archive; it stays there for later.
    """

    captured: Captured
    settled: tuple[AttemptKey, ...] = ()
    trouble: str | None = None

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
    clock: Callable[[], float] = time.time,
) -> Recording:
    """Capture a slot, then settle whatever the archive holds from ``since_slot`` on.

    The store's schema is brought up to date in between, if it is not. A slot before one that is
    recorded already is left alone: the settings or the clock have changed since.

    An archive or a database that cannot be used costs nothing but time: its trouble is reported,
    not raised.
    """
    captured = Captured(slot, Standing.NOT_KEPT)
    settled_keys: list[AttemptKey] = []
    try:
        passed = bool(archive.attempts(slot + 1))
        captured = (
            Captured(slot, Standing.PASSED)
            if passed
            else capture(archive, connect, plan, slot, clock)
        )
        migrate(engine)
        settled_keys.extend(sweep(engine, archive, since_slot, clock))
        note_schedule(engine, int(clock()), plan.interval_seconds, plan.assets)
    except (ArchiveError, StoreError) as error:
        return Recording(captured, tuple(settled_keys), str(error))
    return Recording(captured, tuple(settled_keys))


def _ask(
    archive: Archive,
    connect: Callable[[], Client],
    plan: Plan,
    key: AttemptKey,
    clock: Callable[[], float],
) -> Manifest:
    started_at = clock()
    answers: list[Answer] = []
    kept: list[KeptAnswer] = []

    def keep(answer: Answer) -> None:
        answers.append(answer)
        kept.append(archive.keep(key, answer))

    with connect() as client:
        fetch_market(client, plan.selection, keep)
    schedule = Schedule(key.slot, plan.interval_seconds, plan.assets, plan.source)
    verdict = judge(answers, schedule)
    return Manifest(
        slot=slot_name(key.slot),
        attempt=key.attempt,
        outcome=verdict.outcome,
        reason=verdict.reason,
        detail=verdict.detail,
        source=verdict.snapshot.source if verdict.snapshot else plan.source,
        interval_seconds=plan.interval_seconds,
        assets=plan.assets,
        started_at=started_at,
        captured_at=clock(),
        credits=min(credits_of(answers), MAX_CREDITS),
        answers=tuple(kept),
        program=f"coinlog {__version__}",
    )
