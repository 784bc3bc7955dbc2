"""The market at a glance: its figures and their change, the day's movers, and a map of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from coinlog.market import GlobalMetrics
from coinlog.slots import DAY
from coinlog.store.listing import Listed, Total, Wanted, read_listing, read_totals
from coinlog.store.narrowing import GAINERS, LOSERS
from coinlog.web import views
from coinlog.web.labels import labels
from coinlog.web.market_table import global_view
from coinlog.web.market_views import (
    Line,
    MapView,
    MoverView,
    OverviewView,
    TileView,
    TrendView,
)
from coinlog.web.overview_svg import SHAPES
from coinlog.web.past_slots import why_not
from coinlog.web.shell import Ask
from coinlog.web.treemap import squarified
from coinlog.web.watch import Moment, Watch

SPANS = {"7d": 7 * DAY, "30d": 30 * DAY}
USUAL_SPAN = "30d"
AMONG, MOVERS = 200, 10
WIDE_TILES, TALL_TILES = 80, 60
TREND_POINTS = 120
BREAKS_AFTER = 1.5
NO_FIGURES = "no_figures"


class _Before(msgspec.Struct, frozen=True):
    """The whole market a day before, and why its slot has no quotes where that is so."""

    metrics: GlobalMetrics | None
    missing: str | None


def overview_view(watch: Watch, moment: Moment, ask: Ask) -> OverviewView:
    """Return the market at a glance, at the newest stored slot."""
    newest = moment.head.newest
    slot = newest.slot if newest else None
    span = ask.query.range if ask.query.range in SPANS else USUAL_SPAN
    first = _listed(watch, slot, Wanted(limit=AMONG))
    figures = global_view(watch, slot)
    return OverviewView(
        slot=slot,
        before=None if slot is None else slot - DAY,
        span=span,
        spans=[
            views.Link(code=code, href=ask.at.href(range=code), current=code == span)
            for code in SPANS
        ],
        trends=[] if slot is None else trends(watch, moment, slot, SPANS[span]),
        global_metrics=figures,
        gainers=_movers(watch, first, GAINERS),
        losers=_movers(watch, first, LOSERS),
        among=min(AMONG, len(first)),
        map=_map(watch, slot, figures.total_market_cap),
    )


def _listed(watch: Watch, slot: int | None, wanted: Wanted) -> list[Listed]:
    return [] if slot is None else read_listing(watch.reader, slot, slot, wanted)[1]


def trends(watch: Watch, moment: Moment, slot: int, seconds: int) -> list[TrendView]:
    """Return the whole market's cap and volume, each with its change since the day before."""
    totals = read_totals(watch.reader, slot - seconds, slot)
    now = watch.reader.whole_market(slot)[0]
    then = watch.reader.whole_market(slot - DAY)[0]
    before = _Before(then, None if then else why_not(watch, moment, slot - DAY))
    return [
        _trend(code, now, before, totals, slot - seconds)
        for code in ("total_market_cap", "total_volume_24h")
    ]


def _trend(
    code: str,
    now: GlobalMetrics | None,
    then: _Before,
    totals: Sequence[Total],
    start: int,
) -> TrendView:
    value: float | None = getattr(now, code, None)
    before: float | None = getattr(then.metrics, code, None)
    change = _change(before, value)
    line = broken_line(totals, lambda total: getattr(total, code))
    points = [point for part in line for point in part]
    return TrendView(
        code=code,
        value=value,
        change=change,
        missing=None if change is not None else then.missing or NO_FIGURES,
        line=line,
        over=_change(points[0][1], points[-1][1]) if len(points) > 1 else None,
        since=points[0][0] if points and points[0][0] > start else None,
    )


def _change(before: float | None, now: float | None) -> float | None:
    return None if not before or now is None else (now / before - 1) * 100


def broken_line(totals: Sequence[Total], value: Callable[[Total], float | None]) -> Line:
    """Return a figure's line: it breaks where a slot lacks or a value is unknown.

    Of more points than are drawn, the last of each equal stretch of time stays.
    """
    found: Line = [[]]
    previous: Total | None = None
    for total in totals:
        known = value(total)
        if previous and found[-1] and _breaks(previous, total):
            found.append([])
        if known is not None:
            found[-1].append((total.slot, known))
        elif found[-1]:
            found.append([])
        previous = total
    return [_thinned(part, totals) for part in found if part]


def _breaks(left: Total, right: Total) -> bool:
    return right.slot - left.slot > BREAKS_AFTER * max(left.resolution, right.resolution, 1)


def _thinned(part: list[tuple[int, float]], totals: Sequence[Total]) -> list[tuple[int, float]]:
    step = max((totals[-1].slot - totals[0].slot) // TREND_POINTS, 1)
    last = {(slot - totals[-1].slot) // step: (slot, value) for slot, value in part}
    return [part[0], *(point for point in last.values() if point[0] > part[0][0])]


def _movers(watch: Watch, first: Sequence[Listed], which: str) -> list[MoverView]:
    """Return the assets that rose or fell most since the day before, most first."""
    sign = 1 if which == GAINERS else -1
    moved = [
        (change * sign, one)
        for one in first
        if (change := one.asset.quote.percent_change_24h) is not None and change * sign > 0
    ]
    chosen = [one for _, one in sorted(moved, key=lambda pair: -pair[0])][:MOVERS]
    called = labels(watch, [one.asset for one in chosen])
    return [
        MoverView(
            asset=label,
            rank=one.asset.quote.rank,
            price=one.asset.quote.price,
            change=one.asset.quote.percent_change_24h or 0.0,
        )
        for one, label in zip(chosen, called, strict=True)
    ]


def _map(watch: Watch, slot: int | None, total: float | None) -> MapView | None:
    wanted = Wanted(limit=WIDE_TILES, sort="-market_cap")
    largest = [one for one in _listed(watch, slot, wanted) if (one.asset.quote.market_cap or 0) > 0]
    if not largest:
        return None
    called = labels(watch, [one.asset for one in largest])
    held = sum(one.asset.quote.market_cap or 0 for one in largest)
    return MapView(
        wide=tiles(largest, called, *SHAPES["wide"]),
        tall=tiles(largest[:TALL_TILES], called[:TALL_TILES], *SHAPES["tall"]),
        share=held / total * 100 if total and held <= total else None,
    )


def tiles(
    listed: Sequence[Listed], called: Sequence[views.AssetLabel], width: float, height: float
) -> list[TileView]:
    """Return assets as tiles that fill a picture, each as large as its market cap."""
    caps = [one.asset.quote.market_cap or 0.0 for one in listed]
    return [
        TileView(
            asset=label,
            market_cap=cap,
            change=one.asset.quote.percent_change_24h,
            x=tile.x,
            y=tile.y,
            width=tile.width,
            height=tile.height,
        )
        for one, label, cap, tile in zip(
            listed, called, caps, squarified(caps, width, height), strict=True
        )
    ]
