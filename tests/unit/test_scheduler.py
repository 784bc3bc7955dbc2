"""The clockwork: it follows the wall clock, whatever that does."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice, pairwise

import pytest

from coinlog.attempts import Manifest, slot_name
from coinlog.capturing import Captured, Plan, Standing
from coinlog.market import Outcome, Reason, SourceKind
from coinlog.recorder import Recording
from coinlog.scheduler import LONGEST_RETRY_SECONDS, retry_seconds, turns
from samples import SLOT, STEP

PLAN = Plan(interval_seconds=STEP, assets="top:2", source=SourceKind.COINMARKETCAP)


class Clock:
    """A clock that moves when it is waited on, and jumps where a test says so."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.jumps: list[tuple[float, float]] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds
        if self.jumps and self.now >= self.jumps[0][0]:
            self.now += self.jumps.pop(0)[1]


def recording(slot: int, outcome: Outcome, reason: Reason | None = None) -> Recording:
    manifest = Manifest(
        slot=slot_name(slot),
        attempt="1",
        outcome=outcome,
        reason=reason,
        detail="",
        source=SourceKind.COINMARKETCAP,
        interval_seconds=STEP,
        assets="top:2",
        started_at=0.0,
        captured_at=1.0,
        credits=1,
        answers=(),
        program="test",
    )
    return Recording(Captured(slot, Standing.OURS, manifest))


def run(clock: Clock, answer: Callable[[int], Recording], count: int) -> list[tuple[int, float]]:
    """Return which slots were recorded when, for a number of turns."""
    looks: list[tuple[int, float]] = []

    def record(slot: int) -> Recording:
        looks.append((slot, clock.now))
        return answer(slot)

    for _ in islice(turns(record, PLAN, clock=clock, wait=clock.wait), count):
        pass
    return looks


def stored(slot: int) -> Recording:
    return recording(slot, Outcome.STORED)


def test_it_records_at_once_and_then_at_each_slot() -> None:
    assert run(Clock(SLOT + 100), stored, 3) == [
        (SLOT, SLOT + 100),
        (SLOT + STEP, SLOT + STEP),
        (SLOT + 2 * STEP, SLOT + 2 * STEP),
    ]


def test_a_failed_slot_is_tried_again_with_growing_pauses_until_it_is_over() -> None:
    looks = run(Clock(SLOT), lambda slot: recording(slot, Outcome.FAILED, Reason.TIMEOUT), 30)

    pauses = [later - sooner for (_, sooner), (_, later) in pairwise(looks)]
    assert pauses[:6] == [60, 120, 240, 480, 900, 900]
    assert next(at for slot, at in looks if slot == SLOT + STEP) == SLOT + STEP


def test_a_partial_slot_is_completed_if_that_goes_soon_and_else_left() -> None:
    looks = run(Clock(SLOT), lambda slot: recording(slot, Outcome.PARTIAL, Reason.INCOMPLETE), 4)

    assert [slot for slot, _ in looks] == [SLOT, SLOT, SLOT, SLOT + STEP]


def test_a_laptop_that_slept_misses_slots_and_records_the_current_one() -> None:
    clock = Clock(SLOT)
    clock.jumps = [(SLOT + 3600, 3 * STEP)]

    assert [slot for slot, _ in run(clock, stored, 2)] == [SLOT, SLOT + 3 * STEP]


def test_a_clock_set_back_leads_to_the_slot_it_says_and_not_to_a_long_sleep() -> None:
    clock = Clock(SLOT + STEP)
    clock.jumps = [(SLOT + STEP + 60, -STEP)]

    looks = run(clock, stored, 2)

    assert [slot for slot, _ in looks] == [SLOT + STEP, SLOT]


def test_a_database_that_is_away_is_looked_for_again_soon() -> None:
    away = Recording(stored(SLOT).captured, trouble="the database is away")

    looks = run(Clock(SLOT), lambda _: away, 3)

    assert [at - SLOT for _, at in looks] == [0, 60, 180]


@pytest.mark.parametrize("reason", [Reason.WRONG_KEY, Reason.PLAN, Reason.QUOTA])
def test_what_only_a_person_can_mend_is_asked_rarely(reason: Reason) -> None:
    assert retry_seconds(1, reason) == LONGEST_RETRY_SECONDS
    assert retry_seconds(1, Reason.TIMEOUT) == 60
    assert retry_seconds(10_000, None) == LONGEST_RETRY_SECONDS
