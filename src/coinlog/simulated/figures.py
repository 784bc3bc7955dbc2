"""From the logarithms of market caps to what an answer shows: prices, volumes, changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from coinlog.simulated.caps import Caps
from coinlog.simulated.noise import exps
from coinlog.simulated.positions import (
    BITCOIN_POSITION,
    generation,
    is_stable,
    supply_unknown,
)
from coinlog.simulated.profiles import Profile, mined_bitcoin, profile_of
from coinlog.slots import DAY, HOUR

CHANGES = (HOUR, DAY, 7 * DAY, 30 * DAY, 60 * DAY, 90 * DAY)
"""The stretches of percent_change_1h, 24h, 7d, 30d, 60d and 90d, in seconds."""

_DEPEG = 2e-5
_WILDEST = 0.5


class Figures(NamedTuple):
    """An asset's numbers at a time: USD, coins and percent; ``cap`` 0 means unknown."""

    profile: Profile
    price: float
    cap: float
    supply: float
    volume: float
    volume_before: float
    changes: tuple[float, ...]

    @property
    def final_supply(self) -> float:
        """Return the number of coins that there will be, as far as is known."""
        return self.supply * 1.013 if self.profile.infinite else self.profile.final_supply

    @property
    def total_supply(self) -> float:
        """Return the number of coins that there are, with those not in circulation."""
        return min(self.final_supply, self.supply * 1.06)


class Move(NamedTuple):
    """Caps in USD and their logarithms, one for each asset."""

    worth: Sequence[float]
    logs: Sequence[float]


class Group:
    """Some assets of a market at one time, and their prices at that time and before."""

    def __init__(self, caps: Caps, chosen: Sequence[int], at: int) -> None:
        places, day = caps.places, at // DAY
        self.caps = caps
        self.chosen = chosen
        self.positions = [places.members[index] for index in chosen]
        self.profiles = [profile_of(p, generation(p, day)) for p in self.positions]
        self._stable = [row for row, p in enumerate(self.positions) if is_stable(p)]
        youngest = at - 90 * DAY
        listed = [profile.listed_day * DAY for profile in self.profiles]
        self._young = [(row, time) for row, time in enumerate(listed) if time > youngest]

    def at(self, at: int) -> tuple[list[float], list[float], list[float]]:
        """Return the caps' logarithms, the caps and the prices at a time.

        Where an asset was not yet listed, those of its very first moment stand in.
        """
        logs = self.caps.at(at, self.chosen)
        supplies = self._supplies(at)
        for row, listed in self._young:
            if at < listed:
                logs[row] = self.caps.opening(self.chosen[row], listed // DAY)
                supplies[row] = self.profiles[row].supply_at(listed)
        worth = exps(logs)
        prices = [cap / supply for cap, supply in zip(worth, supplies, strict=True)]
        if self._stable:
            waves = self.caps.waves(at, [self.chosen[row] for row in self._stable])
            for row, wave in zip(self._stable, waves, strict=True):
                prices[row] = 1 + _DEPEG * wave
        return logs, worth, prices

    def _supplies(self, at: int) -> list[float]:
        """Return what ``Profile.supply_at`` does, for all at once."""
        supplies = [
            p.final_supply
            * (1 + p.minting * (age := at - p.listed_day * DAY) - p.withheld / (1 + age / p.pace))
            for p in self.profiles
        ]
        for row, position in enumerate(self.positions):
            if position == BITCOIN_POSITION:
                supplies[row] = mined_bitcoin(at)
        return supplies


def figures(caps: Caps, chosen: Sequence[int], at: int) -> list[Figures]:
    """Return the numbers at a time of the assets at some indices of ``caps``."""
    group = Group(caps, chosen, at)
    logs, worth, prices = group.at(at)
    before, worth_before, _ = day_ago = group.at(at - DAY)
    past = [day_ago if change == DAY else group.at(at - change) for change in CHANGES]
    earlier = group.at(at - 2 * DAY)[0]
    changes = zip(*(_percent(prices, then) for _, _, then in past), strict=True)
    columns = zip(
        group.profiles,
        group.positions,
        prices,
        worth,
        volumes(caps, chosen, at, Move(worth, logs), before),
        volumes(caps, chosen, at - DAY, Move(worth_before, before), earlier),
        changes,
        strict=True,
    )
    return [
        Figures(
            profile,
            price,
            0.0 if supply_unknown(position) else cap,
            cap / price,
            volume,
            volume_before,
            change,
        )
        for profile, position, price, cap, volume, volume_before, change in columns
    ]


def _percent(now: list[float], then: list[float]) -> list[float]:
    return [(a / b - 1) * 100 for a, b in zip(now, then, strict=True)]


def volumes(
    caps: Caps, chosen: Sequence[int], at: int, now: Move, then: Sequence[float]
) -> list[float]:
    """Return the trade of the last day in USD: a share of the cap, more on wild days.

    ``now`` are the caps and their logarithms at the time, ``then`` the logarithms a day earlier.
    """
    day, rest = divmod(at, DAY)
    share = rest / DAY
    early, late = caps.field.column("mood", day), caps.field.column("mood", day + 1)
    turnover, most = caps.places.turnover, _WILDEST
    return [
        cap
        * turnover[i]
        * (
            0.45
            + (early[i] + (late[i] - early[i]) * share) * 0.0035
            + 5 * (move if (move := a - b if a > b else b - a) < most else most)
        )
        for i, cap, a, b in zip(chosen, now.worth, now.logs, then, strict=True)
    ]
