"""The log of a published edition: what has no file says so, and a new slot leaves what is shown."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from browsing import MISSED, NOW, Open, no_reload, record_slot
from coinlog.slots import iso
from editions import Edition, publish_at, serving_folder
from samples import SLOT, STEP

pytestmark = pytest.mark.browser

DAY = iso(MISSED[0])[:10]


def test_a_day_outside_of_the_record_has_no_slots(published: str, browse: Open) -> None:
    page = browse(f"{published}/log?at=2020-02-02")
    expect(page.locator("#slots .none")).to_have_text("No slot of this day has an outcome.")
    expect(page.locator("#slots table")).to_have_count(0)
    page = browse(f"{published}/log/?at={DAY}T12:00")
    expect(page.locator("#slots-title")).to_contain_text("1 stored, 3 missed")
    assert page.locator('[aria-current="date"]').count() == 1


def test_a_new_slot_leaves_the_day_and_the_search_that_are_shown(
    browse: Open, own_edition: Edition
) -> None:
    url, folder = own_edition
    with serving_folder(folder) as address:
        log = browse(f"{address}/log?at={DAY}")
        market = browse(f"{address}/?q=shib")
        checks = [no_reload(page) for page in (log, market)]
        new = SLOT + STEP
        record_slot(url, new)
        publish_at(url, folder, NOW + STEP)
        for page in (log, market):
            page.clock.set_fixed_time(NOW + STEP)
            page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
            expect(page.locator("#fresh")).to_have_attribute("data-slot", str(new))
            expect(page.locator("#fresh time").first).to_have_text("27 Jan 2026, 00:00\u00a0UTC")
        expect(log.locator("#slots-title")).to_contain_text("1 stored, 3 missed")
        expect(market.locator("#market tbody tr")).to_have_count(1)
        price = market.locator("#market tbody data").first
        expect(price).to_have_attribute("data-slot", str(new))
        for check in checks:
            check()
        # The page of an asset is still the file of the slot before.
        market.goto(f"{address}/assets/1")
        told = market.locator("#fresh time")
        expect(told).to_have_text(["27 Jan 2026, 00:00\u00a0UTC", "06:00\u00a0UTC"])
