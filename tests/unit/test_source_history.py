"""The source's own history, and what it says about the key."""

from __future__ import annotations

import json

import pytest

from cmc_server import CMCServer, awake, error_reply, json_reply
from coinlog.errors import BrokenAnswerError, PlanError
from coinlog.sources.answers import Answer
from coinlog.sources.client import Client
from coinlog.sources.coinmarketcap import KeyInfo, fetch_history, key_info, read_history
from coinlog.sources.history import HistoryWanted

PATH = "/v3/cryptocurrency/quotes/historical"
DAY = 86_400
START = 1_714_262_400  # 2024-04-28T00:00:00Z
WANTED = HistoryWanted((1, 1027), START, START + DAY, "24h")


def point(time: str, price: object = 2.5, **further: object) -> dict[str, object]:
    return {"timestamp": time, "quote": {"USD": {"price": price, "timestamp": time, **further}}}


POINTS = [point("2024-04-28T07:15:00.000Z"), point("2024-04-29T07:15:00.000Z", 3)]
ASSET = {"id": 1, "name": "Bitcoin", "symbol": "BTC", "quotes": POINTS}


def answer(data: object) -> Answer:
    body = json.dumps({"status": {"error_code": 0}, "data": data}).encode()
    return Answer("history-1", "v3/x", {}, 200, body, START, 0.1)


def test_history_is_asked_for_by_ids_and_times(server: CMCServer) -> None:
    server.on(PATH, json_reply({"data": {"1": ASSET}}))
    with Client(server.url, "key") as client:
        history = read_history(fetch_history(client, "history-1", WANTED))
    params = server.requests[0].params
    assert (params["id"], params["interval"], params["convert"]) == ("1,1027", "24h", "USD")
    assert (params["time_start"], params["time_end"]) == (
        "2024-04-28T00:00:00Z",
        "2024-04-29T00:00:00Z",
    )
    assert [each.quote.price for each in history.points[1]] == [2.5, 3.0]


def test_a_plan_without_history_says_so(server: CMCServer) -> None:
    server.on(PATH, error_reply(403, 1006, "Your plan doesn't support this endpoint."))
    with Client(server.url, "key", sleep=awake) as client, pytest.raises(PlanError, match="plan"):
        read_history(fetch_history(client, "history-1", WANTED))


@pytest.mark.parametrize("data", [ASSET, {"1": ASSET}, {"BTC": [ASSET]}, [ASSET]])
def test_every_shape_of_history_is_read(data: object) -> None:
    points = read_history(answer(data)).points[1]
    assert [each.time for each in points] == [START + 26_100, START + DAY + 26_100]


def test_points_are_in_order_and_each_time_once() -> None:
    doubled = [*reversed(POINTS), point("2024-04-28T07:15:00.000Z", 9)]
    points = read_history(answer({**ASSET, "quotes": doubled})).points[1]
    assert [each.quote.price for each in points] == [2.5, 3.0]


@pytest.mark.parametrize(
    "bad",
    [
        point("2024-04-28T07:15:00Z", None),
        point("2024-04-28T07:15:00Z", -1),
        point("never"),
        {"timestamp": "2024-04-28T07:15:00Z", "quote": {"EUR": {"price": 1}}},
        {"timestamp": "2024-04-28T07:15:00Z"},
        7,
    ],
)
def test_a_wrong_point_is_refused_alone(bad: object) -> None:
    history = read_history(answer({**ASSET, "quotes": [bad, POINTS[1]]}))
    assert [each.quote.price for each in history.points[1]] == [3.0]
    assert [refusal.asset_id for refusal in history.refused] == [1]


def test_old_spellings_and_unknown_caps_are_understood() -> None:
    quotes = [point("2024-04-28T07:15:00Z", volume_24hr=7, market_cap=0, circulating_supply=0)]
    quote = read_history(answer({**ASSET, "quotes": quotes})).points[1][0].quote
    assert (quote.volume_24h, quote.market_cap, quote.circulating_supply) == (7, None, 0)


@pytest.mark.parametrize("data", [None, 7, {"a": 1}, {"id": 0, "quotes": []}, [[]]])
def test_what_is_no_history_fails(data: object) -> None:
    with pytest.raises(BrokenAnswerError, match="expected quotes by asset"):
        read_history(answer(data))


def test_the_key_says_what_its_plan_allows(server: CMCServer) -> None:
    plan = {
        "credit_limit_monthly": 15000,
        "credit_limit_monthly_reset": "In 5 days",
        "credit_limit_monthly_reset_timestamp": "2026-02-01T00:00:00.000Z",
        "rate_limit_minute": 50,
    }
    usage = {
        "current_minute": {"requests_made": 1, "requests_left": 49},
        "current_day": {"credits_used": 5, "credits_left": None},
        "current_month": {"credits_used": 1500, "credits_left": 13500},
    }
    server.on("/v1/key/info", json_reply({"data": {"plan": plan, "usage": usage}}))
    with Client(server.url, "key") as client:
        assert key_info(client) == KeyInfo(None, 50, 15000, 1500, 13500, None, 1_769_904_000)


@pytest.mark.parametrize("data", [{}, {"plan": None, "usage": []}, {"plan": {"name": 7}}])
def test_what_the_key_does_not_say_is_unknown(server: CMCServer, data: object) -> None:
    server.on("/v1/key/info", json_reply({"data": data}))
    with Client(server.url, "key") as client:
        assert key_info(client) == KeyInfo()


def test_key_info_of_another_shape_is_broken(server: CMCServer) -> None:
    server.on("/v1/key/info", json_reply({"data": 7}))
    with Client(server.url, "key") as client, pytest.raises(BrokenAnswerError, match="key/info"):
        key_info(client)
