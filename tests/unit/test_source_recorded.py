"""Real recorded answers, through the HTTP client and back: every number to the last bit."""

from __future__ import annotations

import gzip
import json
import struct
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cmc_server import CMCServer, Reply
from coinlog.errors import BrokenAnswerError
from coinlog.market import QUOTE_FIELDS, Quote, Snapshot
from coinlog.slots import parse_assets
from coinlog.sources.answers import Answer
from coinlog.sources.client import Client
from coinlog.sources.coinmarketcap import read_history, read_market

pytestmark = pytest.mark.shared

NUMBERS = tuple(field for field in QUOTE_FIELDS if field != "last_updated")
LISTINGS = [
    ("listings_latest_v1_2026-01-26_5000rows.json.gz", 5000, 1_769_460_272),
    ("listings_latest_v1_2026-03-14_4500rows.json.gz", 4500, 1_773_465_321),
    ("listings_latest_v1_2021-06-29_1000rows.json.gz", 1000, 1_624_926_225),
    ("listings_latest_v1_2025-04-23_20rows.json", 20, 1_745_450_138),
]


def recorded(shared: Path, name: str) -> bytes:
    data = (shared / "cmc" / name).read_bytes()
    return gzip.decompress(data) if name.endswith(".gz") else data


def answer(name: str, body: bytes) -> Answer:
    return Answer(name, "v1/x", {}, 200, body, 1_769_460_300.0, 0.1)


def through_http(server: CMCServer, body: bytes) -> Snapshot:
    server.on("/v1/listings", Reply(body, gzipped=True))
    with Client(server.url) as client:
        kept = client.get("listings-1", "v1/listings", {"limit": "5000"})
    assert kept.body == body
    return read_market([kept], parse_assets("top:5000"))


def expected(row: dict[str, Any]) -> dict[str, Any]:
    """Return what a row says, read independently of the program."""
    usd = row["quote"]["USD"]
    flat = {field: row.get(field, usd.get(field)) for field in NUMBERS}
    flat["rank"] = row["cmc_rank"]
    if usd["market_cap"] == 0 and row["circulating_supply"] == 0:
        flat["market_cap"] = None
    return flat


def time_of(row: dict[str, Any]) -> int:
    return int(datetime.fromisoformat(row["quote"]["USD"]["last_updated"]).timestamp())


def bits(number: float | None) -> bytes | None:
    return None if number is None else struct.pack("d", number)


def same(quote: Quote, row: dict[str, Any]) -> bool:
    wanted = expected(row)
    return quote.last_updated == time_of(row) and all(
        bits(getattr(quote, field)) == bits(wanted[field]) for field in NUMBERS
    )


@pytest.mark.parametrize(("name", "rows", "observed_at"), LISTINGS)
def test_every_number_comes_back_to_the_last_bit(
    server: CMCServer, shared: Path, name: str, rows: int, observed_at: int
) -> None:
    body = recorded(shared, name)
    snapshot = through_http(server, body)
    raw = json.loads(body)["data"]
    assert (len(snapshot.quotes), len(raw), snapshot.observed_at) == (rows, rows, observed_at)
    assert snapshot.missing == ()
    different = [
        quote.asset_id
        for quote, row in zip(snapshot.quotes, raw, strict=True)
        if not same(quote, row)
    ]
    assert different == []
    assert [asset.name for asset in snapshot.assets] == [row["name"] for row in raw]
    assert [asset.symbol for asset in snapshot.assets] == [row["symbol"] for row in raw]


def test_an_unknown_market_cap_is_nothing_and_no_zero(shared: Path) -> None:
    body = recorded(shared, LISTINGS[0][0])
    snapshot = read_market([answer("listings-1", body)], parse_assets("top:5000"))
    assert sum(quote.market_cap is None for quote in snapshot.quotes) == 1266


