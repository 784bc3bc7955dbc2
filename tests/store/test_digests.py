"""Digests: equal where the rows are equal to the last bit, on every database, else not."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from coinlog.move.digests import Digests, read_digests, rows_in
from coinlog.store import rows, schema
from coinlog.store.engine import open_engine
from coinlog.store.pages import column_names, pages, snapshot
from samples import SLOT, STEP
from stores import fill_every_table, opened, read_everything

NAMES = ("asset_id", "slot", "price", "max_supply", "origin")
LINE = (1, SLOT, 100.5, None, "observed")


def digests(*lines: tuple[object, ...], table: sa.Table = schema.quote) -> Digests:
    found = Digests()
    found.add(table, NAMES, lines)
    return found


@pytest.fixture
def engine(store_url: sa.URL) -> Iterator[sa.Engine]:
    fill_every_table(store_url)
    with opened(store_url) as engine:
        yield engine


@pytest.mark.parametrize(
    "other",
    [
        (1, SLOT, math.nextafter(100.5, 0), None, "observed"),
        (1, SLOT, 100.5, 0.0, "observed"),
        (1, SLOT, 100.5, math.inf, "observed"),
        (1, SLOT, 100.5, None, "backfilled"),
        (1, SLOT, None, 100.5, "observed"),
        (2, SLOT, 100.5, None, "observed"),
        (1, SLOT, 100, None, "observed"),
        (1, SLOT, "100.5", None, "observed"),
    ],
)
def test_any_change_of_a_row_changes_its_slot(other: tuple[object, ...]) -> None:
    assert digests(LINE).slots.keys() == digests(other).slots.keys()
    assert digests(LINE).slots != digests(other).slots


def test_the_two_zeros_are_one_and_no_zero_is_none() -> None:
    positive, negative = ((1, SLOT, zero, None, "observed") for zero in (0.0, -0.0))

    assert digests(positive) == digests(negative)
    assert digests((1, SLOT, 0.0, -0.0, "")) != digests((1, SLOT, 0.0, None, ""))
    assert digests((1, SLOT, -0.0, 0, "")) != digests((1, SLOT, -0.0, 0.0, ""))


def test_order_does_not_matter_and_a_row_twice_does() -> None:
    other = (2, SLOT, 7.0, None, "observed")

    assert digests(LINE, other) == digests(other, LINE)
    assert digests(LINE, LINE).slots != digests(other, other).slots
    assert rows_in(digests(LINE, LINE).slots[SLOT]) == 2


def test_differences_are_named_in_plain_words() -> None:
    here = digests(LINE, (2, SLOT, 7.0, None, ""), (1, SLOT + STEP, 5.0, None, ""))
    there = digests(LINE, (1, SLOT + STEP, 6.0, None, ""))
    here.add(schema.slot, NAMES, [LINE])

    assert [str(difference) for difference in here.differences(there)] == [
        "table slot: 1 row here, 0 there",
        "slot 2026-01-26T18:00:00Z: 2 quotes here, 1 there",
        "slot 2026-01-27T00:00:00Z: 1 quote on both sides, but not the same",
    ]
    assert here.differences(here) == []


def test_what_is_no_slot_is_told_all_the_same() -> None:
    lines = [(1, slot, 7.0, None, "") for slot in (SLOT, 10**18, "x", 0.5)]

    said = " ".join(map(str, digests().differences(digests(*lines))))

    for name in (str(10**18), "'x'", "0.5", "2026-01-26T18:00:00Z"):
        assert name in said


def test_a_store_has_the_digests_of_all_its_rows(engine: sa.Engine) -> None:
    found = read_digests(engine)

    everything = read_everything(engine.url)
    assert found.rows == sum(map(len, everything.values()))
    assert {name: rows_in(digest) for name, digest in found.tables.items()} == {
        name: len(lines) for name, lines in everything.items() if name != "quote"
    }
    assert {slot: rows_in(digest) for slot, digest in found.slots.items()} == {
        SLOT + number * STEP: 3 for number in range(3)
    }


def test_columns_that_need_not_be_equal_are_left_out(engine: sa.Engine) -> None:
    def found(*leave_out: str) -> Digests:
        return read_digests(engine, tables=[schema.slot], leave_out=leave_out)

    before = found(), found("stored_at")
    with engine.begin() as connection:
        connection.execute(schema.slot.update().values(stored_at=1))

    assert found() != before[0]
    assert found("stored_at") == before[1]


def test_pages_give_every_row_once_in_the_order_of_the_key(engine: sa.Engine) -> None:
    with snapshot(engine) as connection:
        for table in schema.metadata.sorted_tables:
            lines = [line for page in pages(connection, table, size=2) for line in page]
            names = column_names(table)
            wanted = read_everything(engine.url)[table.name]
            assert [dict(zip(names, line, strict=True)) for line in lines] == wanted


def test_pages_can_be_of_some_slots_alone(engine: sa.Engine) -> None:
    place = column_names(schema.quote).index("slot")
    with snapshot(engine) as connection:
        found = list(pages(connection, schema.quote, slots=[SLOT], size=2))

    assert [[line[place] for line in page] for page in found] == [[SLOT, SLOT], [SLOT]]


def test_a_snapshot_does_not_see_what_is_written_meanwhile(store_url: sa.URL) -> None:
    fill_every_table(store_url)
    reader = open_engine(store_url, read_only=True)
    with opened(store_url) as writer, snapshot(reader) as connection:
        before = next(pages(connection, schema.slot))
        with writer.begin() as writing:
            writing.execute(schema.slot.delete())
        assert list(pages(connection, schema.slot)) == [before]
    reader.dispose()


def test_quotes_are_written_with_all_their_columns() -> None:
    assert set(rows.COLUMNS) == set(schema.quote.c.keys())
