"""The database is away, full, locked, read-only or cut off: for a moment, or for a whole slot."""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tcp_proxy import proxied
from troubles import AT_ONCE, MET, PASSING, Troubles
from weather.fault import MARIADB, SQLITE, Fault, Parameters
from weather.gone import reckon_before_it_goes
from weather.recorder import Told
from weather.truth import stored
from weather.world import World

ON_MARIADB, ON_SQLITE = frozenset({MARIADB}), frozenset({SQLITE})
# Its server must stay where the world looks for it.
_STAYING = tuple(name for name in PASSING if name != "moved")


class Passing(Fault):
    """A trouble ends within the recorder's patience: that recording stores its slot."""

    name = "database in trouble for a moment"
    stores = ON_MARIADB
    share = 4

    def choose(self, chance: random.Random) -> Parameters:
        return {"trouble": chance.choice(_STAYING), "seconds": round(chance.uniform(0.05, 0.6), 2)}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        world.expect(slot, stored())
        world.source.moment(slot, slot + 5)
        told = _during(world, slot, parameters["trouble"], parameters["seconds"], patience=60.0)
        if told.trouble or told.settled != 1:
            world.complain(f"{parameters}: {told}")


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
        for slot in slots:
            world.expect(slot, stored())
        world.source.moment(first, first + 5)
        told = _during(world, first, parameters["trouble"], 2.0, patience=0.0)
        if not re.search(PASSING[parameters["trouble"]], str(told.trouble)):
            world.complain(f"{parameters}: the trouble is told as {told.trouble!r}")
        told = world.record(second)
        if told.trouble or told.settled < 1:
            world.complain(f"{parameters}: after it, {told}")


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
        other = sqlite3.connect(str(world.direct_url.database), isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            world.recorder.start(world.delivery(slot))
            if world.recorder.ended_within(world.usual_seconds + parameters["seconds"]):
                world.complain("it wrote while another had the right to")
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

    def choose(self, chance: random.Random) -> Parameters:
        return {"junk": chance.choice(["nothing", "an empty file", "a text"])}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        reckon_before_it_goes(world)
        world.expect(slot, stored())
        place = Path(str(world.direct_url.database))
        world.do(_move_away, place, parameters["junk"])
        told = world.record(slot)
        if parameters["junk"] == "a text":
            if "move it away and run `coinlog load`" not in str(told.trouble):
                world.complain(f"a text in the store's place is told as {told.trouble!r}")
            place.unlink()
            told = world.record(slot)
        if told.trouble:
            world.complain(f"{parameters}: {told}")


def _move_away(place: Path, junk: str) -> None:
    for name in (place, place.with_name(f"{place.name}-wal"), place.with_name(f"{place.name}-shm")):
        with suppress(FileNotFoundError):
            name.rename(name.with_name(f"gone-{name.name}"))
    if junk != "nothing":
        place.write_text("this was never a database\n" * 400 if junk == "a text" else "")


def _during(world: World, slot: int, name: str, seconds: float, *, patience: float) -> Told:
    """Let a recorder record through a proxy in the middle of a trouble."""
    assert world.database
    database = str(world.direct_url.database)
    with proxied(world.database.port) as proxy:
        troubles = Troubles(world.database, proxy, database)
        world.store_url = world.direct_url.set(port=proxy.port)
        try:
            with troubles.named(name):
                delivery = world.delivery(slot, patience_seconds=patience)
                world.recorder.start(delivery)
                if name not in MET | AT_ONCE or not patience:
                    world.recorder.ended_within(seconds)
                elif name in AT_ONCE:
                    world.recorder.ended_within(60)
            (told,) = world.hear(world.recorder)
        finally:
            world.store_url = world.direct_url
    return told


FAULTS: tuple[Fault, ...] = (Passing(), Lasting(), Locked(), Replaced())
