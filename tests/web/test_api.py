"""The API: shapes, full precision, what it refuses and how it says so."""

from __future__ import annotations

import struct

import pytest

from coinlog.market import Asset, Quote, Snapshot, SourceKind
from samples import SLOT, STEP, quote, refused, snapshot
from sites import NOW, Site, slots_before

ODD = (1.2e-19, 0.1 + 0.2, 2.9e24, 5e-324, 1.7976931348623157e308, 63_123.456789012345)


def bits(number: float) -> bytes:
    return struct.pack(">d", number)


def market_of(*quotes: Quote, symbol: str | None = None) -> Snapshot:
    ids = [one.asset_id for one in quotes]
    assets = tuple(Asset(one, f"Asset {one}", symbol or f"A{one}", f"asset-{one}") for one in ids)
    return Snapshot(SLOT + 12, SourceKind.COINMARKETCAP, assets, quotes)


def test_the_market_table_has_the_shape_of_the_contract(web: Site) -> None:
    web.store(SLOT)

    answer = web.json("/api/v1/assets?limit=1")

    assert set(answer) == {
        *("assets", "total", "currency", "as_of", "stale", "next_slot"),
        *("simulated", "attribution"),
    }
    assert answer["assets"][0].items() >= {"id": 1, "symbol": "A1", "slug": "asset-1"}.items()
    assert (answer["total"], answer["as_of"], answer["stale"]) == (2, SLOT + 12, False)
    assert answer["next_slot"] == SLOT + STEP
    assert answer["attribution"] == {
        "text": "Data: CoinMarketCap",
        "url": "https://coinmarketcap.com",
    }


def test_numbers_come_back_equal_to_the_last_bit(web: Site) -> None:
    quotes = [quote(number, price, market_cap=price) for number, price in enumerate(ODD, 1)]
    web.settle(SLOT, market_of(*quotes))

    listed = web.json("/api/v1/assets?sort=name")["assets"]
    series = [web.json(f"/api/v1/assets/{number}/series?range=1d") for number in (1, 2, 3)]

    assert [bits(one["quote"]["price"]) for one in listed] == [bits(price) for price in ODD]
    assert [bits(one["market_cap"][0]) for one in series] == [bits(price) for price in ODD[:3]]


def test_assets_are_sorted_by_the_store_with_unknown_values_last(web: Site) -> None:
    caps = {1: 5.0, 2: None, 3: 9.0}
    web.settle(SLOT, market_of(*(quote(one, market_cap=cap) for one, cap in caps.items())))

    rising = web.json("/api/v1/assets?sort=market_cap")["assets"]
    falling = web.json("/api/v1/assets?sort=-market_cap")["assets"]

    assert [one["id"] for one in rising] == [1, 3, 2]
    assert [one["id"] for one in falling] == [3, 1, 2]


def test_a_search_finds_part_of_a_name_in_any_case_a_symbol_and_an_id(web: Site) -> None:
    web.store(SLOT, ids=(1, 1027, 52))

    found = {q: web.json(f"/api/v1/assets?q={q}") for q in ("ASSET", "a52", "1027", "%25", "x")}

    assert {q: answer["total"] for q, answer in found.items()} == {
        "ASSET": 3,
        "a52": 1,
        "1027": 1,
        "%25": 0,
        "x": 0,
    }


def test_only_assets_of_the_newest_slot_are_listed(web: Site) -> None:
    web.store(SLOT - STEP, ids=(1, 1027, 52))
    web.store(SLOT, ids=(1, 1027))

    assert [one["id"] for one in web.json("/api/v1/assets")["assets"]] == [1, 1027]
    gone = web.json("/api/v1/assets/52")
    assert (gone["listed"], gone["last_slot"]) == (False, SLOT - STEP)


def test_an_asset_tells_its_names_so_far(web: Site) -> None:
    web.store(SLOT - STEP)
    renamed = Asset(1, "Bitcoin Two", "BTC2", "bitcoin-two")
    web.settle(SLOT, Snapshot(SLOT + 12, SourceKind.COINMARKETCAP, (renamed,), (quote(1),)))

    answer = web.json("/api/v1/assets/1")

    assert answer["name"] == "Bitcoin Two"
    assert [name["name"] for name in answer["names"]] == ["Asset 1", "Bitcoin Two"]


def test_a_series_has_columns_and_no_more_than_the_fields_asked_for(web: Site) -> None:
    slots = slots_before(4)
    web.store(*slots)

    answer = web.json("/api/v1/assets/1/series?range=1d&fields=price,rank")

    assert answer["slots"] == slots
    assert answer["observed_at"] == [slot + 12 for slot in slots]
    assert answer["origin"] == ["observed"] * 4
    assert answer["price"] == [100.5] * 4
    assert answer["rank"] == [None] * 4
    assert "market_cap" not in answer
    assert answer["gaps"] == []


