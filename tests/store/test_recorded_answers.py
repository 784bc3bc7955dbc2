"""Real answers, through the HTTP client and both databases, equal to the last bit."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from cmc_server import CMCServer, Reply
from coinlog.loading import sweep
from coinlog.series import read_series
from coinlog.slots import floor_slot, parse_time
from coinlog.store import schema
from coinlog.store.ledger import read_head, read_page
from coinlog.store.reader import Reader
from coinlog.timeline import Window, read_timeline
from coinlog.web.app import create_app
from market import LISTINGS, Desk
from recorded import IN_QUOTE, IN_ROW, Polls, poll_body, put_poll
from samples import STEP

pytestmark = pytest.mark.shared


def answer_of(shared: Path, name: str) -> bytes:
    return gzip.decompress((shared / "cmc" / f"{name}.json.gz").read_bytes())


def expected(row: dict[str, Any]) -> dict[str, Any]:
    """Return what the source said of an asset, read apart from coinlog's decoder."""
    told = row["quote"]["USD"]
    values = {name: told.get(name) for name in IN_QUOTE} | {name: row[name] for name in IN_ROW}
    if values["market_cap"] == 0 and not row["circulating_supply"]:
        values["market_cap"] = None
    return {**values, "rank": row["cmc_rank"], "asset_id": row["id"]}


def record(
    store_url: sa.URL, folder: Path, source: CMCServer, body: bytes, assets: str
) -> tuple[Desk, int]:
    source.on(LISTINGS, Reply(body, gzipped=True))
    desk = Desk(store_url, folder, source.url, assets)
    observed_at = parse_time(json.loads(body)["status"]["timestamp"])
    desk.now = observed_at + 1.0
    slot = floor_slot(observed_at, STEP)
    desk.record(slot)
    return desk, slot


async def ask_api(store_url: sa.URL, observed_at: float) -> dict[int, dict[str, Any]]:
    """Return the market as the API tells it, by asset id, page by page."""
    transport = httpx.ASGITransport(create_app(store_url, clock=lambda: observed_at + 60))
    listed: dict[int, dict[str, Any]] = {}
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        while True:
            query = {"limit": 500, "offset": len(listed)}
            page = (await client.get("/api/v1/assets", params=query)).json()["assets"]
            listed.update((asset["id"], asset) for asset in page)
            if not page:
                return listed


@pytest.mark.parametrize(
    "name",
    [
        "listings_latest_v1_2026-01-26_5000rows",
        "listings_latest_v1_2026-03-14_4500rows",
        "listings_latest_v1_2021-06-29_1000rows",
    ],
)
def test_every_number_of_a_real_answer_comes_back_to_the_last_bit(
    store_url: sa.URL, tmp_path: Path, source: CMCServer, shared: Path, name: str
) -> None:
    body, rows = answer_of(shared, name), int(name.rsplit("_", maxsplit=1)[-1].removesuffix("rows"))
    desk, slot = record(store_url, tmp_path, source, body, f"top:{rows}")
    stored = {row["asset_id"]: row for row in desk.mappings(schema.quote)}

    # The source's numbers are doubles: a whole one above 2**53 is the double nearest to it.
    wanted = [expected(row) for row in json.loads(body, parse_int=float)["data"]]
    assert len(wanted) == rows
    listed = asyncio.run(ask_api(store_url, observed_at=desk.now))
    assert len(listed) == rows
    for values in wanted:
        found = stored[values["asset_id"]]
        assert {field: found[field] for field in values} == values
        told = listed[values["asset_id"]]
        said = {**told["quote"], "rank": told["rank"], "asset_id": told["id"]}
        assert {field: said[field] for field in values} == values
    row = desk.rows(schema.slot, schema.slot.c.slot == slot)[0]
    assert (row.outcome, row.assets) == ("stored", rows)
    desk.engine.dispose()


def test_ten_real_polls_load_as_their_slots_and_their_gaps_show(
    store_url: sa.URL, tmp_path: Path, source: CMCServer, real_polls: Polls
) -> None:
    desk = Desk(store_url, tmp_path, source.url)
    taken = real_polls
    keys = [put_poll(desk.archive, at, poll_body(at, rows)) for at, rows in taken.items()]

    assert list(sweep(desk.engine, desk.archive, clock=desk.clock)) == keys

    reader, now = Reader(desk.engine), keys[-1].slot + STEP - 1
    head = read_head(reader)
    ledger = {row.slot: row.outcome for row in read_page(reader, head, now, limit=100)}
    recorded = {key.slot for key in keys}
    due = range(keys[0].slot, keys[-1].slot + 1, STEP)
    assert ledger == {slot: "stored" if slot in recorded else "missed" for slot in due}
    timeline = read_timeline(reader, head, Window(keys[0].slot, now), now)
    series = read_series(reader, timeline, now, 1, ["price"])
    assert list(series.slots) == [key.slot for key in keys]
    prices = [float(rows[0]["price"]) for rows in taken.values()]
    assert list(series.fields["price"]) == prices
    assert {gap.reason for gap in series.gaps} == {"missed"}
    assert sum(gap.end - gap.start for gap in series.gaps) // STEP == len(due) - len(keys)
    desk.engine.dispose()
