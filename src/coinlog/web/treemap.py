"""A treemap: a rectangle cut into tiles as large as their values and as square as can be.

After Bruls, Huizing and van Wijk, "Squarified Treemaps" (2000): tiles are laid in rows along the
shorter side of what is left, and a row takes another tile for as long as its worst one becomes
squarer by it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

_LEAST = 1e-9
"""What rounding leaves at least for values that are too small to see."""


class Tile(msgspec.Struct, frozen=True):
    """A rectangle of the map, from its upper left corner."""

    x: float
    y: float
    width: float
    height: float


def squarified(values: Sequence[float], width: float, height: float) -> list[Tile]:
    """Return a tile for each value (positive, largest first), together filling the rectangle."""
    scale = width * height / sum(values) if values else 0.0
    areas = [value * scale for value in values]
    tiles: list[Tile] = []
    left = Tile(0.0, 0.0, width, height)
    while len(tiles) < len(areas):
        row = _row(areas[len(tiles) :], min(left.width, left.height))
        placed, left = _laid(row, left)
        tiles += placed
    return tiles


def _row(areas: Sequence[float], side: float) -> Sequence[float]:
    """Return the first areas that look best as one row along a side."""
    count = 1
    while count < len(areas) and _worst(areas[: count + 1], side) <= _worst(areas[:count], side):
        count += 1
    return areas[:count]


def _worst(row: Sequence[float], side: float) -> float:
    """Return how far from a square the worst tile of a row is: 1 is a square."""
    depth = sum(row) / side
    return max(max(depth * depth / area, area / (depth * depth)) for area in row)


def _laid(row: Sequence[float], left: Tile) -> tuple[list[Tile], Tile]:
    """Return a row's tiles along the shorter side, and what is left beside it."""
    total = sum(row)
    upright = left.width >= left.height
    depth = total / (left.height if upright else left.width)
    tiles, at = list[Tile](), 0.0
    for area in row:
        length = area / depth
        tiles.append(
            Tile(left.x, left.y + at, depth, length)
            if upright
            else Tile(left.x + at, left.y, length, depth)
        )
        at += length
    if upright:
        return tiles, Tile(left.x + depth, left.y, max(left.width - depth, _LEAST), left.height)
    return tiles, Tile(left.x, left.y + depth, left.width, max(left.height - depth, _LEAST))
