"""The forecast: which faults strike when, a pure function of the seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from weather.fault import Fault, Parameters
from weather.truth import FIRST, STEP


@dataclass(frozen=True)
class Stroke:
    """A fault at its slots; ``fair`` slots of fair weather come before it."""

    fault: Fault
    fair: tuple[int, ...]
    slots: tuple[int, ...]
    parameters: Parameters


def forecast(faults: Sequence[Fault], kind: str, count: int, seed: int) -> list[Stroke]:
    """Return ``count`` strokes of the faults that a kind of store can meet; 0: each kind once.

    Each kind strikes once before any strikes twice by chance. Where there are fewer strokes than
    kinds, none is a long one.
    """
    chance = random.Random(f"{seed} {kind}")
    here = [fault for fault in faults if kind in fault.stores and fault.possible()]
    return list(_strokes(_chosen(here, count or len(here), chance), chance))


def left_out(faults: Sequence[Fault], kind: str) -> list[str]:
    """Return the faults that a kind of store can meet, and that cannot be made to happen here."""
    return [fault.name for fault in faults if kind in fault.stores and not fault.possible()]


def _chosen(faults: Sequence[Fault], count: int, chance: random.Random) -> list[Fault]:
    if count < len(faults):
        faults = [fault for fault in faults if not fault.long]
    further = max(0, count - len(faults))
    more = chance.choices(faults, [fault.share for fault in faults], k=further)
    chosen = [*chance.sample(faults, min(count, len(faults))), *more]
    chance.shuffle(chosen)
    return chosen


def _strokes(chosen: Sequence[Fault], chance: random.Random) -> Iterator[Stroke]:
    slot = FIRST
    for number, fault in enumerate(chosen):
        fair = chance.randint(0, 2) if number else 1
        times = tuple(range(slot, slot + (fair + fault.slots) * STEP, STEP))
        slot = times[-1] + STEP
        yield Stroke(fault, times[:fair], times[fair:], fault.choose(chance))
