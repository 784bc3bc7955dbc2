"""An answer whose rows are wrong: numbers that are none, too few rows, too many, the same twice."""

from __future__ import annotations

import random
from collections.abc import Sequence

from market import LISTINGS, QUOTES
from weather import answers
from weather.answers import FURTHER, Altered, Priced
from weather.fault import Fault, Parameters
from weather.truth import FIAT, IDS, Truth, failed, partial, stored
from weather.world import World

ETHEREUM = 1027
_OTHERS = IDS[2:]


class WrongPrice(Fault):
    """A price that is refused with its row; what is asked for by id is asked for again."""

    name = "null or negative price"

    def choose(self, chance: random.Random) -> Parameters:
        asset_id = chance.choice([ETHEREUM, *chance.sample(_OTHERS, 3)])
        return {"asset": asset_id, "text": chance.choice(["null", "-1", "-1e-18", '"much"', "[]"])}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        asset_id = parameters["asset"]
        refused = partial({asset_id: "refused"}).saying(f"asset {asset_id} was refused")
        again = stored().calling(2, QUOTES)
        world.expect(slot, again if asset_id == ETHEREUM else refused)
        world.source.on(LISTINGS, Priced(asset_id, parameters["text"]))
        world.record(slot)


class NoNumber(Fault):
    """A number that no reader of JSON should take: the whole answer is broken."""

    name = "NaN or 1e999"

    def choose(self, chance: random.Random) -> Parameters:
        return {
            "asset": chance.choice(IDS),
            "text": chance.choice(["NaN", "Infinity", "-Infinity", "1e999", "-1E+400"]),
        }

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        world.expect(slot, failed("broken_answer"))
        world.source.on(LISTINGS, Priced(parameters["asset"], parameters["text"]))
        world.record(slot)


class MissingAsset(Fault):
    """A row is not there: of an asset by rank, of one asked for by id, or of that one nowhere."""

    name = "missing asset"

    def choose(self, chance: random.Random) -> Parameters:
        kind = chance.choice(["by rank", "in the listing", "everywhere"])
        return {"kind": kind, "asset": chance.choice(_OTHERS) if kind == "by rank" else ETHEREUM}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        asset_id = parameters["asset"]
        world.expect(slot, self._truth(parameters["kind"], asset_id))
        world.source.on(LISTINGS, Altered(answers.without, asset_id))
        if parameters["kind"] == "everywhere":
            world.source.on(QUOTES, Altered(answers.without, asset_id))
        world.record(slot)

    def _truth(self, kind: str, asset_id: int) -> Truth:
        if kind == "in the listing":
            return stored().calling(2, QUOTES)
        if kind == "everywhere":
            truth = partial({asset_id: "not_answered"}).saying("asked for by its id")
            return truth.calling(2, QUOTES)
        others = tuple(each for each in (*IDS, *FIAT) if each != asset_id)
        return Truth(stored().fates, assets=others)


class ManyRows(Fault):
    """Fifty times as many rows as were asked for."""

    name = "huge number of rows"

    def strike(self, world: World, slots: Sequence[int], _parameters: Parameters) -> None:
        (slot,) = slots
        world.expect(slot, Truth(stored().fates, assets=(*IDS, *FIAT, *FURTHER)))
        world.source.on(LISTINGS, Altered(answers.with_many, 0))
        world.record(slot)


class DoubledRows(Fault):
    """An asset comes three times, with other numbers: the first counts."""

    name = "duplicate rows"

    def choose(self, chance: random.Random) -> Parameters:
        return {"asset": chance.choice(IDS)}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        (slot,) = slots
        world.expect(slot, stored())
        world.source.on(LISTINGS, Altered(answers.doubled, parameters["asset"]))
        world.record(slot)


FAULTS: tuple[Fault, ...] = (
    WrongPrice(),
    NoNumber(),
    MissingAsset(),
    ManyRows(),
    DoubledRows(),
)
