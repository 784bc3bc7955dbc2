"""The ledger by days: how many slots of each had which outcome, with ``missed`` derived.

The database counts: a year of five minutes has 105,120 slots, and none is read one by one.
Days are UTC and begin at a multiple of 86,400 seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import msgspec
import sqlalchemy as sa

from coinlog.market import Outcome
from coinlog.slots import DAY
from coinlog.store import schema
from coinlog.store.buckets import bucket_of
from coinlog.store.ledger import Head, due_range
from coinlog.store.reader import HAS_QUOTES, Reader


class Day(msgspec.Struct, kw_only=True):
    """What became of the slots of a day.

    ``waiting`` counts those that are not due yet, or within their grace. ``reasons`` are those of
    its failed slots, the first and the last by name: one where all failed alike.
    """

    start: int
    stored: int = 0
    partial: int = 0
    failed: int = 0
    missed: int = 0
    waiting: int = 0
    credits: int = 0
    reasons: tuple[str, ...] = ()

    @property
    def lapsed(self) -> int:
        """How many slots left no quotes."""
        return self.failed + self.missed

    @property
    def told(self) -> int:
        """How many slots have an outcome."""
        return self.stored + self.partial + self.lapsed

    @property
    def worst(self) -> Outcome | None:
        """The worst outcome of the day's slots; ``None`` while none has one."""
        lowest = sorted(Outcome, key=lambda outcome: outcome.height)
        return next((one for one in lowest if getattr(self, one.value)), None)


class LongestGap(msgspec.Struct, frozen=True):
    """The longest time without quotes: from its first slot to the slot after it."""

    start: int
    end: int
    slots: int


class _Part(msgspec.Struct, frozen=True):
    """A stretch under one schedule, both ends included: what was due in it, and what will be."""

    start: int
    end: int
    over: range
    due: range


def read_days(reader: Reader, head: Head, now: float, start: int, end: int) -> list[Day]:
    """Return the days from ``start`` to before ``end`` that any slot belongs to, oldest first."""
    days: dict[int, Day] = {}
    with reader.connected() as connection:
        for part in _parts(head, now, start, end - 1):
            _expect(days, part)
            asked = msgspec.structs.asdict(part)
            asked |= {"step": part.due.step, "last": part.over[-1] if part.over else -1}
            for row in connection.execute(_COUNTED, asked):
                _count(days, row)
    return [days[start] for start in sorted(days)]


def _parts(head: Head, now: float, start: int, end: int) -> Iterator[_Part]:
    """Yield a stretch cut where schedules begin; before the first, nothing is due."""
    begins = [one.from_slot for one in head.schedules]
    first = min([end + 1, *begins])
    if start < first:
        yield _Part(start, min(first - 1, end), range(0), range(0))
    overs = head.over_ranges(start, end, now)
    for index, (begin, after) in enumerate(pairwise([*begins, end + 1])):
        low, high = max(begin, start), min(after - 1, end)
        if low <= high:
            yield _Part(low, high, overs[index], due_range(head.schedules, index, start, end))


def _expect(days: dict[int, Day], part: _Part) -> None:
    """Count what is due as missed or waiting; the rows of the ledger are taken off again."""
    over = dict(_per_day(part.over))
    for start, due in _per_day(part.due):
        day = days.setdefault(start, Day(start=start))
        day.missed += over.get(start, 0)
        day.waiting += due - over.get(start, 0)


def _per_day(slots: range) -> Iterator[tuple[int, int]]:
    """Yield each day of a schedule's slots and how many it has, without walking them."""
    if not slots:
        return
    for start in range(slots[0] - slots[0] % DAY, slots[-1] + 1, DAY):
        low, high = max(slots[0], start), min(slots[-1], start + DAY - slots.step)
        yield start, (high - low) // slots.step + 1


