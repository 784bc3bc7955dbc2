"""The market at any recorded slot: who was in it, called as then, narrowed, sorted and paged.

Everything holds on SQLite and MariaDB; the plan of the query is looked at where it decides about
milliseconds or a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from coinlog.market import Asset, Quote, Snapshot, SourceKind
from coinlog.store import listing, schema
from coinlog.store.engine import open_engine
from coinlog.store.listing import Listed, Wanted, read_listing
from coinlog.store.migrate import migrate
from coinlog.store.narrowing import BANDS
from coinlog.store.reader import Reader
from coinlog.store.writer import settle
from samples import SLOT, STEP, quote, settlement

THEN = SLOT - STEP


@pytest.fixture
def reader(engine: sa.Engine) -> Iterator[Reader]:
    reader = Reader(open_engine(engine.url, read_only=True))
    yield reader
    reader.engine.dispose()


def put(engine: sa.Engine, slot: int, *quotes: Quote, names: dict[int, str] | None = None) -> None:
    called = names or {}
    assets = tuple(
        Asset(one.asset_id, called.get(one.asset_id, f"Asset {one.asset_id}"), "A", "a")
        for one in quotes
    )
    found = Snapshot(slot + 12, SourceKind.COINMARKETCAP, assets, quotes)
    settle(engine, settlement(slot, found=found), slot + 20)


def ids(found: tuple[int, list[Listed]]) -> list[int]:
    return [one.asset.id for one in found[1]]


def ask(reader: Reader, slot: int, **wanted: object) -> tuple[int, list[Listed]]:
    return read_listing(reader, slot, SLOT, Wanted(**{"limit": 50, **wanted}))  # type: ignore[arg-type]


def test_a_past_market_is_who_was_in_it_with_what_has_become_of_them(
    engine: sa.Engine, reader: Reader
) -> None:
    put(engine, THEN, quote(1, rank=1), quote(2, 7.5, rank=2), quote(3, rank=3))
    put(engine, SLOT, quote(1, rank=2), quote(3, rank=None), quote(4, rank=1))
    with engine.begin() as connection:
        # A quote that was fetched later makes nobody a member of the slot's answer.
        later = {"asset_id": 4, "slot": THEN, "price": 1.0, "origin": "backfilled"}
        connection.execute(schema.quote.insert(), {**later, "resolution": 86_400})

    total, found = ask(reader, THEN)

    assert total == 3
    assert [(one.asset.id, one.last_slot, one.rank_now) for one in found] == [
        (1, SLOT, 2),
        (2, THEN, 2),
        (3, SLOT, None),
    ]
    assert found[1].asset.quote == quote(2, 7.5, rank=2)
    assert {one.asset.slot for one in found} == {THEN}


def test_assets_are_called_as_they_were_and_found_by_what_they_are_called_now(
    engine: sa.Engine, reader: Reader
) -> None:
    put(engine, THEN, quote(1), quote(2), names={1: "Matic", 2: "Nano"})
    put(engine, SLOT, quote(1), quote(2), names={1: "Polygon", 2: "Nano"})

    by_name = ask(reader, THEN, sort="name")

    assert [one.asset.name for one in by_name[1]] == ["Matic", "Nano"]
    assert [one.asset.name for one in ask(reader, SLOT, sort="name")[1]] == ["Nano", "Polygon"]
    assert [ids(ask(reader, THEN, q=q)) for q in ("matic", "polygon", "2", "%")] == [
        [1],
        [1],
        [2],
        [],
    ]
    assert ids(ask(reader, SLOT, q="matic")) == []


def test_names_that_differ_by_case_and_accent_alone_are_different_and_both_found(
    engine: sa.Engine, reader: Reader
) -> None:
    put(engine, SLOT, quote(1), quote(2), quote(3), names={1: "Élan", 2: "élan", 3: "Elan"})

    assert ids(ask(reader, SLOT, q="ÉLAN")) == [1, 2]


@pytest.mark.parametrize("q", ["%", "_", "'", '"', "\\", "'; DROP TABLE asset; --", "1 OR 1=1"])
def test_a_search_is_text_and_nothing_else(engine: sa.Engine, reader: Reader, q: str) -> None:
    put(engine, SLOT, quote(1), quote(2), names={2: f"odd {q} name"})

    assert ids(ask(reader, SLOT, q=q)) == [2]


def test_a_sort_that_does_not_exist_is_refused_before_it_reaches_the_database(
    reader: Reader,
) -> None:
    with pytest.raises(ValueError, match="expected one of"):
        ask(reader, SLOT, sort="price; DROP TABLE asset")


@pytest.mark.parametrize("slot", [THEN, SLOT])
def test_gainers_and_losers_have_a_sign_and_an_order_of_their_own(
    engine: sa.Engine, reader: Reader, slot: int
) -> None:
    changes = {1: 2.0, 2: -1.0, 3: 0.0, 4: None, 5: 5.5e19, 6: -30.0}
    quotes = [quote(one, percent_change_24h=change) for one, change in changes.items()]
    for at in (THEN, SLOT):
        put(engine, at, *quotes)

    assert ids(ask(reader, slot, only="gainers")) == [5, 1]
    assert ids(ask(reader, slot, only="losers")) == [6, 2]
    assert ids(ask(reader, slot, only="losers", sort="-percent_change_24h")) == [2, 6]
    assert ids(ask(reader, slot, ids=(6, 1, 99))) == [1, 6]
    assert ask(reader, slot, ids=()) == (0, [])


def test_every_asset_is_in_one_band_of_the_market_cap(engine: sa.Engine, reader: Reader) -> None:
    caps = [0.0, 9_999_999.0, 1e7, 99_999_999.0, 1e8, 1e9 - 1, 1e9, 1e10 - 1, 1e10, 2e24, None]
    put(engine, SLOT, *(quote(n, market_cap=cap) for n, cap in enumerate(caps, 1)))

    assert {band: ids(ask(reader, SLOT, cap=band)) for band in BANDS} == {
        "10b": [9, 10],
        "1b": [7, 8],
        "100m": [5, 6],
        "10m": [3, 4],
        "small": [1, 2],
        "unknown": [11],
    }


@pytest.mark.parametrize("slot", [THEN, SLOT])
def test_pages_follow_each_other_and_tell_the_total_even_past_the_end(
    engine: sa.Engine, reader: Reader, slot: int
) -> None:
    for at in (THEN, SLOT):
        put(engine, at, *(quote(one, rank=5) for one in range(1, 26)))

    pages = [ask(reader, slot, limit=10, offset=at, sort="-price") for at in (0, 10, 20, 30)]

    assert [total for total, _ in pages] == [25] * 4
    assert [one for page in pages for one in ids(page)] == list(range(1, 26))


def test_slots_before_and_after_are_those_with_quotes(engine: sa.Engine, reader: Reader) -> None:
    put(engine, THEN, quote(1))
    settle(engine, settlement(SLOT), SLOT + 20)
    put(engine, SLOT + STEP, quote(1))

    assert listing.recorded_before(reader, SLOT + STEP - 1) == THEN
    assert listing.recorded_before(reader, THEN - 1) is None
    assert listing.recorded_after(reader, THEN) == SLOT + STEP
    assert listing.recorded_after(reader, SLOT + STEP) is None


def test_sqlite_goes_straight_to_each_quote_of_a_past_slot(own_world: Path) -> None:
    engine = open_engine(sa.URL.create("sqlite", database=str(own_world / "coinlog.db")))
    migrate(engine)
    reader = Reader(engine)
    put(engine, THEN, quote(1))
    put(engine, SLOT, quote(1))
    statements: list[tuple[str, Any]] = []
    sa.event.listen(
        reader.engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, given, *_: statements.append((statement, given)),
    )
    ask(reader, THEN, sort="-price", q="a", only="", cap="unknown")
    (statement, given) = next(one for one in statements if "FROM quote" in one[0])
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given).fetchall()

    assert any(row[3] == "SEARCH quote USING PRIMARY KEY (asset_id=? AND slot=?)" for row in plan)
    assert not any(row[3].startswith("SCAN quote") for row in plan)
    engine.dispose()
