"""Processes killed with SIGKILL at random moments: recorders, the source, the page's workers."""

from __future__ import annotations

import random
from collections.abc import Sequence

from weather.fault import Fault, Parameters
from weather.recorder import Delivery
from weather.truth import failed, missed, partial_by, stored
from weather.world import World


def _moments(chance: random.Random) -> list[float]:
    """Return when to kill, once to three times: shares of the time that the work usually takes."""
    return [round(chance.uniform(0, 1.2), 3) for _ in range(chance.randint(1, 3))]


class RecorderKilled(Fault):
    """A recorder is killed while it records; another is at the slot within its time, or not."""

    name = "recorder killed"
    share = 3

    surely = 10
    told = False
    work = "record"
    takes = 1.0
    """The share of a recording's usual time that its work takes."""

    def choose(self, chance: random.Random) -> Parameters:
        return {"moments": _moments(chance), "again": chance.random() < 0.7}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        again = parameters["again"]
        # Killed before its manifest was there, and nobody came again: the slot is missed. Each that
        # is killed may have asked.
        truth = stored() if again else stored() | missed()
        world.expect(slot, truth.calling(len(parameters["moments"]) + again))
        world.source.moment(slot, slot + 5)
        moments = [moment * self.takes for moment in parameters["moments"]]
        _kill(world, world.delivery(slot, work=self.work), moments)
        if again:
            world.deliver(world.delivery(slot, work=self.work))


class CaptureKilled(RecorderKilled):
    """A capture is killed; what it may have left is loaded, and the slot captured again, or not."""

    name = "capture killed"
    share = 2
    work = "capture"
    takes = 0.5

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        super().strike(world, slots, parameters)
        (slot,) = slots
        world.deliver(world.delivery(slot, work="load"))


class LoadKilled(Fault):
    """A load is killed again and again over three slots that wait for it."""

    name = "load killed"
    slots = 3
    share = 2
    surely = 10
    told = False

    def choose(self, chance: random.Random) -> Parameters:
        return {"moments": _moments(chance)}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        for slot in slots:
            world.expect(slot, stored())
            world.record(slot, work="capture")
        moments = [moment / 2 for moment in parameters["moments"]]
        _kill(world, world.delivery(slots[-1], work="load"), moments)
        world.deliver(world.delivery(slots[-1], work="load"))


class SourceKilled(Fault):
    """The source is killed while it is asked; it comes back, and the slot is tried again or not."""

    name = "source killed"
    surely = 10
    told = False

    def choose(self, chance: random.Random) -> Parameters:
        return {"moment": round(chance.uniform(0, 0.6), 3), "again": chance.random() < 0.5}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        again = parameters["again"]
        halfway = partial_by("unreachable") | stored() | failed("unreachable")
        world.expect(slot, (stored() if again else halfway).calling(1 + again))
        world.source.moment(slot, slot + 5)
        world.recorder.start(world.delivery(slot))
        if not world.recorder.ended_within(parameters["moment"] * world.usual_seconds):
            world.meet()
        world.source.kill()
        world.hear(world.recorder)
        world.source.start()
        if again:
            world.source.moment(slot, slot + 60)
            world.deliver(world.delivery(slot))


class WorkerKilled(Fault):
    """One or both of the page's workers are killed: it comes back, and tells of the next slot."""

    name = "page's worker killed"
    told = False

    def choose(self, chance: random.Random) -> Parameters:
        return {"workers": chance.choice([[0], [1], [0, 1]])}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        world.expect(slot, stored())
        workers = world.page.workers()
        for number in parameters["workers"]:
            workers[number].kill()
            world.meet()
        world.record(slot)
        if not world.page.tells(slot, "stored"):
            world.complain(f"the page does not tell of slot {slot} after a worker was killed")


def _kill(world: World, delivery: Delivery, moments: Sequence[float]) -> None:
    """Kill a recorder some time after it has begun, and the next one.

    It is met where one of them was at work on what none had done yet.
    """
    done = False
    for moment in moments:
        recorder = world.recorder
        recorder.start(delivery)
        done |= recorder.ended_within(moment * world.usual_seconds)
        recorder.kill()
        if not done:
            world.meet()


FAULTS: tuple[Fault, ...] = (
    RecorderKilled(),
    CaptureKilled(),
    LoadKilled(),
    SourceKilled(),
    WorkerKilled(),
)
