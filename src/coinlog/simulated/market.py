"""The made-up market: what every asset costs at a time, its rank, and the whole in total.

All of it is a pure function of (seed, asset, time). Times are whole minutes in seconds since
1970-01-01 UTC, money is USD. What an API answer shows at a moment is the market one minute
earlier (``market_minute``), as a real source needs a while to publish.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import compress
from typing import NamedTuple

from coinlog.simulated.caps import Caps
from coinlog.simulated.figures import Figures, Move, figures, volumes
from coinlog.simulated.positions import (
    BITCOIN_POSITION,
    ETHEREUM_POSITION,
    is_decentralized,
    is_stable,
    supply_unknown,
)
from coinlog.slots import DAY, MINUTE

FIRST_TIME, LAST_TIME = 1_451_606_400, 4_102_444_800
"""The made-up market exists from 2016-01-01 to 2100-01-01 UTC."""


def market_minute(time: float) -> int:
    """Return the market time that an answer at ``time`` shows: the last whole minute but one."""
    return int(time // MINUTE) * MINUTE - MINUTE


class Totals(NamedTuple):
    """The whole market at a time, in USD."""

    cap: int
    volume: int
    stable_cap: int
    stable_volume: int
    defi_cap: int
    defi_volume: int
    bitcoin_cap: float
    bitcoin_volume: float
    ethereum_cap: float


class Census(NamedTuple):
    """How many assets have left so far, and how many came today and in the last days."""

    gone: int
    today: int
    week: int
    month: int


class Market:
    """A made-up market of ``assets`` assets."""

    def __init__(self, seed: int, assets: int) -> None:
        self.seed = seed
        self.assets = assets
        self.caps = Caps(seed, range(assets))
        self._known = [p for p in range(assets) if not supply_unknown(p)]
        self._known_mask = [not supply_unknown(p) for p in range(assets)]
        self._stable_mask = [is_stable(p) and not supply_unknown(p) for p in range(assets)]
        self._defi_mask = [is_decentralized(p) and not supply_unknown(p) for p in range(assets)]
        self._unknown = [p for p in range(assets) if supply_unknown(p)]
        self.ranking = lru_cache(maxsize=8)(self._compute_ranking)
        self.ranks = lru_cache(maxsize=8)(self._compute_ranks)
        self.totals = lru_cache(maxsize=64)(self._compute_totals)
        self.census = lru_cache(maxsize=8)(self._compute_census)
        self.alone = lru_cache(maxsize=8)(self._compute_alone)

    def _compute_ranking(self, at: int) -> list[int]:
        """Return all positions by market cap; those whose cap is unknown come last."""
        logs = self.caps.all_at(at)
        return sorted(self._known, key=logs.__getitem__, reverse=True) + self._unknown

    def _compute_ranks(self, at: int) -> list[int]:
        """Return each position's rank, from 1."""
        ranks = [0] * self.assets
        for rank, position in enumerate(self.ranking(at), 1):
            ranks[position] = rank
        return ranks

    def _compute_census(self, day: int) -> Census:
        """Return the comings and goings up to a day (since 1970-01-01 UTC)."""
        places = self.caps.places
        lives = [divmod(day - p, n) for p, n in zip(places.phase, places.life, strict=True)]
        ages = [age for _, age in lives]
        counts = [sum(age < days for age in ages) for days in (1, 7, 30)]
        return Census(sum(number for number, _ in lives), *counts)

    def _compute_alone(self, position: int) -> Caps:
        """Return the caps of one position alone, which are cheap to compute for many times."""
        return Caps(self.seed, [position])

    def figures(self, positions: Sequence[int], at: int) -> list[Figures]:
        """Return the numbers of some positions' assets at a time."""
        return figures(self.caps, positions, at)

    def history(self, position: int, times: Sequence[int]) -> list[Figures]:
        """Return the numbers of one position's assets at many times."""
        alone = self.alone(position)
        return [figures(alone, [0], at)[0] for at in times]

    def _compute_totals(self, at: int) -> Totals:
        caps = list(map(math.exp, self.caps.all_at(at)))
        volume = self._volumes(at, caps)
        stable, defi = self._stable_mask, self._defi_mask
        return Totals(
            cap=_sum(compress(caps, self._known_mask)),
            volume=_sum(volume),
            stable_cap=_sum(compress(caps, stable)),
            stable_volume=_sum(compress(volume, stable)),
            defi_cap=_sum(compress(caps, defi)),
            defi_volume=_sum(compress(volume, defi)),
            bitcoin_cap=caps[BITCOIN_POSITION],
            bitcoin_volume=volume[BITCOIN_POSITION],
            ethereum_cap=caps[ETHEREUM_POSITION],
        )

    def _volumes(self, at: int, caps: list[float]) -> list[float]:
        logs, before = self.caps.all_at(at), self.caps.all_at(at - DAY)
        return volumes(self.caps, range(self.assets), at, Move(caps, logs), before)


def _sum(numbers: Iterable[float]) -> int:
    return round(math.fsum(numbers))
