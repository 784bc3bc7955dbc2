"""Clocks that are off by hours or a minute, and nights in which they are put back or on."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from coinlog.slots import HOUR
from weather.fault import Fault, Parameters
from weather.recorder import Recorder
from weather.truth import FIRST, STEP, failed, stored
from weather.world import LATE_SECONDS, World

OFF = 3 * HOUR
EARLY_SECONDS = 59
MADRID, BOGOTA = "Europe/Madrid", "America/Bogota"


class OurClockAhead(Fault):
    """Our clock is three hours ahead for one recording; then it is set, and all goes on.

    The slot that it takes for the current one is not: the source's clock says so. Once ours is
    right again, every slot is recorded in its time.
    """

    name = "our clock three hours ahead"
    slots = 4

    def choose(self, chance: random.Random) -> Parameters:
        return {"scheduled": chance.random() < 0.5}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        first = slots[0]
        world.source.moment(first, first + LATE_SECONDS)
        scheduled = first if parameters["scheduled"] else None
        told = world.deliver(
            world.delivery(first, now=first + OFF + LATE_SECONDS, scheduled=scheduled)
        )
        # An event of a slot that has passed for us is left alone.
        due = ("PASSED", None) if parameters["scheduled"] else ("OURS", "clock_skew")
        if (told.standing, told.reason) != due:
            world.complain(f"with our clock three hours ahead: {told}")
        for slot in slots:
            # The source was asked by the wrong clock once, and its log counts that to its own slot.
            world.expect(slot, stored().calling(2 if slot == first else 1))
            told = world.record(slot)
            if told.trouble or not told.settled:
                world.complain(f"with our clock right again: {told}")


class OurClockBehind(Fault):
    """Our clock is three hours behind for one recording, after a slot that was stored, then set."""

    name = "our clock three hours behind"
    slots = 2

    def choose(self, chance: random.Random) -> Parameters:
        return {"scheduled": chance.random() < 0.5}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        before, slot = slots
        world.expect(before, stored())
        world.record(before)
        world.expect(slot, stored())
        world.source.moment(slot, slot + LATE_SECONDS)
        scheduled = slot if parameters["scheduled"] else None
        told = world.deliver(world.delivery(slot, now=slot - OFF, scheduled=scheduled))
        if told.standing == "OURS":
            world.complain(f"with our clock three hours behind: {told}")
        world.record(slot)


class TheirClockOff(Fault):
    """The source's clock is three hours off either way; the slot is tried again or not."""

    name = "the source's clock three hours off"

    def choose(self, chance: random.Random) -> Parameters:
        return {"off": chance.choice([-OFF, OFF]), "again": chance.random() < 0.3}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        again = parameters["again"]
        truth = failed("clock_skew").saying("set this machine's clock")
        world.expect(slot, stored().calling(2) if again else truth)
        world.source.moment(slot, slot + LATE_SECONDS + parameters["off"])
        world.deliver(world.delivery(slot))
        if again:
            world.record(slot)


class Early(Fault):
    """A minute less a second too early: by our clock, the source's, or the schedule's.

    By our own clock it is still the slot before, which is stored.
    """

    name = "59 seconds early"
    slots = 2

    def choose(self, chance: random.Random) -> Parameters:
        return {"whose": chance.choice(["ours", "the source's", "the schedule's"])}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        before, slot = slots
        whose, early = parameters["whose"], slot - EARLY_SECONDS
        world.expect(before, stored())
        world.record(before)
        world.expect(slot, stored())
        world.source.moment(slot, slot if whose == "ours" else early)
        world.meet()
        if whose == "the source's":
            # Our clock runs a minute fast, so the slot begins for us and not for the source.
            world.deliver(world.delivery(slot, now=slot + 1))
            return
        scheduled = slot if whose == "the schedule's" else None
        told = world.deliver(world.delivery(slot, now=early, scheduled=scheduled))
        if whose == "ours":
            if told.standing != "STORED":
                world.complain(f"59 seconds early, it found {told}")
            world.record(slot)


class Night(Fault):
    """A night in which clocks change: a recorder in that zone misses no hour and doubles none."""

    name = "daylight-saving night"
    told = False
    elsewhere = True

    def choose(self, chance: random.Random) -> Parameters:
        return {"zone": chance.choice([MADRID, BOGOTA])}

    def strike(self, world: World, _slots: Sequence[int], parameters: Parameters) -> None:
        nights = world.nights
        change = _next_change(max(nights.book, default=FIRST) + STEP)
        with nights.striking(self.name), Recorder({"TZ": parameters["zone"]}) as recorder:
            for slot in range(change - 2 * HOUR, change + 2 * HOUR, STEP):
                nights.expect(slot, stored())
                nights.source.moment(slot, slot + LATE_SECONDS)
                nights.heard(recorder)(nights.delivery(slot))
                world.meet()


def _next_change(after: int) -> int:
    """Return the next moment after a time at which Madrid puts its clocks forward or back."""
    zone = ZoneInfo(MADRID)

    def offset(moment: int) -> dt.timedelta | None:
        return dt.datetime.fromtimestamp(moment, zone).utcoffset()

    moment = after + 4 * HOUR
    while offset(moment) == offset(moment + HOUR):
        moment += HOUR
    return moment + HOUR


FAULTS: tuple[Fault, ...] = (
    OurClockAhead(),
    OurClockBehind(),
    TheirClockOff(),
    Early(),
    Night(),
)
