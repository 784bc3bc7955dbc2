"""The pages as the server draws them: what they show, how fresh it is, in both languages."""

from __future__ import annotations

import asyncio

import pytest

from coinlog.freshness import freshness
from coinlog.market import GlobalMetrics, SourceKind
from coinlog.store.ledger import read_head
from coinlog.web import log_views, page_views, shell
from coinlog.web.market_views import HomeView
from coinlog.web.watch import Moment
from samples import SLOT, STEP, quote, settlement, snapshot
from sites import NOW, Site, slots_before


def ask(**values: object) -> shell.Ask:
    given = {name: str(value) for name, value in values.items()}
    return shell.ask_of("/", "en", shell.read_query(given))


def home(web: Site, **values: object) -> HomeView:
    with web.app.watch.moment() as moment:
        return page_views.home_view(web.app.watch, moment, ask(**values))


def moment(web: Site) -> Moment:
    with web.app.watch.moment() as found:
        return found


def test_the_home_page_leads_with_bitcoin_and_ethereum(web: Site) -> None:
    web.store(*slots_before(3), ids=(52, 1027, 1))

    view = home(web)

    assert view.chart is not None
    assert [line.asset.id for line in view.chart.lines][:2] == [1, 1027]
    assert [row.asset.id for row in view.market.rows] == [1, 52, 1027]


def test_a_pegged_currency_does_not_lead(web: Site) -> None:
    moving = quote(5, percent_change_7d=4.0, rank=4)
    pegged = quote(825, percent_change_7d=0.01, percent_change_30d=-0.02, rank=3)
    found = snapshot((1, 1027, 825, 5))
    quotes = (quote(1), quote(1027), pegged, moving)
    web.settle(SLOT, type(found)(found.observed_at, found.source, found.assets, quotes))

    chart = home(web).chart

    assert chart is not None
    assert [line.asset.id for line in chart.lines] == [1, 1027, 5]


def test_an_empty_store_says_why_and_when_the_next_try_is(web: Site) -> None:
    web.settle(SLOT)

    view = home(web)
    page = web.get("/").text

    assert (view.chart, view.market.total) == (None, 0)
    assert view.last is not None
    assert view.last.reason == "timeout"
    assert shell.freshness_view(moment(web)).next_slot == SLOT + STEP
    assert "00:00" in page


@pytest.mark.parametrize(
    ("hours", "state", "missed"),
    [(1, "fresh", 0), (6.5, "fresh", 0), (7, "amber", 1), (13, "red", 2)],
)
def test_freshness_is_amber_after_one_missed_slot_and_red_after_two(
    web: Site, hours: float, state: str, missed: int
) -> None:
    web.store(SLOT)
    web.now = SLOT + hours * 3600

    fresh = moment(web).fresh

    assert (fresh.state, fresh.missed, fresh.stale) == (state, missed, state != "fresh")


def test_a_failed_slot_is_as_stale_as_a_missed_one_and_says_why(web: Site) -> None:
    web.store(SLOT - STEP)
    web.settle(SLOT)

    view = shell.freshness_view(moment(web))

    assert (view.state, view.slot, view.reason) == ("amber", SLOT - STEP, "timeout")
    assert view.failed_at == SLOT + 13


def test_an_unchanged_price_in_a_fresh_slot_is_not_stale(web: Site) -> None:
    web.store(*slots_before(5), price=1.0)

    assert moment(web).fresh.state == "fresh"


def test_years_of_silence_are_counted_at_once(web: Site) -> None:
    web.store(SLOT)

    fresh = freshness(read_head(web.app.watch.reader), SLOT + 400 * 365 * 86_400)

    # The last one is still within its grace.
    assert (fresh.state, fresh.missed) == ("red", 400 * 365 * 4 - 1)


def test_a_sparkline_breaks_where_a_slot_is_missed(web: Site) -> None:
    first, second, _missed, third, last = slots_before(5)
    web.store(first, second, third, last)

    (row, *_) = home(web).market.rows

    assert [[slot for slot, _ in part] for part in row.sparkline] == [
        [first, second],
        [third, last],
    ]


def test_lines_of_one_chart_are_thinned_at_the_same_slots(web: Site) -> None:
    web.store(*slots_before(400), ids=(1, 1027))

    chart = home(web, range="all").chart

    assert chart is not None
    bitcoin, ethereum = chart.lines
    assert bitcoin.slots == ethereum.slots
    assert len(bitcoin.slots) <= page_views.HOME_POINTS
    assert chart.sampled


def test_a_line_is_cut_where_a_gap_starts(web: Site) -> None:
    first, _missed, second, last = slots_before(4)
    web.store(first, second, last)

    chart = home(web, range="1d").chart

    assert chart is not None
    assert [[time for time, _ in part] for part in chart.lines[0].segments] == [
        [first + 12],
        [second + 12, last + 12],
    ]


