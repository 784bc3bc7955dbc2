"""From a chart's view to what is drawn: the figure of the first paint, its legend and its table.

Several assets are compared by their percent change since each one's first value of the range;
one asset alone is drawn in USD.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

import msgspec
from markupsafe import Markup

from coinlog.web import format as fmt
from coinlog.web import svg
from coinlog.web.chart_look import PLAIN_UNITS, UNITS
from coinlog.web.embedded import embedded
from coinlog.web.i18n import Catalogue, NumberFormat
from coinlog.web.views import AssetLabel, ChartView, LineView

LARGEST = 1e300
TABLE_ROWS = 30
_WHOLE_FROM = 1000

Writer = Callable[[float | None], str]


class Row(msgspec.Struct, frozen=True):
    """A row of a chart's table: a time, the value of each line in words, and their origin."""

    time: int
    cells: list[str]
    backfilled: bool


class Legend(msgspec.Struct, frozen=True):
    """What the legend says of a line: its change in percent, and in words its last and extremes."""

    asset: AssetLabel
    change: float | None
    last: str
    low: str
    high: str


class Drawing(msgspec.Struct, frozen=True):
    """A chart ready for its template.

    ``bare`` is set where only the script can draw what is asked for. ``since`` is the time that
    changes are counted from, and ``late`` says that a line has its first value later.
    """

    picture: Markup
    data: Markup
    legends: list[Legend]
    bands: list[svg.Band]
    rows: list[Row]
    unit: str
    scale: str
    bare: bool
    empty: bool
    since: int | None = None
    late: bool = False


def draw(
    chart: ChartView,
    words: Catalogue,
    title: str,
    *,
    simulated: bool,
    size: tuple[int, int] = (svg.WIDTH, svg.HEIGHT),
) -> Drawing:
    """Return everything that the template of a chart needs; ``size`` is that of its figure."""
    writers = [_writer(line.field, line.asset.symbol, words.format) for line in chart.lines]
    legends = [_legend(line, write) for line, write in zip(chart.lines, writers, strict=True)]
    bands = _bands(chart, words)
    mark = words.text("simulated.mark") if simulated else ""
    firsts = [first for line in chart.lines if (first := _first(line)) is not None]
    figure = _figure(chart, bands, title, describe(chart, legends, words))
    figure = msgspec.structs.replace(figure, watermark=mark, size=size)
    return Drawing(
        picture=svg.line_chart(figure, words.format),
        data=embedded(chart, words, mark),
        legends=legends,
        bands=bands,
        rows=_rows(chart, writers),
        unit=UNITS[chart.field],
        scale=_scale(chart),
        bare=not chart.look.drawn_here(chart.field, len(chart.lines)),
        empty=not any(value is not None for line in chart.lines for value in line.values),
        since=min(firsts, default=None),
        late=len(set(firsts)) > 1,
    )


def _writer(field: str, symbol: str, form: NumberFormat) -> Writer:
    """Return what writes an asset's values of a field in full, as the script does."""
    unit = UNITS[field]

    def write(value: float | None) -> str:
        if value is None:
            return fmt.UNKNOWN
        if unit == "rank":
            return f"#{fmt.fixed(value, 0, form)}"
        if unit == "coins":
            decimals = 2 if abs(value) < _WHOLE_FROM else 0
            return f"{fmt.fixed(value, decimals, form)}{fmt.SPACE}{symbol}"
        return fmt.share(value, form) if unit == "share" else fmt.price(value, form)

    return write


def _scale(chart: ChartView) -> str:
    return chart.look.scale_of(chart.field, len(chart.lines))


def _figure(
    chart: ChartView, bands: Sequence[svg.Band], title: str, description: str
) -> svg.Figure:
    """Return what the first paint shows: an empty frame where the script alone can draw it."""
    bare = not chart.look.drawn_here(chart.field, len(chart.lines))
    percent = _scale(chart) == "percent"
    lines = [] if bare else chart.lines
    return svg.Figure(
        title=title,
        description=description,
        start=chart.start,
        end=chart.end,
        lines=[_segments(line, percent=percent) for line in lines],
        bars=[] if bare else _bars(chart),
        bands=bands,
        percent=percent,
        unit=UNITS[chart.field],
        bare=bare,
    )


def _bars(chart: ChartView) -> list[svg.Point]:
    """Return the volume under one asset's price."""
    return [
        (time, value)
        for line in chart.lines
        for time, value in zip(line.times, line.volume or (), strict=False)
        if value is not None
    ]


def describe(chart: ChartView, legends: Sequence[Legend], words: Catalogue) -> str:
    """Return the chart in a few sentences, for readers who cannot see it."""
    span = words.text(
        "chart.span",
        start=fmt.time_utc(chart.start, words.format),
        end=fmt.time_utc(chart.end, words.format),
    )
    return " ".join((span, *(_sentence(legend, words) for legend in legends)))


def _sentence(legend: Legend, words: Catalogue) -> str:
    name, low, high = legend.asset.name, legend.low, legend.high
    if legend.change is None:
        return words.text("chart.line_plain", name=name, extremes=_extremes(legend, words))
    change = fmt.percent(legend.change, words.format)
    return words.text("chart.line", name=name, change=change, low=low, high=high)


def _extremes(legend: Legend, words: Catalogue) -> str:
    """Return the lowest and highest value; of places, the best and the worst."""
    key = "chart.places" if legend.low.startswith("#") else "chart.extremes"
    return words.text(key, low=legend.low, high=legend.high)


def _legend(line: LineView, write: Writer) -> Legend:
    values = [value for value in line.values if value is not None]
    if not values:
        return Legend(line.asset, None, *(fmt.UNKNOWN,) * 3)
    base = _base(line)
    # A place and a share change by other measures.
    counted = UNITS[line.field] not in PLAIN_UNITS
    change = (values[-1] / base - 1) * 100 if base and counted and len(values) > 1 else None
    return Legend(line.asset, change, write(values[-1]), write(min(values)), write(max(values)))


def _first(line: LineView) -> int | None:
    """Return when a line has its first value."""
    return next((t for t, v in zip(line.times, line.values, strict=True) if v is not None), None)


def _rows(chart: ChartView, writers: Sequence[Writer]) -> list[Row]:
    """Return the newest points of all lines, newest first."""
    columns = [dict(zip(line.slots, line.values, strict=True)) for line in chart.lines]
    times = {s: t for line in chart.lines for s, t in zip(line.slots, line.times, strict=True)}
    fetched = {
        slot
        for line in chart.lines
        for slot, backfilled in zip(line.slots, line.backfilled, strict=True)
        if backfilled
    }
    return [
        Row(
            times[slot],
            [write(c.get(slot)) for write, c in zip(writers, columns, strict=True)],
            slot in fetched,
        )
        for slot in sorted(times, reverse=True)[:TABLE_ROWS]
    ]


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
