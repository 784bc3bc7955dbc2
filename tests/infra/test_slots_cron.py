"""The schedule fires at every slot and at no other moment, for every interval of the contract."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from coinlog.errors import UsageError
from coinlog.market import SourceKind
from coinlog.slots import DAY, HOUR, MINUTE, due_slots, format_interval, parse_interval
from coinlog.slots import Schedule as InForce
from coinlog_infra.cron import again_minutes, slots_cron

INTERVALS = [MINUTE * n for n in range(1, 60) if 60 % n == 0] + [
    HOUR * n for n in range(1, 25) if 24 % n == 0
]


def field(text: str, size: int) -> set[int]:
    """Return what one field of a cron expression stands for, as AWS describes it."""
    if text == "*":
        return set(range(size))
    start, _, step = text.partition("/")
    return set(range(int(start), size, int(step))) if step else {int(start)}


def fire_times(expression: str, day: datetime) -> list[int]:
    """Return every minute of a day at which an expression fires: reckoned minute by minute."""
    match = re.fullmatch(r"cron\((\S+) (\S+) \* \* \? \*\)", expression)
    assert match, expression
    minutes, hours = field(match[1], 60), field(match[2], 24)
    moments = (day + timedelta(minutes=number) for number in range(24 * 60))
    return [int(m.timestamp()) for m in moments if m.minute in minutes and m.hour in hours]


@pytest.mark.parametrize("seconds", INTERVALS, ids=format_interval)
def test_every_slot_and_no_other_moment_fires(seconds: int) -> None:
    day = datetime(2026, 3, 29, tzinfo=UTC)  # a night with a change of clocks in Europe
    start = int(day.timestamp())
    schedule = InForce(0, seconds, "top:200", SourceKind.COINMARKETCAP)
    due = list(due_slots([schedule], start, start + DAY - 1))

    assert fire_times(slots_cron(seconds), day) == due
    assert len(due) == DAY // seconds
    after = again_minutes(seconds)
    assert fire_times(slots_cron(seconds, after), day) == [slot + after * MINUTE for slot in due]
    assert 0 <= 3 * after * MINUTE <= seconds


def test_the_default_is_written_as_the_contract_says() -> None:
    assert slots_cron(parse_interval("6h")) == "cron(0 0/6 * * ? *)"


@pytest.mark.parametrize("seconds", [0, 90, 7 * MINUTE, 5 * HOUR, 2 * DAY])
def test_other_intervals_are_refused(seconds: int) -> None:
    with pytest.raises(UsageError, match="has no schedule: expected minutes that divide an hour"):
        slots_cron(seconds)
