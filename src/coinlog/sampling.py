"""Series of any length in bounded time: a long history is thinned by the database.

Few points are read and thinned here, which is quicker. Of many, the database finds the slots of
the extremes, and only those points are read. Both ways give the same points, each a recorded one
with its own time.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import pairwise
from operator import sub

import msgspec

from coinlog.gaps import Gap, gaps_at
from coinlog.series import (
    Series,
    buckets_for,
    edges,
    read_series,
    series_from,
    shown,
    thinned_alike,
    with_edges,
)
from coinlog.slots import DAY
from coinlog.store.buckets import Buckets, Summary, origin_of, places, summaries
from coinlog.store.ledger import Head, read_refusals
from coinlog.store.points import Break, breaks_between, ends, read_breaks, read_points
from coinlog.store.reader import Reader
from coinlog.timeline import MOST_PARTS, Timeline, Window, read_parts

READ_AT_ONCE = 5_000
"""From about here on, the database is quicker: its rows need not come over the wire."""


class Reading(msgspec.Struct, frozen=True):
    """A window of a store at a moment; ``timeline`` reads what the ledger says of it."""

    reader: Reader
    head: Head
    window: Window
    now: float
    timeline: Callable[[], Timeline]


def read_thinned(
    reading: Reading,
    ids: Sequence[int],
    fields: Sequence[str],
    points: int,
    most: int | None = None,
) -> list[Series]:
    """Return the series of assets, thinned at the same slots to at most ``points`` points.

    Up to ``most`` points, or ``points``, stay as they are.
    """
    most = most or points
    limit = max(READ_AT_ONCE, most)
    if _due(reading) <= limit:
        reader, timeline = reading.reader, reading.timeline()
        whole = [
            read_series(reader, timeline, reading.now, one, fields, limit=limit + 1) for one in ids
        ]
        if all(len(series.slots) <= limit for series in whole):
            return thinned_alike(whole, points, most)
    return _sampled(reading, ids, fields, points, most)


def _due(reading: Reading) -> int:
    window = reading.window
    return sum(map(len, reading.head.over_ranges(window.start, window.end, reading.now)))


def _sampled(
    reading: Reading, ids: Sequence[int], fields: Sequence[str], points: int, most: int
) -> list[Series]:
    reader, window = reading.reader, reading.window
    spans = [ends(reader, one, window.start, window.end) for one in ids]
    known = [span for span in spans if span]
    first, last = min((a for a, _ in known), default=0), max((b for _, b in known), default=0)
    buckets = buckets_for(first, last, points, len(fields) * len(ids))
    told = _Told(reading)
    lines = [_Line(told, one, places(reader, one, buckets, fields)) for one in ids]
    kept = _all_of(lines, most)
    sampled = kept is None
    if kept is None:
        beside = {slot for line in lines for slot in edges(line.beside, line.gaps)}
        kept = with_edges({first, last}.union(*(line.extremes for line in lines)), beside, points)
    return [line.series(sorted(kept), fields, sampled=sampled) for line in lines]


def _all_of(lines: Sequence[_Line], most: int) -> set[int] | None:
    """Return the slots of all points where they are few enough to stay."""
    if any(line.points > most for line in lines):
        return None
    union = {slot for line in lines for slot in line.slots()}
    return union if len(union) <= most else None


class _Told:
    """What the ledger tells of a window: read once for all lines, and only where it must be."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.few = _due(reading) <= READ_AT_ONCE

    @cached_property
    def timeline(self) -> Timeline:
        """What it tells of the whole window."""
        return self.reading.timeline() if self.few else self._parts([self.reading.window])

    @cached_property
    def recorded(self) -> Recorded:
        """Which slots it says were recorded."""
        return Recorded(list(self.timeline.observed_at))

    def around(self, first: int, last: int) -> Timeline:
        """Return what it tells of the window but for the time from ``first`` to ``last``."""
        if self.few or "timeline" in self.__dict__:
            return self.timeline
        window = self.reading.window
        parts = [Window(window.start, first - 1), Window(last + 1, window.end)]
        return self._parts([part for part in parts if part.start <= part.end])

    def _parts(self, parts: Sequence[Window]) -> Timeline:
        reading = self.reading
        return read_parts(reading.reader, reading.head, reading.window, parts, reading.now)


