"""Looking at the store again and again: which answers are right by now, and is it there at all."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from coinlog.web.watch import State, Watch

LOOK_DEADLINE = 4.0
"""A store that has not said by then where it stands is away, whatever it may say later."""

NO_GENERATION = 0


class Looking:
    """Numbers the states of the store: answers of the present ``generation`` are right.

    While the store is away, since ``away_since`` (seconds UTC), there is none. ``newest`` is the
    one in which it was last read.
    """

    def __init__(self, watch: Watch, deadline: float = LOOK_DEADLINE) -> None:
        self.watch = watch
        self.deadline = deadline
        self.generation = self.newest = 1
        self.away_since: int | None = None
        self._state: State | None = None
        self._seen: State | None = None
        # A thread of its own: those that make answers may all be waiting for a silent database.
        self._eyes = ThreadPoolExecutor(1, "look")
        self._pending: asyncio.Future[State | None] | None = None

    @property
    def away(self) -> bool:
        """Whether the store could not be read at the last look."""
        return self.generation == NO_GENERATION

    async def look(self) -> bool:
        """Look once, together with others who do; return whether anything has changed."""
        if self._pending is None or self._pending.done():
            loop = asyncio.get_running_loop()
            self._pending = loop.run_in_executor(self._eyes, self.watch.look)
        done, _ = await asyncio.wait([self._pending], timeout=self.deadline)
        state = self._pending.result() if done else self.watch.heard_nothing(self.deadline)
        away_since = self.watch.away_since
        if (state, away_since) == (self._state, self.away_since):
            return False
        self._turn(state, away_since)
        return True

    def _turn(self, state: State | None, away_since: int | None) -> None:
        """Begin a new generation, or none; a store that comes back as it was has its old one."""
        if away_since is None and state != self._seen:
            self._seen = state
            self.newest += 1
        self._state, self.away_since = state, away_since
        self.generation = self.newest if away_since is None else NO_GENERATION

    def close(self) -> None:
        """Look no more."""
        self._eyes.shutdown(wait=False)
