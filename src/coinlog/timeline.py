"""What the ledger says of a stretch of time, and where the line of an asset breaks in it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, groupby, pairwise
from operator import sub

import msgspec

from coinlog.market import Outcome, Reason
from coinlog.slots import DAY, Schedule, schedule_at
from coinlog.store.lapses import due_in, read_lapses
from coinlog.store.ledger import (
    Head,
    due_range,
    read_outcomes,
)
from coinlog.store.points import BREAK_AT, Break, breaks_between
from coinlog.store.reader import Columns, Reader
from coinlog.store.thinned import Thinning, keep_of, stood_for

RANGES: dict[str, int | None] = {
    "1d": DAY,
    "7d": 7 * DAY,
    "30d": 30 * DAY,
    "90d": 90 * DAY,
    "1y": 365 * DAY,
    "all": None,
}
"""The named ranges in seconds; ``all`` begins before anything was recorded."""

MAX_SLOTS = 200_000
"""How many slots a thinned series spans at most, so that it takes a fraction of a second to read:
nearly two years of five minutes, or 22 of hours."""

MAX_ROWS = 110_000
"""How many slots a series that is not thinned has at most."""

MOST_PARTS = 60
"""So many parts of a window are looked at one by one; more of them, as one that spans them all."""

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


def shortened(head: Head, window: Window, most: int | None = None) -> Window:
    """Return a window with ``most`` slots, or ``MAX_SLOTS``: its newest ones."""
    left, start = most or MAX_SLOTS, window.end + 1
    for index in reversed(range(len(head.schedules))):
        due = due_range(head.schedules, index, window.start, window.end)
        if len(due) > left:
            return Window(due[-left] if left else start, window.end)
        left, start = left - len(due), due[0] if due else start
    return window


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
    thinnings: tuple[Thinning, ...] = ()


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
        thinnings=head.thinnings,
    )


def read_parts(
    reader: Reader, head: Head, window: Window, parts: Sequence[Window], now: float
) -> Timeline:
    """Return what the ledger says of parts of a window, oldest first, reading little of it.

    ``observed_at`` then tells which slots were recorded, not when.
    """
    looked_at = parts if len(parts) <= MOST_PARTS else [Window(parts[0].start, parts[-1].end)]
    lapses = read_lapses(reader, head, [(one.start, one.end) for one in looked_at], now)
    extra = sorted(lapses.extra)
    over: list[int] = []
    for part in parts:
        inside = extra[bisect_left(extra, part.start) : bisect_right(extra, part.end)]
        due = chain.from_iterable(due_in(head, part.start, part.end, now))
        over += sorted({*due, *inside}) if inside else due
    recorded = dict.fromkeys(over, 0)
    for slot in chain(lapses.failed, lapses.missed):
        recorded.pop(slot, None)
    return Timeline(
        window=window,
        observed_at=recorded,
        failed=lapses.failed,
        over=over,
        over_observed_at=[],
        widest_step=0,
        schedules=head.schedules,
        thinnings=head.thinnings,
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
    slots = columns.slots
    narrow = timeline.widest_step <= BREAK_AT * min(columns.resolutions, default=0)
    if narrow and slots == timeline.over:
        return []  # the usual case, found out quickly
    ends = (slots[0], slots[-1]) if slots else None
    return gaps_at(ends, breaks_in(slots, columns.resolutions), timeline, refusals)


def gaps_at(
    ends: tuple[int, int] | None,
    breaks: Sequence[Break],
    timeline: Timeline,
    refusals: Callable[[], Mapping[int, str]],
) -> list[Gap]:
    """Return the gaps of a line of which only its ends and breaks are known."""
    stretches = list(_stretches(ends, breaks, timeline))
    if not stretches:
        return []
    refused = refusals()
    recorded = timeline.observed_at

    def reason(slot: int) -> str:
        if slot in timeline.failed:
            return timeline.failed[slot]
        if slot in recorded:
            return refused.get(slot, _NOT_LISTED)
        return Reason.MISSED.value if _holds(timeline.over, slot) else Reason.NOT_DUE.value

    return [gap for absent, end in stretches for gap in _cut(absent, end, reason)]


def _holds(slots: Sequence[int], slot: int) -> bool:
    place = bisect_left(slots, slot)
    return place < len(slots) and slots[place] == slot


def breaks_in(slots: Sequence[int], resolutions: Sequence[int]) -> list[Break]:
    """Return where a line breaks."""
    if widest_step(slots) <= BREAK_AT * min(resolutions, default=0):
        return []
    steps = zip(slots, slots[1:], resolutions, resolutions[1:], strict=False)
    return [
        Break(left, right, resolution)
        for left, right, resolution, following in steps
        if breaks_between(left, right, resolution, following)
    ]


def _stretches(
    ends: tuple[int, int] | None, breaks: Sequence[Break], timeline: Timeline
) -> Iterator[tuple[Sequence[int], int]]:
    """Yield the absent slots of each break of the line, and the slot where it goes on."""
    over = timeline.over
    first, last = ends or (MAX_TIME, MAX_TIME)
    leading = _absent(over[: bisect_left(over, first)], timeline, first)
    if leading:
        end = first if ends else _after(leading[-1], timeline)
        yield _spread(leading, end, timeline), end
    for one in breaks:
        inside = over[bisect_right(over, one.left) : bisect_left(over, one.right)]
        absent = _absent(inside, timeline, one.left, one.right)
        if absent or not inside or keep_of(one.left, timeline.thinnings) != 0:
            yield _between(one, absent, timeline), one.right
    trailing = _absent(over[bisect_right(over, last) :], timeline, last)
    if trailing:
        end = _after(trailing[-1], timeline)
        yield _spread(trailing, end, timeline), end


def _between(one: Break, absent: Sequence[int], timeline: Timeline) -> Sequence[int]:
    """Return the absent slots of a break, from the first time that the point before left open."""
    begins = one.left + one.resolution
    if not absent:
        return [begins]
    spread = _spread(absent, one.right, timeline)
    late = absent[0] - one.left > BREAK_AT * one.resolution and not _holds(timeline.over, begins)
    return [begins, *spread] if late else spread


def _spread(slots: Sequence[int], end: int, timeline: Timeline) -> list[int]:
    """Return absent slots, and between them the times from which on nothing was due.

    Without those, the reason of one slot would seem to be that of all the time until the next.
    """
    found: list[int] = []
    for slot, following in pairwise(chain(slots, [end])):
        found.append(slot)
        until = _after(slot, timeline)
        if following - slot > BREAK_AT * (until - slot) and not _holds(timeline.over, until):
            found.append(until)
    return found


def _absent(slots: Sequence[int], timeline: Timeline, *neighbours: int) -> Sequence[int]:
    """Return slots without those whose quote was thinned out: they are no gap."""
    if not slots or keep_of(slots[0], timeline.thinnings) is None:
        return slots
    return [
        slot
        for slot in slots
        if slot not in timeline.observed_at or not stood_for(slot, neighbours, timeline.thinnings)
    ]


def _after(slot: int, timeline: Timeline) -> int:
    """Return the slot after ``slot`` in the schedule of its time.

    What was imported followed no schedule of ours: its nearest neighbour tells how often.
    """
    schedule = schedule_at(timeline.schedules, slot)
    if schedule:
        return slot + schedule.interval_seconds
    place = bisect_left(timeline.over, slot)
    beside = [*timeline.over[max(0, place - 1) : place], *timeline.over[place + 1 : place + 2]]
    return slot + min([DAY, *(abs(one - slot) for one in beside)])


def _cut(absent: Sequence[int], end: int, reason: Callable[[int], str]) -> Iterator[Gap]:
    """Yield one gap for each run of equal reasons; each ends where the next begins."""
    runs = [(next(run), why) for why, run in groupby(absent, reason)]
    ends = [*(start for start, _ in runs[1:]), end]
    for (start, why), until in zip(runs, ends, strict=True):
        yield Gap(start, until, why)