class _Line:
    """An asset's line of which only the extremes are known, and where it breaks."""

    def __init__(self, told: _Told, asset_id: int, found: Sequence[Summary]) -> None:
        self.reading, self.asset_id = told.reading, asset_id
        self.points = sum(one.points for one in found)
        self.extremes = {
            slot for one in found for slot in (*one.lowest, *one.highest) if slot is not None
        }
        ends = (found[0].first, found[-1].last) if found else None
        breaks = _breaks(told, asset_id, found)
        sides = (slot for one in breaks for slot in (one.left, one.right))
        self.beside = sorted({*(ends or ()), *sides})
        self.gaps = _gaps(told, asset_id, ends, breaks)

    def slots(self) -> list[int]:
        """Return the slots of all points."""
        window = self.reading.window
        return self.reading.reader.quotes(self.asset_id, window.start, window.end, ()).slots

    def series(self, slots: Sequence[int], fields: Sequence[str], *, sampled: bool) -> Series:
        """Return the line with its points at some slots."""
        columns, observed_at = read_points(self.reading.reader, self.asset_id, slots, fields)
        series = series_from(columns, observed_at, self.gaps)
        return shown(msgspec.structs.replace(series, sampled=sampled), self.reading.now)


def count_gaps(reading: Reading, asset_id: int) -> int:
    """Return how many gaps an asset's series over a window has.

    No quote is read where there are as many as the ledger says were recorded.
    """
    window, told = reading.window, _Told(reading)
    days = Buckets(window.start, window.end, DAY, origin_of(DAY))
    whole = Buckets(window.start, window.end, window.end - window.start + 1, window.start)
    found = summaries(reading.reader, asset_id, whole if told.few else days, ())
    ends = (found[0].first, found[-1].last) if found else None
    return len(_gaps(told, asset_id, ends, _breaks(told, asset_id, found)))


def _gaps(
    told: _Told, asset_id: int, ends: tuple[int, int] | None, breaks: Sequence[Break]
) -> list[Gap]:
    reader, window = told.reading.reader, told.reading.window
    first, last = ends or (window.end + 1, window.end)
    return gaps_at(
        ends,
        breaks,
        told.timeline if breaks else told.around(first, last),
        lambda: read_refusals(reader, asset_id, window.start, window.end),
    )


class Recorded:
    """The slots with quotes of a window, and where two neighbours are further apart than usual."""

    def __init__(self, slots: Sequence[int]) -> None:
        steps = list(map(sub, slots[1:], slots))
        usual = min(steps, default=0)
        self.slots = slots
        self._wide = [index for index, step in enumerate(steps) if step > usual]

    def breaks(self, one: Summary) -> list[Break] | None:
        """Return the breaks inside a bucket, if it holds a quote of each slot that was recorded.

        Observed quotes are of recorded slots alone, so as many as those are those.
        """
        first, last = bisect_left(self.slots, one.first), bisect_right(self.slots, one.last)
        step = one.resolutions[0]
        if one.backfilled or one.resolutions[1] != step or last - first != one.points:
            return None
        inside = self._wide[bisect_left(self._wide, first) : bisect_left(self._wide, last - 1)]
        steps = [(self.slots[index], self.slots[index + 1]) for index in inside]
        return [Break(a, b, step) for a, b in steps if breaks_between(a, b, step)]


def _breaks(told: _Told, asset_id: int, found: Sequence[Summary]) -> list[Break]:
    """Return where a line breaks, reading only the buckets of which the ledger cannot tell."""
    breaks = {
        left.last: Break(left.last, right.first, left.resolutions[0])
        for left, right in pairwise(found)
        if breaks_between(left.last, right.first, *left.resolutions, *right.resolutions)
    }
    inside = [[] if one.even else told.recorded.breaks(one) for one in found]
    breaks |= {one.left: one for some in inside for one in some or ()}
    for start, end in _unknown(found, [some is None for some in inside]):
        breaks |= {one.left: one for one in read_breaks(told.reading.reader, asset_id, start, end)}
    return [breaks[left] for left in sorted(breaks)]


def _unknown(found: Sequence[Summary], unknown: Sequence[bool]) -> list[tuple[int, int]]:
    """Return the stretches that must be looked at, each with the points beside it."""
    parts: list[tuple[int, int]] = []
    for index, one in enumerate(found):
        if unknown[index]:
            start = found[index - 1].last if index else one.first
            end = found[index + 1].first if index + 1 < len(found) else one.last
            if parts and start <= parts[-1][1]:
                start = parts.pop()[0]
            parts.append((start, end))
    return parts if len(parts) <= MOST_PARTS else [(parts[0][0], parts[-1][1])]
