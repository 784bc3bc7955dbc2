"""A storm: the strokes of a forecast, one after the other, and the account of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from weather.fault import Fault
from weather.forecast import Stroke, forecast, left_out
from weather.gone import charge_for_what_went
from weather.reckoning import Account, reckon
from weather.truth import FIRST, STEP
from weather.world import World, open_world


def storm(
    faults: Sequence[Fault], kind: str, count: int, seed: int, advance: Callable[[str], object]
) -> Account:
    """Let a storm of ``count`` faults pass over a kind of store; ``advance`` hears of each."""
    strokes = forecast(faults, kind, count, seed)
    account = Account(left_out=left_out(faults, kind))
    coming = {stroke.fault.name for stroke in strokes}
    for fault in faults:
        if fault.name in coming:
            account.line(fault.name)
    with (
        tempfile.TemporaryDirectory(prefix="coinlog-weather-") as place,
        open_world(kind, Path(place) / "world") as world,
    ):
        for stroke in strokes:
            advance(stroke.fault.name)
            _strike(world, stroke)
            account.line(stroke.fault.name).times += 1
        for slot in _quiet(world):
            world.fair(slot)
        reckon(world, account)
        charge_for_what_went(world, account)
    return account


def _strike(world: World, stroke: Stroke) -> None:
    for slot in stroke.fair:
        world.fair(slot)
    name = stroke.fault.name
    complaints = len(world.complaints)
    with world.striking(name):
        stroke.fault.strike(world, stroke.slots, stroke.parameters)
        for slot in stroke.slots:
            if slot not in world.book and not stroke.fault.elsewhere:
                world.complain(f"the fault says nothing of slot {slot}")
    with world.striking(name):
        world.calm()
    if len(world.complaints) > complaints:
        world.complaints[-1] = (name, f"{world.complaints[-1][1]} {dict(stroke.parameters)}")


def _quiet(world: World) -> list[int]:
    """Return two slots after the last, in which all that waited is settled."""
    after = max(world.book, default=FIRST) + STEP
    return [after, after + STEP]
