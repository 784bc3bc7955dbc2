"""An asset's history in files: a month with every point, its days for long ranges, a year of days.

A month is cut from the series that the API answers with, so its points and gaps are the same; a
gap that reaches over the month's ends is cut there, and joined months have all gaps of the whole.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from coinlog.chunks.names import Month, month_of, months_of
from coinlog.chunks.record import FEW, Record, deltas, is_complete
from coinlog.gaps import Gap
from coinlog.market import Origin
from coinlog.series import Series, edges, extremes, read_series, take
from coinlog.slots import DAY
from coinlog.store.buckets import Buckets, bucket_start, origin_of
from coinlog.store.points import ends, neighbours
from coinlog.timeline import Window

FIELDS = ("price", "market_cap", "volume_24h", "circulating_supply", "rank")
THINNED_BY = ("price", "market_cap", "volume_24h")
Chunk = dict[str, Any]
_LEFT_OUT = FIELDS[1:]
"""What a file lacks where it is unknown throughout; the price is always there."""


def months_recorded(record: Record, asset_id: int) -> tuple[Month, Month] | None:
    """Return an asset's first and last month with a quote, where it has any."""
    span = ends(record.reader, asset_id, 0, record.end)
    return None if span is None else (month_of(span[0]), month_of(span[1]))


def read_month(record: Record, asset_id: int, month: Month) -> Series | None:
    """Return an asset's month; ``None`` before its first and after its last recorded one."""
    start, end = month.start, min(month.end - 1, record.end)
    before, after = neighbours(record.reader, asset_id, start, end)
    later = after is not None and after <= record.end
    if ends(record.reader, asset_id, start, end) is None and (before is None or not later):
        return None
    # From the point before to the one after, so that a gap over the month's ends is seen whole.
    window = Window(before or 0, after if after is not None and later else record.end)
    return cut(_series(record, asset_id, window), month)


def read_history(record: Record, asset_id: int, start: int) -> Series:
    """Return an asset's series from a time on, with the point before it, where there is one."""
    before, _ = neighbours(record.reader, asset_id, start, start) if start else (0, None)
    return _series(record, asset_id, Window(before or 0, record.end))


def _series(record: Record, asset_id: int, window: Window) -> Series:
    return read_series(record.reader, record.timeline(window), record.now, asset_id, FIELDS)


def cut(series: Series, month: Month) -> Series:
    """Return the part of a series that belongs to a month."""
    first, last = bisect_left(series.slots, month.start), bisect_left(series.slots, month.end)
    part = slice(first, last)
    return Series(
        slots=series.slots[part],
        observed_at=series.observed_at[part],
        origins=series.origins[part],
        fields={name: column[part] for name, column in series.fields.items()},
        gaps=[
            Gap(max(gap.start, month.start), min(gap.end, month.end), gap.reason)
            for gap in series.gaps
            if gap.start < month.end and gap.end > month.start
        ],
    )


def month_chunk(record: Record, asset_id: int, month: Month, series: Series) -> Chunk:
    """Return a month's file: every point; in the newest month also its days, where all are few."""
    complete = is_complete(record.head, month, record.now)
    days = {"days": candles(series)} if month == record.whole_month else {}
    return {
        "id": asset_id,
        "month": month.name,
        "complete": complete,
        **columns(series),
        **days,
    }


def days_chunk(record: Record, asset_id: int, month: Month, series: Series) -> Chunk:
    """Return a month's file for long ranges: of each day what must be seen, and its candle."""
    complete = is_complete(record.head, month, record.now)
    return {
        "id": asset_id,
        "month": month.name,
        "complete": complete,
        **columns(thinned_to_days(series)),
        "days": candles(series),
    }


def read_year(record: Record, asset_id: int, year: int) -> Chunk | None:
    """Return a year's file; ``None`` where the year is not over or the asset has no month in it."""
    months = months_of(year)
    if not is_complete(record.head, months[-1], record.now):
        return None
    parts = [read_month(record, asset_id, month) for month in months]
    return year_chunk(asset_id, year, [part for part in parts if part is not None])


