"""A series as a CSV file that spreadsheets read as what it is.

A row for each point: ISO times in UTC, the asset, numbers in full precision, and whose data it
is in the last column, so that a file that is passed on still says so. Cells that a spreadsheet
would run as a formula begin with a tab.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from itertools import repeat
from typing import Any

from coinlog.notice import attribution, safe_cell
from coinlog.series import Series
from coinlog.slots import iso
from coinlog.store.candles import Candle
from coinlog.store.reader import StoredAsset

_TIMES = ("last_updated",)


def write_csv(asset: StoredAsset, series: Series, *, simulated: bool) -> bytes:
    """Return the series as CSV in UTF-8, with a heading and CRLF line ends (RFC 4180)."""
    origin = attribution(simulated=simulated)
    text = io.StringIO()
    writer = csv.writer(text)
    fields = series.fields
    writer.writerow(
        ("slot", "observed_at", "asset_id", "symbol", "name", *fields, "origin", "attribution")
    )
    writer.writerows(
        zip(
            map(iso, series.slots),
            map(iso, series.observed_at),
            repeat(asset.id),
            repeat(safe_cell(asset.symbol)),
            repeat(safe_cell(asset.name)),
            *(_column(name, values) for name, values in fields.items()),
            series.origins,
            repeat(origin),
            strict=False,  # what is repeated has no length of its own
        )
    )
    return text.getvalue().encode()


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


def _column(name: str, values: list[Any]) -> list[Any]:
    """Return a column's cells: unknown is empty, a time is ISO, a double is written in full."""
    if name in _TIMES:
        return [None if value is None else iso(value) for value in values]
    return values
