"""Trying again while the database is away: with growing pauses, by chance, for so long and no more.

A failover, a restart, a full house, a deadlock and another's lock all pass within seconds or
minutes, and whatever failed by them has changed nothing or is a no-op when done again.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from coinlog.errors import StoreUnavailableError

Result = TypeVar("Result")

_FIRST_SECONDS, _LONGEST_SECONDS = 0.25, 10.0
_log = logging.getLogger("coinlog.store")


class Patience:
    """How long to try again, in seconds from its making on; ``sleep`` waits so many seconds."""

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._end = clock() + seconds

    def left(self) -> float:
        """Return the seconds that are left, 0 when it is at its end."""
        return max(0.0, self._end - self._clock())

    def keep_trying(self, work: Callable[[], Result]) -> Result:
        """Do work until no passing trouble of the database stops it, or patience ends.

        Raises:
            StoreUnavailableError: the last trouble, or the first one that does not pass.
        """
        tries = 0
        while True:
            try:
                return work()
            except StoreUnavailableError as error:
                tries += 1
                pause = min(pause_seconds(tries), self.left())
                if not (error.passes and pause):
                    raise
                _log.warning("%s; trying again in %.1f s", error, pause)
                self._sleep(pause)


def pause_seconds(tries: int) -> float:
    """Return how long to wait after so many failed tries: doubling, and by chance half to whole.

    Chance keeps those whom one failover has cut off from coming back in step.
    """
    whole = min(_FIRST_SECONDS * 2.0 ** min(tries - 1, 10), _LONGEST_SECONDS)
    return whole * random.uniform(0.5, 1)  # noqa: S311 - spreads load, keeps no secret


def no_patience() -> Patience:
    """Return what tries once."""
    return Patience(0)
