"""The program itself is killed: the recorder that people run, and the page's supervisor."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

import psutil

from coinlog.slots import HOUR, floor_slot, iso
from weather.fault import Fault, Parameters
from weather.program import Up
from weather.truth import stored
from weather.world import World

USUAL_SECONDS = 2.0
"""About how long the program takes from its start to the end of its first slot."""

END_SECONDS = 20


class UpKilled(Fault):
    """`coinlog up` is killed while it starts, asks or stores; its next start goes on."""

    name = "coinlog up killed"
    elsewhere = True
    told = False
    surely = 10

    def choose(self, chance: random.Random) -> Parameters:
        shares = [round(chance.uniform(0, 1), 3) for _ in range(chance.randint(1, 2))]
        return {"moments": shares}

    def strike(self, world: World, _slots: Sequence[int], parameters: Parameters) -> None:
        slot = floor_slot(now := time.time(), HOUR)
        if now - slot > HOUR - 2 * END_SECONDS:
            # Another slot would begin meanwhile: it runs by this machine's clock.
            return
        moments = parameters["moments"]
        with world.beside() as beside, beside.striking(self.name):
            beside.expect(slot, stored().calling(len(moments) + 1))
            for moment in moments:
                beside.source.moment(slot, time.time())
                with Up(beside) as up:
                    if not up.ended_within(moment * USUAL_SECONDS):
                        world.meet()
            beside.source.moment(slot, time.time())
            with Up(beside) as up:
                told = up.told()
            if (told["slot"], told["outcome"], told["trouble"]) != (iso(slot), "stored", None):
                beside.complain(f"after it was killed, `coinlog up` tells of {told}")


class SupervisorKilled(Fault):
    """The page's first process is killed: its workers end with it, and another can take over."""

    name = "page's supervisor killed"
    told = False

    def strike(self, world: World, slots: Sequence[int], _parameters: Parameters) -> None:
        (slot,) = slots
        world.expect(slot, stored())
        workers = world.page.workers()
        world.page.end()
        world.meet()
        _, alive = psutil.wait_procs(workers, END_SECONDS)
        if alive:
            world.complain(f"{len(alive)} workers outlive their supervisor")
        del world.page
        world.record(slot)
        if not world.page.tells(slot, "stored"):
            world.complain(f"another page does not tell of slot {slot}")


FAULTS: tuple[Fault, ...] = (UpKilled(), SupervisorKilled())
