"""A published edition in a real browser: all works from files, nothing is asked in vain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, Response, expect

from browsing import IDS, NOW, PHONE, Open, drawn, names, price_of, record_slot
from editions import Edition, publish_at, serving_folder
from samples import SLOT, STEP

pytestmark = pytest.mark.browser


@contextmanager
def asking_nothing_in_vain(page: Page) -> Iterator[None]:
    """Fail where anything is asked for meanwhile that is not there."""
    refused: list[str] = []

    def note(answer: Response) -> None:
        if answer.status >= 400:
            refused.append(f"{answer.status} {answer.url}")

    page.on("response", note)
    yield
    page.wait_for_load_state("networkidle")
    assert refused == []


def rows(page: Page) -> list[list[str]]:
    """Return the texts of the market table, without what the scripts add to it."""
    # Amounts by their values: only exact halves may be written otherwise.
    text = "cell.innerText.replace(/[☆★]/, '').trim()"
    cell = f"cell => String(Number(cell.querySelector('data')?.value ?? NaN) || {text})"
    script = f"rows => rows.map(row => [...row.cells].map({cell}))"
    found: list[list[str]] = page.locator("#market tbody tr").evaluate_all(script)
    return found


WISHES = (
    "?sort=-volume_24h",
    "?sort=name&limit=20&offset=40",
    "?sort=-percent_change_7d",
    "?q=btc",
    "?only=losers",
    "?cap=1b&sort=-price",
    "?cap=unknown",
    "?only=gainers&limit=10",
    "?show=rank,name,price,max_supply,circulating_supply,num_market_pairs",
)


def test_the_table_is_the_server_s_in_every_order(browse: Open, site: str, published: str) -> None:
    live, still = browse(site), browse(published)
    with asking_nothing_in_vain(still):
        for wish in WISHES:
            live.goto(site + "/" + wish)
            still.goto(published + "/" + wish)
            order = live.locator("th[aria-sort]").all_inner_texts()
            expect(still.locator("th[aria-sort]")).to_have_text(order)
            expect(still.locator("#market tbody th a")).to_have_text(names(live))
            assert rows(still) == rows(live), wish
            said = live.locator(".pager p, p.none").inner_text()
            expect(still.locator(".pager p, p.none")).to_have_text(said)


def test_searching_sorting_and_paging_in_place(browse: Open, published: str) -> None:
    page = browse(published)
    with asking_nothing_in_vain(page):
        page.locator("#q").fill("shib")
        expect(page.locator("#market tbody tr")).to_have_count(1)
        assert page.url.endswith("?q=shib")
        page.locator("#q").fill("")
        expect(page.locator("#market tbody tr")).to_have_count(50)
        page.locator("#next").click()
        expect(page.locator("#market tbody tr")).to_have_count(len(IDS) - 50)
        page.go_back()
        expect(page.locator("#market tbody tr")).to_have_count(50)
        page.locator("#by-name").click()
        expect(page.locator("th[aria-sort=ascending]")).to_have_text("Name")
        assert names(page)[0].startswith("<script>")


def test_a_chart_reads_other_ranges_from_files(browse: Open, published: str) -> None:
    page = browse(published + "/es/assets/1/", viewport=PHONE)
    drawn(page)
    with asking_nothing_in_vain(page):
        page.locator("#range-30d").click()
        expect(page.locator("#range-30d")).to_have_attribute("aria-current", "true")
        page.locator("#field-market_cap").click()
        expect(page.locator("#field-market_cap")).to_have_attribute("aria-current", "true")
        drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_every_page_opens_without_an_error(browse: Open, published: str) -> None:
    page = browse(published)
    with asking_nothing_in_vain(page):
        for path in ("/overview/?range=7d", "/market/", "/compare/?ids=1,1027", "/log/", "/es/"):
            page.goto(published + path)
            page.locator("#theme").wait_for()
            expect(page.locator("html")).to_have_attribute("data-edition", "published")
            assert page.locator("a[href*='/api/']").count() == 0


def test_the_market_of_the_past_comes_from_its_file(browse: Open, published: str) -> None:
    then = SLOT - 20 * STEP
    page = browse(f"{published}/market/?at={then + 100}")
    with asking_nothing_in_vain(page):
        price = page.locator("#market tbody tr").first.locator("data").first
        expect(price).to_have_attribute("data-slot", str(then))
        assert float(price.get_attribute("value") or 0) == price_of(1, then)
        assert page.url.endswith(f"?at={then}")


def test_an_asset_s_page_tells_the_newest_slot_though_it_is_older(
    browse: Open, own_edition: Edition
) -> None:
    """The page is of the slot before; its numbers are those of the newest one."""
    url, folder = own_edition
    page_then = (folder / "assets/1/index.html").read_bytes()
    new = SLOT + STEP
    record_slot(url, new)
    publish_at(url, folder, NOW + STEP)
    assert (folder / "assets/1/index.html").read_bytes() == page_then

    with serving_folder(folder) as address:
        page = browse(address + "/assets/1/")
        page.clock.set_fixed_time(NOW + STEP)
        with asking_nothing_in_vain(page):
            page.reload()
            price = page.locator("[data-k=price] data")
            expect(price).to_have_attribute("value", re.compile(r"[0-9.]+"))
            expect(price).to_have_attribute("data-slot", str(new))
            assert float(price.get_attribute("value") or 0) == price_of(1, new)
            fresh = page.locator("#fresh")
            expect(fresh).to_have_attribute("data-slot", str(new))
            expect(fresh.locator(".state")).to_have_text("Up to date")
