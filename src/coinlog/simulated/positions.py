"""The places of the made-up market: how large, how restless, and who comes and goes.

A position is a place in the market, not an asset: position 0 is Bitcoin and 1 is Ethereum for
ever, all others are held by one asset after another, each leaving after some years. So the
number of listed assets is always exactly the number of positions.
"""

from __future__ import annotations

import math
from functools import lru_cache

from coinlog.simulated.noise import digest

BITCOIN_POSITION, ETHEREUM_POSITION = 0, 1
STABLE_POSITIONS = frozenset(
    {2, 5, 14, 23, 37, 52, 75, 118, 151, 190, 260, 340, 470, 620, 810, 1090, 1500, 2200, 3100}
)

FIRST_DAY = 15_823
"""2013-04-28, the day from which CoinMarketCap has data; in days since 1970-01-01."""

_LONG_LIVED = frozenset({*range(30), 131, 173, 333, 512})
_NEVER = 10**9
_UNKNOWN_FROM, _SILENT_FROM = 260, 1500

_BASE_CAPS = {0: 1.62e12, 1: 3.35e11, 2: 1.72e11, 5: 6.9e10}
_SPREADS = {0: 0.004, 1: 0.012}
_BETAS = {0: 1.0, 1: 1.18}
_TURNOVERS = {0: 0.022, 1: 0.045}


def is_stable(position: int) -> bool:
    """Return whether the position is held by stablecoins."""
    return position in STABLE_POSITIONS


def is_decentralized(position: int) -> bool:
    """Return whether the position counts as decentralized finance."""
    return position > ETHEREUM_POSITION and position % 9 == 0 and not is_stable(position)


@lru_cache(maxsize=16384)
def supply_unknown(position: int) -> bool:
    """Return whether the circulating supply, and so the market cap, is unknown (0)."""
    return position >= _UNKNOWN_FROM and digest("unknown", position, size=1)[0] < 64


@lru_cache(maxsize=16384)
def lifetime_days(position: int) -> int:
    """Return for how many days one asset holds a position."""
    if position <= ETHEREUM_POSITION:
        return _NEVER
    luck = digest("life", position, size=1)[0] / 255
    years = 16 + 8 * luck if position in _LONG_LIVED else 3 + 7 * luck
    return int(years * 365) + position % 97


@lru_cache(maxsize=16384)
def first_listing(position: int) -> int:
    """Return the day since 1970-01-01 on which the position's first asset was listed."""
    luck = digest("phase", position, size=1)[0] / 256
    if position == BITCOIN_POSITION:
        return 14_803  # 2010-07-13
    if position == ETHEREUM_POSITION:
        return 16_654  # 2015-08-07
    if position in _LONG_LIVED:
        return FIRST_DAY + int(900 * luck)
    return FIRST_DAY - int(lifetime_days(position) * luck)


def generation(position: int, day: int) -> int:
    """Return which of a position's assets, counted from 0, is listed on a day."""
    return (day - first_listing(position)) // lifetime_days(position)


def listing_days(position: int, number: int) -> tuple[int, int]:
    """Return the first day on which an asset is listed, and the first on which no more."""
    start = first_listing(position) + number * lifetime_days(position)
    return start, start + lifetime_days(position)


class Positions:
    """What stays the same about each position, as columns.

    ``base`` is the usual market cap (logarithm of USD at the end of 2026), ``spread`` the own
    daily volatility, ``beta`` the share in the market's moves, ``growth`` the share in its
    growth, ``turnover`` the usual daily volume as a share of the cap, ``hype`` how much higher
    (or lower) a new listing starts.
    """

    def __init__(self, seed: int, positions: range | list[int]) -> None:
        self.members = positions
        self.base: list[float] = []
        self.spread: list[float] = []
        self.beta: list[float] = []
        self.growth: list[float] = []
        self.turnover: list[float] = []
        self.hype: list[float] = []
        self.life = [lifetime_days(position) for position in positions]
        self.phase = [first_listing(position) for position in positions]
        for position in positions:
            self._add(position, [byte / 255 for byte in digest(seed, "trait", position, size=8)])

    def _add(self, position: int, luck: list[float]) -> None:
        stable = is_stable(position)
        own = 0.013 + 0.0046 * math.log(position + 1) + 0.012 * luck[0]
        busy = 0.22 if stable else 0.015 + 0.09 * luck[4] ** 2
        silent = position >= _SILENT_FROM and luck[1] < 0.25
        self.base.append(round(math.log(_base_cap(position, luck[2])), 9))
        self.spread.append(0.003 if stable else _SPREADS.get(position, round(own, 9)))
        self.beta.append(0.0 if stable else _BETAS.get(position, 0.75 + 0.6 * luck[3]))
        self.growth.append(0.7 if stable else 1.0)
        self.turnover.append(0.0 if silent else _TURNOVERS.get(position, busy))
        self.hype.append(0.0 if stable else 2.2 * luck[5] - 0.9)


def _base_cap(position: int, luck: float) -> float:
    """Return the usual market cap in USD: a power law with a thinning tail, as in reality."""
    if position in _BASE_CAPS:
        return _BASE_CAPS[position]
    place = max(1, position - 1)
    return float(2.6e11 * place**-1.5 * math.exp(-place / 1500) * (0.6 + 0.8 * luck))
