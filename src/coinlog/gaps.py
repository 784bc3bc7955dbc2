"""Where the line of an asset breaks, and why: the gaps that charts, API and exports show."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, groupby, pairwise

import msgspec

from coinlog.market import Reason
from coinlog.slots import DAY, MAX_TIME, schedule_at
from coinlog.store.points import BREAK_AT, Break, breaks_between
from coinlog.store.reader import Columns
from coinlog.store.thinned import keep_of, stood_for
from coinlog.timeline import Timeline, widest_step

_NOT_LISTED = Reason.NOT_LISTED.value


class Gap(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """A stretch without a quote: from its first slot to the slot after it, and why."""

    start: int
    end: int
    reason: str


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
