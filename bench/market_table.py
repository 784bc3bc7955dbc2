"""The market of 5,000 assets: sorting, searching, paging and going back in time.

Each question is one that was not asked before, so no answer comes from the cache. The script's
share is what Chromium counts as running script from a click to the renewed table.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import httpx
from playwright.sync_api import CDPSession, Page, expect

import harness
from first_load import chromium
from harness import Result, check, main, say, spread, timed, wait_for_quiet
from processes import coinlog_serving
from year_store import MadeUpYear, year_in_sqlite

SERVER_MS, PAST_MS, SCRIPT_MS = 50, 300, 16
_SORTS = ("price", "-volume_24h", "name", "-percent_change_24h", "market_cap", "-rank")
_WORDS = ("a", "bit", "ar", "or", "en", "to", "us", "fi", "la", "no")


def questions(year: MadeUpYear) -> dict[str, Iterator[str]]:
    """Return endless addresses of each kind, each another one."""
    slots = itertools.cycle(year.slots[5::97])
    return {
        "sort": (f"sort={s}&limit={n}" for n in range(50, 90) for s in _SORTS),
        "search": (f"q={w}&limit={n}" for n in range(50, 90) for w in _WORDS),
        "page": (f"offset={n}" for n in range(50, len(year.bases), 50)),
        "gainers in a band": (f"only=gainers&cap=10m&limit={n}" for n in range(50, 200)),
        "past": (f"at={slot}&limit={n}" for n in range(50, 200) for slot in (next(slots),)),
    }


def asked(client: httpx.Client, path: str, rest: Iterator[str]) -> Callable[[], float]:
    """Return what asks the next question and tells the milliseconds that the answer took."""

    def ask() -> None:
        answer = client.get(f"{path}{next(rest)}")
        check(equal=answer.status_code == 200 and "<tbody>" in answer.text, what=str(answer.url))

    return lambda: timed(ask) * 1000


def script_ms(page: Page, wire: CDPSession, number: int) -> float:
    """Return the milliseconds of script from a click on a heading until the table is another."""
    heading = page.locator("#by-price" if number % 2 else "#by-name")
    before = _script_seconds(wire)
    shown = page.locator("#market tbody").element_handle()
    heading.click()
    page.wait_for_function("old => !old.isConnected", arg=shown)
    expect(page.locator("#market tbody tr")).to_have_count(50)
    return (_script_seconds(wire) - before) * 1000


def _script_seconds(wire: CDPSession) -> float:
    metrics = wire.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "ScriptDuration"))


def in_browser(port: int, rounds: int) -> list[float]:
    """Return what sorting costs in script, click by click."""
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}/")
        page.locator("#theme").wait_for()
        wire = page.context.new_cdp_session(page)
        wire.send("Performance.enable")
        return [script_ms(page, wire, number) for number in range(rounds + 2)][2:]


def measure(quick: bool) -> list[Result]:  # noqa: FBT001
    """Ask each kind of question in turn."""
    rounds = 8 if quick else 30
    url, year = year_in_sqlite(quick)
    with ExitStack() as stack:
        port, _ = stack.enter_context(coinlog_serving(url, workers=1))
        client = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}"))
        kinds = questions(year)
        tasks = {
            kind: asked(client, "/market?" if kind == "past" else "/?part=market&", rest)
            for kind, rest in kinds.items()
        }
        found: dict[str, list[float]] = {kind: [] for kind in tasks}
        wait_for_quiet()
        for _ in range(rounds):
            for kind, task in tasks.items():
                found[kind].append(task())
        say(f"{len(year.bases):,} assets x {len(year.slots):,} slots")
        found["script"] = in_browser(port, harness.QUICK_ROUNDS * 4 if quick else rounds)
    return [*served(found), script(found["script"])]


def served(found: dict[str, list[float]]) -> Iterator[Result]:
    """Yield what the server took for each kind of question."""
    for kind, values in found.items():
        if kind != "script":
            most = PAST_MS if kind == "past" else SERVER_MS
            yield _result(f"the market: {kind}", "the server, never asked before", values, most)


def script(values: Sequence[float]) -> Result:
    """Return what the page's scripts took to sort the table."""
    return _result("the market: sort", "the page's scripts", values, SCRIPT_MS)


def _result(what: str, against: str, values: Sequence[float], most: float) -> Result:
    return Result(what, against, " ms", *spread(values), target=most, at_most=True)


if __name__ == "__main__":
    main("market_table", measure)