def _count(days: dict[int, Day], row: sa.Row[Any]) -> None:
    start, outcome, slots, spent, on_time, on_grid, *reasons = tuple(row)
    day = days.setdefault(start, Day(start=start))
    setattr(day, outcome, getattr(day, outcome) + slots)
    day.credits += int(spent)
    day.missed -= int(on_time)
    day.waiting -= int(on_grid) - int(on_time)
    if outcome == Outcome.FAILED:
        told = {*day.reasons, *(one for one in reasons if one)}
        day.reasons = tuple(sorted(told))


def _counted() -> sa.Select[Any]:
    table = schema.slot.c
    step, last = (sa.bindparam(name, type_=sa.BigInteger) for name in ("step", "last"))
    within = table.slot.between(sa.bindparam("start"), sa.bindparam("end"))
    # Without a schedule the step is 1 and nothing was due: what is recorded is no late slot.
    on_grid = sa.case(((table.slot % step == 0) & (step > 1), 1), else_=0)
    on_time = sa.case(((table.slot % step == 0) & (table.slot <= last), 1), else_=0)
    day = bucket_of(table.slot, DAY, 0).label("day")
    counts = (sa.func.count(), sa.func.sum(table.credits), sa.func.sum(on_time))
    ends = (sa.func.min(table.reason), sa.func.max(table.reason))
    query = sa.select(day, table.outcome, *counts, sa.func.sum(on_grid), *ends).where(within)
    return query.group_by(sa.text("day"), table.outcome)


_COUNTED = _counted()


def longest_gap(reader: Reader, head: Head, now: float, start: int, end: int) -> LongestGap | None:
    """Return the longest gap from ``start`` to before ``end``; ``None`` where there is none."""
    with reader.connected() as connection:
        within = _QUOTED.c.slot.between(start, end - 1)
        first, last = connection.execute(sa.select(*_ENDS).where(within)).one()
        wide = connection.execute(_wide(head), {"start": start, "end": end - 1}).fetchall()
    if first is None:
        breaks = [(start - 1, end)]
    else:
        breaks = [(start - 1, first), *((row[0], row[1]) for row in wide), (last, end)]
    gaps = [gap for one in breaks if (gap := _gap(head, now, *one))]
    return max(gaps, key=lambda gap: gap.end - gap.start, default=None)


def _gap(head: Head, now: float, left: int, right: int) -> LongestGap | None:
    """Return what was due between two slots, neither of them included."""
    due = [one for one in head.over_ranges(left + 1, right - 1, now) if one]
    if not due:
        return None
    end = min(due[-1][-1] + due[-1].step, right)
    return LongestGap(due[0][0], end, sum(map(len, due)))


_QUOTED = sa.select(schema.slot.c.slot).where(schema.slot.c.outcome.in_(HAS_QUOTES)).subquery()
_ENDS = (sa.func.min(_QUOTED.c.slot), sa.func.max(_QUOTED.c.slot))


def _wide(head: Head) -> sa.Select[Any]:
    """Return the query for the widest steps from one slot with quotes to the next.

    Wide is what is longer than the interval in force. Where that grows, a step can be wide though
    nothing was due in it: as many more are looked at as it may have grown.
    """
    table = schema.slot.c
    within = table.slot.between(sa.bindparam("start"), sa.bindparam("end"))
    before = sa.func.lag(table.slot).over(order_by=table.slot).label("before")
    steps = sa.select(before, table.slot).where(within, table.outcome.in_(HAS_QUOTES)).subquery()
    lacking = steps.c.slot - steps.c.before - _interval(head, steps.c.before)
    query = sa.select(steps.c.before, steps.c.slot).where(lacking > 0)
    return query.order_by(lacking.desc(), steps.c.slot).limit(len(head.schedules) + 1)


def _interval(head: Head, slot: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """Return the interval in force at a slot, in SQL."""
    newest_first = reversed(head.schedules)
    cases = [(slot >= one.from_slot, one.interval_seconds) for one in newest_first]
    return sa.case(*cases, else_=DAY) if cases else sa.literal(DAY)
