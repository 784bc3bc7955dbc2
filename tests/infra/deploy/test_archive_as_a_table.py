"""The archive as a table: the query of the docs, run as it stands there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb

from coinlog.archive import open_archive
from coinlog.market import Outcome
from coinlog_infra.given import ROOT
from market import put_attempt
from samples import SLOT, STEP
from simulated_archive import Market, put_slots

QUERY = ROOT / "docs" / "archive.sql"


def rows(*columns: str) -> list[tuple[object, ...]]:
    text = QUERY.read_text(encoding="utf-8").rstrip().removesuffix(";")
    with duckdb.connect() as connection:
        asked = f"SELECT {', '.join(columns)} FROM ({text})"  # noqa: S608  the docs' own words
        return connection.execute(asked).fetchall()


def test_every_asset_of_every_slot_is_a_row(own_world: Path) -> None:
    market, slots = Market(20), [SLOT, SLOT + STEP, SLOT + 2 * STEP]
    put_slots(open_archive(str(own_world / "archive")), market, slots)

    found = rows("slot", "asset_id", "symbol", "price", "market_cap")

    times = {datetime.fromtimestamp(slot, UTC).replace(tzinfo=None) for slot in slots}
    assert {row[0] for row in found} == times
    assert len(found) == 60
    bitcoin = [row for row in found if row[1] == 1]
    assert [row[2] for row in bitcoin] == ["BTC"] * 3
    assert len({row[3] for row in bitcoin}) == 3
    assert found == sorted(found, key=lambda row: (row[1], row[0]))


def test_failed_attempts_and_all_but_one_that_has_data_do_not_count(own_world: Path) -> None:
    archive = open_archive(str(own_world / "archive"))
    put_attempt(archive, SLOT, "1", outcome=Outcome.PARTIAL, ids=(1,))
    put_attempt(archive, SLOT, "2", ids=(1, 1027))
    put_attempt(archive, SLOT, "10", outcome=Outcome.PARTIAL, ids=(1,))
    put_attempt(archive, SLOT + STEP, "1", outcome=Outcome.FAILED)

    assert len(rows("slot", "asset_id")) == 2
