"""Candles as the API sends them, and what it refuses, on every kind of database."""

from __future__ import annotations

import csv
import io

import pytest

from coinlog.slots import DAY, HOUR, iso
from samples import SLOT, STEP
from sites import Site, slots_before

MIDNIGHT = SLOT - SLOT % DAY
COLUMNS = ("starts", "ends", "open", "high", "low", "close", "points", "first_slot", "last_slot")


def store_prices(web: Site, prices: dict[int, float]) -> None:
    for slot, price in sorted(prices.items()):
        web.store(slot, price=price)


@pytest.fixture
def two_days(web: Site) -> Site:
    """Return a site with a day of three quotes, a day without any, and today so far."""
    quotes = {0: 3.5, 6: 9.0, 18: 1.5, 48: 4.0, 54: 4.25}
    store_prices(web, {MIDNIGHT - 2 * DAY + hour * HOUR: price for hour, price in quotes.items()})
    web.now = MIDNIGHT + 7 * HOUR
    return web


def test_candles_are_columns_with_a_hole_where_nothing_was_recorded(two_days: Site) -> None:
    answer = two_days.json("/api/v1/assets/1/candles?interval=1d&range=7d")

    start = MIDNIGHT - 2 * DAY
    assert {name: answer[name] for name in COLUMNS} == {
        "starts": [start, MIDNIGHT],
        "ends": [start + DAY, MIDNIGHT + DAY],
        "open": [3.5, 4.0],
        "high": [9.0, 4.25],
        "low": [1.5, 4.0],
        "close": [1.5, 4.25],
        "points": [3, 2],
        "first_slot": [start, MIDNIGHT],
        "last_slot": [start + 18 * HOUR, MIDNIGHT + STEP],
    }
    assert answer["complete"] == [True, False]
    assert (answer["interval"], answer["currency"], answer["simulated"]) == ("1d", "USD", False)
    assert answer["asset"]["id"] == 1
    assert {"as_of", "stale", "next_slot", "attribution"} <= answer.keys()


def test_days_of_a_year_are_what_is_answered_unless_asked_otherwise(two_days: Site) -> None:
    answers = [
        two_days.json(f"/api/v1/assets/1/candles{asked}")
        for asked in ("", "?interval=1d", "?range=1y")
    ]

    assert answers[0] == answers[1] == answers[2]


def test_the_first_candle_is_whole_and_the_last_ends_with_the_range(two_days: Site) -> None:
    start, end = iso(MIDNIGHT - 2 * DAY + 7 * HOUR), iso(MIDNIGHT + HOUR)

    answer = two_days.json(f"/api/v1/assets/1/candles?from={start}&to={end}")

    assert (answer["open"], answer["points"]) == ([3.5, 4.0], [3, 1])
    assert answer["complete"] == [True, False]


def test_candles_as_csv_have_a_row_each(two_days: Site) -> None:
    reply = two_days.get("/api/v1/assets/1/candles.csv?interval=1d")
    rows = list(csv.DictReader(io.StringIO(reply.text)))

    assert reply.headers["content-disposition"] == (
        'attachment; filename="coinlog-1-candles-1d.csv"'
    )
    assert reply.headers["content-type"].startswith("text/csv")
    assert [row["start"] for row in rows] == [iso(MIDNIGHT - 2 * DAY), iso(MIDNIGHT)]
    assert [(row["open"], row["close"], row["complete"]) for row in rows] == [
        ("3.5", "1.5", "true"),
        ("4.0", "4.25", "false"),
    ]
    assert rows[0]["attribution"].startswith("Data: CoinMarketCap")


def test_a_range_without_quotes_has_no_candles(two_days: Site) -> None:
    answer = two_days.json("/api/v1/assets/1/candles?from=2020-01-01&to=2020-02-01")

    assert [answer[name] for name in COLUMNS] == [[] for _ in COLUMNS]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("interval=1y", "expected one of 1h, 2h, 3h, 4h, 6h, 8h, 12h, 1d, 1w, 1mo"),
        ("interval=", "expected one of 1h"),
        ("interval=1d&interval=1h", "given 2 times"),
        ("range=2d", "expected one of 1d, 7d"),
        ("range=1d&from=2026-01-01", "exclude each other"),
        ("from=2026-01-02&to=2026-01-01", "is after"),
        ("fields=price", "the parameter 'fields' is unknown"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(
    two_days: Site, asked: str, said: str
) -> None:
    for path in ("candles", "candles.csv"):
        reply = two_days.get(f"/api/v1/assets/1/{path}?{asked}")

        assert reply.status == 400
        assert said in reply.error["message"]


def test_an_asset_that_nobody_knows_has_no_candles(two_days: Site) -> None:
    assert two_days.get("/api/v1/assets/999/candles").status == 404


def test_too_many_candles_are_refused_with_a_range_that_works(
    web: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coinlog.web.query.MAX_POINTS", 30)
    web.store(*slots_before(10))

    refusal = web.get("/api/v1/assets/1/candles?interval=1h").error
    start = refusal["message"].rpartition("from=")[2]

    assert refusal["code"] == "bad_request"
    assert "more than 30 candles of 1h" in refusal["message"]
    assert web.get(f"/api/v1/assets/1/candles?interval=1h&from={start}").status == 200
