"""The market table as the server draws it: columns, filters, and what forms keep of the address."""

from __future__ import annotations

import re

import pytest

from coinlog.web import charts, page_views, shell
from coinlog.web.columns import COLUMNS, USUAL, shown_as, shown_columns
from coinlog.web.market_views import HomeView, MarketView
from samples import SLOT, quote, snapshot
from sites import Site, slots_before


def market(web: Site, **asked: object) -> MarketView:
    return home(web, **asked).market


def home(web: Site, **asked: object) -> HomeView:
    given = {name: str(value) for name, value in asked.items()}
    with web.app.watch.moment() as moment:
        ask = shell.ask_of("/", "en", shell.read_query(given))
        return page_views.home_view(web.app.watch, moment, ask)


def put(web: Site, changes: dict[int, float | None]) -> None:
    found = snapshot(tuple(changes))
    quotes = tuple(
        quote(one, percent_change_24h=change, rank=one, max_supply=21e6, num_market_pairs=8)
        for one, change in changes.items()
    )
    web.settle(SLOT, type(found)(found.observed_at, found.source, found.assets, quotes))


def headings(page: str) -> list[str]:
    return re.findall(r'id="by-(\w+)"', page)


def test_columns_are_those_asked_for_in_their_own_order() -> None:
    assert shown_columns("sparkline,price") == ("name", "price", "sparkline")
    assert shown_columns("") == shown_columns("nonsense") == USUAL
    assert shown_as(shown_columns(",".join(reversed(USUAL)))) == ""
    assert shown_columns(",".join(COLUMNS)) == COLUMNS


def test_a_form_without_scripts_chooses_columns_and_keeps_the_rest(web: Site) -> None:
    put(web, {1: 1.0, 2: -1.0})

    # As a browser sends it: one parameter for each ticked box.
    ticked = "/?range=7d&sort=-price&show=name&show=max_supply&show=num_market_pairs"
    page = web.get(ticked).text
    again = web.get("/?range=7d&sort=-price&show=name&show=price").text

    assert headings(page) == ["name", "max_supply", "num_market_pairs"]
    assert headings(again) == ["name", "price"]
    assert "<td>21.0M</td>" in page
    assert "<td>8</td>" in page
    form = page[
        page.index('<details class="menu" id="columns">') : page.index(
            "</form>", page.index('id="columns"')
        )
    ]
    assert '<input type="hidden" name="range" value="7d">' in form
    assert '<input type="hidden" name="sort" value="-price">' in form
    assert 'id="show-max_supply" name="show" value="max_supply" checked' in form
    assert "show=name%2Cmax_supply%2Cnum_market_pairs" in page


def test_gainers_and_losers_are_links_that_sort_by_the_day(web: Site) -> None:
    put(web, {1: 1.0, 2: -1.0, 3: 9.0, 4: None})

    up = market(web, only="gainers", offset=0)
    sorted_up = market(web, only="gainers", sort="rank")

    assert [row.asset.id for row in up.rows] == [3, 1]
    assert {one.code: one.sorted for one in up.columns}["percent_change_24h"] == "descending"
    assert [row.asset.id for row in sorted_up.rows] == [1, 3]
    assert {link.code: link.href for link in market(web, sort="-price", q="Asset").filters} == {
        "": "/?q=Asset",
        "gainers": "/?q=Asset&only=gainers",
        "losers": "/?q=Asset&only=losers",
        "favourites": "/?q=Asset&only=favourites",
    }
    # The two orders are two answers of the cache.
    first, second = (web.get(f"/?only=gainers{more}").text for more in ("", "&sort=rank"))
    assert first.index('href="/assets/3"') < first.index('href="/assets/1"')
    assert second.index('href="/assets/1"') < second.index('href="/assets/3"')


def test_favourites_are_those_that_the_browser_tells(web: Site) -> None:
    put(web, {1: 1.0, 2: -1.0, 3: 9.0})

    found = market(web, only="favourites", ids="3,x,2,99999999999")
    none = web.get("/?only=favourites").text

    assert [row.asset.id for row in found.rows] == [2, 3]
    assert "No favourites yet" in none
    assert market(web, ids="3").total == 3
    many = ",".join(str(one) for one in range(100_000, 100_400))
    assert shell.read_query({"ids": many}).ids.endswith(",100284")


def test_a_band_of_caps_that_nobody_is_in_says_so_and_leads_back(web: Site) -> None:
    put(web, {1: 1.0})

    page = web.get("/?cap=10b&sort=-price&range=7d").text

    assert "No asset of this slot is like that." in page
    assert re.search(r'href="/\?range=7d&amp;sort=-price" id="all"', page)
    assert market(web, cap="unknown").total == 1


def test_what_a_new_slot_changes_is_marked_for_renewal(web: Site) -> None:
    web.store(*slots_before(2))

    home_page, past = web.get("/").text, web.get(f"/market?at={slots_before(2)[0]}").text

    assert re.findall(r'id="(\w+)"[^>]*data-renew', home_page) == ["global", "market"]
    assert 'id="market" class="card" aria-label' in past
    assert 'data-as="price"' in home_page


def test_a_chart_of_several_assets_reads_no_more_than_it_can_in_time(
    web: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charts, "MOST_READ", 8)
    web.store(*slots_before(10), ids=(1, 1027))

    chart = home(web, range="all").chart

    assert chart is not None
    assert [line.slots for line in chart.lines] == [slots_before(4)] * 2
