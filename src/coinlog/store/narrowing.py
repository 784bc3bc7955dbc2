"""Which assets of a market are asked for, and in what order; what was typed is bound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from coinlog.market import QUOTE_FIELDS
from coinlog.store import schema

SORTS = ("rank", "name", "symbol", *(f for f in QUOTE_FIELDS if f not in ("rank", "last_updated")))

GAINERS, LOSERS = "gainers", "losers"
CHANGE_OF_THE_DAY = "percent_change_24h"

BANDS: dict[str, tuple[float, float] | None] = {
    "10b": (1e10, float("inf")),
    "1b": (1e9, 1e10),
    "100m": (1e8, 1e9),
    "10m": (1e7, 1e8),
    "small": (0.0, 1e7),
    "unknown": None,
}
"""Bands of the market cap in USD, the upper end excluded; ``None``: those whose cap is unknown."""

Condition = sa.ColumnElement[bool]
Names = Mapping[str, sa.ColumnElement[Any]] | sa.ColumnCollection[str, Any]
"""What an asset is called, by ``name`` and ``symbol``."""

_TEXTS = ("name", "symbol")


def natural_sort(only: str) -> str:
    """Return the order of a market that none is asked for of."""
    return {GAINERS: f"-{CHANGE_OF_THE_DAY}", LOSERS: CHANGE_OF_THE_DAY}.get(only, "rank")


def matching(q: str, called: Iterable[Names] = (schema.asset.c,)) -> list[Condition]:
    """Return the conditions of a search: part of a name or symbol, or the id itself."""
    words = q.strip().lower()
    if not words:
        return []
    matches = [
        sa.func.lower(names[name]).contains(words, autoescape=True)
        for names in called
        for name in _TEXTS
    ]
    if words.isascii() and words.isdigit() and len(words) < 10:  # noqa: PLR2004  ids fit 31 bits
        matches.append(schema.asset.c.id == int(words))
    return [sa.or_(*matches)]


def narrowed(
    quotes: sa.FromClause, only: str = "", cap: str = "", ids: Sequence[int] | None = None
) -> list[Condition]:
    """Return the conditions for the day's gainers or losers, a band of caps, and some ids alone."""
    change, market_cap = quotes.c[CHANGE_OF_THE_DAY], quotes.c.market_cap
    found: list[Condition] = []
    if only in (GAINERS, LOSERS):
        found.append(change > 0 if only == GAINERS else change < 0)
    if cap:
        found += _in_band(market_cap, BANDS[cap])
    if ids is not None:
        found.append(quotes.c.asset_id.in_(ids))
    return found


def _in_band(
    market_cap: sa.ColumnElement[Any], band: tuple[float, float] | None
) -> list[Condition]:
    if band is None:
        return [market_cap.is_(None)]
    low, high = band
    return [market_cap >= low, *([market_cap < high] if high != float("inf") else [])]


def ordering(
    sort: str, quotes: sa.FromClause, names: Names = schema.asset.c
) -> list[sa.ColumnElement[Any]]:
    """Return a total order: unknown values last in both directions, ties by rank and id.

    Raises:
        ValueError: there is no such order.
    """
    name = sort.removeprefix("-")
    if name not in SORTS:
        raise ValueError(f"sort is {sort!r}, expected one of {SORTS}")
    column: sa.ColumnElement[Any]
    column = sa.func.lower(names[name]) if name in _TEXTS else quotes.c[name]
    ordered = column.desc() if sort.startswith("-") else column.asc()
    rank = quotes.c.rank
    return [column.is_(None), ordered, rank.is_(None), rank, quotes.c.asset_id]
