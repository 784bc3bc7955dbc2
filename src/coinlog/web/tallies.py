"""What all workers count, in memory that they share: whichever is asked can tell of all.

Each worker writes a row of its own, so nobody waits for anybody, and one that takes the place of a
dead worker counts on from where that one was.
"""

from __future__ import annotations

import mmap
import os
import time
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from coinlog.web.security import Message, Send

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper ends of how long an answer took, in seconds."""

CLASSES: Final = ("2xx", "3xx", "4xx", "5xx")

PID, CONNECTIONS, CACHE_USED, MISSES, MICROSECONDS = range(5)
AT_ONCE = 5
ANSWERED = AT_ONCE + len(CLASSES)
LASTING = ANSWERED + len(CLASSES)
_WIDTH = LASTING + len(BUCKETS) + 1
_BYTES = 8


class Tallies:
    """The rows of all workers; ``counts`` is the one of this process.

    Made before the workers are forked, which then share it.
    """

    def __init__(self, workers: int = 1) -> None:
        self._memory = mmap.mmap(-1, workers * _WIDTH * _BYTES)
        whole = memoryview(self._memory).cast("Q")
        self.rows = [whole[start : start + _WIDTH] for start in range(0, len(whole), _WIDTH)]
        self.supervisor = os.getpid()
        self.counts = self.rows[0]
        self.become(0)

    def become(self, number: int) -> None:
        """Be the worker of a number from now on."""
        self.counts = self.rows[number]
        self.counts[PID] = os.getpid()
        self.counts[CONNECTIONS] = 0

    def answered(self, status: int, seconds: float) -> None:
        """Count an answer that was not there at once, and how long it took."""
        counts = self.counts
        counts[ANSWERED + place_of(status)] += 1
        counts[LASTING + bisect_left(BUCKETS, seconds)] += 1
        counts[MICROSECONDS] += int(seconds * 1e6)

    def counted(self, send: Send) -> Send:
        """Return what sends an answer and counts it, with the time from now on."""
        started = time.perf_counter()

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.answered(message["status"], time.perf_counter() - started)
            await send(message)

        return send_counted

    def refused(self, status: int) -> None:
        """Count a request that was refused unread."""
        self.counts[ANSWERED + place_of(status)] += 1

    def total(self, first: int, count: int = 1) -> list[int]:
        """Return sums over all workers."""
        return [sum(row[place] for row in self.rows) for place in range(first, first + count)]

    def pids(self) -> Sequence[int]:
        """Return the process of each worker, 0 where there was none yet."""
        return [row[PID] for row in self.rows]


def place_of(status: int) -> int:
    """Return the place of a status among the classes."""
    return min(max(status // 100 - 2, 0), len(CLASSES) - 1)
