"""An asset's history over a range, ready to draw, with its gaps and why they are there.

One with too many points is thinned: of each of many equal stretches, the lowest and the highest
point of every field stay. ``sampling.py`` does the same in the database.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from coinlog.gaps import Gap, find_gaps
from coinlog.market import Origin
from coinlog.store.buckets import Buckets
from coinlog.store.ledger import read_refusals
from coinlog.store.reader import NO_LIMIT, Columns, Reader
from coinlog.timeline import Timeline, drawn_at


class Series(msgspec.Struct, frozen=True):
    """An asset's history: equally long columns, oldest first, and its gaps.

    ``fields`` holds ``None`` where a quote lacks a value. ``sampled`` says that points were left
    out, keeping the lowest and highest of every stretch.
    """

    slots: list[int]
    observed_at: list[int]
    origins: list[str]
    fields: dict[str, list[Any]]
    gaps: list[Gap]
    sampled: bool = False


def read_series(  # noqa: PLR0913  what is read, of whom, and how much of it
    reader: Reader,
    timeline: Timeline,
    now: float,
    asset_id: int,
    fields: Sequence[str],
    *,
    limit: int = NO_LIMIT,
) -> Series:
    """Return an asset's series over a window, with every point and every gap.

    Points observed after ``now`` are left out: no chart shows the future. With more than
    ``limit`` points, the series is cut off after them.
    """
    window = timeline.window
    columns = reader.quotes(asset_id, window.start, window.end, fields, limit)
    complete = columns.slots == timeline.over
    observed_at = (
        timeline.over_observed_at if complete else drawn_at(timeline.observed_at, columns.slots)
    )
    if Origin.BACKFILLED in columns.origins:
        own = reader.own_times(asset_id, window.start, window.end)
        observed_at = list(map(own.get, columns.slots, observed_at))
    gaps = find_gaps(
        columns, timeline, lambda: read_refusals(reader, asset_id, window.start, window.end)
    )
    return shown(series_from(columns, observed_at, gaps), now)


def series_from(columns: Columns, observed_at: list[int], gaps: list[Gap]) -> Series:
    """Return what was read as a series."""
    return Series(columns.slots, observed_at, columns.origins, columns.fields, gaps)


def shown(series: Series, now: float) -> Series:
    """Return a series without the points observed after ``now``."""
    if max(series.observed_at, default=0) <= now:
        return series
    return take(series, [index for index, time in enumerate(series.observed_at) if time <= now])


def thinned(series: Series, points: int) -> Series:
    """Return a series of at most ``points`` points that keeps its extremes."""
    return thinned_alike([series], points)[0]


def thinned_alike(lines: Sequence[Series], points: int, most: int | None = None) -> list[Series]:
    """Return several series thinned at the same slots, so that they can share a time axis.

    Up to ``most`` points, or ``points``, stay as they are.
    """
    union = sorted({slot for line in lines for slot in line.slots})
    if len(union) <= (most or points):
        return list(lines)
    columns = sum(len(line.fields) for line in lines)
    buckets = buckets_for(union[0], union[-1], points, columns)
    kept = {union[0], union[-1]}.union(*(extremes(line, buckets) for line in lines))
    beside = {slot for line in lines for slot in edges(line.slots, line.gaps)}
    kept = with_edges(kept, beside, points)
    return [
        take(line, [i for i, slot in enumerate(line.slots) if slot in kept], sampled=True)
        for line in lines
    ]


def take(series: Series, indexes: Sequence[int], *, sampled: bool = False) -> Series:
    """Return a series with only some of its points; its gaps stay."""

    def pick(column: Sequence[Any]) -> list[Any]:
        return [column[index] for index in indexes]

    return Series(
        slots=pick(series.slots),
        observed_at=pick(series.observed_at),
        origins=pick(series.origins),
        fields={name: pick(column) for name, column in series.fields.items()},
        gaps=series.gaps,
        sampled=sampled or series.sampled,
    )


def buckets_for(first: int, last: int, points: int, columns: int) -> Buckets:
    """Return the stretches of which each column keeps two points, with room for edges.

    A quarter of the points is left for those beside gaps; two are the first and the last.
    """
    count = max(1, (points - 2 - points // 4) // (2 * columns))
    width = -(-(last - first + 1) // count)
    return Buckets(first, last, width, origin=first)


def extremes(series: Series, buckets: Buckets) -> Iterator[int]:
    """Yield the slots where a field is lowest and highest in a stretch; the first that is."""
    for stretch in buckets.cut(series.slots):
        for column in series.fields.values():
            values = column[stretch.start : stretch.stop]
            known = [value for value in values if value is not None]
            for extreme in (min(known), max(known)) if known else ():
                yield series.slots[stretch.start + values.index(extreme)]


def edges(slots: Sequence[int], gaps: Sequence[Gap]) -> set[int]:
    """Return the slots of the points beside gaps: without them a gap would look wider."""
    after = {bisect_left(slots, gap.start) for gap in gaps}
    return {slots[index] for one in after for index in (one - 1, one) if 0 <= index < len(slots)}


def with_edges(kept: set[int], beside: set[int], points: int) -> set[int]:
    """Return the points that stay; gaps so many that their edges do not fit have none."""
    whole = kept | beside
    return whole if len(whole) <= points else kept
