"""Which requests make up a slot, and what is asked after one has failed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from cmc_answers import GLOBAL, LISTINGS, QUOTES, SLOT, TWO, by_id, serve_market, told
from cmc_server import Answering, CMCServer, awake, error_reply, html, json_reply
from coinlog.errors import BrokenAnswerError, ClockError, SourceError
from coinlog.market import FIAT_IDS, Outcome, Reason, SourceKind
from coinlog.slots import parse_assets
from coinlog.sources.answers import Answer
from coinlog.sources.client import Client
from coinlog.sources.coinmarketcap import check_clock, credits_of, fetch_market, read_market

HOURS_6 = 21_600


@pytest.fixture
def market(server: CMCServer) -> CMCServer:
    serve_market(server)
    return server


def fetch(server: CMCServer, assets: str, **replies: Answering) -> list[Answer]:
    for path, reply in replies.items():
        server.on({"listings": LISTINGS, "quotes": QUOTES, "metrics": GLOBAL}[path], reply)
    answers: list[Answer] = []
    with Client(server.url, sleep=awake) as client:
        fetch_market(client, parse_assets(assets), answers.append)
    return answers


def read(answers: Sequence[Answer], assets: str = "top:10") -> tuple[list[int], list[Reason]]:
    snapshot = read_market(answers, parse_assets(assets))
    return [quote.asset_id for quote in snapshot.quotes], [each.reason for each in snapshot.missing]


def test_a_slot_is_listings_rates_metrics_and_fear_and_greed(market: CMCServer) -> None:
    answers = fetch(market, "top:2000")
    names = ["listings-1", "quotes-1", "quotes-2", "global-metrics", "fear-and-greed"]
    assert [each.name for each in answers] == names
    assert market.requests[0].params == {"start": "1", "limit": "2000", "convert": "USD"}
    assert market.requests[1].params["id"] == "1027"
    snapshot = read_market(answers, parse_assets("top:2000"))
    assert snapshot.missing == ()
    assert {quote.asset_id for quote in snapshot.quotes} > {1, 1027, *FIAT_IDS.values()}
    assert snapshot.global_metrics
    assert snapshot.global_metrics.total_market_cap == 3e12
    assert snapshot.fear_and_greed
    assert (snapshot.fear_and_greed.value, snapshot.fear_and_greed.classification) == (35, "Fear")
    assert (snapshot.observed_at, snapshot.source) == (SLOT + 30, SourceKind.COINMARKETCAP)
    assert credits_of(answers) == 5


def test_a_large_market_is_asked_in_pages_and_a_short_page_is_not_the_last(
    market: CMCServer,
) -> None:
    answers = fetch(market, "top:10000")
    asked = [(each.params["start"], each.params["limit"]) for each in market.asked(LISTINGS)]
    assert asked == [("1", "5000"), ("5001", "5000")]
    snapshot = read_market(answers, parse_assets("top:10000"))
    assert "asked for 10000 assets by rank, got 20" in snapshot.notes
    assert snapshot.outcome is Outcome.STORED


def test_pages_end_with_an_empty_one(market: CMCServer) -> None:
    market.on(LISTINGS, json_reply(told(TWO)), json_reply(told([])))
    answers = fetch(market, "top:10000")
    assert [each.name for each in answers][:3] == ["listings-1", "listings-2", "quotes-1"]
    assert read(answers)[1] == []


def test_explicit_ids_that_are_not_listed_are_asked_for_a_hundred_at_a_time(
    market: CMCServer,
) -> None:
    ids = ",".join(str(asset_id) for asset_id in range(3000, 3250))
    answers = fetch(market, f"top:5+id:3,{ids}")
    asked = [request.params["id"].split(",") for request in market.asked(QUOTES)]
    assert [len(batch) for batch in asked] == [100, 100, 51, 8]
    assert "3" not in asked[0]
    assert read(answers)[1] == []


def test_refused_rates_do_not_cost_the_explicit_ids(market: CMCServer) -> None:
    market.on(QUOTES, by_id, error_reply(400, 400, 'Invalid value for "id"'))
    ids, missing = read(fetch(market, "id:7"), "id:7")
    assert ids == [1, 1027, 7]
    assert set(missing) == {Reason.REFUSED_REQUEST}


def test_without_a_top_everything_is_asked_by_id(market: CMCServer) -> None:
    answers = fetch(market, "id:7")
    assert market.asked(LISTINGS) == []
    ids, missing = read(answers, "id:7")
    assert ids == [1, 1027, 7, *FIAT_IDS.values()]
    assert missing == []


def test_after_a_failed_first_page_nothing_more_is_asked(market: CMCServer) -> None:
    answers = fetch(market, "top:10", listings=error_reply(401, 1001, "This API Key is invalid."))
    assert [each.name for each in answers] == ["listings-1"]
    with pytest.raises(SourceError, match="This API Key is invalid") as failed:
        read(answers)
    assert failed.value.reason is Reason.WRONG_KEY


def test_after_failed_first_quotes_nothing_more_is_asked_where_no_top_is(market: CMCServer) -> None:
    answers = fetch(market, "id:7", quotes=html(403))
    assert [each.name for each in answers] == ["quotes-1"]
    with pytest.raises(BrokenAnswerError, match="not JSON"):
        read(answers, "id:7")


def test_a_failed_further_page_leaves_the_slot_partial(market: CMCServer) -> None:
    market.on(LISTINGS, json_reply(told(TWO)), error_reply(400, 400, "no"))
    answers = fetch(market, "top:10000")
    snapshot = read_market(answers, parse_assets("top:10000"))
    assert [(each.what, each.reason) for each in snapshot.missing] == [
        ("listings-2", Reason.REFUSED_REQUEST)
    ]


def test_failed_rates_leave_the_slot_partial_and_are_named(market: CMCServer) -> None:
    answers = fetch(market, "top:10+id:5000", quotes=error_reply(429, 1010, "spent"))
    assert answers[-1].name == "fear-and-greed"
    snapshot = read_market(answers, parse_assets("top:10+id:5000"))
    assert snapshot.outcome is Outcome.PARTIAL
    assert {each.reason for each in snapshot.missing} == {Reason.QUOTA}
    named = [each.asset_id for each in snapshot.missing]
    assert named == [None, 1027, 5000, *FIAT_IDS.values()]
    assert "spent" in snapshot.missing[0].detail


def test_after_a_spent_quota_no_further_ids_are_asked_for(market: CMCServer) -> None:
    ids = ",".join(str(asset_id) for asset_id in range(3000, 3250))
    answers = fetch(market, f"top:10+id:{ids}", quotes=error_reply(429, 1010, "spent"))
    assert len(market.asked(QUOTES)) == 1
    snapshot = read_market(answers, parse_assets(f"top:10+id:{ids}"))
    reasons = {each.asset_id: each.reason for each in snapshot.missing}
    assert reasons[3249] is Reason.QUOTA
    assert reasons[FIAT_IDS["COP"]] is Reason.QUOTA


def test_a_failed_part_leaves_the_slot_partial(market: CMCServer) -> None:
    answers = fetch(market, "top:10", metrics=html(200))
    snapshot = read_market(answers, parse_assets("top:10"))
    assert [(each.what, each.reason) for each in snapshot.missing] == [
        ("global-metrics", Reason.BROKEN_ANSWER)
    ]
    assert snapshot.global_metrics is None
    assert snapshot.fear_and_greed


def dated(server_time: float, our_time: float) -> Answer:
    return Answer("listings-1", "v3/x", {}, 200, b"{}", our_time, 0.1, server_date=int(server_time))


@pytest.mark.parametrize(
    ("there", "here"),
    [
        (SLOT + 30, SLOT + 31),
        (SLOT - 60, SLOT + 30),  # A clock 90 s ahead at the border of two slots.
        (SLOT + 3000, SLOT + 30),  # 50 minutes off, and yet the same slot.
    ],
)
def test_a_clock_that_leads_to_the_same_slot_is_good_enough(there: float, here: float) -> None:
    check_clock([dated(there, here)], SLOT, HOURS_6)


@pytest.mark.parametrize("there", [SLOT - 121, SLOT - 10_800, SLOT + HOURS_6 + 31])
def test_a_clock_that_leads_to_a_wrong_slot_is_refused(there: float) -> None:
    with pytest.raises(ClockError, match=r"our clock says 2026-01-26T18:00:30Z.*set this machine"):
        check_clock([dated(there, SLOT + 30)], SLOT, HOURS_6)


def test_a_server_without_a_clock_is_believed() -> None:
    given = Answer("listings-1", "v3/x", {}, 200, b"{}", SLOT + 1e6, 0.1)
    check_clock([given], SLOT, HOURS_6)


def test_the_servers_clock_is_taken_from_its_answer(market: CMCServer) -> None:
    date = format_datetime(datetime.fromtimestamp(SLOT - 10_800, UTC), usegmt=True)
    answers = fetch(market, "top:2", listings=json_reply(told(TWO), date=date))
    with pytest.raises(ClockError):
        check_clock(answers, SLOT, HOURS_6)