def test_a_series_breaks_at_missed_failed_unlisted_and_refused_slots(web: Site) -> None:
    first, missed, failed, unlisted, refusal, last = slots_before(6)
    web.store(first, last)
    web.settle(failed)
    web.store(unlisted, ids=(1027,))
    web.store(refusal, ids=(1027,), missing=(refused(1),))

    gaps = web.json("/api/v1/assets/1/series?range=7d")["gaps"]

    assert gaps == [
        {"from": missed, "to": failed, "reason": "missed"},
        {"from": failed, "to": unlisted, "reason": "timeout"},
        {"from": unlisted, "to": refusal, "reason": "not_listed"},
        {"from": refusal, "to": last, "reason": "refused"},
    ]


def test_a_series_ends_with_the_gap_that_lasts_until_now(web: Site) -> None:
    web.store(SLOT - 2 * STEP)

    gaps = web.json("/api/v1/assets/1/series?range=7d")["gaps"]

    assert gaps == [{"from": SLOT - STEP, "to": SLOT + STEP, "reason": "missed"}]


def test_a_range_can_be_given_by_its_ends_in_iso_and_in_seconds(web: Site) -> None:
    web.store(*slots_before(4))

    one = web.json(f"/api/v1/assets/1/series?from={SLOT - STEP}&to={SLOT}")
    other = web.json("/api/v1/assets/1/series?from=2026-01-26T12:00:00Z&to=2026-01-26T18:00:00Z")

    assert one["slots"] == other["slots"] == [SLOT - STEP, SLOT]


def test_a_point_observed_in_the_future_is_not_told_yet(web: Site) -> None:
    web.store(SLOT - STEP)
    web.settle(SLOT, snapshot(observed_at=NOW + 60))

    before = web.json("/api/v1/assets/1/series?range=1d")["slots"]
    web.now += 61
    web.look()
    after = web.json("/api/v1/assets/1/series?range=1d")["slots"]

    assert (before, after) == ([SLOT - STEP], [SLOT - STEP, SLOT])


def test_a_thinned_series_keeps_its_extremes_and_says_so(web: Site) -> None:
    slots = slots_before(40)
    web.store(*slots[:20])
    web.store(slots[20], price=999.0)
    web.store(*slots[21:])

    answer = web.json("/api/v1/assets/1/series?range=30d&fields=price&points=10")

    assert answer["sampled"] is True
    assert len(answer["slots"]) <= 10
    assert 999.0 in answer["price"]


def test_the_log_tells_stored_partial_failed_and_missed_newest_first(web: Site) -> None:
    stored, _missed, failed, partial = slots_before(4)
    web.store(stored)
    web.settle(failed)
    web.store(partial, missing=(refused(7),))

    slots = web.json("/api/v1/log")["slots"]

    assert [one["outcome"] for one in slots] == ["partial", "failed", "missed", "stored"]
    assert slots[0]["missing"][0].items() >= {"asset_id": 7, "reason": "refused"}.items()
    assert slots[1]["reason"] == "timeout"
    assert (slots[3]["credits"], slots[3]["sha256"]) == (3, "ab" * 32)


def test_the_current_slot_is_missed_only_after_its_grace(web: Site) -> None:
    web.store(SLOT - STEP)
    web.now = SLOT + 36 * 60 - 1

    waiting = web.json("/api/v1/log")
    web.now += 2
    web.look()
    over = web.json("/api/v1/log")

    assert [one["outcome"] for one in waiting["slots"]] == ["stored"]
    assert [one["outcome"] for one in over["slots"]] == ["missed", "stored"]
    assert (waiting["stale"], over["stale"]) == (False, True)


def test_a_csv_file_has_iso_times_safe_cells_and_whose_data_it_is(web: Site) -> None:
    web.settle(SLOT, market_of(quote(1, 0.1), symbol="=HYPERLINK(1)"))

    reply = web.get("/api/v1/assets/1/series.csv?range=1d&fields=price")

    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert reply.headers["content-disposition"] == 'attachment; filename="coinlog-1-1d.csv"'
    heading, row = reply.text.splitlines()
    assert heading == "slot,observed_at,asset_id,symbol,name,price,origin,attribution"
    assert row == (
        "2026-01-26T18:00:00Z,2026-01-26T18:00:12Z,1,\t=HYPERLINK(1),Asset 1,0.1,observed,"
        '"Data: CoinMarketCap, https://coinmarketcap.com"'
    )


