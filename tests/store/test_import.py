"""Importing: adopted attempts are loaded, replayed and shown like any other, and never twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from adopting import BTC, ETH, MATCHES, adopt_all, csv_rows, plan_all, saved_answers
from coinlog.attempts import AttemptKey
from coinlog.imports.assets import Directory, add_stored
from coinlog.imports.standing import Standing, standing
from coinlog.loading import sweep
from coinlog.market import Asset, Outcome
from coinlog.sources.labels import Label
from coinlog.store import schema
from coinlog.store.ledger import read_head, read_page
from coinlog.store.migrate import migrate
from coinlog.store.reader import Reader
from market import Desk, put_attempt
from samples import SLOT, STEP, listings_body

HEADER = "Name,Symbol,Price,Time\n"
TWO = "Bitcoin,BTC,34567.891,2026-01-26 18:00:05\nEthereum,ETH,2100.5,2026-01-26 18:00:06\n"
LATER = TWO.replace("01-26 18", "01-27 18")


@pytest.fixture
def desk(store_url: sa.URL, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(store_url, tmp_path / "archive", "http://127.0.0.1:9")
    desk.now = SLOT + 100 * STEP
    yield desk
    desk.engine.dispose()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "precios.csv"
    path.write_text(HEADER + TWO + LATER)
    return path


def load(desk: Desk) -> list[AttemptKey]:
    return list(sweep(desk.engine, desk.archive, clock=desk.clock))


def import_csv(desk: Desk, path: Path, matches: dict[Label, Asset] | None = None) -> list[str]:
    with csv_rows(path) as rows:
        names = adopt_all(desk, rows, MATCHES if matches is None else matches)
    load(desk)
    return names


def ledger(desk: Desk) -> dict[int, str]:
    reader = Reader(desk.engine)
    return {
        row.slot: row.outcome for row in read_page(reader, read_head(reader), desk.now, limit=50)
    }


def stored_prices(desk: Desk) -> dict[tuple[int, int], float]:
    return {(row["asset_id"], row["slot"]): row["price"] for row in desk.mappings(schema.quote)}  # type: ignore[misc]


def test_rows_are_stored_as_observed_quotes_of_their_slots(desk: Desk, table: Path) -> None:
    names = import_csv(desk, table)

    assert all(name.startswith("import-0001-") for name in names)
    assert stored_prices(desk) == {
        (1, SLOT): 34567.891,
        (1027, SLOT): 2100.5,
        (1, SLOT + 4 * STEP): 34567.891,
        (1027, SLOT + 4 * STEP): 2100.5,
    }
    quotes = desk.mappings(schema.quote)
    assert {(row["origin"], row["resolution"]) for row in quotes} == {("observed", STEP)}
    row = desk.rows(schema.slot)[0]
    assert (row.outcome, row.observed_at, row.credits, row.assets) == ("stored", SLOT + 5, 0, 2)
    assert "imported from precios.csv" in row.notes


def test_nothing_is_missed_where_nothing_was_scheduled_by_us(desk: Desk, table: Path) -> None:
    import_csv(desk, table)

    assert desk.rows(schema.schedule) == []
    assert ledger(desk) == {SLOT: "stored", SLOT + 4 * STEP: "stored"}


def test_importing_again_is_a_no_op(desk: Desk, table: Path) -> None:
    import_csv(desk, table)
    before = desk.mappings(schema.attempt)
    table.write_text(HEADER + TWO + LATER)

    assert import_csv(desk, table) == []
    assert desk.mappings(schema.attempt) == before


def test_what_was_cut_off_in_the_middle_is_completed(desk: Desk, table: Path) -> None:
    with csv_rows(table) as rows:
        whole = adopt_all(desk, rows)
    manifest = next((Path(desk.archive.location) / "captures").glob(f"*/{whole[1]}/manifest.json"))
    manifest.unlink()

    assert import_csv(desk, table) == [whole[1]]
    assert len(stored_prices(desk)) == 4


def test_a_stored_slot_stays_as_it_is_and_counts_the_attempt(desk: Desk, table: Path) -> None:
    put_attempt(desk.archive, SLOT)
    load(desk)
    with csv_rows(table) as rows:
        planned = plan_all(desk, rows)
    import_csv(desk, table)

    assert (len(planned.new), planned.stays, planned.outcomes) == (2, 1, {Outcome.STORED: 2})
    assert stored_prices(desk)[1, SLOT] == 100.5
    assert [row.attempts for row in desk.rows(schema.slot)] == [2, 1]


def test_what_was_left_out_makes_a_slot_partial_until_it_is_told(desk: Desk, table: Path) -> None:
    import_csv(desk, table, {BTC: MATCHES[BTC]})
    row = desk.rows(schema.slot)[0]
    assert row.outcome == "partial"
    assert "'ETH, Ethereum' is matched to no asset" in row.detail

    names = import_csv(desk, table)

    assert all(name.startswith("import-0002-") for name in names)
    assert set(ledger(desk).values()) == {"stored"}
    assert len(stored_prices(desk)) == 4


def test_a_capture_about_nobody_known_is_left_out(desk: Desk, table: Path) -> None:
    assert import_csv(desk, table, {}) == []
    assert desk.rows(schema.slot) == []


def test_of_several_saved_answers_in_a_slot_the_nearest_wins(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "answers"
    folder.mkdir()
    for minute, price in ((40, 3.0), (10, 1.0), (20, 2.0)):
        body = listings_body([1, 1027], SLOT + 60 * minute, price)
        (folder / f"{100 - minute}.json").write_bytes(body)
    (folder / "copy.json").write_bytes(body)
    names = adopt_all(desk, saved_answers(folder))
    load(desk)

    assert len(names) == 3
    assert stored_prices(desk) == {(1, SLOT): 1.0, (1027, SLOT): 1.0}
    (row,) = desk.rows(schema.slot)
    assert (row.attempts, row.attempt, row.observed_at) == (3, names[0], SLOT + 600)


def test_the_archive_alone_gives_the_same_rows_again(
    desk: Desk, table: Path, tmp_path: Path
) -> None:
    import_csv(desk, table, {BTC: MATCHES[BTC]})
    import_csv(desk, table)
    earlier = tmp_path / "earlier.json"
    earlier.write_bytes(listings_body([1, 1027], SLOT + 1))
    adopt_all(desk, saved_answers(earlier))
    load(desk)
    tables = (schema.quote, schema.latest, schema.asset, schema.asset_name, schema.missing)
    before = [desk.mappings(each) for each in tables]
    slots = [(row.slot, row.attempt, row.attempts, row.notes) for row in desk.rows(schema.slot)]
    migrate(desk.engine, "base")
    migrate(desk.engine)
    load(desk)

    assert [desk.mappings(each) for each in tables] == before
    assert slots == [
        (row.slot, row.attempt, row.attempts, row.notes) for row in desk.rows(schema.slot)
    ]


def test_a_slot_of_refused_rows_alone_has_failed(desk: Desk, table: Path) -> None:
    table.write_text(HEADER + TWO.replace("34567.891", "abc").replace("2100.5", "-1"))
    import_csv(desk, table)

    row = desk.rows(schema.slot)[0]
    assert (row.outcome, row.reason, row.assets) == ("failed", "broken_answer", 0)
    assert row.detail.startswith("imported from precios.csv: ")


def test_later_names_go_on_after_an_imported_past(desk: Desk, table: Path) -> None:
    put_attempt(desk.archive, SLOT + 40 * STEP)
    load(desk)
    import_csv(desk, table)

    assert {row.id: row.name for row in desk.rows(schema.asset)}[1] == "Asset 1"
    directory = Directory()
    add_stored(directory, desk.engine)
    assert directory.match(BTC, SLOT) == directory.by_id[1]
    assert directory.match(Label("A1", "Asset 1"), SLOT) == directory.by_id[1]
    assert directory.match(Label("ETH"), SLOT) is None
    assert [row.first_slot for row in desk.rows(schema.asset)] == [SLOT, SLOT]


def test_a_store_without_tables_knows_nobody(desk: Desk) -> None:
    migrate(desk.engine, "base")
    directory = Directory()
    add_stored(directory, desk.engine)

    assert directory.by_id == {}
    assert standing(desk.archive, desk.engine, [SLOT], STEP) == Standing(STEP)


@pytest.mark.parametrize("label", [BTC, ETH])
def test_a_row_keeps_the_name_that_it_said(desk: Desk, table: Path, label: Label) -> None:
    table.write_text(HEADER + TWO)
    known = {each: Asset(MATCHES[each].id, "Now", "NOW", "now") for each in MATCHES}
    import_csv(desk, table, known)

    names = {row.asset_id: (row.name, row.symbol) for row in desk.rows(schema.asset_name)}
    assert names[MATCHES[label].id] == (label.name, label.symbol)
