"""Capturing: claim a slot, ask the source, and keep what it said or why it did not.

It needs the internet and no database.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from enum import StrEnum

import msgspec

from coinlog import __version__
from coinlog.archive import Archive
from coinlog.attempts import MAX_CREDITS, AttemptKey, KeptAnswer, Manifest, slot_name
from coinlog.claims import claim_slot, give_up
from coinlog.errors import ArchiveError, DamagedError, NotCurrentSlotError
from coinlog.market import Outcome, Reason, SourceKind
from coinlog.slots import AssetSelection, Schedule, floor_slot, iso, parse_assets
from coinlog.sources.answers import Answer
from coinlog.sources.client import Client
from coinlog.sources.coinmarketcap import credits_of, fetch_market
from coinlog.unkept import remember, write_remembered
from coinlog.verdict import Verdict, judge


class Plan(msgspec.Struct, frozen=True):
    """What is recorded, how often and from where: the settings that the recorder needs.

    ``machine`` names this one in claims, where its host name is that of others too.
    ``patience_seconds`` is how long loading tries again while the database is away.
    """

    interval_seconds: int
    assets: str
    source: SourceKind
    deadline_seconds: float = 90.0
    machine: str | None = None
    patience_seconds: float = 0.0

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
    """What became of a capture; ``manifest`` is there for ours and for one stored already.

    ``noted`` are earlier slots that were lost, and of which the archive says so only now.
    """

    slot: int
    standing: Standing
    manifest: Manifest | None = None
    noted: tuple[int, ...] = ()

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
    return _Capturing(archive, connect, plan, slot, clock).done()


def capture_unless_passed(
    archive: Archive,
    connect: Callable[[], Client],
    plan: Plan,
    slot: int,
    clock: Callable[[], float] = time.time,
) -> Captured:
    """Capture a slot unless a later one is recorded: the settings or the clock have changed since.

    Later attempts that failed tell no market and stop nothing: a clock that was hours ahead makes
    such ones, and once it is right again every slot is to be recorded in its time.

    Raises:
        ArchiveError: the archive cannot be used; the source may have been asked in vain.
    """
    return _Capturing(archive, connect, plan, slot, clock).done(unless_passed=True)


def _tells_market(archive: Archive, key: AttemptKey) -> bool:
    try:
        return archive.manifest(key)[0].outcome is not Outcome.FAILED
    except DamagedError:
        # It may have been anything: better a slot too few than one with numbers of another time.
        return True


class _Capturing:
    """One capture, and what it has been answered so far."""

    def __init__(
        self,
        archive: Archive,
        connect: Callable[[], Client],
        plan: Plan,
        slot: int,
        clock: Callable[[], float],
    ) -> None:
        self._archive, self._connect, self._plan = archive, connect, plan
        self._slot, self._clock = slot, clock
        self._answers: list[Answer] = []

    def done(self, *, unless_passed: bool = False) -> Captured:
        """Capture, and remember why where the archive cannot be listed, read or written."""
        try:
            if unless_passed and self._passed():
                return Captured(self._slot, Standing.PASSED)
            return self._captured()
        except ArchiveError as error:
            remember(self._archive, self._slot, self._not_kept(error))
            raise

    def _passed(self) -> bool:
        later = self._archive.attempts(self._slot + 1)
        return any(_tells_market(self._archive, key) for key in later)

    def _captured(self) -> Captured:
        archive, slot, plan = self._archive, self._slot, self._plan
        # Claims are about living processes: their clock is the wall's, also where a market is
        # asked as of another time.
        claimed = claim_slot(archive, slot, plan.deadline_seconds, time.time(), plan.machine)
        if claimed.stored:
            return Captured(slot, Standing.STORED, claimed.stored)
        if claimed.number is None:
            return Captured(slot, Standing.BUSY)
        key = AttemptKey(slot, str(claimed.number))
        try:
            manifest = self._ask(key)
            archive.finish(manifest)
        except BaseException:
            # We live on and may be asked for the same slot again: it is not in anybody's hands.
            give_up(archive, key)
            raise
        return Captured(slot, Standing.OURS, manifest, write_remembered(archive, slot))

    def _not_kept(self, error: ArchiveError) -> Manifest:
        """Return what is to be said of it once the archive can be used again."""
        verdict = Verdict(Outcome.FAILED, Reason.NOT_KEPT, str(error))
        return self._manifest(AttemptKey(self._slot, "0"), verdict, self._clock(), ())

    def _ask(self, key: AttemptKey) -> Manifest:
        started_at = self._clock()
        kept: list[KeptAnswer] = []

        def keep(answer: Answer) -> None:
            self._answers.append(answer)
            kept.append(self._archive.keep(key, answer))

        plan = self._plan
        with self._connect() as client:
            fetch_market(client, plan.selection, keep)
        schedule = Schedule(self._slot, plan.interval_seconds, plan.assets, plan.source)
        return self._manifest(key, judge(self._answers, schedule), started_at, kept)

    def _manifest(
        self, key: AttemptKey, verdict: Verdict, started_at: float, kept: Sequence[KeptAnswer]
    ) -> Manifest:
        plan = self._plan
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
            captured_at=self._clock(),
            credits=min(credits_of(self._answers), MAX_CREDITS),
            answers=tuple(kept),
            program=f"coinlog {__version__}",
        )
