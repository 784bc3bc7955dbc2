"""From the name of a file under ``/data/`` to its content."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from coinlog.chunks.assets import days_chunk, month_chunk, read_month, read_year
from coinlog.chunks.latest import latest_chunk
from coinlog.chunks.log import log_chunk
from coinlog.chunks.market import market_chunk, slot_chunk
from coinlog.chunks.names import Month, Named
from coinlog.chunks.record import Record
from coinlog.chunks.totals import totals_chunk
from coinlog.series import Series

_Asset = Callable[[Record, int, Month, Series], dict[str, Any]]


def read_file(record: Record, named: Named, build: str) -> bytes | None:
    """Return a file's content, made from the store; ``None`` where there is no such file."""
    chunk = _chunk(record, named, build)
    return None if chunk is None else encode(chunk)


def encode(chunk: dict[str, Any]) -> bytes:
    """Return a file's content: JSON with every number in full."""
    return msgspec.json.encode(chunk)


def _chunk(record: Record, named: Named, build: str) -> dict[str, Any] | None:
    match named.kind:
        case "latest":
            return latest_chunk(record, build)
        case "market":
            return market_chunk(record)
        case "slot":
            return slot_chunk(record, named.slot)
        case "year":
            return read_year(record, named.asset_id, named.year)
        case _:
            return _monthly(record, named)


def _monthly(record: Record, named: Named) -> dict[str, Any] | None:
    if named.month is None:
        return None
    if named.kind == "totals":
        return totals_chunk(record, named.month)
    if named.kind == "log":
        return log_chunk(record, named.month)
    make: _Asset = month_chunk if named.kind == "month" else days_chunk
    series = read_month(record, named.asset_id, named.month)
    return None if series is None else make(record, named.asset_id, named.month, series)
