"""Charts and sparklines as the templates take them: lines cut up where there is no quote."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from coinlog.gaps import Gap
from coinlog.market import Origin
from coinlog.sampling import Reading, read_thinned
from coinlog.series import Series
from coinlog.slots import DAY
from coinlog.store.ledger import read_partial
from coinlog.store.totals import read_total_caps
from coinlog.timeline import RANGES, Timeline, Window, shortened, window_of
from coinlog.web import views
from coinlog.web.chart_look import Look, SlotColumns
from coinlog.web.embedded import deltas
from coinlog.web.shell import CHART_FIELDS, DEFAULT_RANGE, Ask, PageQuery
from coinlog.web.watch import Moment, Watch

SPARK_SECONDS = 7 * DAY
SPARK_POINTS = 42
YOUNG_SECONDS = 14 * DAY
STRIP_SLOTS = 3000
"""The most slots whose outcomes go into a page; those of a longer window the script asks for."""
MOST_READ = 60_000
"""How many quotes are read for one chart, or for an asset's record: a year of 1-minute slots of
five assets holds 2.6 million, which takes longer than a reader waits, or than a statement may."""

Segments = list[list[tuple[int, float]]]


def chart_view(
    watch: Watch,
    moment: Moment,
    labels: Sequence[views.AssetLabel],
    ask: Ask,
    points: int,
) -> views.ChartView:
    """Return the chart of one or several assets over the window asked for."""
    asked, ends = ask.query, _ends(ask.query)
    window = shortened(moment.head, _window(moment, asked), MOST_READ // len(labels))
    reading = watch.reading(moment, window)
    wanted = (
        tuple(label.id for label in labels),
        _read(asked, labels),
        min(points, watch.most_points),
    )
    found = watch.once(moment, (window, *wanted), lambda: read_thinned(reading, *wanted))
    start, end = _bounds(moment, window, found)
    lines = [
        _line_view(watch, moment, label, asked, series)
        for label, series in zip(labels, found, strict=True)
    ]
    return views.ChartView(
        field=asked.field,
        range=asked.range,
        ranges=_range_links(ask),
        fields=_field_links(ask),
        zoomed=_way_back(ask) if ends else None,
        window=ends,
        start=start,
        end=end,
        lines=lines,
        look=Look(asked.scale, asked.form, asked.currency),
        ledger=watch.once(moment, ("ledger", window), lambda: _ledger(reading)),
        sampled=any(series.sampled for series in found),
        begins=_begins(moment, window, found),
    )


def _ends(asked: PageQuery) -> tuple[int, int] | None:
    """Return the ends of a window that is asked for by them instead of by a range's name."""
    start, end = asked.start, asked.end
    return None if start is None or end is None or start >= end else (start, end)


def _window(moment: Moment, asked: PageQuery) -> Window:
    """Return the window asked for, which ends with the current slot at the latest."""
    named, ends = window_of(moment.head, moment.now, asked.range), _ends(asked)
    if ends is None:
        return named
    end = min(ends[1], named.end)
    return Window(min(ends[0], end), end)


def _read(asked: PageQuery, labels: Sequence[views.AssetLabel]) -> tuple[str, ...]:
    """Return the recorded fields that a chart is made of."""
    if asked.field == "price" and len(labels) == 1:
        return "price", "volume_24h"
    return ("market_cap",) if asked.field == "dominance" else (asked.field,)


def _range_links(ask: Ask) -> list[views.Link]:
    """Return the ranges to choose from; none is the current one where the window has ends."""
    asked = ask.query
    return [
        views.Link(
            code=code,
            href=ask.at.href(
                range=None if code == DEFAULT_RANGE else code, **{"from": None, "to": None}
            ),
            current=code == asked.range and _ends(asked) is None,
        )
        for code in RANGES
    ]


def _field_links(ask: Ask) -> list[views.Link]:
    return [
        views.Link(
            code=code,
            href=ask.at.href(field=None if code == CHART_FIELDS[0] else code),
            current=code == ask.query.field,
        )
        for code in CHART_FIELDS
    ]


def _way_back(ask: Ask) -> views.Link:
    return views.Link(code=ask.query.range, href=ask.at.href(**{"from": None, "to": None}))


def _ledger(reading: Reading) -> SlotColumns | None:
    """Return what became of each slot of the window, unless there are too many for a page."""
    window = reading.window
    due = reading.head.over_ranges(window.start, window.end, reading.now)
    if sum(map(len, due)) > STRIP_SLOTS:
        return None
    timeline = reading.timeline()
    partial = read_partial(reading.reader, window.start, window.end)
    outcomes = "".join(_letter(slot, timeline, partial) for slot in timeline.over)
    reasons = {
        str(index): timeline.failed[slot]
        for index, slot in enumerate(timeline.over)
        if slot in timeline.failed
    }
    return SlotColumns(deltas(timeline.over), outcomes, reasons)


