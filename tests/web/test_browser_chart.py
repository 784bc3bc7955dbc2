"""The charts in a real Chromium: gaps, cursor, zoom, keyboard, time zones."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from browsing import PHONE, Open, bundled, drawn, no_reload, price_of, price_text
from coinlog.web import format as fmt
from coinlog.web import ticks
from coinlog.web.i18n import catalogue
from coinlog.web.shell import CURRENCIES
from samples import SLOT, STEP

pytestmark = pytest.mark.browser


def test_a_missed_slot_breaks_the_line(site: str, browse: Open) -> None:
    page = browse(f"{site}/assets/1", java_script_enabled=False)
    # Two holes (three missed slots in a row, and a failed one) leave three pieces.
    assert page.locator(".plot path.s").get_attribute("d").count("M") == 3  # type: ignore[union-attr]


def test_the_canvas_has_no_line_within_a_gap(site: str, browse: Open) -> None:
    page = browse(f"{site}/assets/1?range=30d", color_scheme="light")
    drawn(page)
    point_at(page, SLOT - 41 * STEP)
    expect(page.locator("[data-at]")).to_contain_text("the recorder was not running")
    assert lit_pixels(page, SLOT - 41 * STEP) == 0
    assert lit_pixels(page, SLOT - 20 * STEP) > 0


def share_of(page: Page, time: int) -> float:
    data = json.loads(page.locator("#chart script").inner_text())
    return float((time - data["start"]) / (data["end"] - data["start"]))


def point_at(page: Page, time: int) -> None:
    box = page.locator(".u-over").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * share_of(page, time), box["y"] + box["height"] / 2)


def lit_pixels(page: Page, time: int) -> int:
    """Return how many pixels of the line's blue stand in the canvas at a time."""
    script = """share => {
        const canvas = document.querySelector(".plot canvas");
        const copy = document.createElement("canvas");
        [copy.width, copy.height] = [1, canvas.height];
        const ink = copy.getContext("2d", { willReadFrequently: true });
        ink.drawImage(canvas, -Math.round(canvas.width * share), 0);
        const column = ink.getImageData(0, 0, 1, copy.height).data;
        let lit = 0;
        for (let at = 0; at < column.length; at += 4)
            if (column[at + 2] - column[at] > 60 && column[at + 3] > 128) lit++;
        return lit;
    }"""
    return int(page.evaluate(script, share_of(page, time)))


def test_the_cursor_tells_the_exact_price_and_the_readers_time(site: str, browse: Open) -> None:
    page = browse(f"{site}/assets/1?range=30d")
    drawn(page)
    slot = SLOT - 20 * STEP
    point_at(page, slot + 12)
    expect(page.locator("[data-line]")).to_contain_text(price_text(price_of(1, slot)))
    expect(page.locator("[data-at]")).to_have_text(re.compile(r"21 Jan 2026, 13:00.GMT-5"))
    page.locator("[data-zone]").click()
    point_at(page, slot + 12)
    expect(page.locator("[data-at]")).to_have_text(re.compile(r"21 Jan 2026, 18:00.UTC"))


def test_dragging_zooms_and_a_double_click_goes_back(site: str, browse: Open) -> None:
    page = browse(f"{site}/assets/1?range=30d")
    drawn(page)
    whole = page.locator("[data-at]").inner_text()
    point_at(page, SLOT - 60 * STEP)
    page.mouse.down()
    point_at(page, SLOT - 50 * STEP)
    page.mouse.up()
    page.mouse.move(1, 1)
    expect(page.locator("[data-at]")).not_to_have_text(whole)
    page.locator(".u-over").dblclick()
    page.mouse.move(1, 1)
    expect(page.locator("[data-at]")).to_have_text(whole)


