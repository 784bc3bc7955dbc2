"""The overview's drawings: trend lines, the gauge of fear and greed, and the map of the market."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from coinlog.web import format as fmt
from coinlog.web.i18n import Catalogue
from coinlog.web.market_views import Line, TileView

STEPS = (0.5, 2.0, 5.0)
"""From how many percent on a change has its next tone; below the first it has none."""

SHAPES = {"wide": (1160.0, 560.0), "tall": (358.0, 620.0)}
"""The map's sizes in units of its picture; the style sheet chooses by the width of the page."""

TREND_WIDTH, TREND_HEIGHT = 300, 64
_ENOUGH = 2
_GAUGE_PARTS, _GAUGE_RADIUS, _GAUGE_GAP = 5, 80, 1.6
_LETTER = 0.68
"""How wide a letter is at most, as a part of its height, over many symbols."""
_MARGIN, _SMALLEST, _LARGEST = 9, 10.5, 34.0
_SECOND_LINE = 0.66
_TARGET = 24.0
"""A tile that is smaller than this cannot be hit with a finger: it is no link."""


def tone(change: float | None) -> str:
    """Return the class of a change in percent: ``u1`` to ``u3``, ``d1`` to ``d3``, ``z``, ``n``.

    ``z`` is nearly nothing and ``n`` unknown.
    """
    if change is None:
        return "n"
    steps = sum(abs(change) >= step for step in STEPS)
    return f"{'u' if change > 0 else 'd'}{steps}" if steps else "z"


def tones(words: Catalogue) -> list[tuple[str, str]]:
    """Return the tones from the deepest fall to the highest rise, with what each stands for."""

    def said(sign: int, step: float) -> str:
        number = fmt.localise(f"{sign * step:+g}", words.format)
        return f"{'≥' if sign > 0 else '≤'} {words.format.percent.format(number)}"

    falls = [(f"d{level}", said(-1, STEPS[level - 1])) for level in (3, 2, 1)]
    rises = [(f"u{level}", said(1, STEPS[level - 1])) for level in (1, 2, 3)]
    return [*falls, ("z", "± 0"), *rises]


def trend(line: Line) -> Markup:
    """Return a line over its own area; it breaks where slots lack."""
    points = [point for part in line for point in part]
    if len(points) < _ENOUGH:
        return Markup("")
    start, end = points[0][0], points[-1][0]
    low, high = min(value for _, value in points), max(value for _, value in points)

    def spot(slot: int, value: float) -> str:
        across = (slot - start) / ((end - start) or 1) * TREND_WIDTH
        down = (high - value) / (high - low) * TREND_HEIGHT if high > low else TREND_HEIGHT / 2
        return f"{across:.1f} {down:.1f}"

    lines = ["M" + "L".join(spot(*point) for point in part) for part in line]
    floor = TREND_HEIGHT + 4
    areas = [
        f"{path}V{floor}H{spot(*part[0]).split()[0]}Z"
        for path, part in zip(lines, line, strict=True)
    ]
    lines = [path if "L" in path else f"{path}h.01" for path in lines]
    side = "u" if points[-1][1] >= points[0][1] else "d"
    return Markup(
        '<svg class="trend {}" viewBox="0 -3 {} {}" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="area" d="{}"/><path class="top-line" d="{}"/></svg>'
    ).format(side, TREND_WIDTH, floor + 3, "".join(areas), "".join(lines))


def gauge(value: float) -> Markup:
    """Return an index from 0 to 100 as a half circle of five parts with a mark on it."""
    share = min(max(value, 0.0), 100.0) / 100
    part = 1 / _GAUGE_PARTS
    arcs = Markup("").join(
        Markup('<path class="g{}" d="{}"/>').format(
            index + 1, _arc(index * part, (index + 1) * part)
        )
        for index in range(_GAUGE_PARTS)
    )
    x, y = _on_arc(share)
    return Markup(
        '<svg class="gauge" viewBox="0 0 200 108" aria-hidden="true">{}'
        '<circle cx="{}" cy="{}" r="10"/></svg>'
    ).format(arcs, f"{x:.1f}", f"{y:.1f}")


def _arc(start: float, end: float) -> str:
    gap = _GAUGE_GAP / 180
    (x, y), (to_x, to_y) = _on_arc(start + gap), _on_arc(end - gap)
    return f"M{x:.1f} {y:.1f}A{_GAUGE_RADIUS} {_GAUGE_RADIUS} 0 0 1 {to_x:.1f} {to_y:.1f}"


def _on_arc(share: float) -> tuple[float, float]:
    angle = math.pi * (1 - share)
    return 100 + _GAUGE_RADIUS * math.cos(angle), 95 - _GAUGE_RADIUS * math.sin(angle)


def treemap(
    words: Catalogue, tiles: Sequence[TileView], shape: str, prefix: str, watermark: str
) -> Markup:
    """Return tiles as links with a title each, and with letters where they fit.

    ``shape`` is one of ``SHAPES``; ``prefix`` stands before every link.
    """
    width, height = SHAPES[shape]
    mark = (
        Markup('<text class="wm" x="50%" y="50%">{}</text>').format(watermark) if watermark else ""
    )
    return Markup(
        '<svg class="map {}" viewBox="0 0 {} {}" role="group" aria-label="{}">{}{}</svg>'
    ).format(
        shape,
        round(width),
        round(height),
        words.text("overview.map"),
        Markup("").join(_tile(words, tile, prefix) for tile in tiles),
        mark,
    )


def _tile(words: Catalogue, tile: TileView, prefix: str) -> Markup:
    change = fmt.percent(tile.change, words.format)
    said = words.text(
        "overview.tile",
        name=tile.asset.name,
        symbol=tile.asset.symbol,
        cap=fmt.money(tile.market_cap, words.format),
        change=change,
    )
    drawn = Markup('<title>{}</title><rect x="{}" y="{}" width="{}" height="{}"/>{}').format(
        said,
        f"{tile.x:.1f}",
        f"{tile.y:.1f}",
        f"{max(tile.width - 1.5, 0.5):.1f}",
        f"{max(tile.height - 1.5, 0.5):.1f}",
        _letters(tile, change),
    )
    if min(tile.width, tile.height) < _TARGET:
        return Markup('<g class="{}">{}</g>').format(tone(tile.change), drawn)
    return Markup('<a href="{}/assets/{}" class="{}">{}</a>').format(
        prefix, tile.asset.id, tone(tile.change), drawn
    )


def _letters(tile: TileView, change: str) -> Markup:
    """Return a tile's symbol, and its change under it, as large as there is room for."""
    room, symbol = tile.width - _MARGIN, tile.asset.symbol
    size = min(room / (len(symbol) * _LETTER), tile.height * 0.36, _LARGEST)
    if size < _SMALLEST:
        return Markup("")
    x, middle = f"{tile.x + tile.width / 2:.1f}", tile.y + tile.height / 2
    small = min(max(size * _SECOND_LINE, _SMALLEST), room / (len(change) * _LETTER))
    two = small >= _SMALLEST * 0.9 and size + small + _MARGIN <= tile.height
    first = Markup('<text x="{}" y="{}" font-size="{}">{}</text>').format(
        x, f"{middle - (small * 0.55 if two else 0):.1f}", f"{size:.1f}", symbol
    )
    if not two:
        return first
    return first + Markup('<text x="{}" y="{}" font-size="{}">{}</text>').format(
        x, f"{middle + size * 0.62:.1f}", f"{small:.1f}", change
    )
