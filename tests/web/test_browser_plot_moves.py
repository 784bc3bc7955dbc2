"""Moving about in a chart, in a real Chromium: by mouse, wheel, keyboard and fingers."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from browsing import PHONE, Open, price_text
from plots import POINTS, SLOTS, at, line, open_plot, picture, point_at, show, told, wave
from samples import STEP

pytestmark = pytest.mark.browser

PRICES = [wave(index) for index in range(POINTS)]
SPAN = SLOTS[-1] - SLOTS[0]


def test_dragging_zooms_pans_and_goes_back(site: str, browse: Open) -> None:
    page = open_plot(browse, site)
    wider = [SLOTS[0] - 10 * STEP, SLOTS[-1]]
    show(page, picture([line(PRICES)], limits=wider))
    point_at(page, 15)
    page.mouse.down()
    point_at(page, 25)
    point_at(page, 30)
    page.mouse.up()
    [[start, end]] = told(page)
    assert [start, end] == pytest.approx([SLOTS[15], SLOTS[30]], abs=SPAN / 500)
    assert isinstance(start, int)
    # What comes meanwhile is drawn in the same place.
    expect(page.locator(".plot canvas")).to_have_count(1)
    page.keyboard.down("Shift")
    point_at(page, 10)
    page.mouse.down()
    point_at(page, 30)
    page.mouse.up()
    page.keyboard.up("Shift")
    [[moved, after]] = told(page)
    assert after - moved == pytest.approx(end - start, abs=2)
    assert moved == pytest.approx(start - (end - start) / 3, abs=SPAN / 400)
    page.mouse.down(button="middle")
    point_at(page, 60)
    page.mouse.up(button="middle")
    point_at(page, 10)
    page.mouse.down(button="middle")
    point_at(page, 60)
    page.mouse.up(button="middle")
    # Never beyond what is recorded.
    assert told(page)[-1][0] == wider[0]
    page.locator(".u-over").dblclick()
    assert told(page) == ["reset"]
    page.mouse.move(1, 1)
    expect(page.locator("[data-at]")).to_contain_text("11 Jan 2026, 13:00\u00a0GMT-5 to 26 Jan")


def test_the_wheel_scrolls_the_page_unless_the_chart_is_meant(site: str, browse: Open) -> None:
    page = open_plot(browse, site)
    show(page, picture([line(PRICES)]))
    point_at(page, 30)
    page.mouse.wheel(0, 120)
    assert told(page) == []
    assert page.evaluate("scrollY") > 50
    page.evaluate("scrollTo(0, 0)")
    point_at(page, 30)
    page.keyboard.down("Control")
    for _ in range(3):
        page.mouse.wheel(0, -120)
    page.keyboard.up("Control")
    [[start, end]] = told(page)
    assert page.evaluate("scrollY") == 0
    assert (start + end) / 2 == pytest.approx(SLOTS[30], abs=SPAN / 200)
    assert end - start < SPAN * 0.6
    page.locator(".plot").focus()
    for _ in range(9):
        page.mouse.wheel(0, 120)
    # Out to the whole picture and no farther; then the wheel is the page's again.
    assert told(page)[-1] == [SLOTS[0], SLOTS[-1]]
    page.mouse.wheel(0, 120)
    assert told(page) == []
    assert page.evaluate("scrollY") > 50


def test_the_keyboard_reads_zooms_and_moves(site: str, browse: Open) -> None:
    page = open_plot(browse, site)
    show(page, picture([line(PRICES)]))
    chart = page.get_by_role("slider")
    chart.focus()
    last = POINTS - 1
    for key, index in (
        *(("ArrowLeft", last - 1), ("PageUp", last - 21), ("Home", 0)),
        *(("ArrowRight", 1), ("PageDown", 21), ("End", last), ("PageUp", last - 20)),
    ):
        chart.press(key)
        assert price_text(PRICES[index]) in (chart.get_attribute("aria-valuetext") or ""), key
        expect(page.locator("[data-line]")).to_contain_text(price_text(PRICES[index]))
    assert told(page) == []
    chart.press("+")
    [[start, end]] = told(page)
    assert end - start == SPAN // 2
    assert start < SLOTS[last - 20] < end
    chart.press("Shift+ArrowLeft")
    [[before, _]] = told(page)
    assert before == pytest.approx(start - SPAN / 10, abs=2)
    # The cursor takes the view along.
    chart.press("End")
    assert told(page)[-1][1] == SLOTS[-1]
    chart.press("-")
    assert told(page) == [[SLOTS[0], SLOTS[-1]]]
    for key in ("0", "Escape"):
        chart.press(key)
        assert told(page) == ["reset"]


def test_two_fingers_zoom_and_one_reads(site: str, browse: Open) -> None:
    page = open_plot(browse, site, viewport=PHONE, has_touch=True, is_mobile=True)
    show(page, picture([line(PRICES)]))
    expect(page.locator("[data-hint]")).to_contain_text("Two fingers")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = page.locator(".u-over").bounding_box()
    assert box
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *indexes: float) -> None:
        spots = [
            {"x": box["x"] + box["width"] * at(index), "y": box["y"] + 90, "id": finger}
            for finger, index in enumerate(indexes)
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})

    touch("touchStart", 20)
    expect(page.locator("[data-line]")).to_contain_text(price_text(PRICES[20]))
    touch("touchMove", 26)
    touch("touchMove", 32)
    expect(page.locator("[data-line]")).to_contain_text(price_text(PRICES[32]))
    touch("touchEnd")
    assert told(page) == []
    touch("touchStart", 25)
    touch("touchStart", 25, 35)
    touch("touchMove", 20, 40)
    touch("touchMove", 15, 45)
    touch("touchEnd")
    [[start, end]] = told(page)
    assert end - start == pytest.approx(SPAN / 3, rel=0.05)
    assert (start + end) / 2 == pytest.approx(SLOTS[30], abs=SPAN / 100)
