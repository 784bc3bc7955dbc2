"""The columns of what is exported: their names, their kinds, and what they mean."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from coinlog.market import QUOTE_FIELDS, GlobalMetrics


class Kind(StrEnum):
    """What a column holds; every one may hold ``None`` where nothing is known."""

    TIME = "time"
    DOUBLE = "double"
    INTEGER = "integer"
    LONG = "long"
    TEXT = "text"
    FLAG = "flag"


class Column(msgspec.Struct, frozen=True):
    """A column: its name and what it holds."""

    name: str
    kind: Kind

    @property
    def meaning(self) -> str:
        """What its numbers mean, with their unit."""
        return MEANINGS[self.name]


_TIMES = ("slot", "observed_at", "captured_at", "stored_at", "first_slot", "last_slot")
_INTEGERS = ("asset_id", "resolution", "rank", "num_market_pairs", "attempts", "assets", "credits")
_LONGS = ("body_bytes", "duration_ms")
_TEXTS = ("symbol", "name", "slug", "origin", "source", "outcome", "reason", "detail")

KINDS = {
    **dict.fromkeys(
        (*QUOTE_FIELDS, *GlobalMetrics.__struct_fields__, "fear_and_greed"), Kind.DOUBLE
    ),
    **dict.fromkeys(_TIMES, Kind.TIME),
    **dict.fromkeys(("last_updated", "fear_and_greed_updated_at"), Kind.TIME),
    **dict.fromkeys(_INTEGERS, Kind.INTEGER),
    **{name: Kind.INTEGER for name in GlobalMetrics.__struct_fields__ if name.startswith("active")},
    **dict.fromkeys(_LONGS, Kind.LONG),
    **dict.fromkeys(_TEXTS, Kind.TEXT),
    **dict.fromkeys(("attempt", "sha256", "notes", "fear_and_greed_label"), Kind.TEXT),
    "is_fiat": Kind.FLAG,
}

MEANINGS = {
    "slot": "the scheduled instant it belongs to, UTC",
    "observed_at": "the source's own time of the answer, or of a backfilled point, UTC",
    "asset_id": "CoinMarketCap id: the asset's identity",
    "symbol": "what the asset was called at the slot",
    "name": "likewise",
    "slug": "likewise",
    "price": "USD",
    "market_cap": "USD",
    "fully_diluted_market_cap": "USD",
    "volume_24h": "USD in 24 hours",
    "circulating_supply": "coins",
    "total_supply": "coins",
    "max_supply": "coins",
    "rank": "by market cap, as the source ranks",
    "num_market_pairs": "how many market pairs it has",
    **{f"percent_change_{span}": f"percent in {span}" for span in ("1h", "24h", "7d", "30d")},
    "last_updated": "the source's own time of this row, UTC",
    "origin": "observed at its slot, or backfilled later from the source's history",
    "resolution": "seconds that it stands for",
    "source": "coinmarketcap, or SIMULATED: a made-up market",
    "is_fiat": "whether it is a fiat currency",
    "first_slot": "its first slot recorded, UTC",
    "last_slot": "its newest slot recorded, UTC",
    "outcome": "stored, partial, failed or missed",
    "reason": "why it is not stored whole, as a code: see docs/api.md",
    "detail": "the same in words",
    "attempt": "the attempt whose outcome stands",
    "attempts": "how many there were",
    "captured_at": "our clock at the answer, UTC",
    "stored_at": "our clock when it was stored, UTC",
    "assets": "how many assets have a quote",
    "credits": "what it cost",
    "body_bytes": "bytes received, inflated",
    "duration_ms": "milliseconds that asking took",
    "sha256": "of the attempt's manifest in the archive",
    "notes": "what was odd about the answer, as a JSON list",
    "total_market_cap": "USD",
    "total_volume_24h": "USD in 24 hours",
    "altcoin_market_cap": "USD",
    "bitcoin_dominance": "percent",
    "ethereum_dominance": "percent",
    "active_cryptocurrencies": "how many",
    "active_exchanges": "how many",
    "active_market_pairs": "how many",
    "fear_and_greed": "0 (fear) to 100 (greed)",
    "fear_and_greed_label": "the same in words",
    "fear_and_greed_updated_at": "the source's own time of it, UTC",
}


def columns(*names: str) -> tuple[Column, ...]:
    """Return the columns with these names."""
    return tuple(Column(name, KINDS[name]) for name in names)