def test_the_table_is_paged_and_its_links_keep_the_question(web: Site) -> None:
    web.store(SLOT, ids=tuple(range(1, 31)))

    market = home(web, limit=10, offset=10, q="Asset", sort="-price").market

    assert (len(market.rows), market.total) == (10, 30)
    assert market.previous_href == "/?q=Asset&sort=-price&limit=10"
    assert market.next_href == "/?q=Asset&sort=-price&limit=10&offset=20"
    assert {column.code: column.sorted for column in market.columns}["price"] == "descending"


def test_global_figures_are_those_of_the_newest_slot(web: Site) -> None:
    found = snapshot()
    metrics = GlobalMetrics(total_market_cap=3e12, bitcoin_dominance=57.5)
    web.settle(
        SLOT,
        type(found)(found.observed_at, found.source, found.assets, found.quotes, metrics),
    )

    figures = home(web).global_metrics

    assert (figures.total_market_cap, figures.bitcoin_dominance) == (3e12, 57.5)
    assert figures.fear_and_greed is None


def test_what_is_unknown_is_listed_beside_the_comparison(web: Site) -> None:
    web.store(SLOT)
    with web.app.watch.moment() as found:
        asked = shell.ask_of("/compare", "en", shell.read_query({"ids": "1,99,x,1027,1"}))
        view = page_views.compare_view(web.app.watch, found, asked)

    assert [asset.id for asset in view.assets] == [1, 1027]
    assert view.unknown == ["x", "99"]


def test_a_shared_symbol_is_marked(web: Site) -> None:
    found = snapshot((1, 2, 3))
    assets = tuple(
        type(asset)(asset.id, asset.name, "BTC" if asset.id < 3 else "C", asset.slug)
        for asset in found.assets
    )
    web.settle(SLOT, type(found)(found.observed_at, found.source, assets, found.quotes))

    rows = home(web).market.rows

    assert [row.asset.shares_symbol for row in rows] == [True, True, False]


def test_the_ledger_is_paged_back_to_its_beginning(web: Site) -> None:
    web.store(*slots_before(130), ids=(1,))

    def log(before: str = "") -> list[int]:
        given = {"before": before} if before else {}
        with web.app.watch.moment() as found:
            view = log_views.log_view(
                web.app.watch, found, shell.ask_of("/log", "en", shell.read_query(given))
            )
        return [slot.slot for slot in view.slots]

    first = log()
    second = log(str(first[-1]))

    assert (len(first), len(second)) == (100, 30)
    assert [*first, *second] == slots_before(130)[::-1]


def test_the_slot_that_waits_is_due_and_not_in_the_ledger(web: Site) -> None:
    web.store(SLOT - STEP)
    web.now = SLOT + 60

    with web.app.watch.moment() as found:
        view = log_views.log_view(
            web.app.watch, found, shell.ask_of("/log", "en", shell.PageQuery())
        )

    assert view.due == SLOT
    assert [slot.slot for slot in view.slots] == [SLOT - STEP]


def test_a_made_up_market_is_said_to_be_one_on_every_page(web: Site) -> None:
    from coinlog.store.writer import settle  # noqa: PLC0415

    source = SourceKind.SIMULATED
    settle(web.engine, settlement(found=snapshot(source=source), source=source), NOW)

    for target in ("/", "/es/", "/assets/1", "/compare?ids=1", "/log", "/schema", "/nowhere"):
        assert ("SIMULA" in web.get(target).text) == (target != "/nowhere")


def test_pages_in_spanish_lead_to_pages_in_spanish(web: Site) -> None:
    web.store(SLOT)

    page = web.get("/es/").text

    assert '<html lang="es"' in page
    assert 'href="/es/assets/1"' in page
    assert 'href="/?lang=en"' in page
    assert 'href="/assets/1"' not in page


def test_part_of_a_page_is_that_part_alone(web: Site) -> None:
    web.store(SLOT)

    market, chart = web.get("/?part=market").text, web.get("/assets/1?part=chart").text

    assert "<html" not in market + chart
    assert 'id="market"' in market
    assert 'id="chart"' in chart


def test_every_page_names_its_source_and_its_age(web: Site) -> None:
    web.store(SLOT)

    for target in ("/", "/assets/1", "/compare?ids=1", "/log", "/schema"):
        page = web.get(target).text
        assert 'href="https://coinmarketcap.com"' in page
        assert '<time datetime="2026-01-26T18:00:12Z"' in page


def test_the_application_looks_at_the_store_by_itself_while_it_lives(
    web: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.store(SLOT)
    really_look = web.app.look

    async def until_it_has_looked() -> None:
        looked = asyncio.Event()

        async def look() -> None:
            await really_look()
            looked.set()

        monkeypatch.setattr(web.app, "look", look)
        async with web.app.looking():
            await asyncio.wait_for(looked.wait(), 20)

    asyncio.run(until_it_has_looked())

    assert web.app.looks.generation > 1


@pytest.mark.parametrize(("path", "said"), [("/", "Your history begins"), ("/es/", "Tu historial")])
def test_a_young_history_says_when_it_begins_and_what_would_fetch_more(
    web: Site, path: str, said: str
) -> None:
    web.store(*slots_before(3), ids=(1, 1027))

    assert said in web.get(f"{path}?range=1y").text
    assert said not in web.get(f"{path}?range=1d").text
