"""From an asset's series to its files: the same bytes as the server answers with, made faster."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from coinlog.chunks.assets import candles, cut, days_chunk, month_chunk, thinned_to_days, year_chunk
from coinlog.chunks.files import encode
from coinlog.chunks.names import Month, days_path, month_of, month_path, months_between, year_path
from coinlog.chunks.record import Record, is_complete
from coinlog.series import Series

DATA = "data/"

File = tuple[str, bytes]


def asset_files(
    record: Record, asset_id: int, series: Series, since: Month | None
) -> Iterator[File]:
    """Yield the files of an asset's months and years, from a month on."""
    if not series.slots:
        return
    first, last = month_of(series.slots[0]), month_of(series.slots[-1])
    months = months_between(max(first, since or first), last)
    for year, group in groupby(months, lambda month: month.year):
        parts = []
        for month in group:
            part = cut(series, month)
            parts.append(part)
            yield from _month_files(record, asset_id, month, part)
        if is_complete(record.head, Month(year, 12), record.now):
            whole = year_chunk(asset_id, year, parts)
            if whole is not None:
                yield DATA + year_path(asset_id, year), encode(whole)


def _month_files(record: Record, asset_id: int, month: Month, part: Series) -> Iterator[File]:
    body = encode(month_chunk(record, asset_id, month, part))
    yield DATA + month_path(asset_id, month), body
    if month == record.whole_month:
        return
    thinned = thinned_to_days(part)
    if thinned is part:
        # Nothing is left out, so the columns are the same: no need to write them out again.
        days = body[:-1] + b',"days":' + encode(candles(part)) + b"}"
    else:
        days = encode(days_chunk(record, asset_id, month, part))
    yield DATA + days_path(asset_id, month), days
