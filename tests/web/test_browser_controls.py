"""The controls of a chart in a real Chromium: each does what its label says.

An address holds all of it. What stands in tables and files is compared with what was recorded.
"""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Download, Page, Route, expect

from browsing import FAILED, MISSED, PHONE, SLOTS, Open, drawn, no_reload, price_of, price_text
from coinlog.slots import DAY, iso
from samples import SLOT, STEP

pytestmark = pytest.mark.browser

RECORDED = [
    slot
    for slot in range(SLOT - (SLOTS - 1) * STEP, SLOT + 1, STEP)
    if slot not in MISSED and slot != FAILED
]
WITHIN_7D = [slot for slot in RECORDED if slot >= SLOT - 7 * DAY]


def settled(page: Page) -> None:
    """Wait until a chart shows what was asked for last."""
    expect(page.locator("#chart")).not_to_have_attribute("aria-busy", "true")


def button(page: Page, name: str) -> Any:  # noqa: ANN401  a locator
    return page.locator("#chart").get_by_role("button", name=name, exact=True)


def saved(download: Download) -> str:
    return Path(download.path()).read_text(encoding="utf-8")


def take(page: Page, kind: str) -> Download:
    with page.expect_download() as download:
        button(page, kind).click()
    return download.value


def test_fields_scales_and_forms_show_what_they_say(both: str, browse: Open) -> None:
    page = browse(f"{both}/assets/1027?range=30d")
    drawn(page)
    check = no_reload(page)
    value, heading = page.locator("[data-line]"), page.locator("#chart h2")
    for field, label, wanted in (
        ("market_cap", "Market cap", "$707,106,781,186.55"),
        ("volume_24h", "Volume 24 h", "$20,000,000,000.00"),
        ("circulating_supply", "Circulating supply", "ETH"),
        ("rank", "Rank", "#2"),
        ("dominance", "Dominance", "23.57%"),
        ("price", "Price", price_text(price_of(1027, SLOT))),
    ):
        page.locator("#chart").get_by_role("link", name=label, exact=True).click()
        expect(value).to_contain_text(wanted)
        expect(heading).to_have_text(f"{label} of Ethereum")
        expect(page.locator(f"#field-{field}")).to_have_attribute("aria-current", "true")
        assert page.url.endswith("range=30d" if field == "price" else f"field={field}")
    button(page, "Log").click()
    expect(button(page, "Log")).to_have_attribute("aria-pressed", "true")
    assert page.url.endswith("scale=log")
    button(page, "%").click()
    assert page.url.endswith("scale=percent")
    expect(button(page, "Candles")).to_have_attribute("aria-disabled", "true")
    expect(button(page, "Candles")).to_have_attribute("title", re.compile("not in percent"))
    button(page, "Candles").click(force=True)
    assert page.url.endswith("scale=percent")
    button(page, "Linear").click()
    button(page, "Candles").click()
    assert page.url.endswith("range=30d&form=candles")
    expect(page.locator("[data-notes]")).to_contain_text("Each candle is one day (UTC).")
    expect(value).to_contain_text("4 observations")
    button(page, "Area").click()
    assert page.url.endswith("range=30d&form=area")
    check()


