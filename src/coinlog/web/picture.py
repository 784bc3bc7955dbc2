"""The picture that a shared link shows: a card of 1200 by 630 pixels around the server's chart.

It is an SVG of its own, with its own colours; ``painter`` makes a PNG of it. Widths of letters are
estimated, because nothing here can measure them: what could be too long is cut off.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from markupsafe import Markup

WIDTH, HEIGHT = 1200, 630
CHART_SIZE = (1088, 300)
_LEFT, _CHART_TOP = 56, 228
_COLOURS = (
    *("#c2620a", "#4a56d6", "#0b8577", "#b8327c", "#747900"),
    *("#5f6875", "#8b5a2b", "#0275b3", "#9b27b0", "#3f7a12"),
)
"""Those of the light page (``frontend/src/style/colours.css``)."""

LINE = "#2456c7"
_TONES = {"u": "#08724a", "d": "#b8292b"}
_STYLE = (
    "text{font-family:Inter;fill:#1b1f24}"
    ".b{font-weight:600}.soft{fill:#5a616a}.r{text-anchor:end}"
    ".lc path{fill:none;stroke-width:3;stroke-linejoin:round;stroke-linecap:round}"
    ".lc line{stroke:#e5e2da}.lc .zero{stroke:#5a616a}.lc .gap{fill:#8b8f95;fill-opacity:.15}"
    ".lc .vol{stroke:#8b8f95;stroke-opacity:.4}"
    ".lc text{fill:#5a616a;font-size:20px;stroke:#fff;stroke-width:5px;paint-order:stroke}"
    ".lc .x{text-anchor:middle}.lc .more{display:none}"
    ".lc .wm{fill:#6a1b9a;fill-opacity:.14;stroke:none;font-size:110px;font-weight:600;"
    "text-anchor:middle}"
)
_WIDE, _NARROW = frozenset("mwMWQO@%&"), frozenset("iIjl|.,:;'!()[]{} frt1-")


class Label(msgspec.Struct, frozen=True):
    """A line of the chart in words: its name, and its change with its direction (u, d or "")."""

    name: str
    change: str
    direction: str


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What a picture shows. ``value`` and ``span`` stand under the title, or ``labels`` do.

    ``mark`` says that the market is made up, and is empty where it is not.
    """

    title: str
    symbol: str
    value: str
    span: str
    labels: Sequence[Label]
    chart: Markup
    nothing: str
    as_of: str
    attribution: str
    mark: str


def draw_card(card: Card) -> str:
    """Return a card as an SVG document."""
    return str(
        Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" '
            'viewBox="0 0 {w} {h}"><style>{style}</style><rect width="{w}" height="{h}" '
            'fill="#fff"/>{body}</svg>'
        ).format(w=WIDTH, h=HEIGHT, style=_style(len(card.labels)), body=_body(card))
    )


def legible(text: str, otherwise: str) -> str:
    """Return a text that the font has letters for and XML has room for, else another."""
    clean = "".join(character for character in text if character.isprintable())
    known = all(ord(one) < 0x530 or 0x1E00 <= ord(one) < 0x2100 for one in clean)  # noqa: PLR2004
    return clean if clean.strip() and known else otherwise


def shortened(text: str, size: float, width: float) -> str:
    """Return a text, cut off where it would be wider than so many pixels at a size of letters."""
    room = width / size
    for index, character in enumerate(text):
        room -= 0.9 if character in _WIDE else 0.36 if character in _NARROW else 0.58
        if room < 0:
            return text[: max(index - 1, 1)].rstrip() + "…"
    return text


def _style(lines: int) -> Markup:
    colours = [LINE] if lines <= 1 else _COLOURS
    strokes = (
        f".lc .s{index}{{stroke:{colour}{';stroke-dasharray:9 5' if index > 5 else ''}}}"  # noqa: PLR2004
        for index, colour in enumerate(colours, 1)
    )
    return Markup(_STYLE + "".join(strokes))  # noqa: S704 -- constants


def _body(card: Card) -> Markup:
    top = 44 if card.mark else 0
    width, height = CHART_SIZE[0], CHART_SIZE[1] - top
    return Markup("").join(
        (
            _band(card.mark),
            Markup('<svg y="{}" overflow="visible">').format(top),
            _text(_LEFT, 96, 56, "b", shortened(card.title, 60, 800), card.symbol),
            _brand(),
            *(_labels(card.labels) if len(card.labels) > 1 else _value(card)),
            Markup("</svg>"),
            Markup('<svg x="{}" y="{}" width="{}" height="{}" overflow="visible">{}</svg>').format(
                _LEFT, _CHART_TOP + top, width, height, card.chart
            ),
            _text(_LEFT, 400, 30, "soft", card.nothing),
            Markup('<rect x="{}" y="574" width="{}" height="1" fill="#e5e2da"/>').format(
                _LEFT, width
            ),
            _text(_LEFT, 608, 22, "soft", card.as_of),
            _text(_LEFT + width, 608, 22, "soft r", card.attribution),
        )
    )


def _band(mark: str) -> Markup:
    """Return the band that says at the top that nothing of this is real."""
    if not mark:
        return Markup("")
    return Markup(
        '<rect width="{}" height="44" fill="#6a1b9a"/><text x="600" y="32" font-size="26" '
        'letter-spacing="5" text-anchor="middle" class="b"><tspan fill="#fff">{}</tspan></text>'
    ).format(WIDTH, mark)


def _brand() -> Markup:
    return Markup(
        '<svg x="970" y="62" width="40" height="40" viewBox="0 0 32 32">'
        '<circle cx="16" cy="16" r="15" fill="#2456c7"/><path fill="none" stroke="#fff" '
        'd="M6.5 20.5l5-6 3.5 3.5M20.5 14l5-4.5" stroke-width="2.6" stroke-linecap="round"/></svg>'
        '<text x="1144" y="92" font-size="32" class="b r">coinlog</text>'
    )


def _value(card: Card) -> Iterable[Markup]:
    """Yield what one asset is at, and how far it has come."""
    yield _text(_LEFT, 168, 46, "b", card.value)
    start = _LEFT + 32 + 29 * len(card.value)
    for label in card.labels:
        yield _text(start, 168, 34, "", label.change, card.span, _TONES.get(label.direction))


def _labels(labels: Sequence[Label]) -> Iterable[Markup]:
    """Yield the names of several lines in two rows of five."""
    for index, label in enumerate(labels):
        x, y = _LEFT + index % 5 * 218, 146 + index // 5 * 36
        yield Markup('<rect x="{}" y="{}" width="18" height="5" fill="{}"/>').format(
            x, y - 9, _COLOURS[index % len(_COLOURS)]
        )
        name = shortened(label.name, 20, 104)
        yield _text(x + 26, y, 20, "", name)
        yield _text(x + 206, y, 20, "r", label.change, colour=_TONES.get(label.direction))


def _text(  # noqa: PLR0913, PLR0917  place, looks and words
    x: float, y: float, size: int, kind: str, text: str, more: str = "", colour: str | None = None
) -> Markup:
    """Return a text, and behind it a smaller one of less weight."""
    after = Markup(
        '<tspan class="soft" dx="14" font-size="{}" font-weight="400">{}</tspan>'
    ).format(round(size * 0.7), more)
    return Markup('<text x="{}" y="{}" font-size="{}" class="{}">{}{}</text>').format(
        x,
        y,
        size,
        kind,
        Markup('<tspan fill="{}">{}</tspan>').format(colour, text) if colour else text,
        after if more else "",
    )
