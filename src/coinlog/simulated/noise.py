"""Fractal noise as a pure function of (seed, position, time), cheap for a whole market.

A random walk is built as the sum of tents (the Faber-Schauder construction of Brownian motion):
512-day anchors, then half-way points displaced at 512 days, 256, ... down to 11 minutes. Each
level needs one random byte an asset and interval, and one call of SHAKE-128 makes the bytes of
all assets at once; the first n bytes never depend on how many are asked for. Only additions,
multiplications and square roots touch the numbers, so the bits are the same on any platform.
"""

from __future__ import annotations

import hashlib
import math
from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache
from statistics import NormalDist

from coinlog.slots import DAY

ANCHOR_DAYS = 512
_ANCHOR_SPREAD = 12.0
_INTRADAY_LEVELS = 7
_CACHED_DAYS = 224
_CACHED_COLUMNS = 1024


def _heavy_tailed_table() -> tuple[float, ...]:
    """Return 256 quantiles of a heavy-tailed distribution with variance 1.

    Markets jump more often than the normal distribution allows; hence the cube. Rounding takes
    away what differs between mathematical libraries.
    """
    normal = [NormalDist().inv_cdf((byte + 0.5) / 256) for byte in range(256)]
    heavy = [x * (1 + 0.1 * x * x) for x in normal]
    spread = math.sqrt(sum(x * x for x in heavy) / 256)
    return tuple(round(x / spread, 6) for x in heavy)


STEPS = _heavy_tailed_table()
"""What a random byte is worth: 256 steps with mean 0 and variance 1."""

_ROOTS = [2.0]
for _ in range(6):
    _ROOTS.append(math.sqrt(_ROOTS[-1]))
_POWERS = [1.0]
for _ in range(63):
    _POWERS.append(_POWERS[-1] * _ROOTS[-1])
_PER_STEP = 0.010830424696249145  # ln(2) / 64


def exp(x: float) -> float:
    """Return e to the power of ``x``, with the same bits on any platform.

    ``math.exp`` may differ in the last digit from one C library to another; a polynomial and a
    table of square roots do not.
    """
    n = int(x * 92.33248261893024)
    r = x - n * _PER_STEP
    series = 1 + r * (1 + r * (0.5 + r * (1 / 6 + r * (1 / 24 + r / 120))))
    return math.ldexp(_POWERS[n & 63] * series, n >> 6)


def exps(xs: Sequence[float]) -> list[float]:
    """Return what ``exp`` does, for many at once: written out, as calls would cost half."""
    ldexp, powers, step = math.ldexp, _POWERS, _PER_STEP
    return [
        ldexp(
            powers[(n := int(x * 92.33248261893024)) & 63]
            * (1 + (r := x - n * step) * (1 + r * (0.5 + r * (1 / 6 + r * (1 / 24 + r / 120))))),
            n >> 6,
        )
        for x in xs
    ]


def digest(*parts: object, size: int = 32) -> bytes:
    """Return ``size`` random-looking bytes that depend on nothing but ``parts``."""
    return hashlib.shake_128(":".join(map(str, parts)).encode()).digest(size)


def tents(at: int) -> list[tuple[int, int, float]]:
    """Return (level, interval, height) of the tents within the day of ``at``."""
    result = []
    for level in range(_INTRADAY_LEVELS):
        length = DAY >> level
        interval, rest = divmod(at, length)
        height = (1 - abs(2 * rest / length - 1)) * 0.5 * math.sqrt(length / DAY)
        result.append((level, interval, height))
    return result


class Walk:
    """One random walk with a standard deviation of ``daily`` a day, for what is not an asset."""

    def __init__(self, seed: int, name: str, daily: float) -> None:
        self._seed = seed
        self._name = name
        self._daily = daily
        self._midnight = lru_cache(maxsize=4096)(self._compute_midnight)
        self.at = lru_cache(maxsize=4096)(self._compute)

    def _step(self, level: object, interval: int) -> float:
        return STEPS[digest(self._seed, self._name, level, interval, size=1)[0]]

    def _compute_midnight(self, day: int) -> float:
        half = day & -day if day % ANCHOR_DAYS else 0
        if not half:
            return _ANCHOR_SPREAD * self._step("anchor", day // ANCHOR_DAYS)
        middle = 0.5 * (self._midnight(day - half) + self._midnight(day + half))
        return middle + 0.5 * math.sqrt(2 * half) * self._calm(day) * self._step(f"d{half}", day)

    def _calm(self, day: int) -> float:
        """Return how restless the market is: calm and wild months alternate."""
        block, rest = divmod(day, 24)
        early, late = (digest(self._seed, "calm", b, size=1)[0] / 255 for b in (block, block + 1))
        return 0.55 + 0.9 * (early + (late - early) * rest / 24)

    def _compute(self, at: int) -> float:
        """Return the walk's value at a time in seconds."""
        day, rest = divmod(at, DAY)
        early, late = self._midnight(day), self._midnight(day + 1)
        inner = sum(height * self._step(level, k) for level, k, height in tents(at))
        return self._daily * (early + (late - early) * (rest / DAY) + self._calm(day) * inner)


class Field:
    """One random walk for each of ``positions``, with a standard deviation of 1 a day."""

    def __init__(self, seed: int, positions: Sequence[int]) -> None:
        self._seed = seed
        self._positions = positions
        self._size = max(positions, default=0) + 1
        self._whole = len(positions) == self._size
        self.column = lru_cache(maxsize=_CACHED_COLUMNS)(self._compute_column)
        self.midnight = lru_cache(maxsize=_CACHED_DAYS)(self._compute_midnight)

    def _compute_column(self, name: object, interval: int) -> bytes:
        """Return a random byte for each position, for one interval of one level."""
        column = digest(self._seed, "field", name, interval, size=self._size)
        return column if self._whole else bytes(column[position] for position in self._positions)

    def _compute_midnight(self, day: int) -> array[float]:
        """Return the walks' values at the start of a day (days since 1970-01-01 UTC)."""
        half = day & -day if day % ANCHOR_DAYS else 0
        if not half:
            column = self.column("anchor", day // ANCHOR_DAYS)
            return array("d", [_ANCHOR_SPREAD * STEPS[byte] for byte in column])
        scale = 0.5 * math.sqrt(2 * half)
        steps = map([scale * step for step in STEPS].__getitem__, self.column(f"d{half}", day))
        before, after = self.midnight(day - half), self.midnight(day + half)
        return array("d", [0.5 * (a + b) + c for a, b, c in zip(before, after, steps, strict=True)])

    def intraday(self, at: int, chosen: Sequence[int] | None = None) -> list[float]:
        """Return what the day's tents add at a time, for all positions or those chosen."""
        columns: list[Iterator[float]] = []
        for level, interval, height in tents(at):
            column = self.column(level, interval)
            if chosen is None:
                columns.append(map([height * step for step in STEPS].__getitem__, column))
            else:
                columns.append(iter([height * STEPS[column[index]] for index in chosen]))
        return [a + b + c + d + e + f + g for a, b, c, d, e, f, g in zip(*columns, strict=True)]
