"""Captures and backfilled answers, loaded in any order, leave the same rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import chain
from random import Random
from typing import Any

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from backfills import put_asset_history, put_market_history, put_mood_history
from coinlog.archive import Archive, open_archive
from coinlog.loading import sweep
from coinlog.slots import DAY, HOUR
from coinlog.store import names, schema
from market import put_attempt
from samples import SLOT, STEP

Put = Callable[[Archive], None]

LEFT_OUT = {"version", "stored_at", "settled_at"}
SLOTS = [SLOT + number * STEP for number in range(6)]
LATER = SLOT + 40 * DAY
UNSEEN, LISTED_ONCE = 9, 7

times = st.integers(SLOT // HOUR - 20, SLOT // HOUR + 40).map(lambda hour: hour * HOUR + 61)
points = st.dictionaries(times, st.sampled_from([1.5, 2.5, 3.5]), min_size=1, max_size=5)
resolutions = st.sampled_from([HOUR, STEP, DAY])


@st.composite
def captures(draw: st.DrawFn) -> list[list[Put]]:
    """Return some slots, a few of them with a partial answer before the full one."""
    found: list[list[Put]] = []
    for slot in draw(st.sets(st.sampled_from(SLOTS), max_size=4)):
        attempts: list[Put] = [partial(put_attempt, slot=slot, name="2")]
        if draw(st.booleans()):
            attempts.insert(0, partial(put_attempt, slot=slot, name="1", ids=(1, LISTED_ONCE)))
        found.append(attempts)
    return found


@st.composite
def histories(draw: st.DrawFn) -> list[Put]:
    """Some answers of the source's history: of assets, of the market, of its mood."""
    found: list[Put] = []
    for number in range(draw(st.integers(1, 4))):
        asset_id = draw(st.sampled_from([1, LISTED_ONCE, UNSEEN]))
        put = partial(put_asset_history, asset_id=asset_id, number=number + 1)
        found.append(partial(put, points=draw(points), resolution=draw(resolutions)))
    found.append(partial(put_market_history, points=draw(points), resolution=draw(resolutions)))
    found.append(partial(put_mood_history, points=draw(points), resolution=DAY))
    return found


def emptied(engine: sa.Engine) -> sa.Engine:
    """Take every row out of a store."""
    with engine.begin() as connection:
        for table in schema.metadata.sorted_tables:
            connection.execute(table.delete())
        connection.execute(schema.store.insert(), {"id": 1, "version": 0})
    names.forget(engine)
    return engine


def everything(engine: sa.Engine) -> dict[str, list[dict[str, Any]]]:
    """Return what must not depend on the order of loading."""
    with engine.connect() as connection:
        return {
            table.name: [
                {name: value for name, value in row.items() if name not in LEFT_OUT}
                for row in connection.execute(
                    sa.select(table).order_by(*table.primary_key)
                ).mappings()
            ]
            for table in schema.metadata.sorted_tables
        }


def load(engine: sa.Engine, archive: Archive) -> None:
    list(sweep(engine, archive, clock=lambda: LATER))


def test_whatever_comes_late_leaves_the_same_rows(engine: sa.Engine) -> None:
    # Orders that matter are looked for on SQLite, where one takes a fifth of the time.
    examples = 60 if engine.dialect.name == "sqlite" else 15

    @settings(max_examples=examples)
    @given(captured=captures(), asked=histories(), chance=st.randoms(use_true_random=False))
    def check(captured: list[list[Put]], asked: list[Put], chance: Random) -> None:
        together, late = open_archive("memory://"), open_archive("memory://")
        for put in (*chain.from_iterable(captured), *asked):
            put(together)
        load(emptied(engine), together)
        expected = everything(engine)

        emptied(engine)
        # The attempts at one slot are made one after the other, whatever happens in between.
        order = [
            *chain.from_iterable([slot] * len(slot) for slot in captured),
            *([put] for put in asked),
        ]
        chance.shuffle(order)
        turns = {id(of): iter(of) for of in order}
        for of in order:
            next(turns[id(of)])(late)
            load(engine, late)

        assert everything(engine) == expected

    check()
