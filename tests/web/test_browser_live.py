"""An open page renews itself when a slot is stored, and asks no oftener than slots can come.

The server and its store are real; the browser's clock and the server's are set by hand. What
counts is which requests the page makes in how much of its time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, Request, expect

from browsing import Open, no_reload, price_text, serving
from coinlog.market import Snapshot
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from coinlog.store.writer import settle
from coinlog.web.app import create_app
from samples import HOUR, SLOT, STEP, settlement, snapshot

pytestmark = pytest.mark.browser

IDS = (1, 1027, 5994)
OPENED = SLOT + HOUR
NEXT = SLOT + STEP


class Record:
    """A site whose store gets slots while its pages are open; ``now`` is the server's clock."""

    def __init__(self, url: sa.URL) -> None:
        self.engine = open_engine(url)
        self.now = float(OPENED)
        self.address = ""
        migrate(self.engine)

    def store(self, slot: int, found: Snapshot | None) -> None:
        """Settle a slot, and wait until the server has noticed."""
        settle(self.engine, settlement(slot, found=found), slot + 20)
        self.now = max(self.now, slot + 20.0)
        with self.engine.connect() as connection:
            version = connection.execute(sa.text("SELECT version FROM store")).scalar_one()
        while self.latest()["version"] != version:
            pass

    def latest(self) -> dict[str, int]:
        said: dict[str, int] = httpx.get(f"{self.address}/data/latest.json").json()
        return said


@pytest.fixture
def record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Record]:
    """Serve a store with three slots, to which a test adds more."""
    url = sa.URL.create("sqlite", database=str(tmp_path_factory.mktemp("live") / "coinlog.db"))
    found = Record(url)
    app = create_app(url, clock=lambda: found.now, look_seconds=0.02)
    with serving(app) as address:
        found.address = address
        for slot in range(SLOT - 2 * STEP, SLOT + 1, STEP):
            found.store(slot, market(slot, 100.5))
        found.now = float(OPENED)
        yield found
    found.engine.dispose()


def market(slot: int, price: float) -> Snapshot:
    return snapshot(IDS, price=price, observed_at=slot + 12)


class Asked:
    """What a page has asked for since it was opened."""

    def __init__(self, page: Page) -> None:
        self.latest = self.pages = 0
        page.on("request", self.count)

    def count(self, request: Request) -> None:
        self.latest += request.url.endswith("/data/latest.json")
        renewed = request.resource_type == "fetch" and "part=" not in request.url
        self.pages += renewed and "/data/" not in request.url


@pytest.fixture
def watched(record: Record, browse: Open) -> Callable[[str], tuple[Page, Asked]]:
    """Return what opens a page at ``OPENED`` whose time passes when it is told to."""

    def open_page(path: str) -> tuple[Page, Asked]:
        page = browse("about:blank")
        page.clock.install(time=OPENED)
        page.clock.pause_at(OPENED + 1)
        asked = Asked(page)
        page.goto(record.address + path)
        page.clock.fast_forward(1000)
        page.locator("#theme").wait_for()
        return page, asked

    return open_page


def until(page: Page, time: float) -> None:
    """Let the page's time pass up to a moment."""
    page.clock.fast_forward(int((time - page.evaluate("Date.now() / 1000")) * 1000))
    page.evaluate(TURNS)


TURNS = """async () => {
    for (let turn = 0; turn < 30; turn++) {
        await new Promise((done) => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = done;
            port2.postMessage(0);
        });
    }
}"""
"""What a page does as soon as it can is done after so many turns, while its time stands still."""


def asks(page: Page, time: float) -> None:
    """Let time pass up to a moment by when the page has to have asked what is new."""
    with page.expect_event("requestfinished", lambda one: one.url.endswith("/latest.json")):
        until(page, time)
    page.evaluate(TURNS)


LISTEN = """() => {
    window.slots = [];
    document.addEventListener('coinlog:slot', (event) => slots.push(event.detail.slot));
    window.tools = document.querySelector('.tools');
    scrollTo(0, 300);
    return scrollY;
}"""


def test_an_open_page_renews_itself_and_nothing_its_reader_did_is_lost(
    record: Record, watched: Callable[[str], tuple[Page, Asked]]
) -> None:
    page, asked = watched("/")
    check = no_reload(page)
    page.set_viewport_size({"width": 800, "height": 400})
    page.locator("#q").fill("asset 1")
    page.clock.fast_forward(1000)
    expect(page.locator("#market tbody tr")).to_have_count(2)
    page.locator("#market tbody a").first.focus()
    scrolled = page.evaluate(LISTEN)
    assert scrolled > 0

    until(page, NEXT - 5)
    assert (asked.latest, asked.pages) == (0, 0)
    asks(page, NEXT + 8)
    assert (asked.latest, asked.pages) == (1, 0)

    record.store(NEXT, market(NEXT, 250.25))
    asks(page, NEXT + 17)
    expect(page.locator("#market tbody data").first).to_have_text(price_text(250.25))
    expect(page.locator("#fresh")).to_contain_text("as of 00:00")
    expect(page.locator("#said")).to_have_text("Updated: slot of 00:00 UTC")
    assert (asked.latest, asked.pages) == (2, 1)
    assert page.evaluate("slots") == [NEXT]
    assert page.evaluate("document.activeElement.pathname") == "/assets/1"
    assert page.evaluate("scrollY") == scrolled
    assert page.locator("#q").input_value() == "asset 1"
    # What has not changed is the same element as before.
    assert page.evaluate("tools === document.querySelector('.tools')")

    until(page, NEXT + STEP - 5)
    assert (asked.latest, asked.pages) == (2, 1)
    check()


