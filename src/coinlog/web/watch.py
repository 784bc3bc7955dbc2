"""What the page knows of the store between two looks: where it stands and how fresh it is."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import msgspec

from coinlog.errors import StoreError, StoreUnavailableError
from coinlog.freshness import Freshness, freshness
from coinlog.sampling import Reading
from coinlog.slots import MAX_ASSET_ID, MAX_TIME
from coinlog.store.ledger import Head, read_head
from coinlog.store.reader import Reader, Standing, StoredAsset
from coinlog.timeline import ALWAYS, Timeline, Window, part_of, read_timeline

log = logging.getLogger(__name__)

Asked = TypeVar("Asked")
Result = TypeVar("Result")

Clock = Callable[[], float]

_TIMELINE_SLOTS = 20_000
_ASSETS = 2000
_BELIEVE_SECONDS = 15.0
"""How long a look that failed is believed: the next one has ended by then, however silent."""

_MADE = 12
MANY_POINTS = 100_000


class State(msgspec.Struct, frozen=True):
    """All that decides whether an answer made before is still the right one.

    ``last`` tells a store from another of the same version. ``ahead`` is whether the newest slot
    was observed after our own clock's now: its point is drawn once the clock gets there.
    """

    version: int
    source: str | None
    last: tuple[int, str, int] | None
    freshness: str
    missed: int
    current_slot: int | None
    ahead: bool


class Moment(msgspec.Struct, frozen=True):
    """The store at one moment: what a page or an answer is made from."""

    head: Head
    now: float
    fresh: Freshness

    @property
    def simulated(self) -> bool:
        """Whether the store holds a made-up market."""
        return self.head.simulated


class Watch:
    """Keeps an eye on the store's version; asks for more only when it has changed."""

    def __init__(
        self, reader: Reader, clock: Clock = time.time, most_points: int = MANY_POINTS
    ) -> None:
        """``most_points`` is how many points of a line a page holds at most."""
        self.reader = reader
        self.clock = clock
        self.most_points = most_points
        self.error: StoreError | None = None
        self.away_since: int | None = None
        self._failed_at = 0.0
        self._head: Head | None = None
        self._timelines: dict[tuple[object, ...], Timeline] = {}
        self._whole: tuple[State, Timeline] | None = None
        self._assets: dict[tuple[Standing, int], StoredAsset] = {}
        self._made: dict[tuple[object, ...], tuple[Any]] = {}

    async def read(self, task: Callable[[Asked], Result], asked: Asked) -> Result:
        """Do a brief read: beside the event loop, except on SQLite.

        SQLite's driver offers the interpreter to other threads at every row. A thread with 1,500
        rows to read would get it back 1,500 times, which takes longer than reading them.
        """
        if self.reader.engine.dialect.name == "sqlite":
            return task(asked)
        return await asyncio.to_thread(task, asked)

    def look(self) -> State | None:
        """Return the state now; the one of the last good look while the store is away.

        ``None`` means that the store could never be read.
        """
        try:
            with self._opened():
                pass
        except StoreError as error:
            self._failed(error)
        else:
            if self.error is not None:
                log.warning("the store can be read again")
            self.error = self.away_since = None
        return self._state()

    def heard_nothing(self, seconds: float) -> State | None:
        """Take a look that has not ended by now for a failed one."""
        self._failed(StoreUnavailableError(f"the database has said nothing for {seconds:g} s"))
        return self._state()

    def _failed(self, error: StoreError) -> None:
        if self.error is None:
            log.warning("the store cannot be read: %s", error)
            self.away_since = int(self.clock())
        self.error, self._failed_at = error, time.monotonic()

    def _state(self) -> State | None:
        return None if self._head is None else state_of(self._head, self.clock())

    def last_known(self) -> Moment | None:
        """Return where the store stood when it was last read, as fresh as that is by now."""
        head, now = self._head, self.clock()
        return None if head is None else Moment(head, now, freshness(head, now))

    @contextmanager
    def moment(self) -> Iterator[Moment]:
        """Open a moment: every read inside sees the same version of the store.

        Right after a look that failed this fails at once: readers do not queue up for a
        database that takes seconds to say nothing.

        Raises:
            StoreError: the store cannot be read.
        """
        if self.error is not None and time.monotonic() - self._failed_at < _BELIEVE_SECONDS:
            raise self.error
        with self._opened() as moment:
            yield moment

    @contextmanager
    def _opened(self) -> Iterator[Moment]:
        with self.reader.snapshot():
            head = self._head
            if head is None or self.reader.standing() != head.standing:
                head = self._head = read_head(self.reader)
            now = self.clock()
            yield Moment(head, now, freshness(head, now))

    def asset(self, moment: Moment, asset_id: int) -> StoredAsset | None:
        """Return what is known of an asset, asked for once in each version of the store."""
        key = (moment.head.standing, asset_id)
        found = self._assets.get(key)
        if found is None:
            known = self.reader.assets([asset_id]) if asset_id <= MAX_ASSET_ID else []
            if not known:
                return None
            if len(self._assets) >= _ASSETS:
                self._assets.clear()
            found = self._assets[key] = known[0]
        return found

    def once(self, moment: Moment, key: tuple[object, ...], make: Callable[[], Result]) -> Result:
        """Return what ``make`` makes, or what it has just made for the same key and store.

        The same page in another language begins with the same data.
        """
        whole = (state_of(moment.head, moment.now), *key)
        kept = self._made.get(whole)
        if kept is None:
            # Put away in one piece: what was made can be nothing, and others may clear meanwhile.
            kept = (make(),)
            if len(self._made) >= _MADE:
                self._made.clear()
            self._made[whole] = kept
        found: Result = kept[0]
        return found

    def timeline(self, moment: Moment, window: Window) -> Timeline:
        """Return what the ledger says of a window; read once for all assets."""
        key = (state_of(moment.head, moment.now), window.start, window.end)
        found = self._timelines.get(key)
        if found is None:
            found = self._read_timeline(moment, window)
            kept = sum(len(one.over) for one in self._timelines.values())
            if kept + len(found.over) > _TIMELINE_SLOTS:
                self._timelines.clear()
            self._timelines[key] = found
        return found

    def reading(self, moment: Moment, window: Window) -> Reading:
        """Return a window as series are read from it."""
        timeline = partial(self.timeline, moment, window)
        return Reading(self.reader, moment.head, window, moment.now, timeline)

    def _read_timeline(self, moment: Moment, window: Window) -> Timeline:
        """Return a part of the whole timeline, read once in each state of the store.

        A ledger that is too long to be kept in memory is read window by window.
        """
        head, now = moment.head, moment.now
        if sum(map(len, head.over_ranges(head.first_slot or 0, MAX_TIME, now))) > _TIMELINE_SLOTS:
            return read_timeline(self.reader, head, window, now)
        state, whole = state_of(head, now), self._whole
        if whole is None or whole[0] != state:
            whole = self._whole = state, read_timeline(self.reader, head, ALWAYS, now)
        return part_of(whole[1], window)


def state_of(head: Head, now: float) -> State:
    """Return what decides whether an answer is still right."""
    fresh = freshness(head, now)
    return State(
        version=head.version,
        source=head.source,
        last=head.standing.last,
        freshness=fresh.state,
        missed=fresh.missed,
        current_slot=head.current_slot(now),
        ahead=fresh.as_of is not None and fresh.as_of > now,
    )
