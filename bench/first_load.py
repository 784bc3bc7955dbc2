"""The first load of the home page in a real Chromium: bytes, the chart on screen, its answer.

Next to a page written by hand with the same data in one request: the chart's, drawn on a canvas by
an inline script, and the table of assets. Next to that page without its table as well, for
information: the least that a page with a chart can be.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from html import unescape
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from harness import OUT, ROOT, Result, Rounds, check, main, spread, wait_for_quiet
from processes import coinlog_serving, fetch, python_serving
from year_store import year_in_sqlite

BUDGET_KB = 70
SIZE: ViewportSize = {"width": 1440, "height": 900}
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
_WATCH = (ROOT / "bench" / "watch_page.js").read_text()
_TABLE = re.compile(r'<section id="market".*?</section>', re.DOTALL)
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
    """One first load: times in milliseconds since its start."""

    chart: float
    answer: float


class Weight(NamedTuple):
    """What a first load takes until nothing more is asked for; bytes with headers."""

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


@contextmanager
def newcomer(browser: Browser, place: Place) -> Iterator[Page]:
    """Give a page to somebody who has never been there, and check that it does not complain."""
    context = browser.new_context(viewport=SIZE)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    check(equal=complaints == [], what=f"the console of {place.url}: {complaints}")
    context.close()


def load(browser: Browser, place: Place, shot: str = "") -> Loaded:
    """Load a page, and point at its chart as soon as that is there."""
    with newcomer(browser, place) as page:
        settings = {"chart": place.chart, "over": place.over, "readout": place.readout}
        page.add_init_script(_WATCH.replace("PAGE", json.dumps(settings)))
        page.goto(place.url)
        page.wait_for_selector("html[data-answered]")
        marks = page.evaluate("window.marks")
        page.wait_for_load_state("networkidle")
        if shot:
            page.screenshot(path=OUT / shot)
        _check_pointer(page, place)
        return Loaded(marks["chart"], marks["answer"])


def weigh(browser: Browser, place: Place) -> Weight:
    """Load a page, and touch nothing: who points at several lines asks for more of them."""
    with newcomer(browser, place) as page:
        wire = page.context.new_cdp_session(page)
        received: list[int] = []
        wire.on(
            "Network.loadingFinished", lambda event: received.append(event["encodedDataLength"])
        )
        wire.send("Network.enable")
        page.goto(place.url)
        page.locator(place.over).wait_for()
        page.wait_for_load_state("networkidle")
        return Weight(round(sum(received)), len(received))


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


def pages_by_hand(home: str) -> list[Path]:
    """Write the pages by hand, with the data of the home page's chart and table."""
    data, table = _DATA.search(home), _TABLE.search(home)
    lines = json.loads(unescape(data[1]))["lines"] if data else []
    if not data or not table or ["slots" in line for line in lines[:2]] != [True, False]:
        raise AssertionError(
            "the home page has no chart of several lines at the same slots, or no table"
        )
    page = (ROOT / "bench" / "canvas_page.html").read_text().replace("DATA", unescape(data[1]))
    texts = {"canvas": page.replace("TABLE", table[0]), "canvas_alone": page.replace("TABLE", "")}
    for name, text in texts.items():
        (OUT / f"{name}.html").write_text(text)
    return [OUT / f"{name}.html" for name in texts]


def measure(quick: bool) -> list[Result]:  # noqa: FBT001
    """Load the pages in turn."""
    rounds = 5 if quick else 15
    url, _ = year_in_sqlite(quick)
    with ExitStack() as stack:
        port, _ = stack.enter_context(coinlog_serving(url, workers=1))
        files = pages_by_hand(fetch(port, "/").text)
        by_hand = stack.enter_context(python_serving("canvas_page.py", *map(str, files)))
        browser = stack.enter_context(chromium())
        home = Place(
            f"http://127.0.0.1:{port}/", ".plot svg path, .u-wrap canvas", ".u-over", "[data-at]"
        )
        places = {"home": home} | {
            file.stem: Place(
                f"http://127.0.0.1:{by_hand}/{file.stem}",
                "canvas[data-drawn]",
                "canvas",
                "#readout",
            )
            for file in files
        }
        for _ in range(2):
            for name, place in places.items():
                load(browser, place, f"{name}.png")
        weights = {name: weigh(browser, place) for name, place in places.items()}
        loads: dict[str, list[Loaded]] = {name: [] for name in places}
        for number in range(rounds):
            wait_for_quiet()
            names = [*places]
            for name in names[number % 3 :] + names[: number % 3]:
                loads[name].append(load(browser, places[name]))
    return results(loads, weights)


def results(loads: dict[str, list[Loaded]], weights: dict[str, Weight]) -> list[Result]:
    """Return what the loads amount to."""
    charts = {name: [one.chart for one in found] for name, found in loads.items()}
    found = Rounds({**charts, "answer": [one.answer for one in loads["home"]]})
    kilobytes = {name: one.wire_bytes / 1000 for name, one in weights.items()}
    own, canvas = found.said("home", "ms"), found.said("canvas", "ms")
    return [
        Result(
            "home page, first load, all bytes on the wire",
            "a budget",
            " KB",
            *spread([kilobytes["home"]]),
            target=BUDGET_KB,
            at_most=True,
            detail=f"{weights['home'].requests} requests, headers included; "
            f"by hand: {kilobytes['canvas']:.1f} KB",
        ),
        Result(
            "home page, its chart on the screen",
            "the same data by hand, on a canvas",
            "x",
            *found.ratio("home", "canvas"),
            target=1.3,
            at_most=True,
            detail=f"{own}; by hand: {canvas}",
        ),
        Result(
            "home page, its chart answers the pointer",
            "the chart by hand on the screen",
            "x",
            *found.ratio("answer", "canvas"),
            target=2.2,
            at_most=True,
            detail=found.said("answer", "ms"),
        ),
        Result(
            "home page, its chart on the screen",
            "a canvas with nothing around it",
            "x",
            *found.ratio("home", "canvas_alone"),
            detail=f"by hand, alone: {found.said('canvas_alone', 'ms')}",
        ),
    ]


if __name__ == "__main__":
    main("first_load", measure)