def test_a_short_page_is_noted_and_stored(server: CMCServer, shared: Path) -> None:
    snapshot = through_http(server, recorded(shared, LISTINGS[1][0]))
    assert "asked for 5000 assets by rank, got 4500" in snapshot.notes
    assert snapshot.outcome == "stored"


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("quotes_latest_v1_2023-05-20_by_symbol.json", {1700, 2010, 15348}),
        ("quotes_latest_v2_by_symbol_2026-02-19_BTC_excerpt.json", {1}),
    ],
)
def test_recorded_quotes_by_symbol_are_read(shared: Path, name: str, ids: set[int]) -> None:
    snapshot = read_market([answer("quotes-1", recorded(shared, name))], parse_assets("top:5"))
    assert {quote.asset_id for quote in snapshot.quotes} == ids


def test_an_unknown_symbol_is_no_market(shared: Path) -> None:
    body = recorded(shared, "quotes_latest_v2_unknown_symbol_200_2026-02-19.json")
    with pytest.raises(BrokenAnswerError, match="could use none"):
        read_market([answer("quotes-1", body)], parse_assets("top:5"))


def test_prices_in_bitcoin_are_not_taken_for_dollars(shared: Path) -> None:
    body = recorded(shared, "quotes_latest_v1_by_id_fiat_convert_BTC_2021-05-29.json")
    with pytest.raises(BrokenAnswerError, match="no quote in USD"):
        read_market([answer("quotes-1", body)], parse_assets("top:5"))


def test_incomplete_bodies_are_read_as_far_as_they_go(shared: Path) -> None:
    cases = json.loads(recorded(shared, "quotes_latest_v1_2023-05-20_not_correct_case.json"))
    without, empty, no_data = (json.dumps(case).encode() for case in cases)
    for body in (without, empty):
        snapshot = read_market([answer("quotes-1", body)], parse_assets("top:5"))
        assert [quote.price for quote in snapshot.quotes] == [0.36510704694717705]
    with pytest.raises(BrokenAnswerError, match="missing required field"):
        read_market([answer("quotes-1", no_data)], parse_assets("top:5"))


@pytest.mark.parametrize(
    ("name", "cap", "exchanges"),
    [
        ("global_metrics_quotes_latest_v1_2025-04-23.json", 2937210684010.239, 811),
        (
            "global_metrics_quotes_latest_v1_convert_id_2781_2025-07-26.json",
            3885178841234.972,
            835,
        ),
    ],
)
def test_recorded_global_metrics_are_read(
    shared: Path, name: str, cap: float, exchanges: int
) -> None:
    listings = answer("listings-1", recorded(shared, LISTINGS[3][0]))
    part = answer("global-metrics", recorded(shared, name))
    found = read_market([listings, part], parse_assets("top:20")).global_metrics
    assert found
    assert (found.total_market_cap, found.active_exchanges) == (cap, exchanges)
    assert found.altcoin_market_cap
    assert found.bitcoin_dominance
    assert found.last_updated


def test_recorded_fear_and_greed_is_read(shared: Path) -> None:
    listings = answer("listings-1", recorded(shared, LISTINGS[3][0]))
    part = answer("fear-and-greed", recorded(shared, "v3_fear_and_greed_latest_2025-02-06.json"))
    found = read_market([listings, part], parse_assets("top:20")).fear_and_greed
    assert found
    assert (found.value, found.classification) == (35, "Fear")


@pytest.mark.parametrize(
    ("name", "asset_id", "points"),
    [("eth", 1027, 360), ("pepe", 24478, 360), ("hype", 32196, 144)],
)
def test_recorded_history_is_read_to_the_last_bit(
    shared: Path, name: str, asset_id: int, points: int
) -> None:
    body = recorded(shared, f"quotes_historical/{name}_historical_daily.json.gz")
    history = read_history(answer("history-1", body))
    raw = [each["quote"]["USD"] for each in json.loads(body)["data"]["quotes"]]
    found = history.points[asset_id]
    assert (len(found), history.refused) == (points, ())
    assert [bits(each.quote.price) for each in found] == [bits(each["price"]) for each in raw]
    caps = [each.quote.market_cap for each in found]
    assert caps == [each["market_cap"] for each in raw]
