"""The market caps of all positions over time: market, own noise, jumps, births and deaths."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from coinlog.simulated.noise import STEPS, Field, Walk, digest
from coinlog.simulated.positions import Positions
from coinlog.slots import DAY, HOUR

_BIRTH_DAYS, _DEATH_DAYS = 60, 150
_JUMP_DAYS, _JUMP_EVERY, _JUMP_SPAN = 45, 400, 340
_RECENT_NUMBERS = 2_000_000
_SHOCK_EVERY, _SHOCK_RISE, _SHOCK_FADE = 150 * DAY, 9 * HOUR, 30 * DAY


def _growth_table() -> list[tuple[int, float]]:
    """Return (day, logarithm) of the market's long growth, 0 at the end of 2026.

    Bitcoin's price has followed a power of its age quite well. Rounding takes away what differs
    between mathematical libraries.
    """
    table = []
    for year in range(2010, 2112):
        day = int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) // DAY
        table.append((day, round(4.6 * math.log((year - 2009) / 17.9), 6)))
    return table


_GROWTH = _growth_table()
_GROWTH_DAYS = [day for day, _ in _GROWTH]


def growth(day: int) -> float:
    """Return the logarithm of the market's long growth on a day (since 1970-01-01)."""
    index = bisect_right(_GROWTH_DAYS, day)
    (d0, low), (d1, high) = _GROWTH[index - 1], _GROWTH[index]
    return low + (high - low) * (day - d0) / (d1 - d0)


class Pulse:
    """The move that the whole market shares: a random walk, and now and then a shock."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._walk = Walk(seed, "market", 0.021)

    def at(self, at: int) -> float:
        """Return the logarithm of the market's level at a time in seconds."""
        return self._walk.at(at) + self._shock(at)

    def _shock(self, at: int) -> float:
        block, rest = divmod(at, _SHOCK_EVERY)
        luck = digest(self._seed, "shock", block, size=3)
        age = rest - (_SHOCK_EVERY - _SHOCK_RISE - _SHOCK_FADE) * luck[0] // 256
        if not 0 < age < _SHOCK_RISE + _SHOCK_FADE:
            return 0.0
        # Markets fall faster than they rise.
        size = (0.05 + 0.12 * luck[1] / 255) * (-1 if luck[2] < 160 else 0.45)
        fade = 1 - max(0, age - _SHOCK_RISE) / _SHOCK_FADE
        return size * min(1.0, age / _SHOCK_RISE) * fade * fade


class Day(NamedTuple):
    """The logarithms of all caps, without the market's pulse, at a day's start and end.

    The end of a day is not the start of the next where an asset leaves and another comes.
    """

    start: array[float]
    end: array[float]


class Caps:
    """The logarithms of the market caps (USD) of some positions, at any whole minute."""

    def __init__(self, seed: int, positions: range | list[int]) -> None:
        self.places = Positions(seed, positions)
        self.field = Field(seed, positions)
        self.pulse = Pulse(seed)
        self.day = lru_cache(maxsize=112)(self._compute_day)
        self._recent: dict[int, array[float]] = {}
        self._recent_limit = max(64, min(1024, _RECENT_NUMBERS // max(1, len(positions))))

    def all_at(self, at: int) -> array[float]:
        """Return the logarithms of all caps at a time.

        They are kept for a while: a recorder that asks for one slot after another needs each
        time again for the changes of one, seven and ninety days.
        """
        logs = self._recent.get(at)
        if logs is None:
            logs = self._recent[at] = array("d", self._compute(at, None))
            while len(self._recent) > self._recent_limit:
                del self._recent[next(iter(self._recent))]
        return logs

    def at(self, at: int, chosen: Sequence[int]) -> list[float]:
        """Return the logarithms of the caps at some indices, at a time."""
        logs = self._recent.get(at)
        return self._compute(at, chosen) if logs is None else [logs[index] for index in chosen]

    def _compute(self, at: int, chosen: Sequence[int] | None) -> list[float]:
        number, rest = divmod(at, DAY)
        share, pulse, day, places = rest / DAY, self.pulse.at(at), self.day(number), self.places
        columns: list[Sequence[float]] = [day.start, day.end, places.spread, places.beta]
        if chosen is not None:
            columns = [[column[index] for index in chosen] for column in columns]
        inner = self.field.intraday(at, chosen)
        return [
            start + (end - start) * share + spread * wave + beta * pulse
            for start, end, spread, beta, wave in zip(*columns, inner, strict=True)
        ]

    def opening(self, index: int, day: int) -> float:
        """Return the logarithm of a cap at the very start of a day, as all tents are 0 then."""
        return self.day(day).start[index] + self.places.beta[index] * self.pulse.at(day * DAY)

    def waves(self, at: int, chosen: Sequence[int]) -> list[float]:
        """Return the own noise at some indices, in daily standard deviations."""
        day, rest = divmod(at, DAY)
        early, late = self.field.midnight(day), self.field.midnight(day + 1)
        return [
            early[index] + (late[index] - early[index]) * (rest / DAY) + inner
            for index, inner in zip(chosen, self.field.intraday(at, chosen), strict=True)
        ]

    def _compute_day(self, day: int) -> Day:
        start, end = self._quiet(day), self._quiet(day + 1)
        for index, before, after in self._lives(day) + self._jumps(day):
            start[index] += before
            end[index] += after
        return Day(start, end)

    def _quiet(self, day: int) -> array[float]:
        """Return the logarithms of the caps at a midnight, without lives and jumps."""
        places, grown = self.places, growth(day)
        columns = (places.base, places.growth, places.spread, self.field.midnight(day))
        return array("d", [b + g * grown + s * n for b, g, s, n in zip(*columns, strict=True)])

    def _lives(self, day: int) -> list[tuple[int, float, float]]:
        """Return (index, effect at the day's start, at its end) of the new and the dying."""
        ages = [(day - p) % n for p, n in zip(self.places.phase, self.places.life, strict=True)]
        return [
            (index, self._life(index, age), self._life(index, age + 1))
            for index, (age, life) in enumerate(zip(ages, self.places.life, strict=True))
            if age < _BIRTH_DAYS or age >= life - _DEATH_DAYS
        ]

    def _life(self, index: int, age: int) -> float:
        youth = max(0.0, 1 - age / _BIRTH_DAYS)
        decline = max(0.0, 1 - (self.places.life[index] - age) / _DEATH_DAYS)
        return self.places.hype[index] * youth * youth - 2.4 * decline * decline

    def _jumps(self, day: int) -> list[tuple[int, float, float]]:
        """Return (index, effect at the day's start, at its end) of what has just jumped."""
        block, rest = divmod(day, _JUMP_EVERY)
        ages = [rest - byte * _JUMP_SPAN // 256 for byte in self.field.column("jump", block)]
        sizes = self.field.column("size", block)
        result = []
        for index, age in enumerate(ages):
            if 0 <= age < _JUMP_DAYS:
                size = 4.5 * self.places.spread[index] * STEPS[sizes[index]]
                before, after = (1 - age / _JUMP_DAYS) ** 2, (1 - (age + 1) / _JUMP_DAYS) ** 2
                result.append((index, size * before if age else 0.0, size * after))
        return result
