"""The sparkline that other sites show as a picture: an SVG that needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

from markupsafe import Markup

from coinlog.web.xml_text import without_controls

Point = tuple[int, float]
Segments = Sequence[Sequence[Point]]

STYLE = (
    "path{fill:none;stroke:#08724a;stroke-width:1.75;stroke-linejoin:round;stroke-linecap:round}"
    ".d{stroke:#b8292b}text{fill:#5a616a;font:10px system-ui,sans-serif}"
    "@media(prefers-color-scheme:dark){path{stroke:#46c68c}.d{stroke:#ff8f85}text{fill:#a3a8ae}}"
)
STYLE_HASH = f"sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}"
"""What the policy of the answer allows: this style sheet, and no other."""

_AIR = 2
_ENOUGH = 2


def draw_spark(segments: Segments, title: str, width: int, height: int, mark: str = "") -> Markup:
    """Return a line without axes as a whole SVG document; sizes are in pixels.

    The line breaks between segments. ``title`` is what it shows, in words; ``mark`` is written
    across it where the market is made up.
    """
    points = [point for segment in segments for point in segment]
    path = "".join(_path(segment, points, width, height) for segment in segments)
    falls = len(points) >= _ENOUGH and points[-1][1] < points[0][1]
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" '
        'role="img"><title>{title}</title><style>{style}</style><path class="{tone}" d="{path}"/>'
        "{mark}</svg>"
    ).format(
        w=width,
        h=height,
        title=without_controls(title),
        style=Markup(STYLE),  # noqa: S704 -- a constant
        tone="d" if falls else "u",
        path=path,
        mark=Markup('<text x="2" y="10">{}</text>').format(mark) if mark else "",
    )


def _path(segment: Sequence[Point], points: Sequence[Point], width: int, height: int) -> str:
    """Return a segment as path commands in tenths of a pixel; a lone point becomes a dot."""
    values = [value for _, value in points]
    first, last, low, high = points[0][0], points[-1][0], min(values), max(values)
    spots = [
        (
            _AIR + (width - 2 * _AIR) * ((time - first) / ((last - first) or 1)),
            _AIR + (height - 2 * _AIR) * ((high - value) / (high - low) if high > low else 0.5),
        )
        for time, value in segment
    ]
    line = "L".join(f"{x:.1f} {y:.1f}" for x, y in spots)
    return f"M{line}" if len(spots) >= _ENOUGH else f"M{line}h.01"
