"""A whole site to browse: a store with a month of a made-up market, served as in real life."""

from __future__ import annotations

import math
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import sqlalchemy as sa
import uvicorn
from playwright.sync_api import Page, expect

from coinlog.market import FearAndGreed, GlobalMetrics, Missing, Quote, Reason, Snapshot, SourceKind
from coinlog.slots import HOUR, MINUTE
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from coinlog.store.writer import settle
from coinlog.web import format as fmt
from coinlog.web.i18n import catalogue
from coinlog.web.security import Application
from samples import SLOT, STEP, asset, settlement

FRONTEND = Path(__file__).resolve().parent.parent / "frontend"
NODE = FRONTEND.parent / ".venv" / "bin" / "node"

PARTIAL_PAGE = "/log/20260126T120000Z"
PAGES = (
    *("/", "/assets/1", "/compare?ids=1,1027,5994", "/log", PARTIAL_PAGE, "/log?at=2026-01-16"),
    *("/overview", "/market?at=2026-01-24T08:15", "/schema", "/nowhere"),
)
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}
NOW = SLOT + HOUR + 12 * MINUTE

SLOTS = 120
ASSETS = 60
FAILED = SLOT - 10 * STEP
MISSED = (SLOT - 40 * STEP, SLOT - 41 * STEP, SLOT - 42 * STEP)
NAMED = {
    1: ("Bitcoin", "BTC", 90_000.0),
    1027: ("Ethereum", "ETH", 3_000.0),
    52: ("XRP", "XRP", 1.9),
    5426: ("Solana", "SOL", 130.0),
    5994: ("Shiba Inu", "SHIB", 0.000006123),
    31_469: ("Boost", "BTC", 1.2e-19),
    666: ("<script>alert(1)</script>", "<b>X</b>", 5.0),
}
IDS = (*NAMED, *range(20_000, 20_000 + ASSETS - len(NAMED)))


def price_of(asset_id: int, slot: int) -> float:
    """Return a price that moves, and is the same whenever it is asked for."""
    base = NAMED[asset_id][2] if asset_id in NAMED else 1 + asset_id % 97
    turn = (slot - SLOT) / STEP / 9 + asset_id
    return base * (1 + 0.1 * math.sin(turn) + 0.02 * math.sin(turn * 7))


def quote_of(asset_id: int, slot: int, rank: int) -> Quote:
    price = price_of(asset_id, slot)
    before = price_of(asset_id, slot - 4 * STEP)
    return Quote(
        asset_id=asset_id,
        price=price,
        market_cap=None if asset_id == 666 else 2e12 / rank**1.5,
        volume_24h=4e10 / rank,
        circulating_supply=2e12 / rank**1.5 / price,
        rank=rank,
        percent_change_1h=0.25,
        percent_change_24h=(price / before - 1) * 100,
        percent_change_7d=None if asset_id == 666 else -3.5,
        percent_change_30d=12.0,
        last_updated=slot - 60,
    )


def market_at(slot: int, source: SourceKind) -> Snapshot:
    """Return the made-up market at a slot; the newest slot lacks one asset, and says so."""
    lacking = (Missing("asset 777", Reason.NOT_ANSWERED, "the answer has no id 777", 777),)
    return Snapshot(
        observed_at=slot + 12,
        source=source,
        assets=tuple(asset(one, *NAMED.get(one, (None, None))[:2]) for one in IDS),
        quotes=tuple(quote_of(one, slot, rank) for rank, one in enumerate(IDS, 1)),
        global_metrics=GlobalMetrics(3e12, 1.1e11, 1.3e12, 58.2, 11.4, 8900),
        fear_and_greed=FearAndGreed(34.0, "Fear", slot),
        missing=lacking if slot == SLOT - STEP else (),
    )


def fill_store(url: sa.URL, source: SourceKind = SourceKind.COINMARKETCAP) -> None:
    """Put a month into a store: with three missed slots, a failed and a partial one."""
    engine = open_engine(url)
    migrate(engine)
    for slot in range(SLOT - (SLOTS - 1) * STEP, SLOT + 1, STEP):
        if slot not in MISSED:
            found = None if slot == FAILED else market_at(slot, source)
            settle(engine, settlement(slot, found=found, source=source), slot + 14)
    engine.dispose()


@contextmanager
def serving(app: Application) -> Iterator[str]:
    """Serve an app from a thread and give its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    # It listens already: whoever connects before the server is ready waits in line.
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


Open = Callable[..., Page]
"""Opens an address in a fresh browser; further arguments are those of its context."""


def drawn(page: Page) -> None:
    """Wait until uPlot has taken the place of the first paint."""
    page.locator(".plot canvas").wait_for()
    expect(page.locator(".plot svg")).to_have_count(0)


def names(page: Page) -> list[str]:
    """Return the assets in the market table, as they are called there."""
    return page.locator("#market tbody th a").all_inner_texts()


def no_reload(page: Page) -> Callable[[], None]:
    """Mark the page; the function returned fails where it has been loaded anew since."""
    page.evaluate("window.here = true")

    def check() -> None:
        assert page.evaluate("window.here") is True

    return check


@cache
def _axe() -> str:
    return (FRONTEND / "node_modules" / "axe-core" / "axe.min.js").read_text()


def findings(page: Page, *rules: str, within: str = "html") -> list[tuple[str, str]]:
    """Return what axe finds to be wrong on a page: each rule, and the first place.

    All rules are looked at unless some are given.
    """
    # Of what is right axe would make a list as long, which takes as much time again.
    options = {"resultTypes": ["violations"]} | ({"runOnly": [*rules]} if rules else {})
    page.evaluate(_axe())
    found = page.evaluate("([within, options]) => axe.run(within, options)", [within, options])
    return [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]]


def price_text(value: float) -> str:
    """Return a price as the English page writes it."""
    return fmt.price(value, catalogue("en").format)


def bundled(module: str, name: str) -> str:
    """Return a module of the page's scripts as a script that defines ``name``."""
    esbuild = FRONTEND / "node_modules" / "esbuild" / "bin" / "esbuild"
    options = ("--bundle", "--format=iife", f"--global-name={name}")
    command = [str(NODE), str(esbuild), str(FRONTEND / "src" / module), *options]
    built = subprocess.run(command, check=True, capture_output=True, text=True)
    return f"{built.stdout}; globalThis.{name} = {name}; undefined"