def test_what_an_address_holds_comes_back(both: str, browse: Open) -> None:
    page = browse(f"{both}/assets/1")
    drawn(page)
    page.get_by_role("link", name="30D").click()
    page.locator("#field-market_cap").click()
    button(page, "Log").click()
    settled(page)
    address, said = page.url, page.locator(".legend").inner_text()
    page.go_back()
    expect(button(page, "Linear")).to_have_attribute("aria-pressed", "true")
    page.go_back()
    expect(page.locator("#chart h2")).to_have_text("Price of Bitcoin")
    page.go_back()
    expect(page.locator("#range-1y")).to_have_attribute("aria-current", "true")
    page.go_forward()
    expect(page.locator("#range-30d")).to_have_attribute("aria-current", "true")
    page.goto(address)
    drawn(page)
    expect(page.locator(".legend")).to_have_text(re.compile(re.escape(said.split()[1])))
    expect(button(page, "Log")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#field-market_cap")).to_have_attribute("aria-current", "true")


def test_a_zoomed_window_is_in_the_address_and_the_way_back_leads_out(
    site: str, browse: Open
) -> None:
    start, end = SLOT - 50 * STEP, SLOT - 20 * STEP
    page = browse(f"{site}/assets/1?range=30d&from={start}&to={end}")
    drawn(page)
    expect(page.locator("[data-gaps] summary")).to_have_text("1 gap in this range")
    page.locator("[data-gaps] summary").click()
    expect(page.locator("[data-gaps] li")).to_contain_text("the recorder was not running")
    page.get_by_role("link", name="Back to the whole range").click()
    expect(page.locator("[data-gaps] summary")).to_have_text("2 gaps in this range")
    assert page.url.endswith("/assets/1?range=30d")
    assert page.locator("[data-reset]").is_hidden()


@pytest.mark.parametrize("form", ["line", "candles"])
def test_zooming_again_and_again_under_the_cursor_shows_each_window(
    site: str, browse: Open, form: str
) -> None:
    page = browse(f"{site}/assets/1?range=30d&form={form}")
    page.locator(".plot canvas").wait_for()
    box = page.locator(".u-over").bounding_box()
    assert box
    left, width, y = box["x"], box["width"], box["y"] + 60
    seen = {page.url}
    for _ in range(2):
        page.mouse.move(left + width * 0.2, y)
        page.mouse.down()
        page.mouse.move(left + width * 0.75, y, steps=4)
        page.mouse.up()
        page.wait_for_function("known => !known.includes(location.href)", arg=list(seen))
        settled(page)
        seen.add(page.url)
        assert page.locator("#chart [data-failed]").is_hidden()
        expect(page.locator("[data-line]")).to_contain_text("$")


def test_the_files_hold_what_was_recorded(site: str, browse: Open) -> None:
    page = browse(f"{site}/assets/1?range=7d")
    drawn(page)
    file = take(page, "CSV")
    rows = list(csv.DictReader(io.StringIO(saved(file))))
    assert file.suggested_filename == "asset-1-price-2026-01-19-2026-01-26.csv"
    assert [row["slot"] for row in rows] == [iso(slot) for slot in WITHIN_7D]
    assert [row["observed_at"] for row in rows] == [iso(slot + 12) for slot in WITHIN_7D]
    assert [float(row["price"]) for row in rows] == [price_of(1, slot) for slot in WITHIN_7D]
    assert {(row["name"], row["unit"], row["origin"]) for row in rows} == {
        ("Bitcoin", "USD", "observed")
    }
    assert rows[0]["attribution"].startswith("Data: CoinMarketCap")
    content = json.loads(saved(take(page, "JSON")))
    assert content["slots"] == WITHIN_7D
    assert content["assets"][0]["values"] == [price_of(1, slot) for slot in WITHIN_7D]
    assert content["gaps"][0]["reason"] == "CoinMarketCap took too long to answer"
    image = take(page, "PNG")
    assert Path(image.path()).read_bytes().startswith(b"\x89PNG")
    button(page, "Candles").click()
    expect(page.locator("[data-notes]")).to_contain_text("Each candle")
    candles = list(csv.DictReader(io.StringIO(saved(take(page, "CSV")))))
    assert sum(int(row["points"]) for row in candles) >= len(WITHIN_7D)
    assert float(candles[-1]["close"]) == price_of(1, SLOT)


def test_the_whole_history_is_one_link_to_the_api(site: str, browse: Open) -> None:
    page = browse(f"{site}/assets/1", java_script_enabled=False)
    assert page.get_by_role("link", name="Recorded history as CSV").get_attribute("href") == (
        "/api/v1/assets/1/series.csv?range=all"
        "&fields=price,market_cap,volume_24h,circulating_supply,rank"
    )


def test_no_name_becomes_a_formula_or_breaks_a_file(site: str, browse: Open) -> None:
    page = browse(f"{site}/compare?ids=666,31469&range=7d")
    drawn(page)
    rows = list(csv.DictReader(io.StringIO(saved(take(page, "CSV")))))
    assert {row["name"] for row in rows} == {"<script>alert(1)</script>", "Boost"}
    assert [float(row["price"]) for row in rows if row["name"] == "Boost"] == [
        price_of(31_469, slot) for slot in WITHIN_7D
    ]


def test_the_table_equals_what_is_shown(site: str, browse: Open) -> None:
    page = browse(f"{site}/assets/5994?range=7d")
    drawn(page)
    page.get_by_text("Table of this chart").click()
    cells = page.locator("[data-table] tbody td:nth-child(2)")
    expect(cells).to_have_text([price_text(price_of(5994, slot)) for slot in WITHIN_7D[::-1]])
    expect(page.locator("[data-table] tbody th").first).to_have_text(re.compile(r"13:00.GMT-5"))
    page.get_by_role("link", name="30D").click()
    expect(cells).to_have_text([price_text(price_of(5994, slot)) for slot in RECORDED[::-1]])
    page.locator("#field-rank").click()
    expect(cells.first).to_have_text("#5")
    expect(page.locator("[data-table] thead th").nth(1)).to_have_text("Rank")


def test_data_that_cannot_be_had_leaves_what_there_was_and_can_be_asked_for_again(
    site: str, browse: Open
) -> None:
    page = browse(f"{site}/assets/1?range=30d")
    drawn(page)
    page.route("**/data/**", lambda route: route.fulfill(body="torn"))
    before = page.locator("[data-line]").inner_text()
    page.locator("#field-dominance").click()
    failed = page.get_by_role("alert")
    expect(failed).to_contain_text("could not be had")
    assert page.locator("[data-line]").inner_text() == before
    page.unroute("**/data/**")
    failed.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-line]")).to_contain_text("66.67%")
    expect(failed).to_be_hidden()


