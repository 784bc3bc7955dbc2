"""Comparing in a real Chromium: assets found by a search, and an address that holds it all."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from browsing import IDS, PHONE, Open, drawn, no_reload, price_of
from coinlog.web import format as fmt
from coinlog.web.i18n import catalogue
from samples import SLOT, STEP

pytestmark = pytest.mark.browser

FIRST = SLOT - 28 * STEP
EN = catalogue("en").format


def search(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Add an asset")


def found(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Add an asset").get_by_role("option")


def names(page: Page) -> list[str]:
    return page.locator(".legend a").all_inner_texts()


def change(asset_id: int) -> str:
    """Return an asset's change over seven days as the page writes it."""
    return fmt.percent((price_of(asset_id, SLOT) / price_of(asset_id, FIRST) - 1) * 100, EN)


def test_an_asset_found_by_the_keyboard_joins_the_chart(both: str, browse: Open) -> None:
    page = browse(f"{both}/compare?ids=1,1027&range=7d")
    drawn(page)
    check = no_reload(page)
    search(page).fill("btc")
    options = found(page)
    # Two assets carry this symbol: their ids tell them apart, and ranks which is which.
    expect(options).to_have_text(
        [re.compile(r"Bitcoin BTC · 1 rank 1"), re.compile("31469 rank 6")]
    )
    expect(search(page)).to_have_attribute("aria-expanded", "true")
    search(page).press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(search(page)).to_have_attribute("aria-activedescendant", "found-1")
    search(page).press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    search(page).fill("shiba")
    expect(options).to_have_count(1)
    search(page).press("Enter")
    expect(page.locator(".legend a")).to_have_text(["Bitcoin", "Ethereum", "Shiba Inu"])
    assert page.url == f"{both}/compare?ids=1,1027,5994&range=7d"
    expect(page.locator(".chosen li")).to_have_text(
        [re.compile("Bitcoin BTC · 1"), re.compile("Ethereum ETH"), re.compile("Shiba Inu SHIB")]
    )
    for line, asset_id in enumerate((1, 1027, 5994)):
        expect(page.locator(f'[data-line="{line}"]')).to_contain_text(change(asset_id))
    expect(page.locator("[data-notes]")).to_have_text(
        re.compile(r"Change since 19 Jan 2026, 13:00.GMT-5\.")
    )
    page.get_by_role("link", name="Remove Ethereum").click()
    expect(page.locator(".legend a")).to_have_text(["Bitcoin", "Shiba Inu"])
    page.go_back()
    expect(page.locator(".legend a")).to_have_text(["Bitcoin", "Ethereum", "Shiba Inu"])
    expect(page.locator(".chosen li")).to_have_count(3)
    check()


def test_an_address_holds_assets_range_field_scale_and_currency(site: str, browse: Open) -> None:
    address = f"{site}/compare?ids=1,5994&range=7d&field=market_cap&scale=log&currency=BTC"
    page = browse(address)
    drawn(page)
    expect(page.locator("#chart h2")).to_have_text("Market cap")
    expect(page.locator("#range-7d")).to_have_attribute("aria-current", "true")
    log = page.get_by_role("button", name="Log")
    expect(log).to_have_attribute("aria-pressed", "true")
    cap = 2e12 / 5**1.5 / price_of(1, SLOT)
    expect(page.locator('[data-line="1"]')).to_contain_text(fmt.price(cap, EN, "BTC"))
    page.get_by_role("button", name="%").click()
    # The usual scale is left out.
    assert sorted(page.url.split("?")[1].split("&")) == sorted(
        ("ids=1,5994", "range=7d", "field=market_cap", "currency=BTC")
    )
    for name in ("Area", "Candles"):
        button = page.get_by_role("button", name=name)
        expect(button).to_have_attribute("aria-disabled", "true")
        expect(button).to_have_attribute("title", re.compile("one asset"))
    page.locator("#field-rank").click()
    expect(page.locator('[data-line="1"]')).to_have_text("#5")
    expect(page.get_by_role("button", name="%")).to_have_attribute("aria-disabled", "true")
    expect(page.get_by_role("button", name="Linear")).to_have_attribute("aria-pressed", "true")


def test_ten_assets_are_the_most(site: str, browse: Open) -> None:
    ids = ",".join(map(str, IDS[:10]))
    page = browse(f"{site}/compare?ids={ids}", viewport=PHONE)
    drawn(page)
    expect(page.locator(".legend a")).to_have_count(10)
    search(page).fill(str(IDS[10]))
    found(page).click()
    expect(page.get_by_text("Ten assets are the most")).to_be_visible()
    assert len(names(page)) == 10
    search(page).fill("no such asset")
    expect(page.get_by_text("Nothing recorded matches.")).to_be_visible()
    page.get_by_text("Table of this chart").click()
    expect(page.locator("[data-table] thead th")).to_have_count(12)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_a_first_asset_is_found_where_there_is_none_yet(both: str, browse: Open) -> None:
    page = browse(f"{both}/compare")
    search(page).fill("solana")
    found(page).click()
    # A published page is a file with two assets to begin with.
    published = page.locator("html[data-edition]").count()
    first = {"Bitcoin": 1, "Ethereum": 1027} if published else {}
    expect(page.locator(".legend a")).to_have_text([*first, "Solana"])
    ids = ",".join(map(str, [*first.values(), 5426]))
    assert page.url == f"{both}/compare?ids={ids}"


def test_what_is_typed_before_the_search_is_there_is_found(both: str, browse: Open) -> None:
    page = browse(f"{both}/compare")
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page.route("**/static/picker-*.js", hold)
    with page.expect_request("**/static/picker-*.js"):
        page.reload()
    search(page).fill("solana")
    expect(found(page)).to_have_count(0)
    for route in waiting:
        route.continue_()
    expect(found(page)).to_have_count(1)


def test_without_scripts_ids_are_typed(site: str, browse: Open) -> None:
    page = browse(f"{site}/compare?ids=1&range=7d&field=rank", java_script_enabled=False)
    page.get_by_label("CoinMarketCap ids").fill("1,1027")
    page.get_by_role("button", name="Show").click()
    assert names(page) == ["Bitcoin", "Ethereum"]
    assert page.locator("#field-rank").get_attribute("aria-current") == "true"
    assert page.locator("#range-7d").get_attribute("aria-current") == "true"
    page.get_by_role("link", name="Remove Bitcoin").click()
    assert names(page) == ["Ethereum"]
