"""The clockwork of ``coinlog up``: record at each slot, try again within it, until stopped.

Nothing is counted down: each look asks the wall clock which slot it is, so a laptop that slept,
a clock that was set or a process that hung leads to missed slots, never to wrong ones.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import msgspec

from coinlog.capturing import Plan, Standing
from coinlog.market import Outcome, Reason
from coinlog.recorder import Recording
from coinlog.slots import MINUTE, floor_slot

LOOK_SECONDS = 15
FIRST_RETRY_SECONDS = 1 * MINUTE
LONGEST_RETRY_SECONDS = 15 * MINUTE
# What a slot still lacks after this many answers the source does not have; each costs credits.
PARTIAL_TRIES = 3
# What only a person can mend is asked again rarely: each try may cost a place in a rate limit.
STUBBORN = frozenset({Reason.WRONG_KEY, Reason.PLAN, Reason.QUOTA, Reason.REFUSED_REQUEST})


class Turn(msgspec.Struct, frozen=True):
    """One recording and when to look again (seconds UTC)."""

    recording: Recording
    next_look_at: float
    next_slot: int


def retry_seconds(tries: int, reason: Reason | None) -> int:
    """Return how long to wait before a slot's next try: 1, 2, 4, 8, then 15 minutes."""
    if reason in STUBBORN:
        return LONGEST_RETRY_SECONDS
    return min(FIRST_RETRY_SECONDS << min(tries - 1, 10), LONGEST_RETRY_SECONDS)


def turns(
    record: Callable[[int], Recording],
    plan: Plan,
    *,
    clock: Callable[[], float] = time.time,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[Turn]:
    """Record at each slot for ever; yield after each recording, before waiting.

    ``record`` is called with the current slot: once if that stores it, else again and again with
    growing pauses until the slot is over.
    """
    tries, slot = 0, -1
    while True:
        current = floor_slot(clock(), plan.interval_seconds)
        tries, slot = (tries + 1 if current == slot else 1), current
        recording = record(slot)
        next_slot = slot + plan.interval_seconds
        look_at = _next_look(recording, tries, clock(), next_slot)
        yield Turn(recording, look_at, next_slot)
        _wait_until(look_at, slot, plan, clock, wait)


def _next_look(recording: Recording, tries: int, now: float, next_slot: int) -> float:
    manifest = recording.captured.manifest
    outcome = manifest.outcome if manifest else None
    passed = recording.captured.standing is Standing.PASSED
    if recording.done and (passed or outcome is Outcome.STORED):
        return next_slot
    if recording.done and outcome is Outcome.PARTIAL and tries >= PARTIAL_TRIES:
        return next_slot
    reason = manifest.reason if manifest else None
    return min(now + retry_seconds(tries, reason), next_slot)


def _wait_until(
    moment: float,
    slot: int,
    plan: Plan,
    clock: Callable[[], float],
    wait: Callable[[float], None],
) -> None:
    """Wait in short steps, and stop early when the wall clock has left the slot either way."""
    while (now := clock()) < moment and floor_slot(now, plan.interval_seconds) == slot:
        wait(min(moment - now, LOOK_SECONDS))