REFUSED = {
    "/api/v1/assets?limit=0": "limit='0' cannot be used: expected int >= 1",
    "/api/v1/assets?limit=1000000000": "limit='1000000000' cannot be used: expected int <= 10000",
    "/api/v1/assets?limit=x": "limit='x' cannot be used: expected int, for example limit=100",
    "/api/v1/assets?offset=-1": "offset='-1' cannot be used",
    "/api/v1/assets?sort=luck": "sort='luck' cannot be used: expected one of rank, name",
    "/api/v1/assets?colour=red": "the parameter 'colour' is unknown: expected at, cap, ids",
    "/api/v1/assets?limit=1&limit=2": "the parameter 'limit' is given 2 times",
    "/api/v1/assets/0": "asset_id='0' cannot be used",
    "/api/v1/assets/1/series?range=2w": "range='2w' cannot be used: expected one of 1d, 7d",
    "/api/v1/assets/1/series?range=1d&to=2026-01-01": "range and from/to exclude each other",
    "/api/v1/assets/1/series?from=1900-01-01": "from='1900-01-01' is not a time",
    "/api/v1/assets/1/series?to=3000-01-01": "to='3000-01-01' is not a time",
    "/api/v1/assets/1/series?from=2026-02-01&to=2026-01-01": "from=2026-02-01 is after to=",
    "/api/v1/assets/1/series?fields=price,luck": "fields='luck' cannot be used",
    "/api/v1/assets/1/series?points=1": "points='1' cannot be used: expected int >= 10",
    "/api/v1/log?before=yesterday": "before='yesterday' is not a time",
}


@pytest.mark.parametrize("target", REFUSED)
def test_what_cannot_be_used_is_refused_with_what_was_got_and_expected(
    asked_web: Site, target: str
) -> None:
    reply = asked_web.get(target)

    assert reply.status == 400
    assert reply.error["code"] == "bad_request"
    assert REFUSED[target] in reply.error["message"]


@pytest.mark.parametrize(
    "target", ["/api/v1/assets/77", "/api/v1/assets/2147483647", "/api/v1/nothing"]
)
def test_what_is_not_there_is_404_in_the_same_shape(asked_webs: Site, target: str) -> None:
    reply = asked_webs.get(target)

    assert (reply.status, reply.error["code"]) == (404, "not_found")


def test_an_empty_store_answers_that_there_is_nothing(web: Site) -> None:
    market = web.json("/api/v1/assets")
    log = web.json("/api/v1/log")

    assert (market["assets"], market["total"], market["as_of"]) == ([], 0, None)
    assert market["stale"] is True
    assert log["slots"] == []


def test_every_answer_says_whether_the_market_is_made_up(web: Site) -> None:
    made_up = snapshot(source=SourceKind.SIMULATED)
    from coinlog.store.writer import settle  # noqa: PLC0415
    from samples import settlement  # noqa: PLC0415

    settle(web.engine, settlement(found=made_up, source=SourceKind.SIMULATED), SLOT + 20)

    for target in ("assets", "assets/1", "assets/1/series", "log"):
        assert web.json(f"/api/v1/{target}")["simulated"] is True
    assert "SIMULATED" in web.get("/api/v1/assets/1/series.csv").text


def test_more_slots_than_can_be_read_at_once_are_refused_with_a_range_that_works(
    web: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coinlog.timeline.MAX_SLOTS", 3)
    web.store(*slots_before(10))

    asked = ("from=2010-01-01", f"to={SLOT}")
    refusals = [web.get(f"/api/v1/assets/1/series?{one}").error for one in asked]
    shorter = web.json("/api/v1/assets/1/series?from=2026-01-26T06:00:00Z")

    for refusal in refusals:
        assert refusal["code"] == "bad_request"
        assert refusal["message"].endswith("for example from=2026-01-26T06:00:00Z")
    assert len(shorter["slots"]) == 3


@pytest.mark.parametrize("asked", ["", "?range=90d", "?range=1y", "?range=all"])
def test_a_named_range_with_more_slots_than_that_holds_the_newest_as_on_the_page(
    web: Site, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    monkeypatch.setattr("coinlog.timeline.MAX_SLOTS", 3)
    monkeypatch.setattr("coinlog.timeline.MAX_ROWS", 3)
    web.store(*slots_before(10))

    answer = web.json(f"/api/v1/assets/1/series{asked}")
    rows = web.get(f"/api/v1/assets/1/series.csv{asked}").text.splitlines()

    assert answer["slots"] == slots_before(3)
    assert (len(rows), answer["gaps"]) == (1 + 3, [])
    assert web.get(f"/assets/1{asked}").status == 200


@pytest.mark.parametrize(
    ("answered", "refused_one"),
    [("", "limit=100&limit=100"), ("q=b", "q=&q=b"), ("limit=5", "limit=100&limit=5")],
)
def test_a_repeated_parameter_is_refused_whatever_was_answered_before(
    web: Site, answered: str, refused_one: str
) -> None:
    web.store(SLOT)
    web.json(f"/api/v1/assets?{answered}")

    assert web.get(f"/api/v1/assets?{refused_one}").status == 400
    assert web.get(f"/api/v1/assets?{answered}").status == 200


def test_an_unknown_parameter_never_has_the_name_of_an_answered_one(web: Site) -> None:
    web.store(SLOT)
    web.json("/api/v1/assets?q==x")

    assert web.get("/api/v1/assets?q%3D=x").status == 400
