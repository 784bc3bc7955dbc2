"""Processes killed with SIGKILL at random moments: recorders, the source, the page's workers."""

from __future__ import annotations

import random
from collections.abc import Sequence

from weather.fault import Fault, Parameters
from weather.truth import missed, stored
from weather.world import World

LONGEST_LIFE_SECONDS = 0.25


class RecorderKilled(Fault):
    """A recorder is killed while it records; the next one is at the slot within its time, or not."""

    name = "recorder killed"
    share = 3

    def choose(self, chance: random.Random) -> Parameters:
        return {
            "seconds": round(chance.uniform(0, LONGEST_LIFE_SECONDS), 3),
            "kills": chance.randint(1, 3),
            "again": chance.random() < 0.7,
        }

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        truth = stored() if parameters["again"] else stored() | missed()
        world.expect(slot, truth.calling(None))
        world.source.moment(slot, slot + 5)
        for _ in range(parameters["kills"]):
            recorder = world.recorder
            recorder.start(world.delivery(slot))
            recorder.ended_within(parameters["seconds"])
            recorder.kill()
        if parameters["again"]:
            world.deliver(world.delivery(slot))


FAULTS: tuple[Fault, ...] = (RecorderKilled(),)
