"""The shapes of the API: an asset's row and quote, and how times and numbers are written."""

from __future__ import annotations

from functools import lru_cache
from math import floor

import msgspec
from msgspec import UNSET, UnsetType

from coinlog.slots import iso

_WHOLE_FROM = 1e6
_LISTED_QUOTES = 3
"""The version of the API in which an asset's quotes are a list."""


class RowQuote(msgspec.Struct):
    """What an asset is worth: in v3 an item of a list, in v1 a value keyed by its currency."""

    id: int | UnsetType
    symbol: str | UnsetType
    price: float
    volume_24h: float
    volume_change_24h: float
    cex_volume_24h: float
    dex_volume_24h: float
    percent_change_1h: float
    percent_change_24h: float
    percent_change_7d: float
    percent_change_30d: float
    percent_change_60d: float
    percent_change_90d: float
    market_cap: float
    market_cap_dominance: float
    fully_diluted_market_cap: float
    minted_market_cap: float
    tvl: float | None
    last_updated: str


class Row(msgspec.Struct):
    """An asset with its quote."""

    id: int
    name: str
    symbol: str
    slug: str
    num_market_pairs: int
    date_added: str
    tags: msgspec.Raw
    max_supply: float | None
    circulating_supply: float
    total_supply: float
    infinite_supply: bool
    platform: msgspec.Raw
    cmc_rank: int | None
    self_reported_circulating_supply: float | None
    self_reported_market_cap: float | None
    tvl_ratio: float | None
    last_updated: str
    quote: list[RowQuote] | dict[str, RowQuote]
    is_active: int | UnsetType = UNSET
    is_fiat: int | UnsetType = UNSET
    is_market_cap_included_in_calc: int | UnsetType = UNSET


class Style(msgspec.Struct, frozen=True):
    """Which of the API's shapes an answer has.

    ``version`` is 1 or 3; ``full`` is the shape of ``quotes/latest``, whose rows say whether
    they are active, and whose tags are objects in v3; ``currency_key`` is v1's key of a quote.
    """

    version: int
    full: bool
    currency_key: str = "USD"

    @property
    def listed(self) -> bool:
        """Return whether quotes come as a list."""
        return self.version == _LISTED_QUOTES


@lru_cache(maxsize=4096)
def milliseconds(time: float) -> str:
    """Return a time as the API writes it: ``2026-01-26T18:00:00.000Z``."""
    return f"{iso(time)[:-1]}.{int(time * 1000) % 1000:03d}Z"


def percent(value: float) -> float:
    """Return a percentage with the eight decimals that the API gives."""
    return floor(value * 1e8 + 0.5) / 1e8


def coins(value: float) -> float:
    """Return a number of coins: whole where there are many, as an integer as in the API."""
    return floor(value) if value > _WHOLE_FROM else value
