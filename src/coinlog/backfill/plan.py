"""Which requests a backfill needs, and what they cost at most: arithmetic, asking nobody."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from coinlog.backfill.kept import Request
from coinlog.market import Asset
from coinlog.slots import DAY, MINUTE, Schedule
from coinlog.sources.history import INTERVALS
from coinlog.sources.past_metrics import DAYS_A_REQUEST
from coinlog.store.room import Cover, around, nearest_slot
from coinlog.store.targets import FEAR_AND_GREED

POINTS_A_REQUEST = 1_000
POINTS_A_CREDIT = 100
FINE_SECONDS = 28 * DAY
"""How far back every plan answers more often than daily: a month, also where that is February."""

FIRST_TIME = 1_262_304_000
"""2010-01-01: the source has nothing older."""

FRESH_SECONDS = 15 * MINUTE
"""The source adds a point some minutes late; one asked for too early would never be asked again."""


class Span(NamedTuple):
    """A stretch of time, both ends included, the seconds between points, and between slots."""

    start: int
    end: int
    resolution: int
    interval_seconds: int


class Known(msgspec.Struct, frozen=True):
    """What a target has already: when it was observed, sorted, and what was asked before.

    ``asked`` are stretches, both ends included, with the seconds between their points.
    """

    observed: Sequence[int] = ()
    asked: Sequence[tuple[int, int, int]] = ()


class Stretch(msgspec.Struct, frozen=True):
    """From when to when history is wanted (seconds UTC), and how fine where not as usual."""

    start: int
    end: int
    resolution: int | None = None

    def spans(self, schedules: Sequence[Schedule], now: float) -> list[Span]:
        """Return the spans to ask for, by the schedules in force at their time, oldest first.

        Unless told otherwise points are daily, and in the last 28 days as frequent as slots.
        """
        end = min(self.end, int(now) - FRESH_SECONDS)
        turn = -(-(int(now) - FINE_SECONDS) // DAY) * DAY
        found: list[Span] = []
        for first, last, interval in _periods(schedules, max(self.start, FIRST_TIME), end):
            if self.resolution:
                found.append(_aligned(first, last, self.resolution, interval))
            else:
                found.append(_aligned(first, min(last, turn - 1), DAY, interval))
                found.append(_aligned(max(first, turn), last, finest(interval), interval))
        return _joined(span for span in found if span.start <= span.end)


def _joined(some: Iterable[Span]) -> list[Span]:
    """Return spans, those joined that go on as the one before."""
    found: list[Span] = []
    for span in some:
        if found and found[-1][2:] == span[2:] and found[-1].end + span.resolution == span.start:
            span = found.pop()._replace(end=span.end)  # noqa: PLW2901  it grows
        found.append(span)
    return found


def _periods(schedules: Sequence[Schedule], start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield the stretches with the same interval between slots; the first one's began long ago."""
    begins = start
    for index, schedule in enumerate(schedules):
        following = schedules[index + 1] if index + 1 < len(schedules) else None
        if following and following.interval_seconds == schedule.interval_seconds:
            continue
        last = min(end, following.from_slot - 1) if following else end
        if begins <= last:
            yield begins, last, schedule.interval_seconds
        begins = max(start, last + 1)


def finest(interval_seconds: int) -> int:
    """Return the longest interval of the source that divides the one between slots."""
    return max((step for step in INTERVALS if interval_seconds % step == 0), default=min(INTERVALS))


def _aligned(start: int, end: int, resolution: int, interval_seconds: int) -> Span:
    first, last = -(-start // resolution) * resolution, end // resolution * resolution
    return Span(first, last, resolution, interval_seconds)


def requests(target: str, asset: Asset | None, span: Span, known: Known) -> Iterator[Request]:
    """Yield the requests for what a target lacks in a span, oldest first."""
    most = DAYS_A_REQUEST if target == FEAR_AND_GREED else POINTS_A_REQUEST
    for first, last in _lacking(target, span, known):
        step = span.resolution * most
        for begin in range(first, last + 1, step):
            until = min(last, begin + step - span.resolution)
            yield Request(target, asset, begin, until, span.resolution, span.interval_seconds)


def _lacking(target: str, span: Span, known: Known) -> list[tuple[int, int]]:
    """Return the stretches that are neither observed nor asked for.

    They are joined over what was observed where that costs no more, and never over what was
    asked for: nothing is asked twice.
    """
    asked = Cover((start, end) for start, end, fine in known.asked if fine <= span.resolution)
    marks = range(span.start, span.end + 1, span.resolution)
    open_marks = [mark for mark in marks if not asked.holds(mark)]
    lacking = {mark for mark in open_marks if not _is_observed(mark, span, known.observed)}
    if span.resolution > span.interval_seconds:
        # A day on which a gap begins or ends may have a point inside it.
        lacking |= {mark + step for mark in lacking for step in (-span.resolution, span.resolution)}
    found: list[tuple[int, int]] = []
    previous = None
    for mark in (mark for mark in open_marks if mark in lacking):
        first, last = found[-1] if found else (mark, mark)
        apart = _cost(target, first, last, span.resolution) + 1
        together = _cost(target, first, mark, span.resolution)
        if previous is not None and together <= apart and not asked.meets(previous, mark):
            found[-1] = (first, mark)
        else:
            found.append((mark, mark))
        previous = mark
    return found


def _is_observed(mark: int, span: Span, observed: Sequence[int]) -> bool:
    """Return whether a point asked for about ``mark`` would be of no use."""
    if span.resolution <= span.interval_seconds:
        slot = nearest_slot(mark, span.interval_seconds)
        first, last = around(slot, span.interval_seconds)
    else:
        first, last = mark, mark + span.resolution - 1
    place = bisect_left(observed, first)
    return place < len(observed) and observed[place] <= last


def _cost(target: str, first: int, last: int, resolution: int) -> int:
    """Return what a stretch costs at most: a credit per 100 points; fear and greed a flat one."""
    if target == FEAR_AND_GREED:
        return 1
    request = Request(target, None, first, last, resolution, resolution)
    return -(-request.most_points // POINTS_A_CREDIT)


def credits_of(request: Request) -> int:
    """Return what a request costs at most."""
    return _cost(request.target, request.from_time, request.to_time, request.resolution)


def total(some: Iterable[Request]) -> int:
    """Return what requests cost together, at most."""
    return sum(map(credits_of, some))