def year_chunk(asset_id: int, year: int, months: Sequence[Series]) -> Chunk | None:
    """Return a year's file from its months, oldest first: their days, joined."""
    if not months:
        return None
    joined = join([thinned_to_days(month) for month in months])
    days = [candles(month) for month in months]
    starts = [start for one in days for start in absolute(one["start"])]
    return {
        "id": asset_id,
        "year": year,
        "complete": True,
        **columns(joined),
        "days": {
            "start": deltas(starts),
            **{
                name: [value for one in days for value in one[name]]
                for name in ("open", "high", "low", "close", "points")
            },
        },
    }


def columns(series: Series) -> Chunk:
    """Return a series as its file has it: steps instead of times, nothing that is not known."""
    fields = {
        name: column
        for name, column in series.fields.items()
        if name not in _LEFT_OUT or any(value is not None for value in column)
    }
    late = zip(series.slots, series.observed_at, strict=True)
    return {
        "slots": deltas(series.slots),
        "observed_at": [time - slot for slot, time in late],
        "backfilled": runs(series.origins),
        **fields,
        "gaps": [(gap.start, gap.end, gap.reason) for gap in series.gaps],
        "sampled": series.sampled,
    }


def runs(origins: Sequence[str]) -> list[tuple[int, int]]:
    """Return from where to where points were backfilled, as half-open ranges of places."""
    found: list[tuple[int, int]] = []
    if Origin.BACKFILLED not in origins:
        return found
    for index, origin in enumerate(origins):
        if origin != Origin.BACKFILLED:
            continue
        begins = found.pop()[0] if found and found[-1][1] == index else index
        found.append((begins, index + 1))
    return found


def thinned_to_days(series: Series) -> Series:
    """Return a series with what a long range shows of each day (UTC).

    Its first and last point, the lowest and highest of price, market cap and volume, and those
    beside gaps; of a few points, all.
    """
    days = list(_days(series.slots).cut(series.slots))
    if all(len(day) <= FEW for day in days):
        return series
    kept = {series.slots[index] for day in days for index in _always(day)}
    seen = msgspec.structs.replace(series, fields={n: series.fields[n] for n in THINNED_BY})
    kept.update(extremes(seen, _days(series.slots)), edges(series.slots, series.gaps))
    indexes = [index for index, slot in enumerate(series.slots) if slot in kept]
    return take(series, indexes, sampled=len(indexes) < len(series.slots))


def _always(day: range) -> Iterable[int]:
    return day if len(day) <= FEW else (day[0], day[-1])


def _days(slots: Sequence[int]) -> Buckets:
    first, last = (slots[0], slots[-1]) if slots else (0, 0)
    return Buckets(first, last, DAY, origin_of(DAY))


def candles(series: Series) -> Chunk:
    """Return the price of each day (UTC) as columns; a day without a quote has no candle."""
    prices = series.fields["price"]
    days = [
        (series.slots[day[0]], prices[day.start : day.stop])
        for day in _days(series.slots).cut(series.slots)
    ]
    return {
        "start": deltas([bucket_start(slot, DAY) for slot, _ in days]),
        "open": [day[0] for _, day in days],
        "high": [max(day) for _, day in days],
        "low": [min(day) for _, day in days],
        "close": [day[-1] for _, day in days],
        "points": [len(day) for _, day in days],
    }


def join(parts: Sequence[Series]) -> Series:
    """Return stretches that follow each other as one; a gap that was cut between two is whole."""
    gaps: list[Gap] = []
    for gap in (gap for part in parts for gap in part.gaps):
        before = gaps[-1] if gaps else None
        if before and before.end == gap.start and before.reason == gap.reason:
            gaps[-1] = Gap(before.start, gap.end, gap.reason)
        else:
            gaps.append(gap)
    return Series(
        slots=[slot for part in parts for slot in part.slots],
        observed_at=[time for part in parts for time in part.observed_at],
        origins=[origin for part in parts for origin in part.origins],
        fields={name: [v for part in parts for v in part.fields[name]] for name in FIELDS},
        gaps=gaps,
        sampled=any(part.sampled for part in parts),
    )


def absolute(steps: Sequence[int]) -> list[int]:
    """Return times from the first one and the steps: the reverse of ``deltas``."""
    found: list[int] = []
    for step in steps:
        found.append(step + (found[-1] if found else 0))
    return found
