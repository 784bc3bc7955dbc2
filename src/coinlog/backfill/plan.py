"""Which requests a backfill needs, and what they cost at most: arithmetic, asking nobody."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from coinlog.backfill.kept import FEAR_AND_GREED, GLOBAL_METRICS, Request
from coinlog.market import Asset
from coinlog.slots import DAY
from coinlog.sources.history import INTERVALS

POINTS_A_REQUEST = 1_000
POINTS_A_CREDIT = 100
FINE_SECONDS = 30 * DAY
"""How far back every plan answers more often than daily; further back, plans differ."""


class Span(msgspec.Struct, frozen=True):
    """A stretch of time, both ends included, and the seconds between its points."""

    start: int
    end: int
    resolution: int


class Known(msgspec.Struct, frozen=True):
    """What a target has already: when it was observed, sorted, and what was asked before."""

    observed: Sequence[int] = ()
    asked: Sequence[Span] = ()


def spans(start: int, end: int, interval_seconds: int, now: float) -> list[Span]:
    """Return how a stretch is asked for: daily, and its last 30 days as often as slots come."""
    fine = finest(interval_seconds)
    if fine >= DAY:
        return [_aligned(start, end, DAY)]
    turn = max(start, int(now) // DAY * DAY - FINE_SECONDS + DAY)
    found = [_aligned(start, min(end, turn - DAY), DAY), _aligned(turn, end, fine)]
    return [span for span in found if span.start <= span.end]


def finest(interval_seconds: int) -> int:
    """Return the longest interval of the source that divides the one between slots."""
    return max(step for step in INTERVALS if interval_seconds % step == 0)


def _aligned(start: int, end: int, resolution: int) -> Span:
    return Span(-(-start // resolution) * resolution, end // resolution * resolution, resolution)


def requests(target: str, asset: Asset | None, span: Span, known: Known) -> Iterator[Request]:
    """Yield the requests for what a target lacks in a span, oldest first."""
    marks = range(span.start, span.end + 1, span.resolution)
    lacking = [mark for mark in marks if not _has(mark, span.resolution, known)]
    if target == FEAR_AND_GREED:
        if lacking:
            yield Request(target, asset, lacking[0], lacking[-1], span.resolution)
        return
    for first, last in _joined(lacking, span.resolution):
        step = span.resolution * POINTS_A_REQUEST
        for begin in range(first, last + 1, step):
            until = min(last, begin + step - span.resolution)
            yield Request(target, asset, begin, until, span.resolution)


def _has(mark: int, resolution: int, known: Known) -> bool:
    """Return whether a point about ``mark`` was observed, or asked for as finely before."""
    half = resolution // 2
    place = bisect_left(known.observed, mark - half)
    if place < len(known.observed) and known.observed[place] < mark + half:
        return True
    return any(
        span.start <= mark <= span.end and span.resolution <= resolution for span in known.asked
    )


def _joined(marks: Sequence[int], resolution: int) -> Iterator[tuple[int, int]]:
    """Yield runs of marks, joined over what is there already where that costs no more."""
    runs: list[tuple[int, int]] = []
    for mark in marks:
        apart = _cost(*runs[-1], resolution) + _cost(mark, mark, resolution) if runs else 0
        if runs and _cost(runs[-1][0], mark, resolution) <= apart:
            runs[-1] = (runs[-1][0], mark)
        else:
            runs.append((mark, mark))
    yield from runs


def _cost(first: int, last: int, resolution: int) -> int:
    # One point more than we count: whether the end is included is the source's to decide.
    return -(-((last - first) // resolution + 2) // POINTS_A_CREDIT)


def credits_of(request: Request) -> int:
    """Return what a request costs at most: a credit per 100 points; fear and greed a flat one."""
    if request.target == FEAR_AND_GREED:
        return 1
    return _cost(request.from_time, request.to_time, request.resolution)


def total(some: Iterable[Request]) -> int:
    """Return what requests cost together, at most."""
    return sum(map(credits_of, some))


def target_of(asset: Asset) -> str:
    """Return what an asset's answers are kept under."""
    return f"asset-{asset.id}"


MARKET_TARGETS = (GLOBAL_METRICS, FEAR_AND_GREED)
