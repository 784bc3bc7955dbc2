"""From a chart's view to what is drawn: the figure of the first paint, and the script's columns.

Several assets are compared by their percent change since each one's first value of the range;
one asset alone is drawn in USD.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from markupsafe import Markup

from coinlog.web import format as fmt
from coinlog.web import svg
from coinlog.web.i18n import Catalogue
from coinlog.web.views import AssetLabel, ChartView, LineView

ABSENT = -1
"""In the script's columns: this line has no point here, and yet no gap. No price is negative."""
_SHARED_DIGITS = 6
LARGEST = 1e300


class Legend(msgspec.Struct, frozen=True):
    """What the legend says of a line: its last value, its change in percent, its extremes."""

    asset: AssetLabel
    last: float | None
    change: float | None
    low: float | None
    high: float | None


class Drawing(msgspec.Struct, frozen=True):
    """A chart ready for its template."""

    picture: Markup
    data: Markup
    legends: list[Legend]
    bands: list[svg.Band]
    percent: bool

    @property
    def empty(self) -> bool:
        """Whether no line has a single point."""
        return all(legend.low is None for legend in self.legends)


def draw(chart: ChartView, words: Catalogue, title: str, *, simulated: bool) -> Drawing:
    """Return everything that the template of a chart needs."""
    legends = [_legend(line) for line in chart.lines]
    bands = _bands(chart, words)
    percent = len(chart.lines) > 1
    figure = svg.Figure(
        title=title,
        description=describe(chart, legends, words),
        start=chart.start,
        end=chart.end,
        lines=[_segments(line, percent=percent) for line in chart.lines],
        bands=bands,
        percent=percent,
        watermark=words.text("simulated.mark") if simulated else "",
    )
    data = _data(chart, bands, percent=percent, watermark=figure.watermark)
    return Drawing(svg.line_chart(figure, words.format), data, legends, bands, percent)


def describe(chart: ChartView, legends: Sequence[Legend], words: Catalogue) -> str:
    """Return the chart in a few sentences, for readers who cannot see it."""
    span = words.text(
        "chart.span",
        start=fmt.time_utc(chart.start, words.format),
        end=fmt.time_utc(chart.end, words.format),
    )
    return " ".join((span, *(_sentence(legend, words) for legend in legends)))


def _sentence(legend: Legend, words: Catalogue) -> str:
    return words.text(
        "chart.line",
        name=legend.asset.name,
        change=fmt.percent(legend.change, words.format),
        low=fmt.price(legend.low, words.format),
        high=fmt.price(legend.high, words.format),
    )


def _legend(line: LineView) -> Legend:
    values = [value for value in line.values if value is not None]
    if not values:
        return Legend(line.asset, None, None, None, None)
    base = _base(line)
    change = (values[-1] / base - 1) * 100 if base and len(values) > 1 else None
    return Legend(line.asset, values[-1], change, min(values), max(values))


def _base(line: LineView) -> float | None:
    """Return the value that changes are counted from: the first above zero."""
    return next((value for value in line.values if value), None)


def _segments(line: LineView, *, percent: bool) -> svg.Segments:
    base = _base(line) if percent else None
    if percent and base is None:
        return []
    return [_drawable(part, base) for part in line.segments]


def _drawable(part: Sequence[svg.Point], base: float | None) -> list[svg.Point]:
    """Return points as they are drawn, without those that no axis can hold."""
    points = [(time, (value / base - 1) * 100 if base else value) for time, value in part]
    return [point for point in points if abs(point[1]) < LARGEST]


def _bands(chart: ChartView, words: Catalogue) -> list[svg.Band]:
    """Return the gaps that all lines share, each from the last point before it to the next."""
    if not chart.lines:
        return []
    shared = set.intersection(
        *({(gap.start, gap.end, gap.reason) for gap in line.gaps} for line in chart.lines)
    )
    line = chart.lines[0]
    return [
        svg.Band(_point_before(line, start), end, words.text(f"reason.{reason}"))
        for start, end, reason in sorted(shared)
        if start < chart.end and end > chart.start
    ]


def _point_before(line: LineView, slot: int) -> int:
    index = bisect_left(line.slots, slot)
    return line.times[index - 1] if index else slot


def _data(chart: ChartView, bands: Iterable[svg.Band], *, percent: bool, watermark: str) -> Markup:
    """Return the columns for the script, as JSON that may stand inside a page."""
    rows = _rows(chart)
    content = {
        "percent": percent,
        "mark": watermark,
        "start": chart.start,
        "end": chart.end,
        "x": _deltas([time for _, time in rows]),
        "lines": [
            {
                "name": line.asset.name,
                "v": _column(line, [slot for slot, _ in rows], exact=not percent),
            }
            for line in chart.lines
        ],
        "bands": [(band.start, band.end, band.reason) for band in bands],
    }
    # "<" is escaped, so that no name can end the element that the data stands in.
    return Markup(msgspec.json.encode(content).decode().replace("<", "\\u003c"))  # noqa: S704


def _rows(chart: ChartView) -> list[tuple[int, int]]:
    """Return every slot that a line has a point or the start of a gap at, with its time."""
    times: dict[int, int] = {}
    for line in chart.lines:
        for gap in line.gaps:
            if chart.start < gap.start < chart.end:
                times.setdefault(gap.start, gap.start)
    for line in chart.lines:
        times.update(zip(line.slots, line.times, strict=True))
    return sorted(times.items())


def _deltas(times: Sequence[int]) -> list[int]:
    return [time - before for before, time in zip([0, *times], times, strict=False)]


def _column(line: LineView, slots: Sequence[int], *, exact: bool) -> list[Any]:
    """Return a line's values at the shared slots: null in a gap, ``ABSENT`` where it goes on."""
    known = dict(zip(line.slots, line.values, strict=True))
    gaps = [(gap.start, gap.end) for gap in line.gaps]
    return [
        _rounded(known[slot], exact=exact) if slot in known else _absence(slot, gaps)
        for slot in slots
    ]


def _absence(slot: int, gaps: Sequence[tuple[int, int]]) -> int | None:
    index = bisect_left(gaps, (slot + 1, 0))
    return None if index and slot < gaps[index - 1][1] else ABSENT


def _rounded(value: float | None, *, exact: bool) -> float | None:
    """Return a value in full for one asset, and six digits for many: pages stay light."""
    if value is None or exact:
        return value
    short = float(f"{value:.{_SHARED_DIGITS}g}")
    return int(short) if short.is_integer() else short
