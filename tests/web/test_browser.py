"""The page as people see it: a real Chromium, a real server, a real store."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from browsing import DESKTOP, FAILED, PAGES, PHONE, SLOTS, Open, drawn, findings, names
from coinlog.slots import iso
from samples import SLOT, STEP

pytestmark = pytest.mark.browser


# Any two of language, screen and scheme meet once: no finding is known to need all three.
@pytest.mark.parametrize(
    ("language", "viewport", "scheme"),
    [
        pytest.param("", PHONE, "light", id="en-phone-light"),
        pytest.param("", DESKTOP, "dark", id="en-desktop-dark"),
        pytest.param("/es", PHONE, "dark", id="es-phone-dark"),
        pytest.param("/es", DESKTOP, "light", id="es-desktop-light"),
    ],
)
def test_no_page_has_an_accessibility_finding_or_scrolls_sideways(
    site: str, browse: Open, language: str, viewport: dict[str, int], scheme: str
) -> None:
    page = browse(f"{site}{language}/keys", viewport=viewport, color_scheme=scheme)
    for path in PAGES:
        page.goto(site + language + path)
        assert (path, findings(page)) == (path, [])
        assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]


def test_no_published_page_has_an_accessibility_finding_or_scrolls_sideways(
    published: str, browse: Open
) -> None:
    page = browse(f"{published}/es/keys")
    for path in PAGES:
        if path == "/schema":
            continue  # it tells of the API, which a server alone has
        for viewport in (DESKTOP, PHONE):
            page.set_viewport_size({"width": viewport["width"], "height": viewport["height"]})
            page.goto(f"{published}/es{path}")
            page.locator("#main:not([aria-busy])").wait_for()
            width = page.evaluate("document.documentElement.scrollWidth")
            assert (path, width) == (path, viewport["width"])
        assert (path, findings(page)) == (path, [])


def test_the_chart_is_there_before_the_script_and_after_it(both: str, browse: Open) -> None:
    page = browse(f"{both}/")
    drawn(page)
    assert page.locator(".legend li").count() > 1
    before = browse(f"{both}/", java_script_enabled=False)
    assert before.locator(".plot svg path").count() == page.locator(".legend li").count()


def test_nothing_moves_when_the_script_takes_over(both: str, browse: Open) -> None:
    page = browse(f"{both}/log")
    # The page as it is before its scripts have come.
    page.route("**/static/*.js", lambda route: route.fulfill(content_type="text/javascript"))
    page.goto(f"{both}/")
    before = page.locator("#market").bounding_box()
    page.unroute("**/static/*.js")
    page.goto(f"{both}/")
    drawn(page)
    assert page.locator("#market").bounding_box() == before


def test_all_of_it_can_be_done_without_scripts(site: str, browse: Open) -> None:
    page = browse(f"{site}/", java_script_enabled=False)
    page.locator("#q").fill("ethereum")
    page.get_by_role("button", name="Search").click()
    assert names(page) == ["Ethereum ETH"]
    page.locator("#market tbody a").click()
    assert page.locator("h1").inner_text() == "Ethereum ETH"
    page.get_by_role("link", name="7D").click()
    assert page.locator(".plot path.s").count() == 1
    page.get_by_role("link", name="Español").click()
    assert page.locator("html").get_attribute("lang") == "es"


def test_names_from_the_source_are_text_and_never_markup(both: str, browse: Open) -> None:
    page = browse(f"{both}/?q=alert")
    assert names(page) == ["<script>alert(1)</script> <b>X</b>"]
    page.goto(f"{both}/assets/666")
    drawn(page)
    assert page.locator("h1").inner_text() == "<script>alert(1)</script> <b>X</b>"


def test_freshness_is_told_in_words_and_decays(both: str, browse: Open) -> None:
    page = browse(f"{both}/")
    expect(page.locator("#fresh")).to_have_text(
        re.compile(
            r"Up to date\s+as of (26 Jan 2026, )?18:00.UTC, 1 h 11 min ago\s*; next 00:00.UTC"
        )
    )
    page.clock.set_fixed_time(SLOT + 3 * STEP)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#fresh .state")).to_have_text("2 slots missed")
    expect(page.locator("#fresh")).to_have_class(re.compile("red"))


def test_the_log_says_what_became_of_each_slot(both: str, browse: Open) -> None:
    page = browse(f"{both}/log")
    row = page.locator("tr", has=page.locator(f'time[datetime="{iso(FAILED)}"]'))
    expect(row).to_contain_text("failed")
    expect(row).to_contain_text("CoinMarketCap took too long to answer", ignore_case=True)
    assert page.locator(".strip rect.missed").count() == 3
    assert page.locator("tbody tr").count() == min(100, SLOTS)


def test_a_theme_is_remembered_and_does_not_flash(both: str, browse: Open) -> None:
    page = browse(f"{both}/log", color_scheme="light")
    page.locator("#theme").get_by_text("Dark").click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.goto(f"{both}/")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark


def test_simulated_data_says_so_on_every_page_and_chart(simulated_site: str, browse: Open) -> None:
    page = browse(f"{simulated_site}/", java_script_enabled=False)
    for path in PAGES[:4]:
        page.goto(simulated_site + path)
        expect(page.locator(".simulated")).to_contain_text("SIMULATED")
        expect(page.locator(".plot .wm")).to_have_count(page.locator(".plot").count())


def test_real_data_never_says_simulated(both: str, browse: Open) -> None:
    assert "SIMULATED" not in browse(f"{both}/").content()


def test_an_empty_store_says_so_and_what_to_do(empty_site: str, browse: Open) -> None:
    page = browse(f"{empty_site}/")
    expect(page.get_by_role("heading", name="Nothing is recorded yet")).to_be_visible()
    expect(page.locator("main")).to_contain_text("coinlog doctor")
    page.goto(f"{empty_site}/es/")
    expect(page.get_by_role("heading", name="Aún no hay nada registrado")).to_be_visible()


def test_comparing_takes_ids_and_lets_one_go(both: str, browse: Open) -> None:
    page = browse(f"{both}/compare?ids=1,1027,4242")
    drawn(page)
    expect(page.get_by_text("Not in this logbook: 4242.")).to_be_visible()
    page.get_by_role("link", name="Remove Bitcoin").click()
    expect(page.locator(".chosen li")).to_have_text(["Ethereum ETH"])


def test_everything_of_the_home_page_weighs_little(site: str, browse: Open) -> None:
    page = browse("about:blank")
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    weights: list[int] = []
    session.on("Network.loadingFinished", lambda event: weights.append(event["encodedDataLength"]))
    page.goto(f"{site}/")
    page.wait_for_load_state("networkidle")
    assert len(weights) >= 4
    assert sum(weights) <= 70_000
