"""The data of a chart beside its first paint, in the columns that the files of ``/data/`` have.

The scripts read both with one function (``frontend/src/data/decode.ts``).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import msgspec
from markupsafe import Markup

from coinlog.market import Reason
from coinlog.web.i18n import Catalogue
from coinlog.web.views import ChartView, LineView

_SHARED_DIGITS = 5
_BAR_DIGITS = 4


WORDS = (
    "chart.of",
    "chart.extremes",
    "chart.places",
    "chart.gaps",
    "chart.gap",
    "chart.nothing",
    "chart.since",
    "chart.since_late",
    "chart.sampled",
    "chart.no_rate",
    "chart.no_total",
    "chart.usd_candles",
    "chart.candle_hours",
    "chart.candle_days",
    "chart.rows",
    "origin.observed",
    "origin.backfilled",
    *(f"reason.{reason}" for reason in Reason),
)
"""The texts that the scripts of a chart need, and no page without one."""


def embedded(chart: ChartView, words: Catalogue, mark: str) -> Markup:
    """Return a chart's columns as JSON that may stand inside a page.

    ``exact`` says whether values stand in full. Of several lines all but the last have five digits,
    bars have four: pages stay light, and the scripts ask for the rest when a reader wants to know.
    """
    exact = len(chart.lines) <= 1
    content = {
        "mark": mark,
        "start": chart.start,
        "end": chart.end,
        "field": chart.field,
        "range": chart.range,
        "window": chart.window,
        "exact": exact,
        "sampled": chart.sampled,
        "lines": [
            _line(line, chart.lines[index - 1] if index else None, exact=exact)
            for index, line in enumerate(chart.lines)
        ],
        "log": chart.ledger,
        "words": {key: words.texts[key] for key in WORDS},
    }
    # "<" is escaped, so that no name can end the element that the data stands in.
    return Markup(msgspec.json.encode(content).decode().replace("<", "\\u003c"))  # noqa: S704


def _line(line: LineView, before: LineView | None, *, exact: bool) -> dict[str, Any]:
    """Return a line's columns; times that are those of the line before it are left out."""
    asset = line.asset
    columns: dict[str, Any] = {
        "id": asset.id,
        "name": asset.name,
        "symbol": asset.symbol,
        "slug": asset.slug,
        "first": line.first_slot,
        "last": line.last_slot,
    }
    if asset.shares_symbol:
        columns["shared"] = True
    if before is None or (line.slots, line.times) != (before.slots, before.times):
        columns["slots"] = deltas(line.slots)
        columns["observed_at"] = [
            time - slot for slot, time in zip(line.slots, line.times, strict=True)
        ]
    columns[line.field] = line.values if exact else _shortened(line.values)
    if line.volume is not None:
        columns["volume_24h"] = [_rounded(value, _BAR_DIGITS) for value in line.volume]
    columns["backfilled"] = runs(line.backfilled)
    columns["gaps"] = [(gap.start, gap.end, gap.reason) for gap in line.gaps]
    return columns


def deltas(times: Sequence[int]) -> list[int]:
    """Return the first of ascending times, and then the steps between them."""
    return [time - before for before, time in zip([0, *times], times, strict=False)]


def runs(marks: Sequence[bool]) -> list[tuple[int, int]]:
    """Return the stretches that are marked, as places from the first to the one after the last."""
    found, place = [], 0
    for marked, group in groupby(marks):
        after = place + len(list(group))
        if marked:
            found.append((place, after))
        place = after
    return found


def _shortened(values: Sequence[float | None]) -> list[float | None]:
    """Return values of five digits, but the last one in full: it stands in the legend."""
    last = max((index for index, value in enumerate(values) if value is not None), default=-1)
    return [
        value if index == last else _rounded(value, _SHARED_DIGITS)
        for index, value in enumerate(values)
    ]


def _rounded(value: float | None, digits: int) -> float | None:
    if value is None:
        return None
    short = float(f"{value:.{digits}g}")
    return int(short) if short.is_integer() else short
