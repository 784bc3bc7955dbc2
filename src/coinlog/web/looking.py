"""Looking at the store again and again: which answers are right by now, and is it there at all."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import msgspec

from coinlog.web.watch import State, Watch

LOOK_DEADLINE = 8.0
"""A store that has not said by then where it stands is away, whatever it may say later."""

TURNS_AT_ONCE = 6
TURN_SECONDS = 10.0
"""So many new versions of the store may follow each other at once; of one that is written to
without end a new one counts every so many seconds. Else nothing would be found ready any more, and
browsers keep data for longer than that."""

NO_GENERATION = 0


class Looking:
    """Numbers the states of the store: answers of the present ``generation`` are right.

    While the store is away, since ``away_since`` (seconds UTC), there is none. ``newest`` is the
    one in which it was last read.
    """

    def __init__(self, watch: Watch, deadline: float = LOOK_DEADLINE) -> None:
        self.watch = watch
        self.deadline = deadline
        self.newest = 1
        self.away_since: int | None = None
        self._state: State | None = None
        self._seen: State | None = None
        self._turns, self._counted_at = float(TURNS_AT_ONCE), time.monotonic()
        # A thread of its own: those that make answers may all be waiting for a silent database.
        self._eyes = ThreadPoolExecutor(1, "look")
        self._pending: asyncio.Future[State | None] | None = None

    @property
    def away(self) -> bool:
        """Whether the store could not be read at the last look."""
        return self.away_since is not None

    @property
    def generation(self) -> int:
        """The state whose answers are right now."""
        return NO_GENERATION if self.away else self.newest

    async def look(self) -> bool:
        """Look once, together with others who do; return whether anything has changed."""
        looking = self._pending
        if looking is None or looking.done():
            loop = asyncio.get_running_loop()
            looking = self._pending = loop.run_in_executor(self._eyes, self.watch.look)
        # By the time that it has ended, others may be at the next one.
        done, _ = await asyncio.wait([looking], timeout=self.deadline)
        state = looking.result() if done else self.watch.heard_nothing(self.deadline)
        away_since = self.watch.away_since
        if (state, away_since) == (self._state, self.away_since):
            return False
        if away_since == self.away_since and self._too_soon(state):
            return False
        self._turn(state, away_since)
        return True

    def _too_soon(self, state: State | None) -> bool:
        """Return whether a new version of the store has to wait for the next look, or a later one.

        What else may have changed (a slot that is missed, say) never waits.
        """
        now = time.monotonic()
        gained = (now - self._counted_at) / TURN_SECONDS
        self._turns, self._counted_at = min(TURNS_AT_ONCE, self._turns + gained), now
        if self._turns < 1 and state and self._state:
            before = self._state
            same = msgspec.structs.replace(state, version=before.version, last=before.last)
            return same == before and state.version >= before.version
        self._turns = max(0.0, self._turns - 1)
        return False

    def _turn(self, state: State | None, away_since: int | None) -> None:
        """Begin a new generation, or none; a store that comes back as it was has its old one."""
        if away_since is None and state != self._seen:
            self._seen = state
            self.newest += 1
        self._state, self.away_since = state, away_since

    def close(self) -> None:
        """Look no more."""
        self._eyes.shutdown(wait=False)
