"""Days, longest gap and incidents of the ledger against counts slot by slot, on both databases."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from coinlog.market import Outcome, Reason, SourceKind
from coinlog.slots import DAY, HOUR, Schedule, due_slots, grace_seconds, schedule_at
from coinlog.store import schema
from coinlog.store.days import LongestGap, longest_gap, read_days
from coinlog.store.incidents import read_incidents
from coinlog.store.ledger import Head, read_head
from coinlog.store.one_slot import read_slot, slot_after, slot_before
from coinlog.store.reader import Reader
from samples import SLOT, STEP

MIDNIGHT = SLOT - SLOT % DAY
OUTCOMES = ("stored", "stored", "stored", "partial", "failed", "missed")
REASONS = {"partial": ("incomplete",), "failed": ("timeout", "quota")}


class Ledger:
    """A ledger made up slot by slot, in a store and beside it."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.reader = Reader(engine)
        self.fates: dict[int, tuple[str, str | None]] = {}

    def schedule(self, *every: tuple[int, int]) -> None:
        rows = [
            {"from_slot": start, "interval_seconds": step, "assets": "top:2"}
            | {"source": SourceKind.COINMARKETCAP.value}
            for start, step in every
        ]
        with self.engine.begin() as connection:
            connection.execute(schema.schedule.insert(), rows)

    def put(self, slot: int, outcome: str, reason: str | None = None) -> None:
        self.fates[slot] = outcome, reason

    def write(self) -> None:
        rows = [_row(slot, *fate) for slot, fate in self.fates.items() if fate[0] != "missed"]
        with self.engine.begin() as connection:
            connection.execute(schema.slot.insert(), rows)

    @property
    def head(self) -> Head:
        return read_head(self.reader)


def _row(slot: int, outcome: str, reason: str | None) -> dict[str, Any]:
    told = {"slot": slot, "outcome": outcome, "reason": reason, "attempt": "1", "attempts": 1}
    times = {"captured_at": slot + 13, "stored_at": slot + 14, "duration_ms": 900}
    return {**told, **times, "assets": 2, "credits": 3, "body_bytes": 9, "sha256": "ab" * 32}


@pytest.fixture
def ledger(engine: sa.Engine) -> Ledger:
    """Return a ledger that a test fills."""
    return Ledger(engine)


def made_up(ledger: Ledger, seed: int) -> float:
    """Fill a ledger of three schedules by chance; return a time within a slot's grace."""
    chance = random.Random(seed)  # noqa: S311  the same at every run
    begins = MIDNIGHT - 40 * DAY
    every = ((begins + 6 * HOUR, STEP), (begins + 15 * DAY, 24 * HOUR), (begins + 30 * DAY, HOUR))
    ledger.schedule(*every)
    schedules = [Schedule(*one, "top:2", SourceKind.COINMARKETCAP) for one in every]
    for slot in due_slots(schedules, 0, SLOT - HOUR):
        outcome = chance.choice(OUTCOMES)
        ledger.put(slot, outcome, chance.choice(REASONS.get(outcome, (None,))))
    # What others recorded before us, at no time of ours, and an attempt between our slots.
    ledger.put(begins - 3 * DAY + 1234, "stored")
    ledger.put(begins + 2 * DAY + 60, "stored")
    ledger.write()
    return SLOT + 60.0


def by_hand(fates: Mapping[int, tuple[str, str | None]]) -> dict[int, Counter[str]]:
    days: dict[int, Counter[str]] = {}
    for slot, (outcome, _) in fates.items():
        midnight = datetime.fromtimestamp(slot, UTC).replace(hour=0, minute=0, second=0)
        days.setdefault(int(midnight.timestamp()), Counter())[outcome] += 1
    return days


def longest_by_hand(fates: Mapping[int, tuple[str, str | None]]) -> int:
    """Return how long no quotes were recorded while some were due, in seconds."""
    spans, lacking = [0], None
    for slot, (outcome, _) in sorted(fates.items()):
        if outcome in ("failed", "missed"):
            lacking = slot if lacking is None else lacking
        elif lacking is not None:
            spans.append(slot - lacking)
            lacking = None
    return max(spans)


