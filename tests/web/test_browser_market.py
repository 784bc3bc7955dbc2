"""The market, the overview and the time machine in a real Chromium, with scripts and without."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from browsing import FAILED, MISSED, PHONE, Open, names, no_reload
from samples import SLOT, STEP

pytestmark = pytest.mark.browser


def headings(page: Page) -> list[str]:
    return [str(one.get_attribute("id")) for one in page.locator("#market thead a").all()]


def test_columns_are_chosen_and_remembered_and_an_address_keeps_its_own(
    both: str, browse: Open
) -> None:
    page = browse(f"{both}/")
    check = no_reload(page)
    page.locator("#columns-menu").click()
    page.locator("#show-max_supply").check()
    expect(page.locator("#by-max_supply")).to_be_visible()
    # The menu stays open where one is ticking, at the box that was ticked.
    expect(page.locator("#show-max_supply")).to_be_focused()
    page.locator("#show-percent_change_1h").uncheck()
    expect(page.locator("#by-percent_change_1h")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator("#columns form")).to_be_hidden()
    expect(page.locator("#columns-menu")).to_be_focused()
    page.go_back()
    expect(page.locator("#by-percent_change_1h")).to_be_visible()
    check()
    page.goto(f"{both}/?q=bitcoin")
    expect(page.locator("#by-max_supply")).to_be_visible()
    expect(page).to_have_url(re.compile(r"q=bitcoin.*show=.*max_supply"))
    assert names(page) == ["Bitcoin BTC · 1"]
    page.goto(f"{both}/?show=price")
    expect(page.locator("#market thead a")).to_have_count(2)
    assert headings(page) == ["by-name", "by-price"]


def test_filters_combine_and_back_undoes_them(both: str, browse: Open) -> None:
    page = browse(f"{both}/?range=30d")
    check = no_reload(page)
    page.get_by_role("link", name="Losers").click()
    expect(page).to_have_url(f"{both}/?range=30d&only=losers")
    changes = page.locator("#market td.p24h")
    expect(changes.first).to_have_class(re.compile(r"\bd\b"))
    falls = [float(one.strip("−%")) for one in changes.all_inner_texts()]
    assert falls == sorted(falls, reverse=True)
    page.locator("#caps-menu").click()
    page.locator("#cap-100m").click()
    expect(page.locator("#caps-menu")).to_contain_text("$100M to $1B")
    expect(page.locator("#said")).to_contain_text("No asset of this slot is like that.")
    page.locator("#caps-menu").click()
    page.locator("#cap-10b").click()
    expect(page.locator("#market tbody tr").first).to_be_visible()
    assert 0 < page.locator("#market tbody tr").count() < len(falls)
    page.go_back()
    page.go_back()
    expect(page.locator("#market td.p24h")).to_have_count(len(falls))
    page.go_back()
    expect(page.locator("#only-")).to_have_attribute("aria-current", "true")
    check()


def test_favourites_stay_in_this_browser_and_are_shown_alone(both: str, browse: Open) -> None:
    page = browse(f"{both}/")
    star = page.get_by_role("button", name="Favourite: Ethereum ETH")
    expect(star).to_have_attribute("aria-pressed", "false")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name=re.compile("Favourite: Shiba")).focus()
    page.keyboard.press("Space")
    page.get_by_role("link", name="Favourites").click()
    expect(page).to_have_url(f"{both}/?only=favourites&ids=1027%2C5994")
    expect(page.locator("#market tbody tr")).to_have_count(2)
    assert [one.split()[0] for one in names(page)] == ["Ethereum", "Shiba"]
    # A bare address, as a bookmark has it, is filled in by the browser that knows them.
    page.goto(f"{both}/es/?only=favourites")
    expect(page.locator("#market tbody tr")).to_have_count(2)
    star = page.get_by_role("button", name="Favorito: Ethereum ETH")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "false")
    page.get_by_role("link", name="Todos", exact=True).click()
    expect(page).to_have_url(f"{both}/es/")
    assert page.evaluate("localStorage.favourites") == "[5994]"


def test_arrow_keys_go_from_row_to_row_and_tab_leaves_the_table(site: str, browse: Open) -> None:
    page = browse(f"{site}/")
    links = page.locator("#market tbody th a")
    expect(page.locator(".star").first).to_be_visible()
    page.locator("#market thead a").last.focus()
    page.keyboard.press("Tab")
    expect(page.locator(".star").first).to_be_focused()
    page.keyboard.press("Tab")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(links.nth(2)).to_be_focused()
    page.keyboard.press("End")
    expect(links.nth(49)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(links.nth(49)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#next")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site}/assets/1")


def test_a_phone_shows_the_columns_that_were_chosen_and_scrolls_the_table_alone(
    both: str, browse: Open
) -> None:
    page = browse(f"{both}/?show=percent_change_1h,market_cap,volume_24h,sparkline", viewport=PHONE)
    for column in ("p1h", "market-cap", "volume-24h", "spark"):
        expect(page.locator(f"#market td.{column}").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert page.evaluate("document.querySelector('.scroll').scrollWidth") > PHONE["width"]
    # Each cell stands under its heading.
    left = "document.querySelector('#market {}.market-cap').getBoundingClientRect().left"
    assert page.evaluate(left.format("th")) == page.evaluate(left.format("td"))
    page.goto(f"{both}/es/market?at={SLOT - 20 * STEP}&show=rank,price,market_cap,max_supply")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_forms_and_filters_work_without_scripts(site: str, browse: Open) -> None:
    page = browse(f"{site}/?range=30d", java_script_enabled=False)
    assert page.locator(".star").count() == 0
    page.locator("#columns-menu").click()
    page.locator("#show-num_market_pairs").check()
    page.locator("#show-sparkline").uncheck()
    page.get_by_role("button", name="Show", exact=True).click()
    assert "by-num_market_pairs" in headings(page)
    assert page.locator("#market td.spark").count() == 0
    page.get_by_role("link", name="Gainers").click()
    page.locator("#q").fill("asset")
    page.get_by_role("button", name="Search").click()
    assert "by-num_market_pairs" in headings(page)
    assert page.locator("#market td.p24h.d").count() == 0
    assert re.search(r"range=30d.*only=gainers|only=gainers.*range=30d", page.url)
    page.goto(f"{site}/?only=favourites")
    expect(page.locator("#market")).to_contain_text("this browser alone remembers it")


def test_the_time_machine_goes_to_any_recorded_slot(site: str, browse: Open) -> None:
    page = browse(f"{site}/market", java_script_enabled=False)
    expect(page.locator(".eyebrow")).to_have_text("The market at the newest slot")
    page.locator("#at").fill("2026-01-24T08:15")
    page.get_by_role("button", name="Go").click()
    # The slot of 6:00 of that day failed, and the page says so.
    assert FAILED == SLOT - 10 * STEP
    expect(page.locator(".note")).to_contain_text("CoinMarketCap took too long to answer")
    expect(page.locator("#past-slot")).to_have_text(re.compile(r"24 Jan 2026, 00:00.UTC"))
    page.locator("#jump-previous").click()
    expect(page.locator("#past-slot")).to_have_text(re.compile(r"23 Jan 2026, 18:00.UTC"))
    page.locator("#jump-week").click()
    assert MISSED[0] == SLOT - 40 * STEP
    expect(page.locator("#past-slot")).to_have_text(re.compile(r"16 Jan 2026, 00:00.UTC"))
    page.get_by_role("link", name="The top 10 then").click()
    expect(page.locator("#market tbody tr")).to_have_count(10)
    assert page.locator(f"data[data-slot='{SLOT - 43 * STEP}']").count() > 20


def test_a_moment_that_is_entered_leads_to_its_market(both: str, browse: Open) -> None:
    page = browse(f"{both}/market")
    page.locator("#at").fill("2026-01-24T08:15")
    page.get_by_role("button", name="Go").click()
    expect(page.locator("#past-slot")).to_have_text(re.compile(r"24 Jan 2026, 00:00.UTC"))
    expect(page.locator(".eyebrow")).to_have_text("The market as it was")
    page.get_by_role("link", name="The top 10 then").click()
    expect(page.locator("#market tbody tr")).to_have_count(10)
    assert page.locator(f"#market data[data-slot='{SLOT - 11 * STEP}']").count() > 20


def test_the_past_is_sorted_and_searched_without_leaving_it(both: str, browse: Open) -> None:
    page = browse(f"{both}/es/market?at={SLOT - 20 * STEP}")
    check = no_reload(page)
    page.locator("#by-price").click()
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "descending")
    page.locator("#q").fill("ether")
    expect(page.locator("#market tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile(rf"/es/market\?at={SLOT - 20 * STEP}&sort=-price&q=ether"))
    check()


def test_the_overview_leads_on_and_its_map_has_a_shape_for_each_screen(
    both: str, browse: Open
) -> None:
    page = browse(f"{both}/overview")
    check = no_reload(page)
    expect(page.locator(".map.wide")).to_be_visible()
    expect(page.locator(".map.tall")).to_be_hidden()
    page.locator("#span-7d").click()
    expect(page).to_have_url(f"{both}/overview?range=7d")
    expect(page.locator("#span-7d")).to_have_attribute("aria-current", "true")
    page.go_back()
    expect(page.locator("#span-30d")).to_have_attribute("aria-current", "true")
    check()
    tiles = page.locator(".map.wide a")
    tiles.first.focus()
    page.keyboard.press("ArrowDown")
    expect(tiles.nth(1)).to_be_focused()
    assert (tiles.nth(1).locator("title").text_content() or "").startswith("Ethereum (ETH): $")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{both}/assets/1027")


def test_the_overview_without_scripts_on_a_phone(site: str, browse: Open) -> None:
    phone = browse(f"{site}/overview", viewport=PHONE, java_script_enabled=False)
    expect(phone.locator(".map.tall")).to_be_visible()
    expect(phone.locator(".map.wide")).to_be_hidden()
    phone.get_by_role("link", name="All losers").click()
    assert phone.locator("#market td.p24h.u").count() == 0
