"""The mission on one page: capture what the source says, load what the archive holds.

**Capture** claims the slot, asks the source, and keeps the raw answers (or the failure) in the
archive. It needs the internet and no database. **Load** settles every attempt that the store has
not settled, oldest first. It needs the database and no internet. Each can fail alone and be
done again; recording is one after the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import msgspec
import sqlalchemy as sa

from coinlog import __version__
from coinlog.archive import Archive, AttemptKey, KeptAnswer, Manifest, slot_name, total_bytes
from coinlog.claims import claim_slot
from coinlog.errors import (
    DamagedError,
    NotCurrentSlotError,
    SchemaError,
    SourceError,
    StoreUnavailableError,
)
from coinlog.market import Outcome, Reason, Snapshot, SourceKind
from coinlog.slots import AssetSelection, Schedule, floor_slot, iso, parse_assets
from coinlog.sources.answers import Answer
from coinlog.sources.client import Client
from coinlog.sources.coinmarketcap import check_clock, credits_of, fetch_market, read_market
from coinlog.store.migrate import migrate
from coinlog.store.writer import Settlement, settle, settled

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


class Captured(msgspec.Struct, frozen=True):
    """What became of a capture: an attempt of our own, or another recorder's.

    ``manifest`` is ``None`` where another recorder is at work on the slot right now.
    """

    slot: int
    manifest: Manifest | None
    ours: bool


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
    claimed = claim_slot(archive, slot, plan.deadline_seconds, clock())
    if claimed.number is None:
        return Captured(slot, claimed.stored, ours=False)
    key = AttemptKey(slot, str(claimed.number))
    manifest = _ask(archive, connect, plan, key, clock)
    archive.finish(manifest)
    return Captured(slot, manifest, ours=True)


def load(engine: sa.Engine, archive: Archive, key: AttemptKey, clock: Callable[[], float]) -> bool:
    """Settle one attempt; ``False`` where it was settled before.

    Raises:
        StoreUnavailableError: the database is away; the attempt stays in the archive.
        MixedSourcesError: the store holds the other kind of data.
    """
    return settle(engine, read_attempt(archive, key), int(clock()))


def sweep(
    engine: sa.Engine,
    archive: Archive,
    since_slot: int = 0,
    clock: Callable[[], float] = time.time,
) -> Iterator[AttemptKey]:
    """Settle each attempt from a slot on that the store has not; yield it, oldest first."""
    done = settled(engine, since_slot)
    for key in archive.attempts(since_slot):
        if (key.slot, key.attempt) not in done and load(engine, archive, key, clock):
            yield key


class Recording(msgspec.Struct, frozen=True):
    """What one run did: the capture of a slot, and which attempts the store settled.

    ``trouble`` says why the store could not settle them; they stay in the archive for later.
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

    The store's schema is brought up to date in between, if it is not.

    A database that is away costs nothing but time: its trouble is reported, not raised.

    Raises:
        ArchiveError: the archive cannot be used, so nothing could be kept.
        MixedSourcesError: the store holds the other kind of data.
    """
    captured = capture(archive, connect, plan, slot, clock)
    settled_keys: list[AttemptKey] = []
    try:
        migrate(engine)
        settled_keys.extend(sweep(engine, archive, since_slot, clock))
    except (StoreUnavailableError, SchemaError) as error:
        return Recording(captured, tuple(settled_keys), str(error))
    return Recording(captured, tuple(settled_keys))


def read_attempt(archive: Archive, key: AttemptKey) -> Settlement:
    """Read an attempt from the archive and judge it: the same verdict at every reading."""
    try:
        manifest, digest = archive.manifest(key)
    except DamagedError as error:
        return _damaged(key, str(error))
    try:
        answers = archive.answers(key, manifest)
        verdict = judge(answers, key.slot, manifest.interval_seconds, parse_assets(manifest.assets))
    except DamagedError as error:
        verdict = Verdict(Outcome.FAILED, Reason.DAMAGED, str(error))
    source = verdict.snapshot.source if verdict.snapshot else manifest.source
    return Settlement(
        slot=key.slot,
        attempt=key.attempt,
        outcome=verdict.outcome,
        reason=verdict.reason,
        detail=verdict.detail,
        captured_at=int(manifest.captured_at),
        schedule=Schedule(key.slot, manifest.interval_seconds, manifest.assets, source),
        credits=manifest.credits,
        body_bytes=total_bytes(manifest.answers),
        duration_ms=round(1000 * (manifest.captured_at - manifest.started_at)),
        sha256=digest,
        snapshot=verdict.snapshot,
    )


class Verdict(msgspec.Struct, frozen=True):
    """What answers amount to: an outcome, its reason, and the snapshot unless they failed."""

    outcome: Outcome
    reason: Reason | None
    detail: str
    snapshot: Snapshot | None = None


def judge(
    answers: Sequence[Answer], slot: int, interval_seconds: int, selection: AssetSelection
) -> Verdict:
    """Judge raw answers: a pure function, used at capture and at every load."""
    try:
        check_clock(answers, slot, interval_seconds)
        snapshot = read_market(answers, selection)
    except SourceError as error:
        return Verdict(Outcome.FAILED, error.reason, str(error))
    if not snapshot.missing:
        return Verdict(snapshot.outcome, None, "", snapshot)
    named = "; ".join(missing.detail for missing in snapshot.missing[:DETAILS_NAMED])
    others = len(snapshot.missing) - DETAILS_NAMED
    detail = f"{named}; and {others} more" if others > 0 else named
    return Verdict(snapshot.outcome, Reason.INCOMPLETE, detail, snapshot)


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
    verdict = judge(answers, key.slot, plan.interval_seconds, plan.selection)
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
        credits=credits_of(answers),
        answers=tuple(kept),
        program=f"coinlog {__version__}",
    )


def _damaged(key: AttemptKey, detail: str) -> Settlement:
    """Return what is left to say of an attempt whose manifest cannot be read."""
    return Settlement(
        slot=key.slot,
        attempt=key.attempt,
        outcome=Outcome.FAILED,
        reason=Reason.DAMAGED,
        detail=detail,
        captured_at=key.slot,
    )
