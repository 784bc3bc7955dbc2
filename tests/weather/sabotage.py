"""Promises broken on purpose: what the machine must notice, or its zeros mean nothing."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import sqlalchemy as sa

from coinlog.archive import open_archive
from coinlog.attempts import AttemptKey
from coinlog.store import schema
from coinlog.store.engine import open_engine
from market import LISTINGS
from troubles import Troubles
from weather.corruption_faults import DamagedAfterLoad
from weather.database_faults import Passing, Replaced
from weather.fault import SQLITE, Fault, Parameters
from weather.truth import IDS, STEP, stored
from weather.world import World


@dataclass
class Sabotage(Fault):
    """A slot is recorded and then spoilt."""

    name: str
    spoil: Callable[[World, int], object]

    def strike(self, world: World, slots: Sequence[int], _parameters: Parameters) -> None:
        (slot,) = slots
        world.expect(slot, stored())
        world.record(slot)
        self.spoil(world, slot)


def _execute(url: sa.URL, *statements: sa.Delete | sa.Update) -> None:
    engine = open_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)
    engine.dispose()


def _forget_quote(world: World, slot: int) -> None:
    quote = schema.quote
    here = (quote.c.slot == slot, quote.c.asset_id == IDS[5])
    world.do(_execute, world.direct_url, quote.delete().where(*here))


def _forget_slot(world: World, slot: int) -> None:
    statements = [
        table.delete().where(table.c.slot == slot)
        for table in (schema.quote, schema.slot, schema.global_metrics, schema.fear_and_greed)
    ]
    world.do(_execute, world.direct_url, *statements)


def _alter_price(world: World, slot: int) -> None:
    quote = schema.quote
    here = (quote.c.slot == slot, quote.c.asset_id == IDS[5])
    # The last bit of a double: the least that a number can be wrong by.
    price = quote.c.price * (1 + 2.0**-52)
    world.do(_execute, world.direct_url, quote.update().where(*here).values(price=price))


def _blame(world: World, slot: int) -> None:
    ledger = schema.slot
    blamed = ledger.update().where(ledger.c.slot == slot).values(outcome="failed", reason="plan")
    world.do(_execute, world.direct_url, blamed)


def _ask_again(world: World, _slot: int) -> None:
    with httpx.Client(trust_env=False) as client:
        client.get(world.source.url + LISTINGS)


def _damage(world: World, slot: int) -> None:
    world.do(_cut_short, world.archive, slot)


def _cut_short(folder: Path, slot: int) -> None:
    archive, path = open_archive(str(folder)), f"{AttemptKey(slot, '1').folder}/listings-1.json.gz"
    archive.objects.put(path, archive.objects.read(path)[:-1])


class _Overwritten(DamagedAfterLoad):
    """A slot's file breaks, and the store believes it, though it knew better."""

    name = "a good row overwritten, as its file broke"

    def choose(self, _chance: random.Random) -> Parameters:
        return {"way": "emptied", "at": 0.0, "bit": 0, "manifest": False}

    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        super().strike(world, slots, parameters)
        ledger, quote, (slot,) = schema.slot, schema.quote, slots
        blamed = ledger.update().where(ledger.c.slot == slot)
        world.do(
            _execute,
            world.direct_url,
            blamed.values(outcome="failed", reason="damaged"),
            quote.delete().where(quote.c.slot == slot),
        )


class _GoneSince(Sabotage):
    """A slot is recorded and spoilt, and then the store is lost and made anew from the archive."""

    stores = frozenset({SQLITE})
    # Whatever else was spoilt is not to be lost with it.
    elsewhere = True

    def strike(self, world: World, slots: Sequence[int], _parameters: Parameters) -> None:
        beside = world.nights
        slot = max(beside.book, default=slots[0]) + STEP
        with beside.striking(self.name):
            super().strike(beside, [slot], _parameters)
            Replaced().strike(beside, [slot + STEP], {"junk": "nothing"})


class _NoTroubles(Troubles):
    """Troubles of which nobody suffers."""

    @contextmanager
    def refused(self) -> Iterator[None]:
        yield


class _Untroubled(Passing):
    """A database is said to be in trouble, and is not."""

    name = "a trouble that nobody met"
    troubles = _NoTroubles

    def choose(self, _chance: random.Random) -> Parameters:
        return {"trouble": "refused", "seconds": 0.1}


SABOTAGES: tuple[Fault, ...] = (
    Sabotage("a quote taken away", _forget_quote),
    Sabotage("a slot taken away", _forget_slot),
    Sabotage("a price altered by one bit", _alter_price),
    Sabotage("another reason in the ledger", _blame),
    Sabotage("the source asked twice", _ask_again),
    Sabotage("an answer in the archive cut short", _damage),
    _Overwritten(),
    _GoneSince("a price altered in a store that went", _alter_price),
    _Untroubled(),
)
