"""Everything in ten currencies, in a real Chromium: real answers, converted by their own rates.

The market is that of ten real polls, the 80 first of each; the rates of Bitcoin and Ethereum are
real too. The polls hold no fiat currencies, so some were put beside them: what is expected is
reckoned from the recorded rows, by a plain division.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from browsing import PHONE, Open, no_reload, serving
from coinlog.loading import sweep
from coinlog.market import FIAT_IDS
from coinlog.slots import floor_slot, parse_time
from coinlog.web import format as fmt
from coinlog.web.app import create_app
from coinlog.web.i18n import catalogue
from conftest import SHARED
from editions import publish_at, serving_folder
from market import Desk
from recorded import poll_body, polls, put_poll
from samples import HOUR, STEP

pytestmark = [pytest.mark.browser, pytest.mark.shared]

ROWS = 80
GONE = 74
"""Dogecoin, which is left out of the newest poll: it was last seen in the one before."""
FIAT = {"EUR": 1.08, "GBP": 1.31, "JPY": 0.0067, "COP": 0.000246, "MXN": 0.0545, "BRL": 0.184}
"""Rates of the newest slot; a rate rises by a hundredth at each slot before, and ARS has none."""


class Poll(NamedTuple):
    """A poll as it was recorded: its rows by id, and what a unit of each currency was worth."""

    slot: int
    rows: dict[int, dict[str, str]]
    rates: dict[str, float]

    def usd(self, asset_id: int, field: str) -> float:
        return float(self.rows[asset_id][field])

    def text(self, asset_id: int, field: str, code: str, language: str = "en") -> str:
        """Return an asset's amount in a currency as a page writes it."""
        write = fmt.price if field == "price" else fmt.money
        amount = self.usd(asset_id, field) / self.rates[code]
        return write(amount, catalogue(language).format, code)


class Recorded(NamedTuple):
    """A site of the ten polls, and the polls as they were."""

    address: str
    polls: list[Poll]

    @property
    def newest(self) -> Poll:
        return self.polls[-1]


@pytest.fixture(scope="module", params=["live", "published"])
def recorded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Recorded]:
    """Serve the ten polls with fiat currencies beside them: by a server, and as files."""
    folder = tmp_path_factory.mktemp("currencies")
    url = sa.URL.create("sqlite", database=str(folder / "coinlog.db"))
    desk = Desk(url, folder / "archive", "http://127.0.0.1:1")
    taken = list(polls(SHARED).items())
    found = []
    for back, (at, rows) in zip(range(len(taken) - 1, -1, -1), taken, strict=True):
        kept = [row for row in rows[:ROWS] if back or row["id"] != str(GONE)]
        fiat = {code: rate + back / 100 * rate for code, rate in FIAT.items()}
        body = msgspec.json.decode(poll_body(at, kept))
        body["data"] += [fiat_row(code, rate, at) for code, rate in fiat.items()]
        put_poll(desk.archive, at, msgspec.json.encode(body))
        by_id = {int(row["id"]): row for row in kept}
        coins = {"BTC": float(by_id[1]["price"]), "ETH": float(by_id[1027]["price"])}
        slot = floor_slot(parse_time(at), STEP)
        found.append(Poll(slot, by_id, {"USD": 1.0, **fiat, **coins}))
    assert len(list(sweep(desk.engine, desk.archive, clock=desk.clock))) == len(found)
    desk.engine.dispose()
    now = found[-1].slot + HOUR
    if request.param == "published":
        publish_at(url, folder / "site", now)
        with serving_folder(folder / "site") as address:
            yield Recorded(address, found)
        return
    with serving(create_app(url, clock=lambda: float(now))) as address:
        yield Recorded(address, found)


def fiat_row(code: str, rate: float, at: str) -> dict[str, object]:
    """Return a fiat currency as the source gives it."""
    return {
        "id": FIAT_IDS[code],
        "name": code,
        "symbol": code,
        "slug": code.lower(),
        "last_updated": at,
        "quote": {"USD": {"price": rate, "market_cap": 0}},
    }


def choose(page: Page, code: str) -> None:
    page.locator("#currency select").select_option(code)


def cells(page: Page) -> dict[int, tuple[str, str, str]]:
    """Return the table's prices, market caps and volumes by id, as they read."""
    rows = page.evaluate(
        """[...document.querySelectorAll('#market tbody tr')].map((row) => [
            Number(row.querySelector('th a').pathname.split('/').pop()),
            ...[...row.querySelectorAll('data')].map((place) => place.textContent)])"""
    )
    return {row[0]: tuple(row[1:]) for row in rows}


def expected(poll: Poll, ids: list[int], code: str, language: str) -> dict[int, tuple[str, ...]]:
    fields = ("price", "market_cap", "volume_24h")
    return {one: tuple(poll.text(one, field, code, language) for field in fields) for one in ids}


