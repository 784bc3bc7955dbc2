"""Settling many attempts at once leaves what settling them one by one leaves."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import msgspec
import pytest
import sqlalchemy as sa

from coinlog.errors import MixedSourcesError, StoreRefusedError
from coinlog.market import FearAndGreed, GlobalMetrics, SourceKind
from coinlog.move.digests import Digests, read_digests
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from coinlog.store.settlements import Settlement
from coinlog.store.writer import settle, settle_many
from samples import SLOT, STEP, asset, refused, settlement, snapshot

OUR_CLOCK = ("stored_at", "settled_at", "version")


def some_attempt(chance: random.Random, number: int) -> Settlement:
    """Return an attempt at one of few slots, of any outcome, with some assets renamed."""
    slot = SLOT + STEP * chance.randrange(6)
    interval = chance.choice([STEP, STEP, STEP, STEP // 6])
    if chance.random() < 0.2:
        return settlement(slot, str(number), interval_seconds=interval)
    ids = sorted(chance.sample(range(1, 9), chance.randint(1, 6)))
    missing = [refused(99)] if chance.random() < 0.4 else []
    found = snapshot(ids, price=chance.random(), missing=missing)
    named = tuple(asset(each, chance.choice(["Old", "New"])) for each in ids)
    found = msgspec.structs.replace(
        found,
        assets=named,
        global_metrics=GlobalMetrics(bitcoin_dominance=chance.random()),
        fear_and_greed=FearAndGreed(42.0, "Fear") if chance.random() < 0.5 else None,
    )
    return settlement(slot, str(number), found, interval_seconds=interval)


def in_batches(
    items: Sequence[Settlement], chance: random.Random
) -> Iterator[Sequence[Settlement]]:
    while items:
        size = chance.randint(1, len(items))
        yield items[:size]
        items = items[size:]


def emptied(engine: sa.Engine) -> None:
    migrate(engine, "base")
    migrate(engine)


def digests(engine: sa.Engine) -> Digests:
    return read_digests(engine, leave_out=OUR_CLOCK)


@pytest.mark.parametrize("seed", range(6))
def test_in_whatever_batches_attempts_come_the_rows_are_the_same(
    engine: sa.Engine, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311  a test needs chance, not secrecy
    attempts = [some_attempt(chance, number) for number in range(25)]
    for attempt in attempts:
        settle(engine, attempt, SLOT)
    one_by_one = digests(engine)
    emptied(engine)

    for batch in in_batches(attempts, chance):
        assert settle_many(engine, batch, SLOT) == [True] * len(batch)

    assert one_by_one.differences(digests(engine)) == []


@pytest.mark.parametrize("seed", range(6))
def test_in_whatever_order_slots_come_the_rows_are_the_same(engine: sa.Engine, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  a test needs chance, not secrecy
    by_slot = {each.slot: each for each in (some_attempt(chance, n) for n in range(25))}
    in_turn = [by_slot[slot] for slot in sorted(by_slot)]
    settle_many(engine, in_turn, SLOT)
    wanted = digests(engine)
    emptied(engine)

    for attempt in chance.sample(in_turn, len(in_turn)):
        settle(engine, attempt, SLOT)

    assert wanted.differences(digests(engine)) == []


def test_what_was_settled_before_or_comes_twice_is_not_settled_again(engine: sa.Engine) -> None:
    first, second = (settlement(SLOT + n * STEP, found=snapshot()) for n in range(2))
    settle(engine, first, SLOT)

    assert settle_many(engine, [first, second, second], SLOT) == [False, True, False]
    before = digests(engine)
    assert settle_many(engine, [first, second], SLOT) == [False, False]
    assert before.differences(digests(engine)) == []


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (settlement(SLOT + STEP, found=snapshot([1, 1])), StoreRefusedError),
        (settlement(SLOT + STEP, source=SourceKind.SIMULATED), MixedSourcesError),
    ],
)
def test_a_batch_with_a_bad_attempt_leaves_nothing(
    engine: sa.Engine, bad: Settlement, error: type[Exception]
) -> None:
    good = settlement(found=snapshot())
    with pytest.raises(error):
        settle_many(engine, [good, bad], SLOT)

    with engine.connect() as connection:
        for table in (schema.slot, schema.quote, schema.attempt, schema.asset, schema.latest):
            assert connection.execute(sa.select(table)).all() == []
    assert settle(engine, good, SLOT)


def test_an_asset_that_was_away_is_no_newcomer_to_a_process_that_has_just_begun(
    store_url: sa.URL, engine: sa.Engine
) -> None:
    settle(engine, settlement(SLOT, found=snapshot([1, 2])), SLOT)
    begun = open_engine(store_url)
    settle(begun, settlement(SLOT + STEP, found=snapshot([1])), SLOT)
    settle(begun, settlement(SLOT + 2 * STEP, found=snapshot([1, 2])), SLOT)
    begun.dispose()

    with engine.connect() as connection:
        named = connection.execute(sa.select(schema.asset_name.c.from_slot)).scalars().all()
    assert named == [SLOT, SLOT]


def test_a_late_slot_with_another_schedule_leaves_the_one_after_it_in_force(
    engine: sa.Engine,
) -> None:
    for number, interval in ((0, STEP), (2, STEP), (1, STEP // 6)):
        settle(engine, settlement(SLOT + number * STEP, interval_seconds=interval), SLOT)

    table = schema.schedule.c
    with engine.connect() as connection:
        found = connection.execute(sa.select(table.from_slot, table.interval_seconds)).all()
        assert sorted(found) == [(SLOT, STEP), (SLOT + STEP, STEP // 6), (SLOT + 2 * STEP, STEP)]
