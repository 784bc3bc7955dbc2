"""The database is away, full, locked, read-only or cut off: for a moment, a slot, or minutes."""

from __future__ import annotations

import random
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from coinlog.attempts import slot_name
from tcp_proxy import proxied
from troubles import AT_ONCE, MET, PASSING, Troubles
from waiting import until
from weather.fault import MARIADB, SQLITE, Fault, Parameters
from weather.gone import reckon_before_it_goes
from weather.truth import stored
from weather.world import World

ON_MARIADB, ON_SQLITE = frozenset({MARIADB}), frozenset({SQLITE})
# Its server must stay where the world looks for it.
_STAYING = tuple(name for name in PASSING if name != "moved")
AWAY = r"\((2003|2006|2013),"
"""What the driver says of a database that is not reached, or says nothing any more."""

MEETING_SECONDS = 60.0
"""How long a recorder may take to meet a trouble: much longer than it does."""


class Passing(Fault):
    """A trouble ends once the recorder has met it: that recording stores its slot."""

    name = "database in trouble for a moment"
    stores = ON_MARIADB
    share = 4
    troubles: type[Troubles] = Troubles

    def choose(self, chance: random.Random) -> Parameters:
        return {"trouble": chance.choice(_STAYING), "seconds": round(chance.uniform(0.05, 0.6), 2)}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        name = parameters["trouble"]
        world.expect(slot, stored())
        world.source.moment(slot, slot + 5)
        with _behind_proxy(world, self.troubles) as troubles:
            with troubles.named(name):
                world.recorder.start(world.delivery(slot, patience_seconds=60.0))
                _meet(world, name, parameters["seconds"])
            (told,) = world.hear(world.recorder)
        if told.trouble or told.settled != 1:
            world.complain(f"{told}")
        if not any(re.search(PASSING[name], said) for said in told.stopped):
            world.complain(f"the recorder did not meet it: {told}")


class Lasting(Fault):
    """A trouble that no try outlives: it is told, and the next slot's recorder settles both."""

    name = "database in trouble for a slot"
    stores = ON_MARIADB
    slots = 2
    share = 4

    def choose(self, chance: random.Random) -> Parameters:
        names = [name for name in _STAYING if name != "behind_another"]
        return {"trouble": chance.choice(names)}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        first, second = slots
        name = parameters["trouble"]
        for slot in slots:
            world.expect(slot, stored())
        world.source.moment(first, first + 5)
        with _behind_proxy(world) as troubles:
            with troubles.named(name):
                world.recorder.start(world.delivery(first))
                if name not in MET:
                    world.recorder.ended_within(MEETING_SECONDS)
            (told,) = world.hear(world.recorder)
        if not re.search(PASSING[name], str(told.trouble)):
            world.complain(f"the trouble is told as {told.trouble!r}")
        told = world.record(second)
        if told.trouble or told.settled < 1:
            world.complain(f"after it, {told}")


class Away(Fault):
    """The database is away for minutes: three slots wait, and the fourth outlives it and settles.

    It is not reached behind its proxy, its server is dead, or the way is open and nobody answers.
    """

    name = "database away for minutes"
    stores = ON_MARIADB
    slots = 4
    share = 0.05
    long = True

    def choose(self, chance: random.Random) -> Parameters:
        trouble = chance.choice(["refused", "killed", "silent"])
        return {"trouble": trouble, "seconds": round(chance.uniform(120, 180))}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        for slot in slots:
            world.expect(slot, stored())
        *waiting, last = slots
        with _behind_proxy(world) as troubles:
            back = time.monotonic() + parameters["seconds"]
            with troubles.named(parameters["trouble"]):
                for slot in waiting:
                    told = world.record(slot)
                    if told.settled or not re.search(AWAY, str(told.trouble)):
                        world.complain(f"a database that is away is told as {told}")
                world.source.moment(last, last + 5)
                world.recorder.start(world.delivery(last, patience_seconds=600.0))
                if not world.recorder.stopped_within(2 * MEETING_SECONDS):
                    world.complain(f"it did not meet it at slot {last}")
                if world.recorder.ended_within(max(0.0, back - time.monotonic())):
                    world.complain("it ended while the database was away")
            (told,) = world.hear(world.recorder)
        if told.trouble or told.settled != len(slots):
            world.complain(f"once it was back, {told}")


class Locked(Fault):
    """Another program writes to the file when the recorder is to: it waits, and then stores."""

    name = "store locked by another writer"
    stores = ON_SQLITE
    share = 2

    def choose(self, chance: random.Random) -> Parameters:
        return {"seconds": round(chance.uniform(0.05, 0.6), 2)}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        world.expect(slot, stored())
        world.source.moment(slot, slot + 5)
        manifest = world.archive / "captures" / slot_name(slot) / "1" / "manifest.json"
        other = sqlite3.connect(str(world.direct_url.database), isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            world.recorder.start(world.delivery(slot))
            # From then on there is nothing for it to do but to write to the store.
            until(manifest.exists, "the capture", MEETING_SECONDS)
            if world.recorder.ended_within(parameters["seconds"]):
                world.complain("it wrote while another had the right to")
            world.meet()
            other.execute("ROLLBACK")
        finally:
            other.close()
        (told,) = world.hear(world.recorder)
        if told.trouble:
            world.complain(f"{told}")


class Replaced(Fault):
    """The store's file is moved away and another put in its place: what it held comes back.

    All that stands is reckoned before, as in the end.
    """

    name = "store's file replaced"
    stores = ON_SQLITE
    # Each looks at all that there is, twice.
    share = 0.5

    def choose(self, chance: random.Random) -> Parameters:
        return {"junk": chance.choice(["nothing", "an empty file", "a text"])}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        reckon_before_it_goes(world)
        world.expect(slot, stored())
        place = Path(str(world.direct_url.database))
        world.do(_move_away, place, parameters["junk"])
        world.meet()
        told = world.record(slot)
        if parameters["junk"] == "a text":
            if "move it away and run `coinlog load`" not in str(told.trouble):
                world.complain(f"a text in the store's place is told as {told.trouble!r}")
            place.unlink()
            told = world.record(slot)
        if told.trouble:
            world.complain(f"{told}")


def _move_away(place: Path, junk: str) -> None:
    for name in (place, place.with_name(f"{place.name}-wal"), place.with_name(f"{place.name}-shm")):
        with suppress(FileNotFoundError):
            name.rename(name.with_name(f"gone-{name.name}"))
    if junk != "nothing":
        place.write_text("this was never a database\n" * 400 if junk == "a text" else "")


@contextmanager
def _behind_proxy(world: World, kind: type[Troubles] = Troubles) -> Iterator[Troubles]:
    """Let recorders reach the database through a proxy; return the troubles there can be."""
    assert world.database
    with proxied(world.database.port) as proxy:
        world.store_url = world.direct_url.set(port=proxy.port)
        try:
            yield kind(world.database, proxy, str(world.direct_url.database))
        finally:
            world.store_url = world.direct_url


def _meet(world: World, name: str, seconds: float) -> None:
    """Return some time after the recorder has met a trouble; one ends by itself when it is met."""
    if name in AT_ONCE:
        world.recorder.ended_within(MEETING_SECONDS)
    elif name not in MET and world.recorder.stopped_within(MEETING_SECONDS):
        world.recorder.ended_within(seconds)


FAULTS: tuple[Fault, ...] = (Passing(), Lasting(), Away(), Locked(), Replaced())
