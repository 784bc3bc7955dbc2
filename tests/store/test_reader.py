"""Reading the store: bounded, bound and read-only, on every kind of database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from coinlog.errors import StoreError
from coinlog.market import Asset, Quote, Snapshot, SourceKind
from coinlog.slots import HOUR, Schedule
from coinlog.store import reader as reading
from coinlog.store.engine import open_engine
from coinlog.store.ledger import newest_due, read_head, read_page, read_refusals
from coinlog.store.listing import read_leading
from coinlog.store.reader import Reader
from coinlog.store.writer import settle
from samples import SLOT, STEP, quote, refused, settlement, snapshot


@pytest.fixture
def reader(engine: sa.Engine) -> Iterator[Reader]:
    """Return a reader as the page has it: beside the writer, over connections of its own."""
    reader = Reader(open_engine(engine.url, read_only=True))
    yield reader
    reader.engine.dispose()


def put(engine: sa.Engine, slot: int = SLOT, found: Snapshot | None = None) -> None:
    settle(engine, settlement(slot, found=found), slot + 20)


def market(*called: tuple[int, str, str], fiat: int = 0) -> Snapshot:
    assets = tuple(
        Asset(one, name, symbol, name.lower(), is_fiat=one == fiat) for one, name, symbol in called
    )
    quotes = tuple(quote(one.id, rank=None if one.id == fiat else 5) for one in assets)
    return Snapshot(SLOT + 12, SourceKind.COINMARKETCAP, assets, quotes)


def test_an_empty_store_has_no_head_but_a_version(reader: Reader) -> None:
    head = read_head(reader)

    assert (head.newest, head.last, head.first_slot, head.schedules) == (None, None, None, ())
    assert reader.version() == (head.version, None)


def test_the_head_tells_the_newest_slot_with_quotes_and_the_last_row(
    engine: sa.Engine, reader: Reader
) -> None:
    put(engine, SLOT - STEP, snapshot())
    put(engine, SLOT)

    head = read_head(reader)

    assert head.newest is not None
    assert head.last is not None
    assert (head.newest.slot, head.last.slot, head.first_slot) == (SLOT - STEP, SLOT, SLOT - STEP)
    assert head.source == "coinmarketcap"


def test_every_field_of_a_quote_comes_back_as_it_was_stored(
    engine: sa.Engine, reader: Reader
) -> None:
    whole = Quote(1, 1.5, 2e24, 3e24, 4.5, 5.0, 6.0, 7.0, 8, 9, 0.1, -0.2, 5.5e19, 0.3, SLOT - 9)
    asset = Asset(1, "Bitcoin", "BTC", "bitcoin")
    put(engine, found=Snapshot(SLOT + 12, SourceKind.COINMARKETCAP, (asset,), (whole,)))

    (listed,) = read_leading(reader, SLOT, 5)

    assert listed.quote == whole


def test_fiat_currencies_are_not_in_the_market_but_can_be_asked_for(
    engine: sa.Engine, reader: Reader
) -> None:
    put(engine, found=market((1, "Bitcoin", "BTC"), (2790, "Euro", "EUR"), fiat=2790))

    assert [one.id for one in read_leading(reader, SLOT, 5)] == [1]
    assert [one.id for one in reader.newest([2790, 1])] == [2790, 1]


def test_symbols_that_differ_by_case_or_accent_are_not_shared(
    engine: sa.Engine, reader: Reader
) -> None:
    put(engine, found=market((1, "Élan", "ÉL"), (2, "élan", "él"), (3, "Elan", "EL")))

    assert [one.id for one in reader.sharing_symbols(["ÉL"])] == [1]


def test_prices_of_several_assets_come_in_one_query(engine: sa.Engine, reader: Reader) -> None:
    put(engine, SLOT - STEP, snapshot(price=1.0))
    put(engine, SLOT, snapshot(price=2.0))

    found = reader.prices_at([1, 1027, 99], [SLOT - STEP, SLOT])

    assert found == {1: [(SLOT - STEP, 1.0), (SLOT, 2.0)], 1027: found[1], 99: []}


def test_a_moment_sees_one_version_of_the_store_throughout(
    engine: sa.Engine, reader: Reader
) -> None:
    put(engine, SLOT - STEP, snapshot())

    with reader.snapshot():
        before = reader.version()
        put(engine, SLOT, snapshot())
        assert reader.version() == before
        assert reader.quotes(1, 0, SLOT, ("price",)).slots == [SLOT - STEP]
    assert reader.version() != before


def test_the_page_cannot_write(reader: Reader) -> None:
    with pytest.raises(StoreError), reader.connected() as connection:
        connection.execute(sa.text("UPDATE store SET version = 0"))


def test_a_statement_that_takes_too_long_is_ended(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "STATEMENT_SECONDS", 0.05)
    hurried = Reader(open_engine(engine.url, read_only=True))
    count = " UNION ALL ".join(["SELECT 1 AS n"] * 20)
    endless = ", ".join(f"({count}) AS t{number}" for number in range(9))

    with pytest.raises(StoreError), hurried.connected() as connection:
        connection.execute(sa.text(f"SELECT COUNT(*) FROM {endless}"))  # noqa: S608  no user's text
    hurried.engine.dispose()


def test_missed_slots_stand_where_they_were_due(engine: sa.Engine, reader: Reader) -> None:
    put(engine, SLOT - 3 * STEP, snapshot())
    put(engine, SLOT, snapshot())

    rows = read_page(reader, read_head(reader), SLOT + HOUR, limit=10)

    assert [(row.slot, row.outcome.value) for row in rows] == [
        (SLOT, "stored"),
        (SLOT - STEP, "missed"),
        (SLOT - 2 * STEP, "missed"),
        (SLOT - 3 * STEP, "stored"),
    ]


def test_pages_of_the_ledger_cross_a_long_silence_without_loss(
    engine: sa.Engine, reader: Reader
) -> None:
    put(engine, SLOT - 10 * STEP, snapshot())
    put(engine, SLOT, snapshot())
    head = read_head(reader)

    first = read_page(reader, head, SLOT + HOUR, limit=4)
    second = read_page(reader, head, SLOT + HOUR, limit=4, before=first[-1].slot)
    third = read_page(reader, head, SLOT + HOUR, limit=4, before=second[-1].slot)

    slots = [row.slot for page in (first, second, third) for row in page]
    assert slots == [SLOT - STEP * back for back in range(11)]


def test_what_was_due_follows_from_the_schedules_remembered() -> None:
    source = SourceKind.COINMARKETCAP
    schedules = [Schedule(0, STEP, "top:2", source), Schedule(4 * STEP, HOUR, "top:2", source)]

    found = newest_due(schedules, 0, 4 * STEP + 2 * HOUR, 5)

    assert found == [4 * STEP + 2 * HOUR, 4 * STEP + HOUR, 4 * STEP, 3 * STEP, 2 * STEP]


def test_a_refused_asset_is_remembered_with_its_reason(engine: sa.Engine, reader: Reader) -> None:
    put(engine, found=snapshot((1,), missing=(refused(7),)))

    assert read_refusals(reader, 7, 0, SLOT) == {SLOT: "refused"}
