"""The made-up market over real HTTP: shapes, pages, times, errors, faults."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from coinlog.errors import UsageError
from coinlog.market import FIAT_IDS
from coinlog.simulated.answers import NOTICE
from coinlog.simulated.faults import FAULTS, parse_faults
from coinlog.simulated.server import create_app, run, simulated_server
from coinlog.slots import DAY, iso

NOW = 1_795_500_000
LISTINGS = "/v3/cryptocurrency/listings/latest"
QUOTES = "/v3/cryptocurrency/quotes/latest"
HISTORY = "/v3/cryptocurrency/quotes/historical"
GLOBAL = "/v1/global-metrics/quotes/latest"
GREED = "/v3/fear-and-greed/latest"


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with simulated_server(seed=7, assets=300) as url, httpx.Client(base_url=url) as connected:
        yield connected


def get(
    client: httpx.Client, path: str, at: str | int = NOW, **params: str | int
) -> dict[str, Any]:
    response = client.get(path, params=params, headers={"X-Simulated-Time": str(at)})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def fails(client: httpx.Client, path: str, status: int, **params: str | int) -> str:
    response = client.get(path, params=params)
    assert response.status_code == status
    told = response.json()["status"]
    assert told["simulated"] is True
    assert told["credit_count"] == 0
    return f"{told['error_code']} {told['error_message']}"


def faulty(client: httpx.Client, fault: str, path: str = LISTINGS) -> httpx.Response:
    return client.get(path, headers={"X-Simulated-Fault": fault, "X-Simulated-Time": str(NOW)})


@pytest.mark.parametrize("path", [LISTINGS, GLOBAL, GREED, "/v1/key/info", "/v1/fiat/map"])
def test_every_answer_says_that_it_is_simulated(client: httpx.Client, path: str) -> None:
    status = get(client, path)["status"]
    assert status["simulated"] is True
    assert status["notice"] == NOTICE
    assert status["timestamp"] == "2026-11-24T06:00:00.000Z"


def test_another_server_gives_the_same_bytes(client: httpx.Client) -> None:
    at = {"X-Simulated-Time": "2025-02-03T04:05:06Z"}
    with simulated_server(seed=7, assets=300) as url:
        for path in (f"{LISTINGS}?limit=200", f"{QUOTES}?id=1,2790", GLOBAL, GREED):
            assert httpx.get(url + path, headers=at).content == client.get(path, headers=at).content


def test_v3_has_lists_of_quotes_and_v1_has_quotes_by_currency(client: httpx.Client) -> None:
    new, old = (get(client, LISTINGS.replace("v3", v), limit=1) for v in ("v3", "v1"))
    assert new["status"]["error_code"] == "0"
    assert old["status"]["error_code"] == 0
    quote = new["data"][0]["quote"][0]
    assert (quote.pop("id"), quote.pop("symbol")) == (2781, "USD")
    assert old["data"][0]["quote"]["USD"] == quote


def test_quotes_are_a_list_in_v3_and_keyed_by_id_in_v1(client: httpx.Client) -> None:
    new = get(client, QUOTES, id="1027,1")["data"]
    old = get(client, QUOTES.replace("v3", "v1"), id="1027,1")["data"]
    assert [row["id"] for row in new] == [1027, 1]
    assert {key: row["name"] for key, row in old.items()} == {"1": "Bitcoin", "1027": "Ethereum"}
    assert new[0]["tags"][0].keys() == {"slug", "name", "category"}


def test_bitcoin_is_first_and_ethereum_is_among_the_first(client: httpx.Client) -> None:
    rows = get(client, LISTINGS, limit=10)["data"]
    assert (rows[0]["id"], rows[0]["symbol"], rows[0]["cmc_rank"]) == (1, "BTC", 1)
    assert 1027 in [row["id"] for row in rows]


def test_pages_do_not_overlap_and_together_are_the_whole(client: httpx.Client) -> None:
    pages = [get(client, LISTINGS, start=start, limit=100)["data"] for start in (1, 101, 201, 301)]
    assert [len(page) for page in pages] == [100, 100, 100, 0]
    ranks = [row["cmc_rank"] for page in pages for row in page]
    assert ranks == list(range(1, 301))
    assert pages[0] + pages[1] == get(client, LISTINGS, limit=200)["data"]


def test_fiat_currencies_have_a_price_and_no_rank(client: httpx.Client) -> None:
    ids = ",".join(str(identity) for identity in FIAT_IDS.values())
    rows = {row["symbol"]: row for row in get(client, QUOTES, id=ids)["data"]}
    assert rows.keys() == FIAT_IDS.keys()
    assert all(row["cmc_rank"] is None and row["is_fiat"] == 1 for row in rows.values())
    assert rows["USD"]["quote"][0]["price"] == 1.0


def test_an_id_that_is_not_listed_is_left_out_or_refused(client: httpx.Client) -> None:
    assert [row["id"] for row in get(client, QUOTES, id="1,999999")["data"]] == [1]
    said = fails(client, QUOTES, 400, id="1,999999", skip_invalid="false")
    assert said == '400 Invalid value for "id": "999999"'


def test_credits_are_counted_as_documented(client: httpx.Client) -> None:
    assert get(client, LISTINGS, limit=200)["status"]["credit_count"] == 1
    assert get(client, LISTINGS, limit=201)["status"]["credit_count"] == 2
    assert get(client, "/v1/key/info")["status"]["credit_count"] == 0
    points = get(client, HISTORY, id="1", interval="1d", count="250")
    assert points["status"]["credit_count"] == 3


def test_history_equals_what_was_answered_then(client: httpx.Client) -> None:
    past = NOW - 30 * DAY
    quotes = get(client, HISTORY, id="1", time_start=iso(past), interval="1d")["data"]["1"][
        "quotes"
    ]
    assert [each["timestamp"][:10] for each in (quotes[0], quotes[-1])] == [
        "2026-10-25",
        "2026-11-24",
    ]
    for point in (quotes[0], quotes[17], quotes[-1]):
        then = get(client, QUOTES, point["timestamp"], id=1)["data"][0]["quote"][0]
        told = point["quote"]["USD"]
        shared = told.keys() & then.keys()
        assert {key: told[key] for key in shared} == {key: then[key] for key in shared}


def test_changes_are_those_of_the_history(client: httpx.Client) -> None:
    quote = get(client, QUOTES, id=1027)["data"][0]["quote"][0]
    start, end = iso(NOW - 7 * DAY), iso(NOW)
    asked: dict[str, Any] = {"id": 1027, "time_start": start, "time_end": end, "interval": "7d"}
    before, now = get(client, HISTORY, **asked)["data"]["1027"]["quotes"]
    prices = [each["quote"]["USD"]["price"] for each in (before, now)]
    assert quote["percent_change_7d"] == pytest.approx((prices[1] / prices[0] - 1) * 100, abs=1e-7)


def test_history_of_one_asset_is_flat_in_v1(client: httpx.Client) -> None:
    data = get(client, HISTORY.replace("v3", "v1"), id=1, interval="daily", count=3)["data"]
    assert (data["id"], data["symbol"]) == (1, "BTC")
    stamps = [each["timestamp"] for each in data["quotes"]]
    assert stamps == [f"2026-11-{day}T00:00:00.000Z" for day in (22, 23, 24)]


def test_history_ends_now_and_begins_with_the_listing(client: httpx.Client) -> None:
    asked: dict[str, Any] = {
        "time_start": "2016-01-02",
        "time_end": "2099-01-01",
        "interval": "30d",
    }
    assets = get(client, HISTORY, id="1,80040", **asked)["data"]
    assert len(assets["1"]["quotes"]) > len(assets["80040"]["quotes"]) > 0
    assert assets["1"]["quotes"][-1]["timestamp"] < "2026-11-24T06:00:01"


def test_global_metrics_add_up(client: httpx.Client) -> None:
    data = get(client, GLOBAL)["data"]
    rows = get(client, LISTINGS, limit=5000)["data"]
    caps = [row["quote"][0]["market_cap"] for row in rows]
    assert data["quote"]["USD"]["total_market_cap"] == pytest.approx(sum(caps), rel=1e-9)
    assert data["btc_dominance"] == pytest.approx(caps[0] / sum(caps) * 100)
    assert data["active_cryptocurrencies"] == len(rows)
    assert "2781" in get(client, GLOBAL, convert_id=2781)["data"]["quote"]


def test_global_history_equals_what_was_answered_then(client: httpx.Client) -> None:
    path = "/v1/global-metrics/quotes/historical"
    (point,) = get(client, path, interval="daily", count=1)["data"]["quotes"]
    then = get(client, GLOBAL, point["timestamp"])["data"]
    assert point["btc_dominance"] == then["btc_dominance"]
    assert point["quote"]["USD"]["total_market_cap"] == then["quote"]["USD"]["total_market_cap"]


def test_fear_and_greed_has_a_value_today_and_one_for_each_day(client: httpx.Client) -> None:
    assert get(client, GREED)["data"].keys() == {"value", "update_time", "value_classification"}
    days = get(client, GREED.replace("latest", "historical"), limit=3)["data"]
    assert [int(day["timestamp"]) for day in days] == [NOW // DAY * DAY - n * DAY for n in range(3)]


def test_the_map_names_every_listed_asset(client: httpx.Client) -> None:
    entries = get(client, "/v1/cryptocurrency/map")["data"]
    assert [entries[0]["id"], entries[0]["rank"], len(entries)] == [1, 1, 300]
    by_rank = get(client, "/v1/cryptocurrency/map", sort="cmc_rank", limit=2, start=2)["data"]
    assert [entry["rank"] for entry in by_rank] == [2, 3]


def test_listings_can_be_sorted_otherwise(client: httpx.Client) -> None:
    rows = get(client, LISTINGS, sort="volume_24h", limit=20)["data"]
    volumes = [row["quote"][0]["volume_24h"] for row in rows]
    assert volumes == sorted(volumes, reverse=True)
    names = [row["name"] for row in get(client, LISTINGS, sort="name", limit=20)["data"]]
    assert names == sorted(names)


def test_the_keyless_prefix_leads_to_the_same(client: httpx.Client) -> None:
    assert get(client, "/public-api" + GREED) == get(client, GREED)


def test_the_clock_is_the_one_that_was_asked_for(client: httpx.Client) -> None:
    response = client.get(GREED, headers={"X-Simulated-Time": "2020-02-29T12:00:30Z"})
    assert response.headers["date"] == "Sat, 29 Feb 2020 12:00:30 GMT"
    assert response.json()["status"]["timestamp"] == "2020-02-29T12:00:30.000Z"


@pytest.mark.parametrize("wrong", ["yesterday", "2012-01-01", "2101-01-01T00:00:00Z"])
def test_a_time_without_a_market_is_refused(client: httpx.Client, wrong: str) -> None:
    response = client.get(GREED, headers={"X-Simulated-Time": wrong})
    assert response.status_code == 400
    assert "X-Simulated-Time" in response.json()["status"]["error_message"]


def test_answers_are_compressed_where_that_is_accepted(client: httpx.Client) -> None:
    assert client.get(LISTINGS).headers["content-encoding"] == "gzip"
    plain = client.get(LISTINGS, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers


def test_wrong_requests_are_refused_with_a_sentence(client: httpx.Client) -> None:
    assert fails(client, LISTINGS, 400, limit=5001).endswith("less than or equal to 5000")
    assert fails(client, LISTINGS, 400, limit="x") == '400 "limit" must be an integer'
    assert fails(client, LISTINGS, 400, convert="EUR").startswith('400 "convert" must be USD')
    assert fails(client, LISTINGS, 400, colour="red") == '400 "colour" is not allowed'
    assert fails(client, QUOTES, 400, id="") == '400 "id" is not allowed to be empty'
    assert fails(client, HISTORY, 400, id=1, interval="5x").startswith('400 "interval"')
    assert fails(client, "/v9/nothing", 404).startswith("404")
    assert client.post(LISTINGS).status_code == 405


def test_one_key_is_wrong_and_any_other_is_right(client: httpx.Client) -> None:
    wrong, right = ({"X-CMC_PRO_API_KEY": key} for key in ("wrong", "right"))
    assert client.get(GREED, headers=wrong).json()["status"]["error_code"] == 1001
    assert client.get(GREED, headers=wrong).status_code == 401
    assert client.get(GREED, headers=right).status_code == 200


@pytest.mark.parametrize(
    ("fault", "status"),
    [("1001", 401), ("1003", 402), ("1006", 403), ("1008", 429), ("1010", 429), ("500", 500)],
)
def test_the_errors_of_the_api_come_on_demand(
    client: httpx.Client, fault: str, status: int
) -> None:
    response = faulty(client, fault)
    assert response.status_code == status
    assert response.json()["status"]["error_code"] == int(fault)


def test_pages_come_in_place_of_answers(client: httpx.Client) -> None:
    assert (faulty(client, "503").status_code, faulty(client, "html").status_code) == (503, 200)
    assert faulty(client, "html").headers["content-type"].startswith("text/html")


def test_an_error_can_come_with_status_200(client: httpx.Client) -> None:
    response = faulty(client, "200-with-error")
    assert (response.status_code, response.json()["status"]["error_code"]) == (200, 500)


@pytest.mark.parametrize("fault", ["truncated", "reset"])
def test_connections_break_on_demand(client: httpx.Client, fault: str) -> None:
    with pytest.raises(httpx.TransportError):
        faulty(client, fault)
    assert client.get(GREED).status_code == 200


def test_an_answer_can_stall_half_way(client: httpx.Client) -> None:
    headers = {"X-Simulated-Fault": "slow"}
    with client.stream("GET", LISTINGS, headers=headers, timeout=0.2) as response:
        assert response.status_code == 200
        with pytest.raises(httpx.ReadTimeout):
            response.read()


@pytest.mark.parametrize("path", [LISTINGS, f"{QUOTES}?id=1,1027", GLOBAL, GREED])
def test_numbers_break_on_demand(client: httpx.Client, path: str) -> None:
    assert b":NaN" in faulty(client, "nan", path).content
    assert faulty(client, "null-price", path).content.count(b"null") == (
        client.get(path, headers={"X-Simulated-Time": str(NOW)}).content.count(b"null") + 1
    )


def test_an_asset_or_all_can_be_missing(client: httpx.Client) -> None:
    ids = [row["id"] for row in faulty(client, "missing-asset").json()["data"]]
    assert (len(ids), 1027 in ids) == (99, False)
    assert faulty(client, "empty").json()["data"] == []


def test_a_share_of_the_requests_fails_and_always_the_same() -> None:
    def outcomes() -> list[int]:
        with (
            simulated_server(assets=5, faults=["500:0.3", "1008:0.2"]) as url,
            httpx.Client(base_url=url) as client,
        ):
            return [client.get(GREED).status_code for _ in range(60)]

    first = outcomes()
    assert first == outcomes()
    assert {200, 429, 500} == set(first)


@pytest.mark.parametrize("texts", [["weather:0.1"], ["500:x"], ["500:-1"], ["500:0.7", "html:0.7"]])
def test_wrong_faults_are_refused(texts: list[str]) -> None:
    with pytest.raises(UsageError, match="expected"):
        parse_faults(texts)


def test_unknown_faults_are_refused_per_request(client: httpx.Client) -> None:
    response = faulty(client, "earthquake")
    assert response.status_code == 400
    assert all(fault in response.json()["status"]["error_message"] for fault in FAULTS)


def test_a_taken_port_is_explained() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} on 127.0.0.1 is in use.*--port"):
            run("127.0.0.1", port)


@pytest.mark.parametrize("assets", [0, 1, 10_001])
def test_a_market_has_from_2_to_10000_assets(assets: int) -> None:
    with pytest.raises(UsageError, match="expected from 2 to 10000"):
        create_app(assets=assets)


def test_an_endless_history_is_refused(client: httpx.Client) -> None:
    assert "at most 40000 points" in fails(client, HISTORY, 400, id="1,2,3,4,5", count=10_000)
    path = "/v1/global-metrics/quotes/historical"
    assert "at most 2000 points" in fails(client, path, 400, count=10_000)
