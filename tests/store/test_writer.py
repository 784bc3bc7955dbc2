"""Settling attempts: one transaction, outcomes only rise, nothing twice."""

from __future__ import annotations

import msgspec
import pytest
import sqlalchemy as sa

from coinlog.errors import MixedSourcesError, StoreRefusedError, StoreUnavailableError
from coinlog.market import Outcome, SourceKind
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.writer import settle, settled
from samples import SLOT, STEP, asset, refused, settlement, snapshot


def rows(engine: sa.Engine, table: sa.Table) -> list[dict[str, object]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.select(table)).mappings()]


def ledger_row(engine: sa.Engine, slot: int = SLOT) -> dict[str, object]:
    return next(row for row in rows(engine, schema.slot) if row["slot"] == slot)


def test_a_snapshot_becomes_quotes_a_ledger_row_and_the_newest_quotes(engine: sa.Engine) -> None:
    assert settle(engine, settlement(found=snapshot([1, 1027])), SLOT + 20)

    assert [row["asset_id"] for row in rows(engine, schema.quote)] == [1, 1027]
    assert rows(engine, schema.latest)[0].items() >= {"asset_id": 1, "slot": SLOT}.items()
    row = ledger_row(engine)
    assert (row["outcome"], row["assets"], row["stored_at"]) == ("stored", 2, SLOT + 20)


def test_settling_the_same_attempt_again_changes_nothing(engine: sa.Engine) -> None:
    settle(engine, settlement(found=snapshot()), SLOT + 20)
    before = [rows(engine, table) for table in schema.metadata.sorted_tables]

    assert not settle(engine, settlement(found=snapshot(price=7.0)), SLOT + 90)

    assert [rows(engine, table) for table in schema.metadata.sorted_tables] == before


def test_a_second_answer_to_a_stored_slot_is_counted_and_changes_no_quote(
    engine: sa.Engine,
) -> None:
    settle(engine, settlement(found=snapshot(price=1.0)), SLOT + 20)
    settle(engine, settlement(attempt="2", found=snapshot(price=2.0)), SLOT + 30)

    assert {row["price"] for row in rows(engine, schema.quote)} == {1.0}
    row = ledger_row(engine)
    assert (row["attempt"], row["attempts"], row["credits"]) == ("1", 2, 6)


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]])
def test_outcomes_only_rise_in_whatever_order_attempts_come(
    engine: sa.Engine, order: list[int]
) -> None:
    attempts = [
        settlement(attempt="failed"),
        settlement(attempt="partial", found=snapshot([1], price=1.0, missing=[refused(1027)])),
        settlement(attempt="stored", found=snapshot([1, 1027], price=2.0)),
    ]
    for index in order:
        settle(engine, attempts[index], SLOT + 20)

    row = ledger_row(engine)
    assert (row["outcome"], row["attempt"], row["attempts"]) == ("stored", "stored", 3)
    assert [row["price"] for row in rows(engine, schema.quote)] == [2.0, 2.0]
    assert rows(engine, schema.missing) == []


def test_what_a_partial_attempt_had_and_the_better_one_lacks_is_gone(engine: sa.Engine) -> None:
    settle(engine, settlement(SLOT - STEP, found=snapshot([1, 7], price=1.0)), SLOT)
    settle(engine, settlement(found=snapshot([1, 7], price=2.0, missing=[refused(3)])), SLOT)
    settle(engine, settlement(attempt="2", found=snapshot([1, 3], price=3.0)), SLOT)

    newest = {row["asset_id"]: (row["slot"], row["price"]) for row in rows(engine, schema.latest)}
    assert newest == {1: (SLOT, 3.0), 3: (SLOT, 3.0), 7: (SLOT - STEP, 1.0)}


def test_a_partial_slot_keeps_what_it_lacks_and_why(engine: sa.Engine) -> None:
    settle(engine, settlement(found=snapshot([1], missing=[refused(1027)])), SLOT)

    assert ledger_row(engine)["outcome"] == Outcome.PARTIAL
    (row,) = rows(engine, schema.missing)
    assert (row["asset_id"], row["reason"]) == (1027, "refused")


def test_simulated_and_real_data_never_share_a_store(engine: sa.Engine) -> None:
    made_up = SourceKind.SIMULATED
    settle(engine, settlement(found=snapshot()), SLOT)

    with pytest.raises(MixedSourcesError, match="refuses simulated data"):
        settle(engine, settlement(SLOT + STEP, found=snapshot(source=made_up), source=made_up), 0)

    assert len(rows(engine, schema.slot)) == 1


def test_a_rename_is_kept_with_the_slot_it_began_at(engine: sa.Engine) -> None:
    names = ["Matic", "Matic", "Polygon"]
    for number, name in enumerate(names):
        found = snapshot([1])
        found = type(found)(found.observed_at, found.source, (asset(1, name),), found.quotes)
        settle(engine, settlement(SLOT + number * STEP, found=found), SLOT)

    history = [(row["from_slot"], row["name"]) for row in rows(engine, schema.asset_name)]
    assert history == [(SLOT, "Matic"), (SLOT + 2 * STEP, "Polygon")]
    assert rows(engine, schema.asset)[0]["name"] == "Polygon"


