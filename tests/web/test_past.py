"""The time machine: which slot answers to a time, why, and what the page and the API then show."""

from __future__ import annotations

import pytest

from coinlog.market import Asset, GlobalMetrics, Snapshot, SourceKind
from coinlog.slots import DAY, iso, parse_time
from coinlog.thinning import thin
from coinlog.web import past_slots, shell
from coinlog.web.market_views import PastView
from coinlog.web.past_views import past_view
from samples import HOUR, SLOT, STEP, quote, snapshot
from sites import Site, slots_before


def past(web: Site, **asked: object) -> PastView:
    given = {name: str(value) for name, value in asked.items()}
    with web.app.watch.moment() as moment:
        ask = shell.ask_of("/market", "en", shell.read_query(given))
        return past_view(web.app.watch, moment, ask)


def store_with_holes(web: Site) -> tuple[int, int, int]:
    """Store a slot, miss one, fail one, and store the newest; return the first three."""
    stored, missed, failed = SLOT - 3 * STEP, SLOT - 2 * STEP, SLOT - STEP
    web.store(stored, SLOT)
    web.settle(failed)
    return stored, missed, failed


def test_what_was_not_recorded_is_answered_by_the_slot_before_and_the_reason(web: Site) -> None:
    stored, missed, failed = store_with_holes(web)
    asked = {
        stored: (stored, None),
        stored + HOUR: (stored, "between"),
        missed: (stored, "missed"),
        failed + HOUR: (stored, "failed"),
        SLOT: (SLOT, None),
        SLOT + 9 * DAY: (SLOT, "future"),
        stored - 1: (stored, "first"),
    }

    found = {at: past(web, at=at) for at in asked}

    assert {at: (v.slot, v.note and v.note.code) for at, v in found.items()} == asked
    page = web.get(f"/market?at={failed + HOUR}").text
    assert "CoinMarketCap took too long to answer" in page
    assert f'datetime="{iso(failed)}"' in page
    assert f'data-slot="{stored}"' in page
    assert "se perdió" in web.get(f"/es/market?at={missed}").text


def test_a_slot_that_is_due_and_not_there_yet_is_no_miss(web: Site) -> None:
    web.store(SLOT - STEP)
    web.now = SLOT + 60

    view = past(web, at=SLOT)

    assert view.note is not None
    assert (view.slot, view.note.code) == (SLOT - STEP, "waiting")


def test_ways_lead_to_recorded_slots_alone(web: Site) -> None:
    web.store(*slots_before(9), ids=(1,))

    view = past(web, at=SLOT - STEP)
    first = past(web, at=SLOT - 8 * STEP)

    assert {one.code: one.slot for one in (*view.steps, *view.jumps)} == {
        "previous": SLOT - 2 * STEP,
        "next": SLOT,
        "newest": SLOT,
        "day": SLOT - 5 * STEP,
        "week": None,
        "month": None,
        "year": None,
    }
    assert [one.slot for one in first.steps] == [None, SLOT - 7 * STEP, SLOT]


@pytest.mark.parametrize(
    ("start", "code", "there"),
    [
        ("2026-03-31T18:00:00Z", "month", "2026-02-28T18:00:00Z"),
        ("2024-02-29T06:00:00Z", "year", "2023-02-28T06:00:00Z"),
        ("2026-01-15T00:00:00Z", "month", "2025-12-15T00:00:00Z"),
        ("2026-03-01T00:00:00Z", "week", "2026-02-22T00:00:00Z"),
    ],
)
def test_a_jump_back_goes_by_the_calendar(start: str, code: str, there: str) -> None:
    assert iso(past_slots.jump_back(parse_time(start), code)) == there


def test_the_figures_of_the_whole_market_are_those_of_the_slot(web: Site) -> None:
    for slot, cap in ((SLOT - STEP, 1e12), (SLOT, 2e12)):
        one = snapshot(observed_at=slot + 12)
        metrics = GlobalMetrics(total_market_cap=cap)
        web.settle(slot, Snapshot(one.observed_at, one.source, one.assets, one.quotes, metrics))

    assert past(web, at=SLOT - STEP).global_metrics.total_market_cap == 1e12
    assert f'<data value="1000000000000.0" data-as="money" data-slot="{SLOT - STEP}">' in (
        web.get(f"/market?at={SLOT - STEP}").text
    )


def test_a_thinned_slot_is_answered_by_one_that_has_its_quotes(web: Site) -> None:
    web.store(*slots_before(12), ids=(1, 2))
    cut = SLOT - SLOT % DAY - DAY
    for _ in thin(web.engine, cut, DAY, SLOT + 60.0):
        pass

    gone = past(web, at=cut - STEP)

    assert gone.note is not None
    assert (gone.note.code, gone.slot) == ("thinned", cut - DAY)
    assert gone.market.total == 2
    # The ways lead past what is gone, in both directions.
    assert [one.slot for one in gone.steps] == [None, cut, SLOT]
    assert past(web, at=cut).steps[0].slot == cut - DAY


def test_hostile_names_stay_text_and_odd_parameters_fall_back(web: Site) -> None:
    evil = Asset(7, "<script>alert(1)</script>", "'\"><img>", "x")
    for slot in (SLOT - STEP, SLOT):
        found = Snapshot(slot + 12, SourceKind.COINMARKETCAP, (evil,), (quote(7, market_cap=9.0),))
        web.settle(slot, found)

    for path in (f"/market?at={SLOT - STEP}", "/overview", "/?only=nonsense&cap=9&show=%3Cb%3E"):
        page = web.get(path).text
        assert "<script>alert" not in page
        assert "<img>" not in page
        assert "&lt;script&gt;alert(1)" in page
    for odd in (
        "at=yesterday",
        "at=1",
        "at=",
        "at=1e9",
        "only=x&cap=&show=,,",
        "limit=0&offset=-1",
    ):
        assert past(web, **dict(part.split("=") for part in odd.split("&"))).slot == SLOT


REFUSED = {
    f"at={SLOT + 1}": f"at={iso(SLOT + 1)} is no recorded slot: expected a slot of /api/v1/log",
    f"at={SLOT - DAY}": f"for example at={iso(SLOT)}, the first one recorded",
    "at=yesterday": "at='yesterday' is not a time",
    "only=favourites": "only='favourites' cannot be used: expected one of gainers, losers",
    "cap=2b": "cap='2b' cannot be used: expected one of 10b, 1b, 100m, 10m, small, unknown",
    "ids=1,x": "ids='x' cannot be used: expected CoinMarketCap ids with commas between",
    "ids=": "ids='' cannot be used",
}


def test_the_api_refuses_with_a_sentence_what_the_page_lets_pass(web: Site) -> None:
    web.store(SLOT)

    for asked, said in REFUSED.items():
        reply = web.get(f"/api/v1/assets?{asked}")
        assert (reply.status, reply.error["code"]) == (400, "bad_request")
        assert said in reply.error["message"]
        assert web.get(f"/market?{asked}").status == 200


def test_an_empty_store_has_no_past(web: Site) -> None:
    assert web.get("/market?at=2026-01-01").status == 200
    assert web.get("/overview").status == 200
    assert "nothing is recorded yet" in web.get(f"/api/v1/assets?at={SLOT}").error["message"]