def _letter(slot: int, timeline: Timeline, partial: set[int]) -> str:
    if slot in timeline.failed:
        return "f"
    if slot not in timeline.observed_at:
        return "m"
    return "p" if slot in partial else "s"


def _begins(moment: Moment, window: Window, lines: Sequence[Series]) -> int | None:
    """Return when a young history begins, where a reader asks for more and backfill might help."""
    first = min((line.slots[0] for line in lines if line.slots), default=None)
    backfilled = any(Origin.BACKFILLED in line.origins for line in lines)
    if first is None or backfilled or moment.simulated:
        return None
    young = moment.now - YOUNG_SECONDS < first
    return first if young and first > window.start + DAY else None


def _bounds(moment: Moment, window: Window, lines: Sequence[Series]) -> tuple[int, int]:
    """Return the ends of the time axis: the window, less what was before anything recorded."""
    firsts = [line.slots[0] for line in lines if line.slots]
    lasts = [line.observed_at[-1] for line in lines if line.observed_at]
    if moment.head.first_slot is not None:
        firsts.append(moment.head.first_slot)
    return max(window.start, min(firsts, default=0)), max(window.end, *lasts, 0)


def _line_view(
    watch: Watch, moment: Moment, label: views.AssetLabel, asked: PageQuery, series: Series
) -> views.LineView:
    """Return an asset's line in one field."""
    values = _values(watch, asked.field, series)
    known = watch.asset(moment, label.id)
    return views.LineView(
        asset=label,
        field=asked.field,
        slots=series.slots,
        times=series.observed_at,
        values=values,
        backfilled=[origin == Origin.BACKFILLED for origin in series.origins],
        gaps=[
            views.GapView(start=gap.start, end=gap.end, reason=gap.reason) for gap in series.gaps
        ],
        segments=segments(series, values, series.gaps),
        volume=series.fields.get("volume_24h") if asked.field == "price" else None,
        first_slot=known.first_slot if known else 0,
        last_slot=known.last_slot if known else 0,
    )


def _values(watch: Watch, field: str, series: Series) -> list[float | None]:
    """Return a field's values; dominance is the part of the whole market at the same slot."""
    if field != "dominance":
        return series.fields[field]
    totals = read_total_caps(watch.reader, series.slots)
    return [
        cap / totals[slot] * 100 if cap is not None and totals.get(slot) else None
        for slot, cap in zip(series.slots, series.fields["market_cap"], strict=True)
    ]


def segments(series: Series, values: Sequence[float | None], gaps: Sequence[Gap]) -> Segments:
    """Return a line's points, cut where a gap starts and where a value is unknown."""
    cuts = {bisect_left(series.slots, gap.start) for gap in gaps}
    found: Segments = [[]]
    for index, (time, value) in enumerate(zip(series.observed_at, values, strict=True)):
        if (index in cuts or value is None) and found[-1]:
            found.append([])
        if value is not None:
            found[-1].append((time, value))
    return [segment for segment in found if segment]


def sparklines(
    watch: Watch, moment: Moment, ids: Sequence[int], until: int | None = None
) -> dict[int, Segments]:
    """Return the prices of the last seven days of several assets, read in one query.

    They end with the slot ``until`` where one is given that is not the newest.
    """
    end = moment.head.current_slot(moment.now) or int(moment.now)
    if until is not None and moment.head.newest and until != moment.head.newest.slot:
        end = until
    timeline = watch.timeline(moment, Window(end - SPARK_SECONDS, end))
    chosen = spread([slot for slot in timeline.over if slot in timeline.observed_at])
    if not ids or not chosen:
        return {asset_id: [] for asset_id in ids}
    breaks = _breaks(timeline, chosen)
    found = watch.reader.prices_at(ids, chosen)
    return {asset_id: _spark(chosen, breaks, points) for asset_id, points in found.items()}


def spread(slots: Sequence[int]) -> list[int]:
    """Return at most ``SPARK_POINTS`` of the slots, evenly, the newest among them."""
    step = -(-len(slots) // SPARK_POINTS) or 1
    return list(slots[::-1][::step][::-1])


def _breaks(timeline: Timeline, chosen: Sequence[int]) -> set[int]:
    """Return the places in ``chosen`` before which a slot was missed or failed."""
    holes = [slot for slot in timeline.over if slot not in timeline.observed_at]
    return {bisect_left(chosen, slot) for slot in holes}


def _spark(
    chosen: Sequence[int], breaks: set[int], points: Sequence[tuple[int, float]]
) -> Segments:
    place = {slot: index for index, slot in enumerate(chosen)}
    found: Segments = []
    previous = -2
    for slot, price in points:
        index = place[slot]
        if index != previous + 1 or index in breaks:
            found.append([])
        found[-1].append((slot, price))
        previous = index
    return found
