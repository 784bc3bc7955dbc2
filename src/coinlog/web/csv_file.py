"""A series as a CSV file that spreadsheets read as what it is.

A row for each point: ISO times in UTC, the asset, numbers in full precision, and whose data it
is in the last column, so that a file that is passed on still says so. Cells that a spreadsheet
would run as a formula begin with a tab.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any

from coinlog.notice import attribution, safe_cell
from coinlog.series import Series
from coinlog.slots import DAY, iso
from coinlog.store.candles import Candle
from coinlog.store.reader import StoredAsset

_TIMES = ("last_updated",)


def write_csv(asset: StoredAsset, series: Series, *, simulated: bool) -> bytes:
    """Return the series as CSV in UTF-8, with a heading and CRLF line ends (RFC 4180)."""
    fields = series.fields
    heading = ("slot", "observed_at", "asset_id", "symbol", "name", *fields, "origin")
    rows = zip(
        map(_iso, series.slots),
        map(_iso, series.observed_at),
        repeat(_line(asset.id, safe_cell(asset.symbol), safe_cell(asset.name))),
        *(_column(name, values) for name, values in fields.items()),
        series.origins,
        repeat(_line(attribution(simulated=simulated))),
        strict=False,  # what is repeated has no length of its own
    )
    # Numbers and times need no quotes: joining them takes a third of what a writer of CSV does.
    lines = [_line(*heading, "attribution"), *map(",".join, rows), ""]
    return "\r\n".join(lines).encode()


def write_candles(asset: StoredAsset, candles: Sequence[Candle], *, simulated: bool) -> bytes:
    """Return candles as CSV like ``write_csv``; what is complete is ``true``, else ``false``."""
    text = io.StringIO()
    writer = csv.writer(text)
    prices, slots = ("open", "high", "low", "close"), ("first_slot", "last_slot")
    heading = ("start", "end", "asset_id", "symbol", "name", *prices, "points", *slots, "complete")
    writer.writerow((*heading, "attribution"))
    called = (asset.id, safe_cell(asset.symbol), safe_cell(asset.name))
    for one in candles:
        writer.writerow(
            (
                *(iso(one.start), iso(one.end), *called),
                *(one.open, one.high, one.low, one.close, one.points),
                *(iso(one.first_slot), iso(one.last_slot), str(one.complete).lower()),
                attribution(simulated=simulated),
            )
        )
    return text.getvalue().encode()


def _line(*cells: object) -> str:
    """Return cells as they stand in a row, in quotes where they must."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def _column(name: str, values: list[Any]) -> list[str]:
    """Return a column's cells: unknown is empty, a time is ISO, a double is written in full."""
    write: Callable[[Any], str] = _iso if name in _TIMES else repr
    return ["" if value is None else write(value) for value in values]


def _iso(time: int) -> str:
    """Return what ``iso`` does, which takes its time where there are so many."""
    day, second = divmod(time, DAY)
    return _day(day) + _clock(second)


@lru_cache(8_000)
def _day(number: int) -> str:
    return iso(number * DAY)[:11]


@lru_cache(90_000)
def _clock(second: int) -> str:
    return iso(second)[11:]
