"""The columns of the market table that one can choose, and how they are written in an address."""

from __future__ import annotations

from collections.abc import Sequence

NAME, SPARKLINE = "name", "sparkline"
COLUMNS = (
    "rank",
    NAME,
    "price",
    "percent_change_1h",
    "percent_change_24h",
    "percent_change_7d",
    "percent_change_30d",
    "market_cap",
    "fully_diluted_market_cap",
    "volume_24h",
    "circulating_supply",
    "max_supply",
    "num_market_pairs",
    SPARKLINE,
)
"""All of them, in the order in which they stand; the name is always shown."""

USUAL = (
    "rank",
    NAME,
    "price",
    "percent_change_1h",
    "percent_change_24h",
    "percent_change_7d",
    "market_cap",
    "volume_24h",
    SPARKLINE,
)


def shown_columns(text: str) -> tuple[str, ...]:
    """Return the columns in ``rank,price``; the usual ones where it names none that there is."""
    asked = set(text.split(","))
    return tuple(c for c in COLUMNS if c in asked or c == NAME) if asked & {*COLUMNS} else USUAL


def shown_as(columns: Sequence[str]) -> str:
    """Return columns as an address holds them: nothing for the usual ones."""
    return "" if tuple(columns) == USUAL else ",".join(columns)
