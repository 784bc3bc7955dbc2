"""Bytes that change or go: in answers, in manifests, in a page of the database."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from coinlog.attempts import slot_name
from weather.damage import Damage
from weather.fault import SQLITE, Fault, Parameters
from weather.flipping import Flip, differences, unnoticed
from weather.truth import Truth, failed, missed, stored
from weather.world import World

WAYS = ("a bit flipped", "cut short", "emptied", "removed")
MANIFEST = "manifest.json"


class DamagedBeforeLoad(Fault):
    """An attempt is damaged before it is loaded: it counts as damaged, and another can be made."""

    name = "archive damaged before loading"
    share = 3

    def choose(self, chance: random.Random) -> Parameters:
        # A manifest is known by no other before it is loaded: only what it cannot be is seen.
        manifest = chance.random() < 0.3
        way = chance.choice(WAYS[1:3] if manifest else WAYS)
        return {**_place(chance, way), "manifest": manifest, "again": chance.random() < 0.7}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        world.record(slot, work="capture")
        _damage(_file(world, slot, parameters), parameters)
        world.meet()
        world.damaged[slot] = Damage()
        world.deliver(world.delivery(slot, work="load"))
        # A flipped bit of a file's header leaves the answer whole.
        truth = failed("damaged") | stored()
        if parameters["again"]:
            # A damaged attempt does not have the slot.
            truth = stored()
            world.record(slot)
        world.expect(slot, truth.calling(2 if parameters["again"] else 1))


class DamagedAfterLoad(Fault):
    """An attempt is damaged after it was stored: the store keeps it, and verifying names it."""

    name = "archive damaged after loading"
    share = 2

    def choose(self, chance: random.Random) -> Parameters:
        way = chance.choice(WAYS)
        return {**_place(chance, way), "manifest": chance.random() < 0.4}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        world.expect(slot, stored())
        world.record(slot)
        _damage(_file(world, slot, parameters), parameters)
        world.meet()
        world.damaged[slot] = Damage(anew=_anew(parameters))


def _anew(parameters: Parameters) -> tuple[Truth, Damage]:
    """Return what is left to tell where the store is lost after an attempt was damaged."""
    broken = failed("damaged")
    match parameters["way"], parameters["manifest"]:
        case "a bit flipped", True:
            # Who has never seen the manifest as it was may take it for a sound one.
            return stored(), Damage(named=False, misleads=True)
        case "removed", True:
            return missed(), Damage(named=False)
        case "a bit flipped", False:
            # A flipped bit of a file's header leaves the answer whole.
            return stored() | broken, Damage()
    return broken, Damage()


class DamagedPage(Fault):
    """A byte of a copy of the store changes: verifying finds it, or nothing that it tells changed.

    What the archive cannot tell is left out: when something was settled, and the slots whose files
    are damaged.
    """

    name = "byte of the database changed"
    stores = frozenset({SQLITE})

    def choose(self, chance: random.Random) -> Parameters:
        return {"places": [round(chance.random(), 6) for _ in range(2)], "bit": chance.randrange(8)}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        world.expect(slot, stored())
        world.record(slot)
        bit, damaged = parameters["bit"], list(world.damaged)
        flips = [Flip(place, bit) for place in parameters["places"]]
        look = partial(differences, world.archive)
        for said in world.do(unnoticed, world.direct_url, world.place, flips, damaged, look):
            world.complain(said)
        world.meet()


def _place(chance: random.Random, way: str) -> dict[str, Any]:
    return {"way": way, "at": round(chance.random(), 6), "bit": chance.randrange(8)}


def _file(world: World, slot: int, parameters: Parameters) -> Path:
    folder = world.archive / "captures" / slot_name(slot) / "1"
    if parameters["manifest"]:
        return folder / MANIFEST
    bodies = sorted(path for path in folder.iterdir() if path.name != MANIFEST)
    return bodies[int(parameters["at"] * len(bodies))]


def _damage(path: Path, parameters: Parameters) -> None:
    body = bytearray(path.read_bytes())
    at = int(parameters["at"] * len(body))
    match parameters["way"]:
        case "a bit flipped":
            body[at] ^= 1 << parameters["bit"]
        case "cut short":
            del body[at:]
        case "emptied":
            body.clear()
        case "removed":
            path.unlink()
            return
    path.write_bytes(body)


FAULTS: tuple[Fault, ...] = (DamagedBeforeLoad(), DamagedAfterLoad(), DamagedPage())
