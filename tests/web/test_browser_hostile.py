"""Every page of a market of hostile names in a real browser: no script fails, none is smuggled in.

``browse`` reports each violation of the policy and each error; a name that got to run anything
would set a mark on the window, add an element or call for a file.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browsing import Open, drawn
from hostile import IDS, SLOTS, called

pytestmark = pytest.mark.browser

ALL = ",".join(map(str, IDS[:10]))
SMUGGLED = "img, [onerror], [onload], [onmouseover], [style], svg script, iframe, object, embed"
RUNS = """() => {
    window.alert = () => { throw new Error("a name was run"); };
    return !document.querySelector("script:not([src]):not([type='application/json'])");
}"""


@pytest.fixture(params=["live", "published"])
def edition(request: pytest.FixtureRequest, hostile_site: dict[str, str]) -> str:
    """Return the address of each edition."""
    return hostile_site[request.param]


def clean(page: Page) -> None:
    """Check that no name has become more than a text."""
    assert page.evaluate(RUNS)
    # uPlot sizes its parts by script, which the policy allows; no page brings a style of its own.
    smuggled = page.locator(SMUGGLED).evaluate_all(
        "found => found.filter(one => !one.closest('.uplot')).map(one => one.outerHTML)"
    )
    assert smuggled == []


def test_every_page_opens_and_no_name_is_more_than_a_name(edition: str, browse: Open) -> None:
    page = browse(f"{edition}/")
    pages = ("/", "/es/", "/overview", f"/compare?ids={ALL}", "/log", "/schema", "/keys")
    for target in (*pages, *(f"/assets/{one}" for one in IDS[8:13])):
        page.goto(f"{edition}{target}")
        page.locator("#main:not([aria-busy])").wait_for(state="attached")
        if page.locator("#chart").count():
            drawn(page)
        clean(page)
    for place in (0, 3, 10):
        page.goto(f"{edition}/assets/{IDS[place]}")
        # HTML knows no NUL and one kind of space; what a reader sees is the rest of the name.
        shown = page.locator("h1 bdi").text_content() or ""
        assert shown.split() == called(place).name.replace("\0", "").split()


def test_controls_work_whatever_things_are_called(edition: str, browse: Open) -> None:
    page = browse(f"{edition}/assets/{IDS[10]}")
    drawn(page)
    chart = page.locator("#chart")
    for link in ("30D", "Market cap", "Price"):
        chart.get_by_role("link", name=link, exact=True).click()
        expect(chart).not_to_have_attribute("aria-busy", "true")
    for button in ("Log", "Linear", "Candles", "Line"):
        chart.get_by_role("button", name=button, exact=True).click()
        expect(chart).not_to_have_attribute("aria-busy", "true")
    page.locator(".u-over").hover()
    chart.get_by_text("Table of this chart").click()
    for kind in ("PNG", "JSON", "CSV"):
        with page.expect_download() as waiting:
            chart.get_by_role("button", name=kind, exact=True).click()
    text = Path(waiting.value.path()).read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == 7
    assert not any(cell[:1] in "=+-@\x1b" for row in rows for cell in row.values() if cell)
    assert "\x1b" not in text
    assert waiting.value.suggested_filename.isascii()
    clean(page)


def test_searching_comparing_and_going_back_in_time(edition: str, browse: Open) -> None:
    page = browse(f"{edition}/compare?ids=1,1027")
    drawn(page)
    expect(page.locator(".chosen .remove")).to_have_count(2)
    page.locator("#add").fill("script")
    page.locator("#found [role=option]").first.click()
    expect(page.locator(".chosen .remove")).to_have_count(3)
    expect(page.locator("#chart")).not_to_have_attribute("aria-busy", "true")
    clean(page)
    page.goto(f"{edition}/market?at={SLOTS[0]}")
    page.locator("#main:not([aria-busy])").wait_for(state="attached")
    expect(page.locator("#market tbody tr")).to_have_count(len(IDS))
    clean(page)


def test_embeds_hold_names_too(hostile_site: dict[str, str], browse: Open) -> None:
    page = browse(f"{hostile_site['live']}/assets/1")
    for one in (*IDS[:2], IDS[10], IDS[15]):
        page.goto(f"{hostile_site['live']}/embed/{one}")
        page.locator(".plot").wait_for()
        clean(page)
