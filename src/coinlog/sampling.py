"""Series of any length in bounded time: a long history is thinned by the database.

Few points are read and thinned here, which is quicker. Of many, the database finds the slots of
the extremes, and only those points are read. Both ways give the same points, each a recorded one
with its own time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

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
from coinlog.store.buckets import Summary, places
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
    lines = [_Line(reading, one, places(reader, one, buckets, fields)) for one in ids]
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


class _Line:
    """An asset's line of which only the extremes are known, and where it breaks."""

    def __init__(self, reading: Reading, asset_id: int, found: Sequence[Summary]) -> None:
        self.reading, self.asset_id = reading, asset_id
        self.points = sum(one.points for one in found)
        self.extremes = {
            slot for one in found for slot in (*one.lowest, *one.highest) if slot is not None
        }
        self.ends = (found[0].first, found[-1].last) if found else None
        breaks = find_breaks(reading.reader, asset_id, found)
        sides = (slot for one in breaks for slot in (one.left, one.right))
        self.beside = sorted({*(self.ends or ()), *sides})
        self.gaps = self._gaps(breaks)

    def _gaps(self, breaks: Sequence[Break]) -> list[Gap]:
        reader, window = self.reading.reader, self.reading.window
        return gaps_at(
            self.ends,
            breaks,
            self._timeline(breaks),
            lambda: read_refusals(reader, self.asset_id, window.start, window.end),
        )

    def _timeline(self, breaks: Sequence[Break]) -> Timeline:
        """Return what the ledger says of where the line is not."""
        reading, window = self.reading, self.reading.window
        if _due(reading) <= READ_AT_ONCE:
            return reading.timeline()
        first, last = self.ends or (window.end + 1, window.end)
        between = [Window(one.left + 1, one.right - 1) for one in breaks]
        parts = [Window(window.start, first - 1), *between, Window(last + 1, window.end)]
        parts = [part for part in parts if part.start <= part.end]
        return read_parts(reading.reader, reading.head, window, parts, reading.now)

    def slots(self) -> list[int]:
        """Return the slots of all points."""
        window = self.reading.window
        return self.reading.reader.quotes(self.asset_id, window.start, window.end, ()).slots

    def series(self, slots: Sequence[int], fields: Sequence[str], *, sampled: bool) -> Series:
        """Return the line with its points at some slots."""
        columns, observed_at = read_points(self.reading.reader, self.asset_id, slots, fields)
        series = series_from(columns, observed_at, self.gaps)
        return shown(msgspec.structs.replace(series, sampled=sampled), self.reading.now)


def find_breaks(reader: Reader, asset_id: int, found: Sequence[Summary]) -> list[Break]:
    """Return where a line breaks, reading only the buckets whose count shows that they may."""
    breaks = {
        left.last: Break(left.last, right.first, left.resolutions[0])
        for left, right in pairwise(found)
        if breaks_between(left.last, right.first, *left.resolutions, *right.resolutions)
    }
    for start, end in _uneven(found):
        breaks |= {one.left: one for one in read_breaks(reader, asset_id, start, end)}
    return [breaks[left] for left in sorted(breaks)]


def _uneven(found: Sequence[Summary]) -> list[tuple[int, int]]:
    """Return the stretches that must be looked at, each with the points beside it."""
    parts: list[tuple[int, int]] = []
    for index, one in enumerate(found):
        if not one.even:
            start = found[index - 1].last if index else one.first
            end = found[index + 1].first if index + 1 < len(found) else one.last
            if parts and start <= parts[-1][1]:
                start = parts.pop()[0]
            parts.append((start, end))
    return parts if len(parts) <= MOST_PARTS else [(parts[0][0], parts[-1][1])]