def test_a_slot_that_does_not_come_is_asked_for_ever_less_and_shows(
    record: Record, watched: Callable[[str], tuple[Page, Asked]]
) -> None:
    page, asked = watched("/?currency=ETH")
    page.locator(".plot canvas").wait_for()
    page.evaluate("window.table = document.querySelector('#market')")
    fresh = page.locator("#fresh")
    moments = []
    for late in (7, 14, 33, 71, 147):
        asks(page, NEXT + late)
        moments.append(asked.latest)
    # The first to ask was the chart, for the rates that the page does not hold.
    assert moments == [2, 3, 4, 5, 6]
    expect(fresh.locator(".state")).to_have_text("Up to date")
    # After the grace (36 minutes of six hours) it asks as often as the grace is long.
    asks(page, NEXT + HOUR)
    expect(fresh).to_have_class(re.compile("amber"))
    expect(fresh.locator(".state")).to_have_text("1 slot missed")
    so_far = asked.latest
    until(page, NEXT + HOUR + 35 * 60)
    assert asked.latest == so_far
    asks(page, NEXT + HOUR + 46 * 60)

    # It failed: that is no slot, but the page says so.
    record.now = NEXT + 2.0 * HOUR
    record.store(NEXT, None)
    asks(page, NEXT + 2 * HOUR + 40 * 60)
    expect(page.locator(".strip rect.failed")).to_have_count(1)
    expect(fresh).to_contain_text("CoinMarketCap took too long to answer", ignore_case=True)
    assert page.locator("#said").inner_text() == ""
    # The table is the same, to the element, though scripts have written it in another currency.
    expect(page.locator("#market tbody data").first).to_have_text("Ξ1.0000")
    assert page.evaluate("table === document.querySelector('#market')")

    until(page, NEXT + STEP + HOUR)
    expect(fresh).to_have_class(re.compile("red"))
    expect(fresh.locator(".state")).to_have_text("2 slots missed")


def test_a_page_that_nobody_looks_at_asks_nothing_and_catches_up(
    record: Record, watched: Callable[[str], tuple[Page, Asked]]
) -> None:
    page, asked = watched("/es/assets/1?currency=ETH")
    page.locator(".plot canvas").wait_for()
    page.locator(".points summary").click()
    hide(page, hidden=True)
    record.store(NEXT, market(NEXT, 250.25))
    until(page, NEXT + 2 * HOUR)
    # The chart has asked once, for the rates that the page does not hold.
    assert asked.latest == 1
    with page.expect_response("**/data/latest.json"):
        hide(page, hidden=False)
        page.clock.fast_forward(1000)
    expect(page.locator("#fresh")).to_contain_text("datos de las 00:00")
    expect(page.locator("#said")).to_have_text("Actualizado: toma de las 00:00 UTC")
    # One ether, in ethers: by the new slot's rate.
    expect(page.locator(".asset .price data")).to_have_text("1,0000 ETH")
    expect(page.locator(".asset .price data")).to_have_attribute("value", "250.25")
    # What was unfolded still is, with the new point in it.
    expect(page.locator(".points tbody tr")).to_have_count(4)
    expect(page.locator(".points tbody tr").first).to_be_visible()
    assert (asked.latest, asked.pages) == (2, 1)


def test_an_outage_of_the_database_passes_without_the_reader_doing_anything(
    record: Record, watched: Callable[[str], tuple[Page, Asked]], browse: Open
) -> None:
    page, asked = watched("/")
    file = Path(str(record.engine.url.database))
    elsewhere = file.rename(file.with_suffix(".away"))
    ready_is(record, 503)

    # A page that was open asks what is new, and goes on as it was: nothing is.
    check = no_reload(page)
    asks(page, NEXT + 8)
    assert (asked.latest, asked.pages) == (1, 0)
    expect(page.locator("#fresh")).to_contain_text("as of 18:00")
    expect(page.locator("#market tbody tr")).to_have_count(3)
    check()

    # One that is opened now says so, and says no more once the database is back.
    late = browse("about:blank")
    late.clock.install(time=OPENED)
    late.goto(f"{record.address}/")
    check = no_reload(late)
    expect(late.locator("#fresh .away")).to_contain_text("The database has not answered since")
    late.locator("#theme").wait_for()
    elsewhere.rename(file)
    ready_is(record, 200)
    asks(late, OPENED + 120)
    expect(late.locator("#fresh .away")).to_have_count(0)
    expect(late.locator("#fresh .state")).to_have_text("Up to date")
    check()


def ready_is(record: Record, status: int) -> None:
    """Wait until the server has noticed whether its database is there."""
    give_up = time.monotonic() + 30
    while httpx.get(f"{record.address}/ready").status_code != status:
        assert time.monotonic() < give_up


def hide(page: Page, *, hidden: bool) -> None:
    """Put a page out of sight, or into it, as far as it can tell."""
    page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
            document.dispatchEvent(new Event('visibilitychange'));
        }""",
        hidden,
    )


def test_the_first_slot_fills_an_empty_page(
    browse: Open, tmp_path_factory: pytest.TempPathFactory
) -> None:
    url = sa.URL.create("sqlite", database=str(tmp_path_factory.mktemp("first") / "coinlog.db"))
    record = Record(url)
    with serving(create_app(url, clock=lambda: record.now, look_seconds=0.02)) as address:
        record.address = address
        record.store(SLOT, None)
        page = browse("about:blank")
        page.clock.install(time=OPENED)
        page.goto(address)
        page.locator("#theme").wait_for()
        expect(page.get_by_role("heading", name="Nothing is recorded yet")).to_be_visible()
        record.store(NEXT, market(NEXT, 250.25))
        page.clock.fast_forward(int(STEP - HOUR + 8) * 1000)
        expect(page.locator("#market tbody data").first).to_have_text(price_text(250.25))
    record.engine.dispose()
