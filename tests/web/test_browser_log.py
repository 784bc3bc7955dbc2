"""The log as people use it: the calendar by keyboard and click, a slot's page, on every screen."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from browsing import DESKTOP, FAILED, MISSED, PARTIAL_PAGE, PHONE, Open
from coinlog.slots import iso
from samples import SLOT

pytestmark = pytest.mark.browser

MISSED_DAY = iso(MISSED[0])[:10]


def rows(page: Page) -> list[str]:
    """Return the slots in the table, as they are named there."""
    return page.locator("table.log tbody th").all_inner_texts()


def test_a_day_tells_its_counts_on_focus_and_shows_its_slots_on_enter(
    both: str, browse: Open
) -> None:
    page = browse(f"{both}/log", viewport=DESKTOP)
    day = page.locator(f'.days a[href*="at={MISSED_DAY}"]')
    said = day.locator("span")
    expect(day).to_have_accessible_name(
        "16 Jan 2026: 1 of 4 stored; 3 missed: the recorder was not running"
    )

    # By keyboard from the first day that is told, one Tab a day.
    page.locator(".days a").first.focus()
    for _ in range(40):
        if page.evaluate("document.activeElement.href").endswith(f"at={MISSED_DAY}#slots"):
            break
        page.keyboard.press("Tab")
    expect(day).to_be_focused()
    box = said.bounding_box()
    assert box
    assert box["width"] > 100
    page.keyboard.press("Enter")

    page.wait_for_url(f"**/log?at={MISSED_DAY}#slots")
    expect(page.locator("table.log tbody th")).to_have_count(4)
    assert [text[-5:] for text in rows(page)] == ["18:00", "12:00", "06:00", "00:00"]
    expect(page.locator("#slots-title")).to_have_text("16 Jan 2026 · 4 slots: 1 stored, 3 missed")
    expect(page.locator('[aria-current="date"]')).to_have_count(1)
    page.get_by_role("link", name="Previous day").click()
    expect(page.locator("#slots-title")).to_contain_text("15 Jan 2026")


def test_the_calendar_leads_to_a_day_and_on_to_a_slot_on_a_phone(site: str, browse: Open) -> None:
    page = browse(f"{site}/es/log", viewport=PHONE, has_touch=True)
    cells = page.locator(".days a").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).map(({width, height}) => "
        "Math.min(width, height))"
    )
    assert len(cells) == 30
    assert min(cells) >= 24
    # Months without any slot are left out where room is short.
    assert page.locator(".month:visible").count() == 2

    page.locator(f'.days a[href*="at={iso(FAILED)[:10]}"]').tap()
    expect(page.locator("#slots-title")).to_contain_text("1 fallida")
    page.locator("table.log th a").nth(2).tap()

    expect(page.locator("h1")).to_contain_text("Toma del")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_outcomes_are_told_apart_without_colours(site: str, browse: Open) -> None:
    page = browse(f"{site}/log", viewport=DESKTOP)

    signs = {
        state: page.locator(f".days li.{state} a").first.evaluate(
            "one => getComputedStyle(one, '::before').content"
        )
        for state in ("stored", "partial", "failed", "missed")
    }

    assert len(set(signs.values())) == 4
    assert re.search("✕", signs["failed"])


def test_years_are_chosen_and_without_a_script_too(site: str, browse: Open) -> None:
    page = browse(f"{site}/log", viewport=DESKTOP, java_script_enabled=False)

    page.get_by_role("link", name="2025", exact=True).click()

    expect(page.locator("#calendar-title")).to_have_text("2025")
    assert page.locator(".days a").count() == 4
    assert page.locator(".days .before").count() == 361
    page.locator(".days .stored a").last.click()
    assert len(rows(page)) == 4


def test_a_year_is_shown_with_its_days(both: str, browse: Open) -> None:
    page = browse(f"{both}/log?year=2025", viewport=DESKTOP)
    expect(page.locator("#calendar-title")).to_have_text("2025")
    expect(page.locator("#calendar nav [aria-current]")).to_have_text("2025")
    page.locator(".days .stored a").last.click()
    expect(page.locator("table.log tbody th")).to_have_count(4)
    expect(page.locator("#slots-title")).to_have_text("31 Dec 2025 · 4 slots: 4 stored")


def test_a_slot_copies_its_hash_and_leads_on(site: str, browse: Open) -> None:
    page = browse(f"{site}{PARTIAL_PAGE}", permissions=["clipboard-read", "clipboard-write"])
    expect(page.locator(".verdict h2")).to_have_text("partial: part of the market is missing")

    page.get_by_role("button", name="Copy").first.click()

    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "ab" * 32
    page.locator('.beside a[rel="next"]').click()
    expect(page.locator("h1 time")).to_have_attribute("datetime", iso(SLOT))
    page.locator('.beside a[rel="prev"]').click()
    expect(page).to_have_url(f"{site}{PARTIAL_PAGE}")


def test_an_assets_record_says_how_long_ago_it_was(site: str, browse: Open) -> None:
    page = browse(f"{site}/assets/1", viewport=PHONE)

    expect(page.locator('[data-k="high"]')).to_contain_text(re.compile(r", \d+ d \d+ h ago"))
    expect(page.locator('[data-k="quotes"]')).to_have_text("116")
    expect(page.locator('[data-k="gaps"]')).to_have_text("2")
