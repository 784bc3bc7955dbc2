"""Promises broken on purpose: what the machine must notice, or its zeros mean nothing."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

import disks
from coinlog.archive import open_archive
from coinlog.attempts import AttemptKey
from coinlog.store import schema
from coinlog.store.engine import open_engine
from market import LISTINGS, QUOTES
from troubles import Troubles
from weather.answers import Page
from weather.corruption_faults import DamagedAfterLoad
from weather.database_faults import Passing, Replaced
from weather.fault import SQLITE, Fault, Parameters
from weather.recorder import Recorder
from weather.truth import FIAT, IDS, STEP, Truth, failed, partial, partial_by, stored
from weather.world import LATE_SECONDS, World


@dataclass
class Sabotage(Fault):
    """A slot is recorded and then spoilt."""

    name: str
    spoil: Callable[[World, int], object]
    truth: Truth = field(default_factory=stored)
    bad: str = ""
    """A path at which the source misbehaves, so that there is something to say of the slot."""

    def strike(self, world: World, slots: Sequence[int], _parameters: Parameters) -> None:
        (slot,) = slots
        world.expect(slot, self.truth)
        if self.bad:
            world.source.on(self.bad, Page())
        world.record(slot)
        self.spoil(world, slot)
        world.meet()


class LeftUnsettled(Fault):
    """An attempt that no recorder settles, as none looks so far back any more."""

    name = "an attempt left unsettled"
    slots = 3

    def strike(self, world: World, slots: Sequence[int], _parameters: Parameters) -> None:
        for slot in slots:
            world.expect(slot, stored())
            world.record(slot)
        attempt = schema.attempt
        world.do(_execute, world.direct_url, attempt.delete().where(attempt.c.slot == slots[0]))
        world.meet()


class Forgotten(Fault):
    """Nobody says any more why a slot could not be kept, though its recorder should live on."""

    name = "a reason forgotten"
    slots = 2

    def strike(self, world: World, slots: Sequence[int], _parameters: Parameters) -> None:
        slot, after = slots
        world.expect(slot, failed("not_kept"))
        world.expect(after, stored())
        world.source.moment(slot, slot + LATE_SECONDS)
        with disks.read_only(world.archive), Recorder() as recorder:
            world.heard(recorder)(world.delivery(slot))
        world.record(after)


class NeverMet(Fault):
    """A fault that nothing meets."""

    name = "a fault that hits nothing"

    def strike(self, world: World, slots: Sequence[int], _parameters: Parameters) -> None:
        (slot,) = slots
        world.expect(slot, stored())
        world.record(slot)


def _execute(url: sa.URL, *statements: sa.Delete | sa.Update) -> None:
    engine = open_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)
    engine.dispose()


def _forget(*tables: sa.Table) -> Callable[[World, int], None]:
    """Return what takes a slot's rows out of tables."""

    def spoil(world: World, slot: int) -> None:
        statements = [table.delete().where(table.c.slot == slot) for table in tables]
        world.do(_execute, world.direct_url, *statements)

    return spoil


def _note(**values: object) -> Callable[[World, int], None]:
    """Return what writes something else into a slot's row of the ledger."""

    def spoil(world: World, slot: int) -> None:
        ledger = schema.slot
        altered = ledger.update().where(ledger.c.slot == slot).values(_of(ledger, values))
        world.do(_execute, world.direct_url, altered)

    return spoil


def _of(table: sa.Table, values: Mapping[str, object]) -> dict[str, Any]:
    """Return values of which those that are numbers are added to what is there."""
    return {
        name: table.c[name] + value if isinstance(value, int) else value
        for name, value in values.items()
    }


def _forget_quote(world: World, slot: int) -> None:
    quote = schema.quote
    here = (quote.c.slot == slot, quote.c.asset_id == IDS[5])
    world.do(_execute, world.direct_url, quote.delete().where(*here))


def _alter_price(world: World, slot: int) -> None:
    quote = schema.quote
    here = (quote.c.slot == slot, quote.c.asset_id == IDS[5])
    # The last bit of a double: the least that a number can be wrong by.
    price = quote.c.price * (1 + 2.0**-52)
    world.do(_execute, world.direct_url, quote.update().where(*here).values(price=price))


def _blame_another(world: World, slot: int) -> None:
    missing = schema.missing
    blamed = missing.update().where(missing.c.slot == slot).values(reason="timeout")
    world.do(_execute, world.direct_url, blamed)


def _ask_again(path: str) -> Callable[[World, int], None]:
    """Return what asks the source once more."""

    def spoil(world: World, _slot: int) -> None:
        with httpx.Client(trust_env=False) as client:
            client.get(world.source.url + path, params={"id": "1"})

    return spoil


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
        world.meet()


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


_ALL = (schema.quote, schema.slot, schema.global_metrics, schema.fear_and_greed)
_PAGE = "not JSON"
_NO_RATES = dict.fromkeys(FIAT, "broken_answer")

SABOTAGES: tuple[Fault, ...] = (
    Sabotage("a quote taken away", _forget_quote),
    Sabotage("a slot taken away", _forget(*_ALL)),
    Sabotage("quotes without a row in the ledger", _forget(schema.slot)),
    Sabotage("a part taken away", _forget(schema.global_metrics)),
    Sabotage("a price altered by one bit", _alter_price),
    Sabotage("another moment in the ledger", _note(observed_at=1)),
    Sabotage("another reason in the ledger", _note(outcome="failed", reason="plan")),
    Sabotage(
        "other words in the ledger",
        _note(detail="something was wrong"),
        failed("broken_answer").saying(_PAGE),
        LISTINGS,
    ),
    Sabotage("another reason for a part", _blame_another, partial(_NO_RATES), QUOTES),
    Sabotage("a reason that nobody allows", lambda *_: None, partial_by("timeout"), QUOTES),
    Sabotage("a credit too many", _note(credits=1)),
    Sabotage("an attempt too many", _note(attempts=1)),
    Sabotage("the source asked twice", _ask_again(LISTINGS)),
    Sabotage("the source asked twice for quotes", _ask_again(QUOTES)),
    Sabotage("an answer in the archive cut short", _damage),
    LeftUnsettled(),
    Forgotten(),
    NeverMet(),
    _Overwritten(),
    _GoneSince("a price altered in a store that went", _alter_price),
    _Untroubled(),
)