def test_the_newest_wish_wins(site: str, browse: Open) -> None:
    page = browse(f"{site}/assets/1?range=30d")
    drawn(page)
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page.route("**/data/totals/**", hold)
    page.locator("#field-dominance").click()
    expect(page.locator("#chart")).to_have_attribute("aria-busy", "true")
    page.locator("#field-rank").click()
    expect(page.locator("[data-line]")).to_have_text("#1")
    for route in waiting:
        route.continue_()
    page.unroute("**/data/totals/**")
    page.locator("#field-market_cap").click()
    expect(page.locator("[data-line]")).to_contain_text("$2,000,000,000,000.00")


def test_fields_and_windows_work_without_scripts_and_on_a_phone(site: str, browse: Open) -> None:
    start, end = SLOT - 50 * STEP, SLOT - 20 * STEP
    page = browse(
        f"{site}/assets/1?from={iso(start)}&to={iso(end)}",
        java_script_enabled=False,
        viewport=PHONE,
    )
    page.get_by_role("link", name="Dominance").click()
    assert "66.67%" in page.locator("[data-line]").inner_text()
    assert page.locator(".plot path.s").get_attribute("d").count("M") == 2  # type: ignore[union-attr]
    page.get_by_text("Table of this chart").click()
    assert page.locator("[data-table] tbody tr").count() == 28
    assert page.locator("[data-scale]").first.is_hidden()
    page.get_by_role("link", name="Rank").click()
    assert "#1" in page.locator("[data-line]").inner_text()
    page.get_by_role("link", name="Back to the whole range").click()
    assert page.url == f"{site}/assets/1?field=rank"
    page.goto(f"{site}/assets/1?form=candles")
    expect(page.locator("noscript .note")).to_contain_text("drawn by the page's script")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_values_are_told_in_full_to_whoever_points_at_the_chart(site: str, browse: Open) -> None:
    page = browse(f"{site}/?range=7d")
    drawn(page)
    page.locator(".plot").focus()
    page.keyboard.press("ArrowLeft")
    wanted = f"Bitcoin {price_text(price_of(1, SLOT - STEP))}"
    expect(page.locator(".plot")).to_have_attribute("aria-valuetext", re.compile(re.escape(wanted)))
