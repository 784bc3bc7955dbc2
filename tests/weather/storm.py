"""A storm: the strokes of a forecast, one after the other, and the account of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from weather.account import Account
from weather.fault import Fault
from weather.forecast import Stroke, forecast, left_out
from weather.gone import charge_for_what_went
from weather.reckoning import reckon
from weather.truth import FIRST, STEP
from weather.world import World, open_world


def storm(
    faults: Sequence[Fault], kind: str, count: int, seed: int, advance: Callable[[str], object]
) -> Account:
    """Let a storm of ``count`` faults pass over a kind of store; ``advance`` hears of each."""
    strokes = forecast(faults, kind, count, seed)
    account = Account(left_out=left_out(faults, kind))
    coming = {stroke.fault.name: stroke.fault for stroke in strokes}
    for fault in faults:
        if fault.name in coming:
            account.line(fault.name)
    with (
        tempfile.TemporaryDirectory(prefix="coinlog-weather-") as place,
        open_world(kind, Path(place) / "world") as world,
    ):
        for stroke in strokes:
            advance(stroke.fault.name)
            line = account.line(stroke.fault.name)
            line.times += 1
            line.met += _strike(world, stroke)
        for slot in _quiet(world):
            world.fair(slot)
        reckon(world, account)
        charge_for_what_went(world, account)
    for name, fault in coming.items():
        if account.line(name).times >= fault.surely and not account.line(name).met:
            account.charge(name, "untrue", "it was injected, and nothing of coinlog ever met it")
    return account


def _strike(world: World, stroke: Stroke) -> bool:
    """Let a fault strike; return whether it was met."""
    for slot in stroke.fair:
        world.fair(slot)
    fault = stroke.fault
    complaints = len(world.complaints)
    world.met.clear()
    with world.striking(fault.name):
        fault.strike(world, stroke.slots, stroke.parameters)
        for slot in stroke.slots:
            if slot not in world.book and not fault.elsewhere:
                world.complain(f"the fault says nothing of slot {slot}")
    with world.striking(fault.name):
        world.calm()
    if len(world.complaints) > complaints:
        told = f"{world.complaints[-1][1]} {dict(stroke.parameters)}"
        world.complaints[-1] = (fault.name, told)
    return bool(world.met - (set() if fault.told else {"told"}))


def _quiet(world: World) -> list[int]:
    """Return two slots after the last, in which all that waited is settled."""
    after = max(world.book, default=FIRST) + STEP
    return [after, after + STEP]
