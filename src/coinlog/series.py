"""An asset's history over a range, ready to draw, with its gaps and why they are there."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from coinlog.store.ledger import read_refusals
from coinlog.store.reader import Reader
from coinlog.timeline import Gap, Timeline, drawn_at, find_gaps


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


def read_series(
    reader: Reader, timeline: Timeline, now: float, asset_id: int, fields: Sequence[str]
) -> Series:
    """Return an asset's series over a window, with every point and every gap.

    Points observed after ``now`` are left out: no chart shows the future.
    """
    window = timeline.window
    columns = reader.quotes(asset_id, window.start, window.end, fields)
    complete = columns.slots == timeline.over
    observed_at = (
        timeline.over_observed_at if complete else drawn_at(timeline.observed_at, columns.slots)
    )
    series = Series(
        slots=columns.slots,
        observed_at=observed_at,
        origins=columns.origins,
        fields=columns.fields,
        gaps=find_gaps(
            columns, timeline, lambda: read_refusals(reader, asset_id, window.start, window.end)
        ),
    )
    if max(observed_at, default=0) > now:
        return take(series, [index for index, time in enumerate(observed_at) if time <= now])
    return series


def thinned(series: Series, points: int) -> Series:
    """Return a series of at most ``points`` points that keeps its extremes."""
    if len(series.slots) <= points:
        return series
    keep = edges(series.slots, series.gaps, points)
    return take(series, thin(list(series.fields.values()), points, keep), sampled=True)


def thinned_alike(lines: Sequence[Series], field: str, points: int) -> list[Series]:
    """Return several series thinned at the same slots, so that they can share a time axis."""
    union = sorted({slot for line in lines for slot in line.slots})
    if len(union) <= points:
        return list(lines)
    columns = [dict(zip(line.slots, line.fields[field], strict=True)) for line in lines]
    keep = edges(union, [gap for line in lines for gap in line.gaps], points)
    kept = thin([[column.get(slot) for slot in union] for column in columns], points, keep)
    slots = {union[index] for index in kept}
    return [
        take(line, [i for i, slot in enumerate(line.slots) if slot in slots], sampled=True)
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


def edges(slots: Sequence[int], gaps: Sequence[Gap], points: int) -> set[int]:
    """Return the indexes of the points beside gaps: without them a gap would look wider.

    Where gaps are so many that their edges would take half the points, there are none.
    """
    after = {bisect_left(slots, gap.start) for gap in gaps}
    found = {index for one in after for index in (one - 1, one) if 0 <= index < len(slots)}
    return found if len(found) <= points // 2 else set()


def thin(
    columns: Sequence[Sequence[Any]], points: int, keep: Collection[int] = frozenset()
) -> list[int]:
    """Return the indexes of at most ``points`` points that keep what a reader would miss.

    The points are cut into equal stretches; of each, the lowest and the highest of every column
    stay, and so do the first and last of all, and those in ``keep``.
    """
    length = len(columns[0])
    buckets = max(1, (points - 2 - len(keep)) // (2 * len(columns)))
    kept = {0, length - 1, *keep}
    for number in range(buckets):
        start, end = length * number // buckets, length * (number + 1) // buckets
        for column in columns:
            known = [(column[index], index) for index in range(start, end)]
            known = [pair for pair in known if pair[0] is not None]
            if known:
                kept |= {min(known)[1], max(known)[1]}
    return sorted(kept)
