"""What the answers of a slot amount to: a snapshot, what it lacks and what is worth a note."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from cmc_answers import GREED_DATA, SLOT, TWO, row, told
from coinlog.errors import BrokenAnswerError
from coinlog.market import Outcome, Reason, SourceKind
from coinlog.slots import parse_assets
from coinlog.sources.answers import Answer
from coinlog.sources.coinmarketcap import read_market

TOP_10 = parse_assets("top:10")


def reasons(answers: Sequence[Answer]) -> list[Reason]:
    return [missing.reason for missing in read_market(answers, TOP_10).missing]


def answer(data: object, name: str = "listings-1", **status: object) -> Answer:
    body = json.dumps(told(data, **status)).encode()
    params = {"limit": "10"} if name.startswith("listings") else {}
    return Answer(name, "v3/x", params, 200, body, SLOT + 31.5, 0.1)


def test_a_refused_row_is_missing_with_its_reason_and_the_rest_is_kept() -> None:
    snapshot = read_market([answer([*TWO, row(7, None), row(8, -1), {"x": 1}])], TOP_10)
    assert [quote.asset_id for quote in snapshot.quotes] == [1, 1027]
    assert [(each.asset_id, each.reason) for each in snapshot.missing] == [
        (7, Reason.REFUSED),
        (8, Reason.REFUSED),
        (None, Reason.REFUSED),
    ]
    assert "asset 7 was refused: Expected float, got null" in snapshot.missing[0].detail
    assert all(len(each.what) <= 64 for each in snapshot.missing)


def test_an_asset_seen_twice_is_kept_once_and_noted() -> None:
    second = answer([row(1027, 9.0), row(5)], "listings-2")
    snapshot = read_market([answer(TWO), second], TOP_10)
    assert [(quote.asset_id, quote.price) for quote in snapshot.quotes] == [
        (1, 1.5),
        (1027, 1.5),
        (5, 1.5),
    ]
    assert any("asset 1027 came twice" in note for note in snapshot.notes)
    assert snapshot.outcome is Outcome.STORED


def test_a_row_refused_once_and_good_once_is_not_missing() -> None:
    first = answer([row(1), row(1027, None)])
    assert reasons([first, answer([row(1027)], "listings-2")]) == []


def test_an_id_that_no_answer_holds_is_missing() -> None:
    selection = parse_assets("top:10+id:4687")
    snapshot = read_market([answer([row(1), row(7)])], selection)
    assert [(each.asset_id, each.reason) for each in snapshot.missing] == [
        (1027, Reason.NOT_ANSWERED),
        (4687, Reason.NOT_ANSWERED),
    ]


@pytest.mark.parametrize("data", [[], {}, [row(1, None)], {"BTC": []}])
def test_a_market_without_a_usable_row_fails(data: object) -> None:
    with pytest.raises(BrokenAnswerError, match="could use none"):
        reasons([answer(data)])


def test_an_attempt_without_a_market_fails() -> None:
    with pytest.raises(BrokenAnswerError, match="listings-1 or quotes-1"):
        reasons([answer(GREED_DATA, "fear-and-greed")])


def test_simulated_answers_make_a_simulated_snapshot() -> None:
    given = [answer(TWO), answer(GREED_DATA, "fear-and-greed", simulated=True)]
    assert read_market(given, TOP_10).source is SourceKind.SIMULATED


def test_what_the_source_says_beside_its_numbers_is_noted() -> None:
    notice = "You have used 157% of your plan's monthly credit limit."
    assert f"the source says: {notice}" in read_market([answer(TWO, notice=notice)], TOP_10).notes


def test_a_broken_name_is_noted() -> None:
    snapshot = read_market([answer([row(1, name="\ud83d"), row(1027)])], TOP_10)
    assert "asset 1: its name has broken characters" in snapshot.notes


@pytest.mark.parametrize("time", [None, "", "soon", 5, "1969-07-20T20:17:00Z"])
def test_without_a_readable_timestamp_the_arrival_stands_for_it(time: object) -> None:
    snapshot = read_market([answer(TWO, timestamp=time)], TOP_10)
    assert snapshot.observed_at == SLOT + 31
    assert any("no readable timestamp" in note for note in snapshot.notes)


def test_an_old_answer_is_noted_and_stands() -> None:
    snapshot = read_market([answer(TWO, timestamp="2026-01-26T17:40:00.000Z")], TOP_10)
    assert "the answer is 20 minutes old" in snapshot.notes
    assert snapshot.observed_at == SLOT - 1200


@pytest.mark.parametrize(
    ("value", "expected"), [(35, 35), (35.5, 35.5), ("35", 35), ("35.25", 35.25), (0, 0)]
)
def test_fear_and_greed_is_read_in_every_spelling(value: object, expected: float) -> None:
    given = answer({**GREED_DATA, "value": value}, "fear-and-greed")
    found = read_market([answer(TWO), given], TOP_10).fear_and_greed
    assert found
    assert (found.value, found.updated_at) == (expected, SLOT)


@pytest.mark.parametrize("value", [-1, 101, "", "nan", "1e999", "Fear", None, []])
def test_fear_and_greed_beyond_its_scale_is_missing(value: object) -> None:
    given = answer({**GREED_DATA, "value": value}, "fear-and-greed")
    assert reasons([answer(TWO), given]) == [Reason.BROKEN_ANSWER]


@pytest.mark.parametrize(
    "quote",
    [
        {"USD": {"total_market_cap": 5}},
        {"2781": {"total_market_cap": 5}},
        {"whatever": {"total_market_cap": 5}},
        [{"id": 2781, "symbol": "USD", "total_market_cap": 5}],
        {"BTC": {"total_market_cap": 1}, "USD": {"total_market_cap": 5}},
    ],
)
def test_global_metrics_are_read_under_every_name_of_usd(quote: object) -> None:
    given = answer({"quote": quote, "active_exchanges": 7}, "global-metrics")
    found = read_market([answer(TWO), given], TOP_10).global_metrics
    assert found
    assert (found.total_market_cap, found.active_exchanges) == (5, 7)


@pytest.mark.parametrize("data", [None, [], {}, {"quote": {}}, {"quote": {"A": {}, "B": {}}}])
def test_global_metrics_that_cannot_be_read_are_missing(data: object) -> None:
    assert reasons([answer(TWO), answer(data, "global-metrics")]) == [Reason.BROKEN_ANSWER]


def test_reading_twice_gives_the_same() -> None:
    given = [answer([*TWO, row(7, None)], notice="x"), answer(GREED_DATA, "fear-and-greed")]
    assert read_market(given, TOP_10) == read_market(given, TOP_10)
