"""Candles: the price of an asset over an hour, a day, a week or a month, in six numbers.

Made from the recorded quotes each time they are asked for, with the same buckets as thinning and
sampling. Nothing is invented: an interval without a quote has no candle.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby

import msgspec

from coinlog.slots import DAY, HOUR
from coinlog.store.buckets import WEEK, Buckets, bucket_start, ends_of, origin_of
from coinlog.store.reader import Reader

MONTH = "1mo"
INTERVALS: dict[str, int] = {
    **{f"{hours}h": hours * HOUR for hours in (1, 2, 3, 4, 6, 8, 12)},
    "1d": DAY,
    "1w": WEEK,
    MONTH: 28 * DAY,
}
"""How long candles can be, in seconds; a month at least so long. Weeks begin on Mondays, UTC."""


class Candle(msgspec.Struct, frozen=True):
    """The price in USD over the time from ``start`` to ``end`` (seconds UTC, excluded).

    ``open`` and ``close`` are the prices at ``first_slot`` and ``last_slot``; ``points`` counts
    the quotes. ``complete`` is false where the range asked for cuts the candle off.
    """

    start: int
    end: int
    open: float
    high: float
    low: float
    close: float
    points: int
    first_slot: int
    last_slot: int
    complete: bool


def candle_start(time: int, interval: str) -> int:
    """Return the start of the candle that a time belongs to."""
    if interval == MONTH:
        return _month(time, 0)
    return bucket_start(time, INTERVALS[interval])


def read_candles(
    reader: Reader, asset_id: int, start: int, end: int, interval: str
) -> list[Candle]:
    """Return an asset's candles from ``start`` to ``end`` (both included), oldest first.

    Raises:
        StoreUnavailableError: the database is away or takes too long.
    """
    width = DAY if interval == MONTH else INTERVALS[interval]
    buckets = Buckets(start, end, width, origin_of(width))
    candles = [
        Candle(
            start=one.start,
            end=one.start + width,
            open=first,
            high=one.highest[0],
            low=one.lowest[0],
            close=last,
            points=one.points,
            first_slot=one.first,
            last_slot=one.last,
            complete=start <= one.start and one.start + width <= end,
        )
        for one, first, last in ends_of(reader, asset_id, buckets, "price")
    ]
    return list(_months(candles, start, end)) if interval == MONTH else candles


def _months(days: Sequence[Candle], start: int, end: int) -> Iterator[Candle]:
    """Yield the months that days make up: whole days each, so that nothing is lost between."""
    for month, group in groupby(days, lambda day: _month(day.start, 0)):
        inside = list(group)
        until = _month(month, 1)
        yield Candle(
            start=month,
            end=until,
            open=inside[0].open,
            high=max(day.high for day in inside),
            low=min(day.low for day in inside),
            close=inside[-1].close,
            points=sum(day.points for day in inside),
            first_slot=inside[0].first_slot,
            last_slot=inside[-1].last_slot,
            complete=start <= month and until <= end,
        )


def _month(time: int, later: int) -> int:
    """Return the start of the month of a time, or of one some months later."""
    then = datetime.fromtimestamp(time, UTC)
    months = then.year * 12 + then.month - 1 + later
    return int(datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC).timestamp())
