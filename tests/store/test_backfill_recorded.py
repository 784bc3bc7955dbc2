"""The recorded series, backfilled by the real program around what was observed, killed halfway."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from cmc_server import CMCServer, Exchange, json_reply
from coinlog.archive import open_archive
from coinlog.slots import DAY, parse_time
from coinlog.store import schema
from coinlog.store.engine import open_engine
from market import put_attempt
from program import run, run_json, start
from samples import STEP

pytestmark = pytest.mark.shared

HISTORY = "/v3/cryptocurrency/quotes/historical"
FILES = {1027: "eth", 24478: "pepe", 32196: "hype"}
OBSERVED = [parse_time("2024-11-05T06:00:00Z"), parse_time("2025-01-15T18:00:00Z")]
RANGE = ("--from", "2024-04-28", "--to", "2025-04-24", "--interval", "24h")
ASKED = ("backfill", "--yes", *RANGE, "--assets", "id:1027,24478,32196")


class Past:
    """A source that answers each asset's history with its recorded body, and counts credits."""

    def __init__(self, server: CMCServer, folder: Path) -> None:
        self.server = server
        self.bodies: dict[int, dict[str, Any]] = {}
        for asset_id, name in FILES.items():
            path = folder / "cmc" / "quotes_historical" / f"{name}_historical_daily.json.gz"
            self.bodies[asset_id] = json.loads(gzip.decompress(path.read_bytes()))
            self.bodies[asset_id]["data"]["id"] = asset_id
        self.paid: dict[str, int] = {}
        self.die_at = 0
        self.dying = threading.Event()
        self.server.on(HISTORY, self.answer)
        plan = {"rate_limit_minute": 60_000, "credit_limit_monthly": 15_000}
        usage = {"current_month": {"credits_used": 0, "credits_left": 5_000}}
        info = {"status": {"error_code": 0}, "data": {"plan": plan, "usage": usage}}
        self.server.on("/v1/key/info", json_reply(info))

    def answer(self, exchange: Exchange) -> None:
        """Answer with what was recorded of the time asked for, unless the asker is to die now."""
        params = exchange.request.params
        if len(self.server.asked(HISTORY)) == self.die_at:
            self.dying.set()
            exchange.wait(60)
            return
        body = self.bodies[int(params["id"])]
        first, last = parse_time(params["time_start"]), parse_time(params["time_end"]) + DAY
        rows = [
            row for row in body["data"]["quotes"] if first <= parse_time(row["timestamp"]) < last
        ]
        credit_count = -(-len(rows) // 100)
        assert params["id"] not in self.paid, "paid twice"
        self.paid[params["id"]] = credit_count
        status = {**body["status"], "credit_count": credit_count}
        json_reply({"status": status, "data": {**body["data"], "quotes": rows}})(exchange)

    def points(self, asset_id: int) -> dict[int, tuple[float, ...]]:
        """Return a recorded body's points by time, less the observed: read another way."""
        found: dict[int, tuple[float, ...]] = {}
        for row in self.bodies[asset_id]["data"]["quotes"]:
            time, usd = parse_time(row["timestamp"]), row["quote"]["USD"]
            if all(abs(time - slot) > STEP / 2 for slot in OBSERVED):
                found[time] = (usd["price"], usd["volume_24h"], usd["market_cap"], time)
        return found


@pytest.fixture
def past(shared: Path) -> Iterator[Past]:
    with CMCServer() as server:
        yield Past(server, shared)


@pytest.fixture
def environment(past: Past, store_url: sa.URL, own_world: Path) -> dict[str, str]:
    """Return the settings of a recorder that has observed two slots of the recorded time."""
    settings = {
        "COINLOG_DATABASE_URL": store_url.render_as_string(hide_password=False),
        "COINLOG_CMC_URL": past.server.url,
        "COINLOG_API_KEY": "11111111-2222-3333-4444-555555555555",
    }
    archive = open_archive(str(own_world / "data" / "archive"))
    for slot in OBSERVED:
        put_attempt(archive, slot, ids=(1, *FILES))
    assert run_json("load", **settings)["settled_attempts"] == len(OBSERVED)
    return settings


def stored(store_url: sa.URL, asset_id: int) -> dict[int, sa.Row[Any]]:
    engine = open_engine(store_url)
    query = sa.select(schema.quote).where(schema.quote.c.asset_id == asset_id)
    with engine.connect() as connection:
        found = {row.slot: row for row in connection.execute(query)}
    engine.dispose()
    return found


def check_to_the_last_bit(past: Past, store_url: sa.URL) -> None:
    for asset_id in FILES:
        found = stored(store_url, asset_id)
        assert [found.pop(slot).price for slot in OBSERVED] == [100.5, 100.5]
        assert past.points(asset_id) == {
            slot: (row.price, row.volume_24h, row.market_cap, row.last_updated)
            for slot, row in found.items()
        }
        assert {(row.origin, row.resolution) for row in found.values()} == {("backfilled", DAY)}


def test_killed_halfway_it_goes_on_to_the_last_bit_within_the_predicted_credits(
    past: Past, environment: dict[str, str], store_url: sa.URL
) -> None:
    planned = run_json(*ASKED, "--dry-run", **environment)
    past.die_at = 2
    process = start(*ASKED, **environment)
    assert past.dying.wait(60)
    process.kill()
    process.communicate()
    assert len(past.paid) == 1

    rest = run_json(*ASKED, **environment)
    last = run_json(*ASKED, **environment)

    assert (planned["requests"], planned["credits_left"]) == (3, 5_000)
    assert (rest["requests"], rest["answered"], last["requests"]) == (2, 2, 0)
    assert sum(past.paid.values()) <= planned["most_credits"]
    check_to_the_last_bit(past, store_url)


def test_two_at_once_pay_once(past: Past, environment: dict[str, str], store_url: sa.URL) -> None:
    both = [start(*ASKED, "--json", **environment) for _ in range(2)]
    said = [json.loads(process.communicate(timeout=60)[0]) for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert sum(facts["answered"] for facts in said) == len(FILES)
    assert sum(facts["credits"] for facts in said) == sum(past.paid.values())
    check_to_the_last_bit(past, store_url)


def test_what_was_backfilled_is_verified_and_replayed(
    past: Past, environment: dict[str, str], store_url: sa.URL
) -> None:
    run(*ASKED, **environment)

    assert run_json("verify", **environment)["differences"] == 0
    assert run("replay", **environment).returncode == 0
    check_to_the_last_bit(past, store_url)