@pytest.mark.parametrize("seed", [1, 2])
def test_days_and_longest_gap_are_those_of_a_count_by_hand(ledger: Ledger, seed: int) -> None:
    now = made_up(ledger, seed)
    start, end = MIDNIGHT - 50 * DAY, MIDNIGHT + 3 * DAY

    days = read_days(ledger.reader, ledger.head, now, start, end)

    told = {day.start: day for day in days if day.told}
    hand = by_hand(ledger.fates)
    assert told.keys() == hand.keys()
    for day, counts in hand.items():
        found = {one: getattr(told[day], one) for one in ("stored", "partial", "failed", "missed")}
        assert found == {one: counts[one] for one in found}
        worst = min(map(Outcome, counts), key=lambda outcome: outcome.height)
        assert told[day].worst is worst
        assert told[day].credits == 3 * (counts.total() - counts["missed"])
    # The slot of 18:00 is within its grace, five more are due today, 24 on each day to come.
    waiting = {day.start: day.waiting for day in days if day.waiting}
    assert waiting == {MIDNIGHT: 6, MIDNIGHT + DAY: 24, MIDNIGHT + 2 * DAY: 24}
    gap = longest_gap(ledger.reader, ledger.head, now, start, end)
    assert gap
    assert gap.end - gap.start == longest_by_hand(ledger.fates)


def test_a_day_tells_why_its_slots_failed(ledger: Ledger) -> None:
    ledger.schedule((MIDNIGHT, STEP))
    for number, reason in enumerate(("timeout", "quota", "timeout")):
        ledger.put(MIDNIGHT + number * STEP, "failed", reason)
    ledger.write()

    (day,) = read_days(ledger.reader, ledger.head, SLOT + 60, MIDNIGHT, MIDNIGHT + DAY)

    assert (day.failed, day.waiting, day.reasons) == (3, 1, ("quota", "timeout"))


def test_an_empty_store_has_neither_days_nor_a_gap(ledger: Ledger) -> None:
    assert read_days(ledger.reader, ledger.head, SLOT, 0, SLOT) == []
    assert longest_gap(ledger.reader, ledger.head, SLOT, 0, SLOT) is None


def test_a_recorder_that_died_leaves_a_gap_until_now(ledger: Ledger) -> None:
    ledger.schedule((MIDNIGHT, STEP))
    ledger.put(MIDNIGHT, "stored")
    ledger.write()
    now = SLOT + HOUR

    gap = longest_gap(ledger.reader, ledger.head, now, MIDNIGHT - DAY, MIDNIGHT + DAY)

    assert gap == LongestGap(MIDNIGHT + STEP, SLOT + STEP, 3)


def test_incidents_are_the_runs_of_slots_that_went_wrong_alike(ledger: Ledger) -> None:
    now = made_up(ledger, 4)
    since = SLOT - 20 * DAY
    runs = [
        (*fate, [slot for slot, _ in run])
        for fate, run in groupby(sorted(ledger.fates.items()), lambda one: one[1])
        if fate[0] != "stored"
    ]
    runs = [run for run in runs if run[2][-1] >= since][-100:][::-1]

    found = read_incidents(ledger.reader, ledger.head, now, since)

    assert [(one.outcome.value, one.first, one.last, one.slots) for one in found] == [
        (outcome, slots[0], slots[-1], len(slots)) for outcome, _, slots in runs
    ]
    assert read_incidents(ledger.reader, ledger.head, now, since, limit=5) == found[:5]
    for one in found:
        schedule = schedule_at(ledger.head.schedules, one.last)
        assert schedule
        late = grace_seconds(schedule.interval_seconds) if one.row is None else 14
        assert one.told_at == one.last + late
        assert (one.row is None) == (one.outcome is Outcome.MISSED)


@pytest.mark.parametrize(("outcome", "reason"), [("missed", None), ("failed", "quota")])
def test_an_incident_keeps_its_first_slot_while_it_goes_on(
    ledger: Ledger, outcome: str, reason: str | None
) -> None:
    ledger.schedule((SLOT - 100 * DAY, STEP))
    ledger.put(SLOT - 100 * DAY, "stored")
    first = SLOT - 60 * DAY
    for slot in range(SLOT - 100 * DAY + STEP, SLOT + 1, STEP):
        ledger.put(slot, *((outcome, reason) if slot >= first else ("stored", None)))
    ledger.write()

    (found,) = read_incidents(ledger.reader, ledger.head, SLOT + HOUR, SLOT - 30 * DAY)

    assert (found.first, found.last, found.slots) == (first, SLOT, 241)
    assert found.reason == (reason or Reason.MISSED)


def test_a_slot_knows_its_neighbours_and_one_that_was_never_due_has_none(ledger: Ledger) -> None:
    made_up(ledger, 6)
    head, reader, now = ledger.head, ledger.reader, SLOT + 60.0
    slots = sorted(ledger.fates)

    walked = [slots[0]]
    with reader.snapshot():
        while (following := slot_after(reader, head, now, walked[-1])) is not None:
            walked.append(following)

    assert walked == slots
    assert [slot_before(reader, head, now, slot) for slot in slots[:5]] == [None, *slots[:4]]
    row = read_slot(reader, head, now, slots[3])
    assert row
    assert row.outcome.value == ledger.fates[slots[3]][0]
    assert read_slot(reader, head, now, slots[3] + 1) is None
    assert msgspec.structs.asdict(row)["slot"] == slots[3]
