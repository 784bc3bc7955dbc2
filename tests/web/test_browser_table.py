"""The market table in a real Chromium: sorted, searched and paged without a reload."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from browsing import NAMED, Open, names, no_reload, price_of, price_text
from samples import SLOT

pytestmark = pytest.mark.browser


def test_a_heading_sorts_the_table_and_back_undoes_it(both: str, browse: Open) -> None:
    page = browse(f"{both}/")
    check = no_reload(page)
    page.locator("#by-price").click()
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "descending")
    assert names(page)[0].startswith("Bitcoin")
    expect(page.locator("#by-price")).to_be_focused()
    expect(page.locator("#said")).to_contain_text("60 assets")
    page.locator("#by-price").click()
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "ascending")
    assert names(page)[0].startswith("Boost")
    page.go_back()
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "descending")
    check()


def test_the_search_finds_while_one_types(both: str, browse: Open) -> None:
    page = browse(f"{both}/")
    check = no_reload(page)
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("shib")
    expect(page.locator("#market tbody tr")).to_have_count(1)
    expect(page).to_have_url(f"{both}/?q=shib")
    expect(page.locator("#q")).to_be_focused()
    page.locator("#q").fill("nothing at all")
    expect(page.locator("#market")).to_contain_text("No asset of this slot matches")
    check()


def test_sorting_keeps_the_range_and_a_range_keeps_the_sorting(both: str, browse: Open) -> None:
    page = browse(f"{both}/?range=7d")
    page.locator("#by-name").click()
    expect(page).to_have_url(f"{both}/?range=7d&sort=name")
    page.locator("#range-90d").click()
    expect(page).to_have_url(re.compile(r"sort=name"))
    expect(page).to_have_url(re.compile(r"range=90d"))


def test_the_next_page_comes_without_a_reload(both: str, browse: Open) -> None:
    page = browse(f"{both}/")
    check = no_reload(page)
    page.get_by_role("link", name="Next").click()
    expect(page.locator("#market tbody tr")).to_have_count(10)
    expect(page.locator("#market")).to_be_focused()
    page.get_by_role("link", name="Previous").click()
    expect(page.locator("#market tbody tr")).to_have_count(50)
    check()


def test_a_shared_symbol_shows_the_id(site: str, browse: Open) -> None:
    page = browse(f"{site}/?q=BTC")
    assert sorted(names(page)) == ["Bitcoin BTC · 1", "Boost BTC · 31469"]


def test_small_prices_are_not_zero(site: str, browse: Open) -> None:
    page = browse(f"{site}/?q=5994")
    assert price_text(price_of(5994, SLOT)) in page.locator("#market tbody").inner_text()


def test_the_newest_assets_are_all_named(site: str, browse: Open) -> None:
    page = browse(f"{site}/")
    assert all(any(name in row for row in names(page)) for name, _, _ in list(NAMED.values())[:4])
