"""The made-up market's past, as the API's historical endpoints answer it."""

from __future__ import annotations

from typing import Any, NamedTuple

from coinlog.simulated.fiat import CURRENCIES, Rates
from coinlog.simulated.figures import CHANGES, Figures
from coinlog.simulated.market import market_minute
from coinlog.simulated.positions import generation
from coinlog.simulated.profiles import holder, profile_of
from coinlog.simulated.shapes import coins, milliseconds, percent
from coinlog.simulated.world import World
from coinlog.slots import DAY

_CHANGE_NAMES = ("1h", "24h", "7d", "30d")


class Span(NamedTuple):
    """The times of a history, when it is asked for (seconds UTC), and the key of its quotes."""

    marks: list[int]
    now: float
    currency_key: str


def asset_history(world: World, identity: int, span: Span) -> dict[str, Any] | None:
    """Return an asset's points over a span, or ``None`` if no asset has that id.

    Points are left out where the asset was not listed. A point at a time equals what
    ``quotes/latest`` answered then.
    """
    today, market, key = market_minute(span.now) // DAY, world.market, span.currency_key
    if identity in CURRENCIES:
        currency = CURRENCIES[identity]
        points = [_fiat_point(world.rates, identity, mark, key) for mark in span.marks]
        return _asset(identity, currency.name, currency.symbol, (1, 1), points)
    held = holder(identity)
    if held is None or held[0] >= market.assets or held[1] > generation(held[0], today):
        return None
    position, number = held
    times = [t for t in span.marks if generation(position, market_minute(t) // DAY) == number]
    every = market.history(position, [market_minute(time) for time in times])
    points = [_point(f, time, key) for f, time in zip(every, times, strict=True)]
    profile = profile_of(position, number)
    name = profile.name_on(min(today, profile.ended_day - 1))
    active = int(generation(position, today) == number)
    return _asset(identity, name.name, name.symbol, (active, 0), points)


def _asset(
    identity: int, name: str, symbol: str, flags: tuple[int, int], points: list[dict[str, Any]]
) -> dict[str, Any]:
    active, fiat = flags
    return {
        "quotes": points,
        "id": identity,
        "name": name,
        "symbol": symbol,
        "is_active": active,
        "is_fiat": fiat,
    }


def _point(figures: Figures, time: int, key: str) -> dict[str, Any]:
    changes = zip(_CHANGE_NAMES, figures.changes, strict=False)
    return _timed(
        time,
        key,
        {f"percent_change_{name}": percent(change) for name, change in changes}
        | {
            "price": figures.price,
            "volume_24h": figures.volume,
            "market_cap": figures.cap,
            "total_supply": coins(figures.total_supply),
            "circulating_supply": coins(figures.supply) if figures.cap else 0,
        },
    )


def _fiat_point(rates: Rates, identity: int, time: int, key: str) -> dict[str, Any]:
    price, *past = fiat_prices(rates, identity, market_minute(time))
    changes = zip(_CHANGE_NAMES, past, strict=False)
    return _timed(
        time,
        key,
        {f"percent_change_{name}": percent((price / then - 1) * 100) for name, then in changes}
        | {"price": price, "volume_24h": 0.0, "market_cap": 0.0}
        | {"total_supply": 0, "circulating_supply": 0},
    )


def fiat_prices(rates: Rates, identity: int, at: int) -> list[float]:
    """Return a currency's worth in USD at a market time and before each stretch of change."""
    return [rates.at(identity, at - back) for back in (0, *CHANGES)]


def _timed(time: int, key: str, numbers: dict[str, Any]) -> dict[str, Any]:
    stamp = milliseconds(time)
    return {"timestamp": stamp, "quote": {key: numbers | {"timestamp": stamp}}}
