"""Imports over what is there already: nothing recorded is lost, and nothing is told twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
import sqlalchemy as sa

from adopting import BTC, ETH, MATCHES, adopt_all, csv_rows, plan_all, saved_answers
from coinlog.imports.adopting import Plan
from coinlog.imports.assets import Directory, Seen, add_stored, match_labels
from coinlog.loading import sweep
from coinlog.market import Asset
from coinlog.replay import replay
from coinlog.slots import DAY, HOUR
from coinlog.sources.labels import Label
from coinlog.store import schema
from coinlog.verify.flow import verify
from market import Desk, put_attempt
from samples import SLOT, STEP, listings_body

HEADER = "Name,Symbol,Price,Time\n"
BITCOIN = "Bitcoin,BTC,34567.891,2026-01-26 18:00:05\n"
ETHEREUM = "Ethereum,ETH,2100.5,2026-01-26 18:00:06\n"
LATE = "Bitcoin,BTC,34567.891,2026-01-26 20:00:05\n"
THIRD = "Dogecoin,DOGE,0.25,2026-01-26 18:00:07\n"
OUR_OWN = {"settled_at", "stored_at"}
TABLES = (schema.slot, schema.attempt, schema.quote, schema.latest, schema.asset, schema.asset_name)


@pytest.fixture
def desk(store_url: sa.URL, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(store_url, tmp_path / "archive", "http://127.0.0.1:9")
    desk.now = SLOT + 100 * STEP
    yield desk
    desk.engine.dispose()


def load(desk: Desk) -> None:
    desk.now += 1
    list(sweep(desk.engine, desk.archive, clock=desk.clock))


def planned(
    desk: Desk, folder: Path, text: str, matches: dict[Label, Asset] = MATCHES, every: int = STEP
) -> Plan:
    """Plan the import of some rows, and carry it out where nothing speaks against it."""
    path = folder / "rows.csv"
    path.write_text(HEADER + text)
    with csv_rows(path, interval=every) as rows:
        plan = plan_all(desk, rows, matches, every)
        if not plan.conflicts:
            adopt_all(desk, rows, matches, every)
    load(desk)
    return plan


def watch(_what: str, _total: int | None) -> nullcontext[Callable[[int], None]]:
    return nullcontext(lambda _steps: None)


def stored(desk: Desk) -> list[list[dict[str, object]]]:
    return [
        [{name: value for name, value in row.items() if name not in OUR_OWN} for row in some]
        for some in (sorted(desk.mappings(table), key=str) for table in TABLES)
    ]


def check(desk: Desk, url: sa.URL) -> None:
    """The archive explains the store, and gives the same one again."""
    assert verify(url, desk.archive, watch, clock=desk.clock).first == ()
    before = stored(desk)
    replay(url, desk.archive, watch, clock=desk.clock)
    assert stored(desk) == before
    assert verify(url, desk.archive, watch, clock=desk.clock).first == ()


def quoted(desk: Desk) -> set[tuple[int, int]]:
    return {(row.asset_id, row.slot - SLOT) for row in desk.rows(schema.quote)}


def test_what_we_recorded_in_part_is_not_replaced_by_an_import(
    desk: Desk, store_url: sa.URL, tmp_path: Path
) -> None:
    put_attempt(desk.archive, SLOT, ids=(1, 7, 8))
    load(desk)
    plan = planned(desk, tmp_path, BITCOIN)

    assert (plan.stays, plan.partial, plan.conflicts) == (0, 1, [])
    (row,) = desk.rows(schema.slot)
    assert (row.outcome, row.attempt, row.attempts, row.assets) == ("partial", "1", 2, 3)
    assert quoted(desk) == {(1, 0), (7, 0), (8, 0)}
    check(desk, store_url)


def test_a_slot_in_which_we_failed_is_filled_by_an_import(
    desk: Desk, store_url: sa.URL, tmp_path: Path
) -> None:
    put_attempt(desk.archive, SLOT, ids=())
    load(desk)
    planned(desk, tmp_path, BITCOIN)

    assert quoted(desk) == {(1, 0)}
    check(desk, store_url)


def test_an_import_that_would_leave_assets_out_is_refused_and_told_what_to_do(
    desk: Desk, store_url: sa.URL, tmp_path: Path
) -> None:
    planned(desk, tmp_path, BITCOIN)
    (conflict,) = planned(desk, tmp_path, ETHEREUM).conflicts

    assert "1 slot of this import, the first 2026-01-26T18:00:00Z" in conflict
    assert "1 asset of this one (1027) would not come into the store" in conflict
    assert "joined into one CSV file" in conflict
    check(desk, store_url)


def test_all_rows_in_one_take_the_place_of_some_of_them(
    desk: Desk, store_url: sa.URL, tmp_path: Path
) -> None:
    planned(desk, tmp_path, BITCOIN)
    plan = planned(desk, tmp_path, ETHEREUM + BITCOIN)

    assert (plan.conflicts, plan.stays) == ([], 0)
    assert quoted(desk) == {(1, 0), (1027, 0)}
    check(desk, store_url)
    assert planned(desk, tmp_path, BITCOIN + "\n").conflicts == []
    assert quoted(desk) == {(1, 0), (1027, 0)}


def test_what_is_told_one_asset_after_the_other_is_added_while_others_stay_unknown(
    desk: Desk, store_url: sa.URL, tmp_path: Path
) -> None:
    rows = BITCOIN + ETHEREUM + THIRD
    planned(desk, tmp_path, rows, {BTC: MATCHES[BTC]})
    assert planned(desk, tmp_path, rows, {BTC: MATCHES[BTC], ETH: MATCHES[ETH]}).conflicts == []

    assert quoted(desk) == {(1, 0), (1027, 0)}
    assert [row.outcome for row in desk.rows(schema.slot)] == ["partial"]
    check(desk, store_url)


def test_a_fuller_import_without_some_of_the_assets_pushes_none_of_them_out(
    desk: Desk, store_url: sa.URL, tmp_path: Path
) -> None:
    planned(desk, tmp_path, BITCOIN + THIRD)
    (conflict,) = planned(desk, tmp_path, ETHEREUM).conflicts
    with csv_rows(tmp_path / "rows.csv") as rows:
        adopt_all(desk, rows)
    load(desk)

    assert "1027" in conflict
    assert quoted(desk) == {(1, 0)}
    check(desk, store_url)


def test_a_later_poll_with_a_coin_more_leaves_the_first_of_its_slot_alone(
    desk: Desk, store_url: sa.URL, tmp_path: Path
) -> None:
    for name, ids, minute in (("a", [1, 1027], 1), ("b", [1, 1027, 7], 90)):
        path = tmp_path / f"{name}.json"
        path.write_bytes(listings_body(ids, SLOT + 60 * minute))
        found = saved_answers(path)
        assert plan_all(desk, found).conflicts == []
        adopt_all(desk, found)
        load(desk)

    assert quoted(desk) == {(1, 0), (1027, 0)}
    check(desk, store_url)


def test_a_slot_of_an_import_does_not_reach_over_slots_of_our_own(
    desk: Desk, tmp_path: Path
) -> None:
    put_attempt(desk.archive, SLOT)
    load(desk)
    evening = BITCOIN.replace("18:00:05", "23:59:59")
    (conflict,) = planned(desk, tmp_path, evening, every=DAY).conflicts

    assert "1 slot of this import, the first 2026-01-26T00:00:00Z, would be 24h long" in conflict
    assert "the first 2026-01-26T18:00:00Z" in conflict
    assert "--interval 6h" in conflict
    assert planned(desk, tmp_path, evening).conflicts == []


def test_the_same_rows_are_not_recorded_twice_by_another_interval(
    desk: Desk, tmp_path: Path
) -> None:
    planned(desk, tmp_path, LATE)
    (conflict,) = planned(desk, tmp_path, LATE, every=HOUR).conflicts

    assert "imported before with another --interval" in conflict
    assert "the first into 2026-01-26T18:00:00Z" in conflict


def test_other_rows_of_the_same_moment_may_have_another_interval(
    desk: Desk, tmp_path: Path
) -> None:
    planned(desk, tmp_path, LATE)
    other = LATE.replace("Bitcoin,BTC", "Ethereum,ETH")

    assert planned(desk, tmp_path, other, every=HOUR).conflicts == []


def test_an_attempt_that_never_stood_is_not_where_an_asset_was_first_seen(
    desk: Desk, store_url: sa.URL, tmp_path: Path
) -> None:
    put_attempt(desk.archive, SLOT)
    put_attempt(desk.archive, SLOT + STEP, ids=(1, 1027, 7))
    load(desk)
    doge = Label("DOGE", "Dogecoin")
    planned(desk, tmp_path, THIRD + ETHEREUM, {doge: Asset(7, "Asset 7", "A7", "asset-7")})

    assert {row.id: row.first_slot for row in desk.rows(schema.asset)}[7] == SLOT + STEP
    check(desk, store_url)


def test_rows_older_than_all_we_know_of_an_asset_may_be_about_another(desk: Desk) -> None:
    put_attempt(desk.archive, SLOT)
    load(desk)
    directory = Directory()
    add_stored(directory, desk.engine)
    label = Label("A1", "Asset 1")

    def match(first: int, given: dict[str, int] | None = None) -> tuple[int, int]:
        matching = match_labels({label: Seen(3, first)}, directory, given or {}, set())
        return len(matching.matches), len(matching.unmatched)

    assert match(SLOT - DAY) == (1, 0)
    assert match(SLOT - 300 * DAY) == (0, 1)
    assert match(SLOT - 300 * DAY, {"A1": 1}) == (1, 0)
    directory.add(directory.by_id[1], since=SLOT - 400 * DAY)
    assert match(SLOT - 300 * DAY) == (1, 0)
