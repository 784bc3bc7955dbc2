"""A range of 100,000 recorded points on the screen, next to one of 1,460.

Two stores hold a year of a few assets: one at slots of 5 minutes, one at slots of 6 hours. In each
round a browser of its own opens an asset at 30 days and asks for the year; what counts is the time
from the click until the chart stands there. The server has made its files once before: the first
visitor of a slot waits longer, which is told too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from playwright.sync_api import Browser

import harness
from coinlog.slots import DAY, HOUR, MINUTE, floor_slot
from coinlog.store.engine import open_engine
from first_load import chromium
from harness import OUT, Result, check, in_turn, main, say
from processes import coinlog_serving
from year_store import MadeUpYear, fill

ASSETS = 4
LONG, SHORT = 5 * MINUTE, 6 * HOUR
WANTED = 1.5

CLICK = """() => new Promise((done, failed) => {
    const section = document.getElementById("chart");
    const start = performance.now();
    const look = () => {
        const link = document.getElementById("range-1y");
        const there = link.getAttribute("aria-current") && !section.hasAttribute("aria-busy");
        if (there) requestAnimationFrame(() => done(performance.now() - start));
        else if (performance.now() - start > 30000) failed(new Error("no chart after 30 s"));
        else requestAnimationFrame(look);
    };
    document.getElementById("range-1y").click();
    requestAnimationFrame(look);
})"""
"""Asks for the year; tells the milliseconds until it is drawn and the chart is at rest."""


def year_at(step: int, slots: int) -> sa.URL:
    """Return the address of a store with so many slots, the newest of this moment."""
    path = Path(OUT / f"range-{step}.db")
    for old in OUT.glob(f"{path.name}*"):
        old.unlink()
    say(f"putting {ASSETS} assets x {slots:,} slots into SQLite")
    url = sa.URL.create("sqlite", database=str(path))
    engine = open_engine(url)
    fill(engine, MadeUpYear(ASSETS, slots, floor_slot(time.time(), step), ASSETS, step))
    engine.dispose()
    return url


def shown(browser: Browser, port: int) -> float:
    """Return the milliseconds from the click to the year on the screen, in a browser of its own."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{port}/assets/1?range=30d")
    page.locator(".plot canvas").wait_for()
    page.wait_for_load_state("networkidle")
    took = float(page.evaluate(CLICK))
    told = page.locator("#range-1y").get_attribute("aria-current")
    check(equal=told == "true", what=page.url)
    context.close()
    return took


def measure(quick: bool) -> list[Result]:  # noqa: FBT001
    """Let both stores be looked at in turn."""
    sizes = {LONG: (30 * DAY if quick else 365 * DAY) // LONG, SHORT: 365 * DAY // SHORT}
    with ExitStack() as stack:
        browser = stack.enter_context(chromium())
        ports = {
            step: stack.enter_context(coinlog_serving(year_at(step, slots), workers=1))[0]
            for step, slots in sizes.items()
        }
        first = {step: shown(browser, port) for step, port in ports.items()}
        tasks: dict[str, Callable[[], float]] = {
            str(step): partial(shown, browser, port) for step, port in ports.items()
        }
        rounds = in_turn(tasks, harness.QUICK_ROUNDS if quick else harness.ROUNDS)
    return list(results(sizes[LONG], first, rounds))


def results(slots: int, first: Mapping[int, float], rounds: harness.Rounds) -> Iterator[Result]:
    """Yield how much longer the many points take, and the first visitor of all."""
    ratio = rounds.ratio(str(LONG), str(SHORT))
    detail = f"{rounds.said(str(LONG), 'ms')} against {rounds.said(str(SHORT), 'ms')}"
    what, against = f"a range of {slots:,} points on the screen", "one of 1,460"
    yield Result(what, against, " x", *ratio, target=WANTED, at_most=True, detail=detail)
    alone = first[LONG] / first[SHORT]
    yield Result(f"{what}, first visitor", against, " x", alone, alone, alone)


if __name__ == "__main__":
    main("long_range", measure)