def test_a_name_taken_back_within_a_slot_leaves_no_trace(engine: sa.Engine) -> None:
    for number, attempt, name in ((0, "1", "Matic"), (1, "1", "Typo"), (1, "2", "Matic")):
        missing = [refused(7)] if name == "Typo" else []
        found = msgspec.structs.replace(snapshot([1], missing=missing), assets=(asset(1, name),))
        settle(engine, settlement(SLOT + number * STEP, attempt, found), SLOT)

    history = [(row["from_slot"], row["name"]) for row in rows(engine, schema.asset_name)]
    assert history == [(SLOT, "Matic")]
    assert rows(engine, schema.asset)[0]["name"] == "Matic"


def test_a_slot_loaded_late_with_another_name_is_an_interlude(engine: sa.Engine) -> None:
    for number, name in ((0, "First"), (2, "First"), (1, "Interlude")):
        found = snapshot([1])
        found = type(found)(found.observed_at, found.source, (asset(1, name),), found.quotes)
        settle(engine, settlement(SLOT + number * STEP, found=found), SLOT)

    history = sorted((row["from_slot"], row["name"]) for row in rows(engine, schema.asset_name))
    wanted = [(SLOT + n * STEP, name) for n, name in enumerate(("First", "Interlude", "First"))]
    assert (history, rows(engine, schema.asset)[0]["name"]) == (wanted, "First")


def test_an_older_slot_loaded_late_does_not_become_the_newest(engine: sa.Engine) -> None:
    settle(engine, settlement(SLOT, found=snapshot([1], price=2.0)), SLOT)
    settle(engine, settlement(SLOT - STEP, found=snapshot([1], price=1.0)), SLOT)

    assert [row["price"] for row in rows(engine, schema.latest)] == [2.0]
    assert rows(engine, schema.asset)[0]["first_slot"] == SLOT - STEP


def test_the_schedule_is_remembered_when_it_changes(engine: sa.Engine) -> None:
    settle(engine, settlement(SLOT), SLOT)
    settle(engine, settlement(SLOT + STEP), SLOT)
    settle(engine, settlement(SLOT + 2 * STEP, interval_seconds=3600), SLOT)

    remembered = [
        (row["from_slot"], row["interval_seconds"]) for row in rows(engine, schema.schedule)
    ]
    assert remembered == [(SLOT, STEP), (SLOT + 2 * STEP, 3600)]


def test_the_version_rises_with_every_transaction(engine: sa.Engine) -> None:
    for number in range(3):
        settle(engine, settlement(SLOT + number * STEP), SLOT)

    assert rows(engine, schema.store)[0]["version"] == 3


def test_settled_names_what_the_store_has_from_a_slot_on(engine: sa.Engine) -> None:
    for number in range(3):
        settle(engine, settlement(SLOT + number * STEP), SLOT)

    assert settled(engine, SLOT + STEP) == {(SLOT + STEP, "1"), (SLOT + 2 * STEP, "1")}


def test_symbols_that_differ_by_case_or_accent_alone_stay_apart(engine: sa.Engine) -> None:
    symbols = ["PEPE", "pepe", "PÈPE", "币安人生", "a b", "x'; DROP TABLE asset; --", "🦊"]
    assets = tuple(asset(number, symbol=symbol) for number, symbol in enumerate(symbols, 1))
    found = snapshot(range(1, len(symbols) + 1))
    settle(engine, settlement(found=type(found)(SLOT, found.source, assets, found.quotes)), SLOT)

    assert [row["symbol"] for row in rows(engine, schema.asset)] == symbols
    with engine.connect() as connection:
        here = sa.select(schema.asset.c.id).where(schema.asset.c.symbol == "pepe")
        assert connection.execute(here).scalars().all() == [2]


@pytest.mark.parametrize("price", [1.22691e-19, 9.98e10, 5e-324, 1.7976931348623157e308, 0.1 + 0.2])
def test_a_double_comes_back_to_the_last_bit(engine: sa.Engine, price: float) -> None:
    settle(engine, settlement(found=snapshot([1], price=price)), SLOT)

    assert rows(engine, schema.quote)[0]["price"] == price
    assert rows(engine, schema.latest)[0]["price"] == price


def test_a_transaction_that_fails_in_the_middle_leaves_nothing(engine: sa.Engine) -> None:
    broken = snapshot([1, 1])

    with pytest.raises(StoreRefusedError):
        settle(engine, settlement(found=broken), SLOT)

    assert [rows(engine, table) for table in (schema.slot, schema.quote, schema.attempt)] == [
        []
    ] * 3


def test_a_database_that_is_away_is_named_as_such() -> None:
    engine = open_engine("mysql+pymysql://nobody:secret-password@127.0.0.1:9/coinlog")

    with pytest.raises(StoreUnavailableError) as caught:
        settled(engine)

    assert "127.0.0.1" in str(caught.value)
    assert "secret-password" not in str(caught.value)
