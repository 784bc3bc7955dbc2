"""The source's history of the whole market and of its mood: read tolerantly, refused singly."""

from __future__ import annotations

import json

import pytest

from cmc_server import CMCServer, error_reply, json_reply
from coinlog.errors import BrokenAnswerError, PlanError
from coinlog.market import FearAndGreed
from coinlog.sources.answers import Answer
from coinlog.sources.client import Client
from coinlog.sources.history import HistoryWanted
from coinlog.sources.past_metrics import (
    fetch_fear_history,
    fetch_global_history,
    read_fear_history,
    read_global_history,
)

DAY = 86_400
START = 1_714_262_400  # 2024-04-28T00:00:00Z


def answer(data: object) -> Answer:
    body = json.dumps({"status": {"error_code": "0"}, "data": data}).encode()
    return Answer("history", "v3/x", {}, 200, body, START, 0.1)


def metrics(time: str, **numbers: object) -> dict[str, object]:
    usd = {"total_market_cap": 3e12, "total_volume_24h": 1e11, "altcoin_market_cap": 1e12}
    told = {"btc_dominance": 57.5, "eth_dominance": 12.25, "active_cryptocurrencies": 9_000}
    return {"timestamp": time, "quote": {"USD": usd}, **told, **numbers}


def mood(timestamp: object, value: object = 42) -> dict[str, object]:
    return {"timestamp": timestamp, "value": value, "value_classification": "Fear"}


def test_the_markets_past_is_read_in_order_each_time_once() -> None:
    rows = [metrics("2024-04-29T00:00:00.000Z"), metrics("2024-04-28T00:05:00Z")]
    found, refused = read_global_history(
        answer({"quotes": [*rows, metrics("2024-04-28T00:05:00Z", btc_dominance=1)]})
    )

    assert ([*found], refused) == ([START + 300, START + DAY], [])
    first = found[START + 300]
    assert (first.total_market_cap, first.bitcoin_dominance) == (3e12, 57.5)
    assert (first.active_cryptocurrencies, first.last_updated) == (9_000, START + 300)


@pytest.mark.parametrize(
    "bad",
    [
        metrics("never"),
        metrics("2024-04-28T00:05:00Z", quote={"EUR": {}}),
        metrics("2024-04-28T00:05:00Z", quote={"USD": {"total_market_cap": -1}}),
        {"timestamp": "2024-04-28T00:05:00Z"},
        7,
    ],
)
def test_a_wrong_moment_of_the_market_is_refused_alone(bad: object) -> None:
    found, refused = read_global_history(answer({"quotes": [bad, metrics("2024-04-29T00:00:00Z")]}))

    assert ([*found], len(refused)) == ([START + DAY], 1)


@pytest.mark.parametrize("time", [str(START), START, "2024-04-28T00:00:00.000Z"])
@pytest.mark.parametrize("value", [42, "42", 42.0])
def test_every_spelling_of_a_mood_is_read(time: object, value: object) -> None:
    found, refused = read_fear_history(answer([mood(time, value)]))

    assert (found, refused) == ({START: FearAndGreed(42.0, "Fear", START)}, [])


@pytest.mark.parametrize(
    "bad",
    [mood("never"), mood(START, 101), mood(START, "nan"), mood(START, "much"), {"value": 1}, None],
)
def test_a_wrong_mood_is_refused_alone(bad: object) -> None:
    found, refused = read_fear_history(answer([bad, mood(START + DAY)]))

    assert ([*found], len(refused)) == ([START + DAY], 1)


@pytest.mark.parametrize("data", [None, 7, {"a": 1}, [[]], {"quotes": 7}])
def test_what_is_no_history_of_the_market_fails(data: object) -> None:
    with pytest.raises(BrokenAnswerError, match="expected history by time"):
        read_global_history(answer(data))


def test_a_plan_without_history_says_so(server: CMCServer) -> None:
    server.on("/v3/fear-and-greed/historical", error_reply(403, 1006, "not in your plan"))
    with Client(server.url, "key") as client, pytest.raises(PlanError, match="plan"):
        read_fear_history(fetch_fear_history(client, "fear", START, START + DAY, START + 9 * DAY))


def test_what_is_asked_for_covers_the_stretch_and_no_more_is_paid_for(server: CMCServer) -> None:
    server.on("/v1/global-metrics/quotes/historical", json_reply({"data": {"quotes": []}}))
    server.on("/v3/fear-and-greed/historical", json_reply({"data": []}))
    with Client(server.url, "key") as client:
        fetch_global_history(client, "g", HistoryWanted((), START, START + DAY, "6h", 6))
        fetch_fear_history(client, "f", START, START + DAY, START + 9 * DAY)

    assert server.requests[0].params == {
        "time_start": "2024-04-28T00:00:00Z",
        "time_end": "2024-04-29T00:00:00Z",
        "interval": "6h",
        "count": "6",
        "convert": "USD",
    }
    # Counted back from the newest, the ninth is of the last day asked for, the tenth of the first.
    assert server.requests[1].params == {"start": "7", "limit": "6"}