def test_the_arrow_keys_move_along_the_chart(site: str, browse: Open) -> None:
    page = browse(f"{site}/assets/1?range=30d")
    drawn(page)
    chart = page.get_by_role("slider")
    assert price_text(price_of(1, SLOT)) in (chart.get_attribute("aria-valuetext") or "")
    chart.press("ArrowLeft")
    assert price_text(price_of(1, SLOT - STEP)) in (chart.get_attribute("aria-valuetext") or "")
    expect(page.locator("[data-line]")).to_contain_text(price_text(price_of(1, SLOT - STEP)))


def test_another_range_comes_without_a_reload(both: str, browse: Open) -> None:
    page = browse(f"{both}/assets/1")
    check = no_reload(page)
    page.get_by_role("link", name="7D").click()
    expect(page).to_have_url(f"{both}/assets/1?range=7d")
    expect(page.locator("#range-7d")).to_have_attribute("aria-current", "true")
    drawn(page)
    expect(page.locator("#range-7d")).to_be_focused()
    page.go_back()
    expect(page.locator("#range-7d")).not_to_have_attribute("aria-current", "true")
    check()


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_scripts_write_numbers_as_the_server_does(
    site: str, browse: Open, language: str
) -> None:
    form = catalogue(language).format
    page = browse(f"{site}{'' if language == 'en' else '/es'}/log")
    page.evaluate(bundled("format.ts", "numbers"))
    page.evaluate(bundled("chart/ticks.ts", "marks"))
    for kind in ("price", "money", "money_full"):
        asked = [[kind, value, code] for value in VALUES for code in CURRENCIES]
        said = page.evaluate("all => all.map((one) => numbers.amount(...one))", asked)
        assert said == [getattr(fmt, kind)(value, form, code) for _, value, code in asked]
    for value in VALUES:
        assert page.evaluate("v => numbers.percent(v)", value) == fmt.percent(value, form)
        step = ticks.round_step(value)
        label = page.evaluate(
            "([v, s, p]) => marks.amountLabel(v, s, p, numbers.price)",
            [value, step, form.currencies["USD"]],
        )
        assert label == ticks.price_label(value, step, form)


VALUES = [
    *(87_654.321, 9.99996, 1.00034, 0.99987, 0.5, 0.012, 0.000006, 6.1234e-7, 1.2e-19, 5e-324),
    *(999_999.4, 1e6, 9.996e11, 1.234e12, 2.9e24, 1e15, 123_456_789.0, 1234.6, 0.004, 5.5e19),
]


def test_at_rest_the_legend_tells_the_last_prices_in_full(site: str, browse: Open) -> None:
    page = browse(f"{site}/?range=30d")
    drawn(page)
    bitcoin = page.locator('[data-line="0"]')
    expect(bitcoin).to_contain_text(price_text(price_of(1, SLOT)))
    point_at(page, SLOT - 20 * STEP)
    expect(bitcoin).not_to_contain_text(price_text(price_of(1, SLOT)))
    page.mouse.move(1, 1)
    expect(bitcoin).to_contain_text(price_text(price_of(1, SLOT)))


def test_nothing_moves_under_the_cursor(site: str, browse: Open) -> None:
    page = browse(f"{site}/es/?range=30d")
    drawn(page)
    before = page.locator(".plot").bounding_box()
    point_at(page, SLOT - 20 * STEP)
    expect(page.locator("[data-at]")).to_contain_text("GMT-5")
    assert page.locator(".plot").bounding_box() == before


def test_a_finger_moves_the_cursor(site: str, browse: Open) -> None:
    page = browse(f"{site}/assets/1?range=30d", viewport=PHONE, has_touch=True)
    drawn(page)
    page.locator(".plot").scroll_into_view_if_needed()
    box = page.locator(".u-over").bounding_box()
    assert box
    x = box["x"] + box["width"] * share_of(page, SLOT - 20 * STEP + 12)
    touch = {"x": x, "y": box["y"] + box["height"] / 2}
    session = page.context.new_cdp_session(page)
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [touch]})
    wanted = price_text(price_of(1, SLOT - 20 * STEP))
    expect(page.locator("[data-line]")).to_contain_text(wanted)
