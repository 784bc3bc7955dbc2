"""Charts drawn on the server as SVG: the first paint, and all there is without scripts.

Nothing here has a fixed width: lines live in a stretched inner picture, and axes are placed in
percent of the outer one, so that the same SVG fits a phone and a wide screen with letters of
the same size. Colours come from the style sheet by class, so one SVG serves light and dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec
from markupsafe import Markup, escape

from coinlog.web import ticks
from coinlog.web.i18n import NumberFormat

WIDTH, HEIGHT = 1000, 500
SPARK_WIDTH, SPARK_HEIGHT = 96, 28
_CROWDED = 4
_ENOUGH = 2
_NOTHING = 1e-9
_TOP_SHARE = 0.06
"""At the very top there is no room above a line for its label."""

_BAR_SHARE = 0.2
_BAR_WIDTH = 4

Point = tuple[float, float]
Segments = Sequence[Sequence[Point]]


class Band(msgspec.Struct, frozen=True):
    """A stretch of time without a quote (seconds), and the words that say why."""

    start: float
    end: float
    reason: str


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """What a line chart shows: each line in segments of (time, value), broken at the gaps.

    ``percent`` says that the values are changes in percent instead of in ``unit``. ``bars`` stand
    under the lines on a scale of their own. ``bare`` leaves the value axis out; ``watermark`` is
    written across the chart where it is not empty. ``size`` is how many units the lines are drawn
    in: as many as pixels, where nothing keeps their width as the picture is stretched.
    """

    title: str
    description: str
    start: int
    end: int
    lines: Sequence[Segments]
    bands: Sequence[Band] = ()
    bars: Sequence[Point] = ()
    percent: bool = False
    unit: str = "price"
    bare: bool = False
    watermark: str = ""
    size: tuple[int, int] = (WIDTH, HEIGHT)


class _Frame(msgspec.Struct, frozen=True):
    """The rectangle of times and values that is drawn."""

    start: float
    end: float
    low: float
    high: float
    inverted: bool = False
    width: int = WIDTH
    height: int = HEIGHT

    def across(self, time: float) -> float:
        return (time - self.start) / ((self.end - self.start) or 1)

    def down(self, value: float) -> float:
        share = (self.high - value) / (self.high - self.low)
        return 1 - share if self.inverted else share


def line_chart(figure: Figure, form: NumberFormat) -> Markup:
    """Return the chart as an SVG element that fills the width it is given."""
    frame = _frame(figure)
    marks = [] if figure.bare else ticks.value_marks(frame.low, frame.high, figure.unit)
    parts = (
        *_grid(frame, marks),
        _watermark(figure.watermark),
        # A label over a line would cut it, and a cut means that nothing was recorded.
        *_value_labels(frame, marks, figure, form),
        Markup('<svg class="in" viewBox="0 0 {} {}" preserveAspectRatio="none">').format(
            frame.width, frame.height
        ),
        *(_band(band, frame) for band in figure.bands),
        *_bars(figure.bars, frame),
        *(_line(index, line, frame) for index, line in enumerate(figure.lines, 1)),
        Markup("</svg>"),
        *_time_labels(frame, form),
    )
    head = Markup('<svg class="lc" role="img" aria-label="{}"><desc>{}</desc>').format(
        figure.title, figure.description
    )
    return head + Markup("").join(parts) + Markup("</svg>")


def sparkline(segments: Segments) -> Markup:
    """Return a tiny line without axes, hidden from screen readers: the table says it in words."""
    points = [point for segment in segments for point in segment]
    if len(points) < _ENOUGH:
        return Markup("")
    frame = _box(points, points[0][0], points[-1][0])
    path = "".join(_path(segment, frame, SPARK_WIDTH, SPARK_HEIGHT) for segment in segments)
    tone = "u" if points[-1][1] >= points[0][1] else "d"
    return Markup(
        '<svg class="sp {}" viewBox="0 -1 {} {}" aria-hidden="true"><path d="{}"/></svg>'
    ).format(tone, SPARK_WIDTH, SPARK_HEIGHT + 2, path)


def _frame(figure: Figure) -> _Frame:
    points = [point for line in figure.lines for segment in line for point in segment]
    box = _box(points or [(figure.start, 0.0)], figure.start, figure.end)
    low, high = ticks.bounds(box.low, box.high)
    if figure.percent:
        air = (box.high - box.low) * 0.06 or 1.0
        low, high = box.low - air, box.high + air
    return _Frame(figure.start, figure.end, low, high, figure.unit == "rank", *figure.size)


def _box(points: Sequence[Point], start: float, end: float) -> _Frame:
    values = [value for _, value in points]
    low, high = min(values), max(values)
    return _Frame(start, end, low, high) if high > low else _Frame(start, end, low - 1, high + 1)


def _grid(frame: _Frame, marks: Sequence[float]) -> Iterable[Markup]:
    for mark in marks:
        y = f"{frame.down(mark) * 100:.2f}%"
        zero = " zero" if frame.low < 0 and abs(mark) < (frame.high - frame.low) * _NOTHING else ""
        yield Markup('<line class="grid{}" x2="100%" y1="{}" y2="{}"/>').format(zero, y, y)


def _value_labels(
    frame: _Frame, marks: Sequence[float], figure: Figure, form: NumberFormat
) -> Iterable[Markup]:
    unit = "percent" if figure.percent else figure.unit
    step = ticks.step_of(frame.low, frame.high, unit)
    for mark in marks:
        if frame.down(mark) >= _TOP_SHARE:
            y = f"{frame.down(mark) * 100:.2f}%"
            label = ticks.label(mark, step, unit, form)
            yield Markup('<text y="{}" dy="-5">{}</text>').format(y, label)


def _time_labels(frame: _Frame, form: NumberFormat) -> Iterable[Markup]:
    for index, mark in enumerate(ticks.time_marks(int(frame.start), int(frame.end), form)):
        x = f"{frame.across(mark.value) * 100:.2f}%"
        # Two of three labels give way on a narrow screen.
        more = " more" if index % 3 else ""
        yield Markup('<text class="x{}" x="{}" y="100%" dy="20">{}</text>').format(
            more, x, mark.label
        )


def _band(band: Band, frame: _Frame) -> Markup:
    left = frame.across(max(band.start, frame.start)) * frame.width
    width = max(frame.across(min(band.end, frame.end)) * frame.width - left, 1)
    return Markup(
        '<rect class="gap" x="{}" width="{}" height="{}"><title>{}</title></rect>'
    ).format(f"{left:.1f}", f"{width:.1f}", frame.height, band.reason)


def _line(index: int, segments: Segments, frame: _Frame) -> Markup:
    path = "".join(_path(segment, frame, frame.width, frame.height) for segment in segments)
    return Markup('<path class="s s{}" d="{}"/>').format(index, path)


def _bars(bars: Sequence[Point], frame: _Frame) -> Iterable[Markup]:
    """Yield bars from the bottom up, the highest a fifth of the chart; the highest of each spot."""
    highest = max((value for _, value in bars), default=0)
    if not highest:
        return
    heights: dict[int, int] = {}
    for time, value in bars:
        x = round(frame.across(time) * frame.width / _BAR_WIDTH) * _BAR_WIDTH
        height = round(value / highest * frame.height * _BAR_SHARE)
        heights[x] = max(heights.get(x, 0), height)
    path = "".join(f"M{x} {frame.height}v-{height}" for x, height in heights.items() if height)
    yield Markup('<path class="vol" d="{}"/>').format(path)


def _path(segment: Sequence[Point], frame: _Frame, width: int, height: int) -> str:
    """Return a segment as path commands in whole units; a lone point becomes a dot."""
    spots = [
        (round(frame.across(time) * width), round(frame.down(value) * height))
        for time, value in segment
    ]
    thin = list(_thin(spots))
    if not thin:
        return ""
    (x, y), path = thin[0], [f"M{thin[0][0]} {thin[0][1]}"]
    if len(thin) == 1:
        return f"{path[0]}h.01"
    path.append("l")
    for to_x, to_y in thin[1:]:
        path.append(f"{to_x - x} {to_y - y} ")
        x, y = to_x, to_y
    return "".join(path).replace(" -", "-").rstrip()


def _thin(spots: Sequence[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """Yield the spots that can be told apart: of many at one x the first, outermost and last."""
    for _, group in groupby(spots, key=lambda spot: spot[0]):
        column = list(group)
        if len(column) <= _CROWDED:
            yield from column
        else:
            middle = column[1:-1]
            yield from (column[0], min(middle), max(middle), column[-1])


def _watermark(text: str) -> Markup:
    if not text:
        return Markup("")
    return Markup('<text class="wm" x="50%" y="50%">{}</text>').format(escape(text))


def strip(slots: Sequence[tuple[str, str]]) -> Markup:
    """Return slots as small blocks, oldest first: each an outcome with the words that tell it.

    Outcomes differ in height and fill as well as in colour.
    """
    blocks = (
        Markup(
            '<rect class="{}" x="{}" y="{}" width="7" height="{}" rx="1.5"><title>{}</title></rect>'
        ).format(outcome, 1 + 9 * index, 1 + 24 - height, height, title)
        for index, (outcome, title) in enumerate(slots)
        for height in (_BLOCKS.get(outcome, 4),)
    )
    return Markup('<svg class="strip" viewBox="0 0 {} 26">{}</svg>').format(
        9 * len(slots), Markup("").join(blocks)
    )


_BLOCKS = {"stored": 24, "partial": 16, "failed": 8, "missed": 24}
