"""Deliveries that are doubled, late, out of order, or find a claim that is in the way."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import psutil

from coinlog.archive import open_archive
from coinlog.attempts import Claim, slot_name
from coinlog.capturing import Standing
from weather.fault import Fault, Parameters
from weather.recorder import Recorder, Told, fork
from weather.truth import missed, stored
from weather.world import World

ELSEWHERE = "another-machine"


class InSequence(Fault):
    """A slot is delivered two or three times, one after the other: the source is asked once."""

    name = "doubled deliveries, in sequence"

    def choose(self, chance: random.Random) -> Parameters:
        return {"times": chance.choice([2, 3]), "others": chance.random() < 0.5}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        world.expect(slot, stored())
        world.record(slot)
        for _ in range(parameters["times"] - 1):
            if parameters["others"]:
                world.recorder.kill()
            told = world.deliver(world.delivery(slot))
            if told.standing != Standing.STORED.name:
                world.complain(f"a doubled delivery found {told}")


class AtOnce(Fault):
    """A slot is delivered eight times at once, to as many processes or threads."""

    name = "doubled deliveries, at once"

    def choose(self, chance: random.Random) -> Parameters:
        return {"threads": chance.random() < 0.5}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        world.expect(slot, stored())
        world.source.moment(slot, slot + 5)
        told = self._threads(world, slot) if parameters["threads"] else self._apart(world, slot)
        ours = sum(one.standing == Standing.OURS.name for one in told)
        if ours != 1 or any(one.trouble or one.error for one in told):
            world.complain(f"of {len(told)} deliveries, {ours} asked the source: {told}")

    def _threads(self, world: World, slot: int) -> list[Told]:
        world.recorder.start(world.delivery(slot, copies=8))
        return world.hear(world.recorder)

    def _apart(self, world: World, slot: int) -> list[Told]:
        with ExitStack() as stack:
            recorders = [stack.enter_context(Recorder()) for _ in range(8)]
            for recorder in recorders:
                recorder.start(world.delivery(slot))
            return [told for recorder in recorders for told in world.hear(recorder)]


class OutOfOrder(Fault):
    """Slots are delivered in another order: what comes after a later one is left alone.

    On AWS the clock has moved on when an event comes late, and nothing later need be there. Or it
    has not: then only the archive tells that a later slot is.
    """

    name = "deliveries out of order"
    slots = 3

    def choose(self, chance: random.Random) -> Parameters:
        orders = [[1, 0, 2], [0, 2, 1], [2, 0, 1], [1, 2, 0], [2, 1, 0]]
        late = chance.random() < 0.5
        orders += [[0, 1, 2]] * 3 if late else []
        return {"order": chance.choice(orders), "late": late}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        # In order, only the clock tells that the first one comes too late.
        newest = slots[1] if parameters["order"] == [0, 1, 2] else 0
        for number in parameters["order"]:
            slot = slots[number]
            newest = max(newest, slot)
            world.expect(slot, stored() if slot == newest else missed().calling(0))
            world.source.moment(slot, newest + 5)
            late = {"now": newest + 5, "scheduled": slot} if parameters["late"] else {}
            told = world.deliver(world.delivery(slot, **late))
            if slot < newest and told.standing != Standing.PASSED.name:
                world.complain(f"a slot that has passed found {told}")


class ClaimLeft(Fault):
    """A recorder has claimed the slot and never wrote a manifest."""

    name = "claim left by a dead recorder"
    told = False

    def choose(self, chance: random.Random) -> Parameters:
        return {"kind": chance.choice(["dead here", "old elsewhere", "new elsewhere", "torn"])}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        kind = parameters["kind"]
        # Whether a recorder on another machine lives cannot be seen: until its time is over, the
        # slot is its own.
        busy = kind == "new elsewhere"
        world.expect(slot, missed().calling(0) if busy else stored())
        world.do(_leave_claim, world.archive, slot, kind, _dead_process())
        told = world.record(slot)
        due = (Standing.BUSY.name, None) if busy else (Standing.OURS.name, "2")
        if (told.standing, told.attempt) == due:
            world.meet()
        else:
            world.complain(f"with a claim left ({kind}) it found {told}")


def _dead_process() -> int:
    """Return the id of a process that has ended."""
    process = fork.Process(target=int)
    process.start()
    process.join()
    return int(process.pid or 0)


def _leave_claim(folder: Path, slot: int, kind: str, process: int) -> None:
    archive = open_archive(str(folder))
    if kind == "torn":
        archive.objects.put(f"captures/{slot_name(slot)}/claim-1", b'{"number":1,"claimed_at":17')
        return
    now, started = time.time(), psutil.boot_time()
    if kind == "old elsewhere":
        now -= 3600
    machine = socket.gethostname() if kind == "dead here" else ELSEWHERE
    archive.claim(slot, Claim(1, now, machine, process, started))


FAULTS: tuple[Fault, ...] = (InSequence(), AtOnce(), OutOfOrder(), ClaimLeft())
