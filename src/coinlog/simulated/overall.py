"""The made-up market as a whole: the API's global metrics, added up from its assets."""

from __future__ import annotations

from typing import Any

from coinlog.simulated.market import Market, market_minute
from coinlog.simulated.noise import digest
from coinlog.simulated.shapes import milliseconds
from coinlog.slots import DAY

_REPORTED = 4.6
"""How many times the real volume exchanges report."""


def latest(market: Market, now: float, key: str) -> dict[str, Any]:
    """Return the data of ``global-metrics/quotes/latest``."""
    at = market_minute(now)
    numbers, dominance = _dominance(market, at), _dominance(market, at - DAY)
    updated = milliseconds(at)
    money = _money(market, at)
    shared = {name: value for name, value in money.items() if name.startswith(_SHARED)}
    return {
        **_counts(market, at // DAY),
        "btc_dominance": numbers[0],
        "eth_dominance": numbers[1],
        "btc_dominance_yesterday": dominance[0],
        "eth_dominance_yesterday": dominance[1],
        "btc_dominance_24h_percentage_change": numbers[0] - dominance[0],
        "eth_dominance_24h_percentage_change": numbers[1] - dominance[1],
        **shared,
        **_newcomers(market, at // DAY),
        "quote": {key: {**money, "last_updated": updated}},
        "last_updated": updated,
    }


def at_mark(market: Market, mark: int, key: str) -> dict[str, Any]:
    """Return one point of ``global-metrics/quotes/historical``."""
    at, stamp = market_minute(mark), milliseconds(mark)
    bitcoin, ethereum = _dominance(market, at)
    counts = _counts(market, at // DAY)
    money = _money(market, at)
    return {
        "timestamp": stamp,
        "btc_dominance": bitcoin,
        "eth_dominance": ethereum,
        **{name: counts[name] for name in _HISTORICAL_COUNTS},
        "quote": {key: {**{name: money[name] for name in _HISTORICAL}, "timestamp": stamp}},
    }


_SHARED = ("defi_", "stablecoin_", "derivatives_")
_HISTORICAL_COUNTS = ("active_cryptocurrencies", "active_exchanges", "active_market_pairs")
_HISTORICAL = (
    "total_market_cap",
    "total_volume_24h",
    "total_volume_24h_reported",
    "altcoin_market_cap",
    "altcoin_volume_24h",
    "altcoin_volume_24h_reported",
)


def _dominance(market: Market, at: int) -> tuple[float, float]:
    totals = market.totals(at)
    return totals.bitcoin_cap / totals.cap * 100, totals.ethereum_cap / totals.cap * 100


def _money(market: Market, at: int) -> dict[str, Any]:
    now, before = market.totals(at), market.totals(at - DAY)
    altcoins = round(now.volume - now.bitcoin_volume)
    return {
        "total_market_cap": now.cap,
        **_volume("total", now.volume),
        "altcoin_market_cap": round(now.cap - now.bitcoin_cap),
        **_volume("altcoin", altcoins),
        "defi_market_cap": now.defi_cap,
        **_volume("defi", now.defi_volume),
        "defi_24h_percentage_change": _change(now.defi_volume, before.defi_volume),
        "stablecoin_market_cap": now.stable_cap,
        **_volume("stablecoin", now.stable_volume),
        "stablecoin_24h_percentage_change": _change(now.stable_volume, before.stable_volume),
        "derivatives_volume_24h": now.volume * 11,
        "derivatives_volume_24h_reported": now.volume * 11,
        "derivatives_24h_percentage_change": _change(now.volume, before.volume),
        "total_market_cap_yesterday": before.cap,
        "total_market_cap_yesterday_percentage_change": _change(now.cap, before.cap),
        "total_volume_24h_yesterday": before.volume,
        "total_volume_24h_yesterday_percentage_change": _change(now.volume, before.volume),
    }


def _volume(name: str, volume: int) -> dict[str, Any]:
    return {f"{name}_volume_24h": volume, f"{name}_volume_24h_reported": round(volume * _REPORTED)}


def _change(now: float, before: float) -> float:
    return (now / before - 1) * 100 if before else 0.0


def _counts(market: Market, day: int) -> dict[str, int]:
    return {
        "active_cryptocurrencies": market.assets,
        "total_cryptocurrencies": market.assets + market.census(day).gone,
        "active_market_pairs": 9 * market.assets + 40 * (day % 97),
        "active_exchanges": 780 + digest("exchanges", day // 5, size=1)[0] // 4,
        "total_exchanges": 9_000 + (day - 16_000) // 3,
        "total_crypto_dex_currencies": 1_400 * (day - 16_000),
    }


def _newcomers(market: Market, day: int) -> dict[str, Any]:
    census, midnight = market.census(day), milliseconds(day * DAY)
    return {
        "today_incremental_crypto_number": census.today,
        "past_24h_incremental_crypto_number": census.today,
        "past_7d_incremental_crypto_number": census.week,
        "past_30d_incremental_crypto_number": census.month,
        "today_change_percent": census.today / market.assets * 100,
        "tracked_yearly_number": {
            "maxIncrementalNumber": census.month,
            "minIncrementalNumber": 0,
            "maxIncrementalDate": midnight,
            "minIncrementalDate": midnight,
        },
    }
