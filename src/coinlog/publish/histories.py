"""Many assets' histories, read at a stretch: all of one, or the last months of hundreds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter

from coinlog.chunks.assets import FIELDS, read_history
from coinlog.chunks.names import Month
from coinlog.chunks.record import Record
from coinlog.gaps import find_gaps
from coinlog.series import Series, series_from, shown
from coinlog.slots import DAY
from coinlog.store import schema
from coinlog.store.ledger import read_refusals
from coinlog.store.reader import Columns
from coinlog.store.stretches import Row, Stretch, read_stretch
from coinlog.timeline import Timeline, Window

_BESIDE = 2 * DAY
"""How far before a month the point before it usually is; else it is looked up."""


def histories(
    record: Record, ids: Sequence[int], since: Month | None
) -> Iterator[tuple[int, Series]]:
    """Yield each asset's series, whole or from a month on (a point before it may be there too)."""
    if since is None:
        for asset_id in ids:
            yield asset_id, read_history(record, asset_id, 0)
        return
    timeline = cache(record.timeline)
    young = {one.id for one in record.reader.assets(ids) if one.first_slot >= since.start}
    start = since.start - _BESIDE
    stretch = Stretch(sorted(ids), start, record.end, FIELDS)
    rows = (row for part in read_stretch(record.reader, schema.quote, stretch) for row in part.rows)
    found = set()
    for asset_id, some in groupby(rows, itemgetter(2)):
        found.add(asset_id)
        lines = list(some)
        place = bisect_left(lines, since.start, key=itemgetter(0))
        if not place and asset_id not in young:
            yield asset_id, read_history(record, asset_id, since.start)
        else:
            begins = lines[place - 1][0] if place else 0
            told = timeline(Window(begins, record.end))
            yield asset_id, _from_rows(record, asset_id, lines[max(0, place - 1) :], told)
    for asset_id in sorted(set(ids) - found):
        yield asset_id, read_history(record, asset_id, since.start)


def _from_rows(record: Record, asset_id: int, rows: list[Row], timeline: Timeline) -> Series:
    """Return an asset's series from its rows: the first is its very first, or before the month."""
    slots, times, _, *values, origins, resolutions = map(list, zip(*rows, strict=True))
    columns = Columns(slots, origins, resolutions, dict(zip(FIELDS, values, strict=True)))
    window = timeline.window
    gaps = find_gaps(
        columns,
        timeline,
        lambda: read_refusals(record.reader, asset_id, window.start, window.end),
    )
    return shown(series_from(columns, times, gaps), record.now)
