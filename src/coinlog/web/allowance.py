"""How many requests an address may send: so many a minute, kept in memory that all workers share.

What is kept of an address is one time: that until which its requests so far would last if they
came evenly. Each request puts it off by one step, and one that would put it off by more than a
minute is refused; so as many as a minute has may come at once (the "generic cell rate algorithm").
The table is made before forking and never grows. No lock guards it: of two workers that count at
the same instant one may be forgotten, which is an error of one request.
"""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b

SETS, WAYS = 16_384, 4
"""Room for 65,536 addresses in 1 MB; of four that share a place the one least active gives way."""

SPAN_SECONDS = 60.0
_ENTRY_WORDS = 2
_SET_WORDS = WAYS * _ENTRY_WORDS
_WORD_BYTES = 8
_NAMES_KEPT = 4096
_INEXACT_SECONDS = 1e-6
"""A minute of steps does not add up to a minute to the last bit."""


class Allowance:
    """What each address may still send. Addresses are known by names, which are numbers.

    ``wait`` is what every request asks: it takes a third of a microsecond.
    """

    def __init__(
        self, per_minute: int, clock: Callable[[], float] = time.monotonic, sets: int = SETS
    ) -> None:
        table = memoryview(mmap.mmap(-1, sets * _SET_WORDS * _WORD_BYTES))
        self._names = table.cast("Q")
        self._until = table.cast("d")
        self.per_minute = per_minute
        self._sets = sets
        self._step = SPAN_SECONDS / per_minute
        self._clock = clock
        self._secret = os.urandom(16)
        self.name_of = lru_cache(_NAMES_KEPT)(self._name_of)

    def _name_of(self, address: bytes) -> int:
        """Return an address's name: nobody outside can tell which addresses share a place."""
        return int.from_bytes(blake2b(address, digest_size=8, key=self._secret).digest(), "little")

    def wait(self, name: int) -> float:
        """Count a request; return 0, or the seconds after which one would be taken again."""
        now = self._clock()
        names = self._names
        first = name % self._sets * _SET_WORDS
        for place in range(first, first + _SET_WORDS, _ENTRY_WORDS):
            if names[place] == name:
                return self._count(place + 1, now)
        place = min(range(first, first + _SET_WORDS, _ENTRY_WORDS), key=self._until_at)
        names[place] = name
        self._until[place + 1] = now
        return self._count(place + 1, now)

    def _until_at(self, place: int) -> float:
        return self._until[place + 1]

    def _count(self, place: int, now: float) -> float:
        until = max(self._until[place], now) + self._step
        over = until - now - SPAN_SECONDS
        if over > _INEXACT_SECONDS:
            return over
        self._until[place] = until
        return 0.0
