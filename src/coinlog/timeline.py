"""What the ledger says of a stretch of time, and where the line of an asset breaks in it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from operator import sub

import msgspec

from coinlog.market import Outcome, Reason
from coinlog.slots import DAY, Schedule, schedule_at
from coinlog.store.ledger import Head, newest_due, read_outcomes
from coinlog.store.reader import Columns, Reader

RANGES: dict[str, int | None] = {
    "1d": DAY,
    "7d": 7 * DAY,
    "30d": 30 * DAY,
    "90d": 90 * DAY,
    "1y": 365 * DAY,
    "all": None,
}
"""The named ranges in seconds; ``all`` begins before anything was recorded."""

BREAK_AT = 1.5
"""A line breaks where slots are further apart than this many times the coarser resolution."""

MAX_SLOTS = 110_000
"""How many slots of an asset are read at once: a year of five minutes and a little more."""

MAX_TIME = 2**62
_UNSAID = Reason.BROKEN_ANSWER.value
_NOT_LISTED = Reason.NOT_LISTED.value


class Window(msgspec.Struct, frozen=True):
    """A stretch of time, both ends included, in seconds UTC."""

    start: int
    end: int


class Gap(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """A stretch without a quote: from its first slot to the slot after it, and why."""

    start: int
    end: int
    reason: str


ALWAYS = Window(0, MAX_TIME)


def window_of(head: Head, now: float, name: str) -> Window:
    """Return the stretch of a named range.

    It ends at the current slot, so that it is the same for all who ask within a slot.
    """
    end = head.current_slot(now) or int(now)
    span = RANGES[name]
    return Window(0 if span is None else end - span, end)


def shortened(head: Head, window: Window) -> Window:
    """Return a window with no more slots than are read at once: its newest ones."""
    due = newest_due(head.schedules, window.start, window.end, MAX_SLOTS + 1)
    return window if len(due) <= MAX_SLOTS else Window(due[-2], window.end)


class Timeline(msgspec.Struct, frozen=True):
    """What the ledger says of a window: the same for every asset.

    ``observed_at`` and ``failed`` are by slot, and may know of slots around the window; ``over``
    lists the slots that should have quotes by now: due and past their grace, or in the ledger.
    ``over_observed_at`` and ``widest_step`` are for the usual asset, which has a quote at every
    one of them.
    """

    window: Window
    observed_at: dict[int, int]
    failed: dict[int, str]
    over: list[int]
    over_observed_at: list[int]
    widest_step: int
    schedules: tuple[Schedule, ...]


def read_timeline(reader: Reader, head: Head, window: Window, now: float) -> Timeline:
    """Return what the ledger says of a window."""
    rows = read_outcomes(reader, window.start, window.end)
    # Before the first recorded slot nothing was due that could be missed.
    start = max(window.start, head.first_slot or window.start)
    over = sorted({row.slot for row in rows}.union(*head.over_ranges(start, window.end, now)))
    observed_at = {row.slot: row.observed_at for row in rows if row.observed_at is not None}
    return Timeline(
        window=window,
        observed_at=observed_at,
        failed={row.slot: row.reason or _UNSAID for row in rows if row.outcome == Outcome.FAILED},
        over=over,
        over_observed_at=drawn_at(observed_at, over),
        widest_step=widest_step(over),
        schedules=head.schedules,
    )


def part_of(whole: Timeline, window: Window) -> Timeline:
    """Return what a timeline says of a window within its own."""
    first, last = bisect_left(whole.over, window.start), bisect_right(whole.over, window.end)
    over = whole.over[first:last]
    return msgspec.structs.replace(
        whole,
        window=window,
        over=over,
        over_observed_at=whole.over_observed_at[first:last],
        widest_step=widest_step(over),
    )


def drawn_at(observed_at: Mapping[int, int], slots: Sequence[int]) -> list[int]:
    """Return when each slot was observed; a backfilled one, not in the ledger, has its slot."""
    return list(map(observed_at.get, slots, slots))


def widest_step(slots: Sequence[int]) -> int:
    """Return the seconds between the two neighbours that are furthest apart."""
    return max(map(sub, slots[1:], slots), default=0)


def find_gaps(
    columns: Columns, timeline: Timeline, refusals: Callable[[], Mapping[int, str]]
) -> list[Gap]:
    """Return the stretches where the line breaks, oldest first, cut where the reason changes.

    ``refusals`` tells why stored slots lack the asset; it is asked only when there is a gap.
    """
    if columns.slots == timeline.over:
        if timeline.widest_step <= BREAK_AT * min(columns.resolutions, default=0):
            return []  # the usual case, found out quickly
        absent = list[int]()
    else:
        absent = sorted(set(timeline.over).difference(columns.slots))
    stretches = list(_stretches(columns, absent, timeline.schedules))
    if not stretches:
        return []
    refused = refusals()
    recorded = timeline.observed_at

    def reason(slot: int) -> str:
        if slot in timeline.failed:
            return timeline.failed[slot]
        return refused.get(slot, _NOT_LISTED) if slot in recorded else Reason.MISSED.value

    return [gap for absent, end in stretches for gap in _cut(absent, end, reason)]


def _stretches(
    columns: Columns, absent: Sequence[int], schedules: Sequence[Schedule]
) -> Iterator[tuple[Sequence[int], int]]:
    """Yield the absent slots of each break of the line, and the slot where it goes on."""
    slots = columns.slots
    first = slots[0] if slots else MAX_TIME
    leading = absent[: bisect_left(absent, first)]
    if leading:
        yield leading, first if slots else _after(leading[-1], schedules)
    for index in _breaks(slots, columns.resolutions):
        left, right = slots[index], slots[index + 1]
        inside = absent[bisect_left(absent, left) : bisect_left(absent, right)]
        yield inside or [left + columns.resolutions[index]], right
    trailing = absent[bisect_left(absent, slots[-1]) :] if slots else ()
    if trailing:
        yield trailing, _after(trailing[-1], schedules)


def _breaks(slots: Sequence[int], resolutions: Sequence[int]) -> list[int]:
    """Return the indexes of the points after which the line breaks."""
    if widest_step(slots) <= BREAK_AT * min(resolutions, default=0):
        return []
    steps = zip(pairwise(slots), pairwise(resolutions), strict=True)
    return [
        index
        for index, ((left, right), coarse) in enumerate(steps)
        if right - left > BREAK_AT * max(coarse)
    ]


def _after(slot: int, schedules: Sequence[Schedule]) -> int:
    """Return the slot after ``slot`` in the schedule of its time."""
    schedule = schedule_at(schedules, slot)
    return slot + (schedule.interval_seconds if schedule else 1)


def _cut(absent: Sequence[int], end: int, reason: Callable[[int], str]) -> Iterator[Gap]:
    """Yield one gap for each run of equal reasons; each ends where the next begins."""
    runs = [(next(run), why) for why, run in groupby(absent, reason)]
    ends = [*(start for start, _ in runs[1:]), end]
    for (start, why), until in zip(runs, ends, strict=True):
        yield Gap(start, until, why)
