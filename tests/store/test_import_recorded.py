"""Real answers, adopted as people saved them, come out to the last bit."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from adopting import adopt_all, csv_rows, saved_answers
from coinlog.imports.rows import Rows
from coinlog.loading import sweep
from coinlog.slots import floor_slot, parse_time
from coinlog.store import schema
from market import Desk
from recorded import IN_QUOTE, IN_ROW, polls
from samples import STEP

pytestmark = pytest.mark.shared

ANSWERS = (
    "listings_latest_v1_2026-01-26_5000rows",
    "listings_latest_v1_2026-03-14_4500rows",
    "listings_latest_v1_2021-06-29_1000rows",
)


@pytest.fixture(autouse=True)
def later_than_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adopting.BEFORE", parse_time("2026-06-01"))


def desk_at(store_url: sa.URL, folder: Path) -> Desk:
    return Desk(store_url, folder, "http://127.0.0.1:9")


def test_saved_answers_come_back_to_the_last_bit(
    store_url: sa.URL, tmp_path: Path, shared: Path
) -> None:
    folder = tmp_path / "answers"
    folder.mkdir()
    for name in ANSWERS:
        shutil.copy(shared / "cmc" / f"{name}.json.gz", folder)
    shutil.copy(shared / "cmc" / "error_1001_invalid_key_2026-02-19.json", folder)
    desk = desk_at(store_url, tmp_path / "archive")
    found = saved_answers(folder)
    assert len(adopt_all(desk, found, {})) == len(ANSWERS)
    list(sweep(desk.engine, desk.archive))

    assert [refusal.place for refusal in found.refusals.first] == [
        "error_1001_invalid_key_2026-02-19.json"
    ]
    stored = {(row["slot"], row["asset_id"]): row for row in desk.mappings(schema.quote)}
    count = 0
    for name in ANSWERS:
        body = gzip.decompress((folder / f"{name}.json.gz").read_bytes())
        # The source's numbers are doubles: a whole one above 2**53 is the double nearest to it.
        told = json.loads(body, parse_int=float)
        slot = floor_slot(parse_time(told["status"]["timestamp"]), STEP)
        for row in told["data"]:
            values = {key: row["quote"]["USD"].get(key) for key in IN_QUOTE}
            values |= {key: row[key] for key in IN_ROW}
            if values["market_cap"] == 0 and not row["circulating_supply"]:
                values["market_cap"] = None
            found_row = stored[slot, row["id"]]
            assert {key: found_row[key] for key in values} == values
            count += 1
    assert count == len(stored)
    assert {row.outcome for row in desk.rows(schema.slot)} == {"stored"}
    desk.engine.dispose()


def test_ten_polls_in_one_csv_file_are_ten_slots(tmp_path: Path, shared: Path) -> None:
    path = shared / "cmc" / "listings_first_10_polls_2026-01-26_to_02-03_top5000.csv.gz"
    url = sa.URL.create("sqlite", database=str(tmp_path / "coinlog.db"))
    desk = desk_at(url, tmp_path / "archive")
    with csv_rows(path, "id=id") as rows:
        assert isinstance(rows, Rows)
        assert (rows.count, len(rows.slots()), rows.refusals.count) == (49_500, 10, 0)
        adopt_all(desk, rows, {})
    list(sweep(desk.engine, desk.archive))

    stored = {(row["slot"], row["asset_id"]): row for row in desk.mappings(schema.quote)}
    assert len(stored) == 49_500
    for taken_at, told in polls(shared).items():
        slot = floor_slot(parse_time(taken_at), STEP)
        for row in told:
            found = stored[slot, int(row["id"])]
            for key in (*IN_QUOTE, *IN_ROW):
                value = float(row[key]) if row.get(key) else None
                if key == "market_cap" and not value and not float(row["circulating_supply"] or 0):
                    value = None
                assert found[key] == value, (key, row["id"])
            assert found["last_updated"] == parse_time(row["last_updated"])
    desk.engine.dispose()


@pytest.mark.parametrize("kept", ["v2_by_symbol_2026-02-19_BTC_excerpt", "v1_2023-05-20_by_symbol"])
def test_answers_about_single_assets_are_refused(tmp_path: Path, shared: Path, kept: str) -> None:
    name = f"quotes_latest_{kept}.json"
    shutil.copy(shared / "cmc" / name, tmp_path)
    found = saved_answers(tmp_path)

    assert list(found.slots()) == []
    assert "only whole listings" in found.refusals.first[0].why
