"""The first load of the home page in a real Chromium: bytes, the chart on screen, its answer.

Next to a page written by hand with nothing but the same chart's data, drawn on a canvas as early
as can be, in one request.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from html import unescape
from typing import NamedTuple

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from harness import OUT, ROOT, Result, Rounds, check, main, say, wait_for_quiet
from processes import coinlog_serving, fetch, python_serving
from year_store import year_in_sqlite

BUDGET_KB = 60
SIZE: ViewportSize = {"width": 1440, "height": 900}
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
_WATCH = (ROOT / "bench" / "watch_page.js").read_text()
_DATA = re.compile(
    r'<section id="chart".*?<script type="application/json">(.*?)</script>', re.DOTALL
)


class Place(NamedTuple):
    """A page, and where its chart, what answers to the pointer and what it says are."""

    url: str
    chart: str
    over: str
    readout: str


class Loaded(NamedTuple):
    """One first load: times in milliseconds since its start, bytes with headers."""

    chart: float
    answer: float
    wire_bytes: int
    requests: int


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a browser for all loads; each has a profile of its own, so nothing is cached."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*FLAGS])
        yield browser
        browser.close()


def load(browser: Browser, place: Place, shot: str = "") -> Loaded:
    """Load a page as somebody who has never been there, and point at its chart."""
    context = browser.new_context(viewport=SIZE)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    wire = context.new_cdp_session(page)
    received: list[int] = []
    wire.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    wire.send("Network.enable")
    settings = {"chart": place.chart, "over": place.over, "readout": place.readout}
    page.add_init_script(_WATCH.replace("PAGE", json.dumps(settings)))
    page.goto(place.url)
    page.wait_for_selector("html[data-answered]")
    marks = page.evaluate("window.marks")
    page.wait_for_load_state("networkidle")
    if shot:
        page.screenshot(path=OUT / shot)
    _check_pointer(page, place)
    check(equal=complaints == [], what=f"the console of {place.url}: {complaints}")
    context.close()
    return Loaded(marks["chart"], marks["answer"], round(sum(received)), len(received))


def _check_pointer(page: Page, place: Place) -> None:
    """Check that a real pointer is answered too, and differently in different places."""
    box = page.locator(place.over).bounding_box()
    check(equal=box is not None and box["height"] > 100, what=f"the chart of {place.url}")
    said = set()
    for share in (0.25, 0.5, 0.75):
        if box:
            page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
        said.add(page.locator(place.readout).inner_text())
    check(equal=len(said) == 3, what=f"the pointer's answers at {place.url}: {said}")


def canvas_html(home: str) -> str:
    """Return the page by hand, with the data that the home page's chart holds."""
    found = _DATA.search(home)
    check(equal=found is not None, what="the home page holds no data of a chart")
    data = unescape(found[1]) if found else ""
    check(equal=len(json.loads(data)["lines"]) > 1, what="the home page's chart has several lines")
    return (ROOT / "bench" / "canvas_page.html").read_text().replace("DATA", data)


def measure(quick: bool) -> list[Result]:  # noqa: FBT001
    """Load both pages in turn."""
    rounds = 5 if quick else 15
    url, _ = year_in_sqlite(quick)
    with ExitStack() as stack:
        port, _ = stack.enter_context(coinlog_serving(url, workers=1))
        by_hand = OUT / "canvas.html"
        by_hand.write_text(canvas_html(fetch(port, "/").text))
        canvas_port = stack.enter_context(python_serving("canvas_page.py", str(by_hand)))
        browser = stack.enter_context(chromium())
        home = Place(
            f"http://127.0.0.1:{port}/", ".plot svg path, .u-wrap canvas", ".u-over", "[data-at]"
        )
        canvas = Place(
            f"http://127.0.0.1:{canvas_port}/", "canvas[data-drawn]", "canvas", "#readout"
        )
        for _ in range(2):
            load(browser, home, "home.png")
            load(browser, canvas, "canvas.png")
        loads = []
        for number in range(rounds):
            wait_for_quiet()
            places = (home, canvas) if number % 2 else (canvas, home)
            pair = {place: load(browser, place) for place in places}
            loads.append((pair[home], pair[canvas]))
    found = Rounds(
        {
            "chart": [ours.chart for ours, _ in loads],
            "answer": [ours.answer for ours, _ in loads],
            "canvas": [theirs.chart for _, theirs in loads],
            "canvas answers": [theirs.answer for _, theirs in loads],
        }
    )
    sizes = [ours.wire_bytes / 1000 for ours, _ in loads]
    canvas_kb = loads[0][1].wire_bytes / 1000
    say(f"canvas page: {canvas_kb:.1f} KB, answers after {found.said('canvas answers', 'ms')}")
    return [
        Result(
            "home page, first load, all bytes on the wire",
            "a budget",
            " KB",
            sorted(sizes)[len(sizes) // 2],
            min(sizes),
            max(sizes),
            target=BUDGET_KB,
            at_most=True,
            detail=f"{loads[0][0].requests} requests, headers included; canvas: {canvas_kb:.1f} KB",
        ),
        Result(
            "home page, its chart on the screen",
            "the same data on a canvas by hand",
            "x",
            *found.ratio("chart", "canvas"),
            target=1.3,
            at_most=True,
            detail=f"{found.said('chart', 'ms')}; canvas: {found.said('canvas', 'ms')}",
        ),
        Result(
            "home page, its chart answers the pointer",
            "the canvas page's chart on the screen",
            "x",
            *found.ratio("answer", "canvas"),
            target=2.2,
            at_most=True,
            detail=found.said("answer", "ms"),
        ),
    ]


if __name__ == "__main__":
    main("first_load", measure)
