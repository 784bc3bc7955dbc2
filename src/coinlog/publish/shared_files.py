"""The files that concern no asset in particular: the ledger, the market's figures, the newest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from coinlog.chunks.files import encode
from coinlog.chunks.latest import latest_chunk
from coinlog.chunks.log import log_chunk, months_logged
from coinlog.chunks.market import market_chunk
from coinlog.chunks.names import LATEST, MARKET, Month, log_path, months_between, totals_path
from coinlog.chunks.record import Record
from coinlog.chunks.totals import months_of_totals, totals_chunk
from coinlog.publish.asset_files import DATA, File

_Chunk = dict[str, Any] | None


def monthly_files(record: Record, since: Month | None) -> Iterator[File]:
    """Yield the months of the ledger from a month on, and all of the market's figures."""
    yield from _months(months_logged(record), since, log_path, lambda m: log_chunk(record, m))
    # Backfilled figures leave no mark by month, and there are few of these files.
    figures = months_of_totals(record)
    yield from _months(figures, None, totals_path, lambda m: totals_chunk(record, m))


def _months(
    known: tuple[Month, Month] | None,
    since: Month | None,
    path: Callable[[Month], str],
    make: Callable[[Month], _Chunk],
) -> Iterator[File]:
    if known is None:
        return
    for month in months_between(max(known[0], since or known[0]), known[1]):
        chunk = make(month)
        if chunk is not None:
            yield DATA + path(month), encode(chunk)


def newest_files(record: Record, build: str) -> Iterator[File]:
    """Yield what tells of the newest slot: last of all, when the rest is there."""
    yield DATA + MARKET, encode(market_chunk(record))
    yield DATA + LATEST, encode(latest_chunk(record, build))