def test_the_table_is_converted_by_the_rates_of_its_slot(recorded: Recorded, browse: Open) -> None:
    page = browse(f"{recorded.address}/")
    check = no_reload(page)
    before = cells(page)
    assert before == expected(recorded.newest, [*before], "USD", "en")
    for code in ("BTC", "ETH", *FIAT):
        choose(page, code)
        assert cells(page) == expected(recorded.newest, [*before], code, "en"), code
        expect(page.locator("#unrated")).to_be_hidden()
    expect(page.locator("#unit")).to_contain_text("Amounts in BRL")
    page.locator("#by-price").click()
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "descending")
    after = cells(page)
    assert after == expected(recorded.newest, [*after], "BRL", "en")
    assert [*after] != [*before]
    choose(page, "USD")
    assert cells(page) == expected(recorded.newest, [*after], "USD", "en")
    check()


def test_the_choice_is_remembered_and_is_in_the_address(recorded: Recorded, browse: Open) -> None:
    page = browse(f"{recorded.address}/compare?ids=1,1027")
    choose(page, "COP")
    expect(page).to_have_url(f"{recorded.address}/compare?ids=1,1027&currency=COP")
    page.get_by_role("link", name="Español").click()
    expect(page).to_have_url(f"{recorded.address}/es/compare?ids=1,1027&currency=COP")
    page.get_by_role("link", name="Mercado").click()
    expect(page).to_have_url(f"{recorded.address}/es/?currency=COP")
    expect(page.locator("#currency .code")).to_have_text("COP")
    shown = cells(page)
    assert shown == expected(recorded.newest, [*shown], "COP", "es")
    choose(page, "USD")
    page.reload()
    expect(page).to_have_url(f"{recorded.address}/es/")
    page.locator("#theme").wait_for()
    assert cells(page) == expected(recorded.newest, [*shown], "USD", "es")
    # A link that was sent shows what its sender saw, whatever one has chosen oneself.
    choose(page, "EUR")
    page.goto(f"{recorded.address}/?currency=JPY")
    expect(page.locator("#currency .code")).to_have_text("JPY")
    shown = cells(page)
    assert shown == expected(recorded.newest, [*shown], "JPY", "en")


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        ("", "No ARS rate was recorded at this slot: shown in USD."),
        ("/es", "En esta toma no se registró la tasa de ARS: se muestra en USD."),
    ],
)
def test_where_no_rate_was_recorded_it_says_so(
    recorded: Recorded, browse: Open, prefix: str, words: str
) -> None:
    page = browse(f"{recorded.address}{prefix}/?currency=ARS")
    expect(page.locator("#unrated")).to_have_text(words)
    price = page.locator("#market tbody data").first
    usd = recorded.newest.text(1, "price", "USD", prefix[1:] or "en")
    expect(price).to_have_text(f"{usd} USD")
    expect(price).to_have_attribute("title", words)
    choose(page, "EUR")
    expect(page.locator("#unrated")).to_be_hidden()
    assert price.get_attribute("title") is None
    assert price.inner_text() == recorded.newest.text(1, "price", "EUR", prefix[1:] or "en")


def test_a_past_value_is_converted_by_the_rate_of_its_own_time(
    recorded: Recorded, browse: Open
) -> None:
    before, newest = recorded.polls[-2:]
    page = browse(f"{recorded.address}/assets/{GONE}?currency=EUR")
    price = page.locator("header.asset .price data")
    assert price.inner_text() == before.text(GONE, "price", "EUR")
    assert before.rates["EUR"] != newest.rates["EUR"]
    choose(page, "BTC")
    assert price.inner_text() == before.text(GONE, "price", "BTC")
    page.goto(f"{recorded.address}/assets/1027?currency=BTC")
    expect(price).to_have_text(newest.text(1027, "price", "BTC"))
    full = page.locator(".facts data").first
    cap = newest.usd(1027, "market_cap") / newest.rates["BTC"]
    expect(full).to_have_text(fmt.money_full(cap, catalogue("en").format, "BTC"))


def test_without_scripts_all_is_in_usd_and_says_so(recorded: Recorded, browse: Open) -> None:
    page = browse(f"{recorded.address}/es/?currency=EUR", java_script_enabled=False)
    expect(page.locator("#unit")).to_have_text("Montos en dólares estadounidenses (USD)")
    expect(page.locator("#currency")).to_be_hidden()
    shown = page.locator("#market tbody data").first
    expect(shown).to_have_text(recorded.newest.text(1, "price", "USD", "es"))


def test_the_choice_has_a_name_and_the_page_one_is_on_is_in_sight(
    recorded: Recorded, browse: Open
) -> None:
    page = browse(f"{recorded.address}/es/log", viewport=PHONE)
    select = page.get_by_label("Moneda")
    assert select.locator("option").all_inner_texts()[2] == "COP · peso colombiano"
    select.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#currency .code")).to_have_text("EUR")
    here = page.locator(".top nav [aria-current]").bounding_box()
    assert here is not None
    assert here["x"] >= 0
    assert here["x"] + here["width"] <= PHONE["width"]
    page.set_viewport_size({"width": 1440, "height": 900})
    header = page.locator(".top").bounding_box()
    assert header is not None
    # A file says its day too, which takes two lines.
    most = 90 if page.locator("html[data-edition]").count() else 70
    assert header["height"] < most, "five pages, freshness and the currency are one row"
