"""Sharing and reaching, in a real Chromium: frames elsewhere, keys, paper, zoom, few colours."""

from __future__ import annotations

import functools
import http.server
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from browsing import PAGES, PHONE, Open, drawn, findings

pytestmark = pytest.mark.browser

Host = Callable[[str], str]
"""Puts HTML on another origin and returns its address."""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """Serve pages of another site: another port is another origin."""
    handler = functools.partial(Quiet, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def put(html: str) -> str:
        icon = '<!doctype html><link rel="icon" href="data:,">'
        (tmp_path / "index.html").write_text(icon + html)
        return f"http://127.0.0.1:{server.server_port}/index.html"

    yield put
    server.shutdown()
    thread.join()
    server.server_close()


def visit(browse: Open, address: str) -> Page:
    """Open another site's page, which has none of our scripts."""
    page = browse("about:blank", viewport={"width": 700, "height": 700})
    page.goto(address)
    return page


def test_another_site_frames_an_embed_that_lives_in_the_smallest_frame(
    site: str, browse: Open, host: Host
) -> None:
    frame = '<iframe src="{}{}" width="280" height="160"></iframe>'
    targets = ("/embed/1?theme=dark", "/es/embed/compare?ids=1,1027")
    page = visit(browse, host("".join(frame.format(site, one) for one in targets)))

    for index, name in enumerate(("Bitcoin", "Precio")):
        framed = page.frame_locator("iframe").nth(index)
        expect(framed.locator("h1")).to_contain_text(name)
        framed.locator(".plot canvas").first.wait_for()
        expect(framed.locator("footer")).to_contain_text("CoinMarketCap")
        root = framed.locator("html")
        assert root.evaluate("all => all.scrollWidth <= 280 && all.scrollHeight <= 160")
        assert framed.locator(".plot").evaluate("plot => plot.clientHeight >= 60")
    body = page.frame_locator("iframe").first.locator("body")
    assert body.evaluate("body => getComputedStyle(body).backgroundColor") == "rgb(25, 28, 31)"
    with page.context.expect_page() as opened:
        page.frame_locator("iframe").first.locator("h1 a").click()
    assert opened.value.url == f"{site}/assets/1"


def test_another_site_cannot_frame_a_page(site: str, chromium: Browser, host: Host) -> None:
    page = chromium.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(host("".join(f'<iframe src="{site}{path}"></iframe>' for path in PAGES[:4])))
    page.wait_for_function("document.querySelectorAll('iframe').length === 4")
    refused = [one for one in said if "frame-ancestors 'none'" in one]
    hidden = [frame.evaluate("document.body.innerText") for frame in page.frames[1:]]
    page.close()

    assert len(refused) == 4
    assert not any("coinlog" in text for text in hidden)


def test_another_site_shows_a_sparkline_and_a_picture_but_nothing_else_of_ours(
    site: str, chromium: Browser, host: Host
) -> None:
    targets = ("/spark/1.svg?width=300", "/og/assets/1.png", "/static/icon.svg")
    page = chromium.new_page()
    page.goto(host("".join(f'<img src="{site}{one}">' for one in targets)))
    page.wait_for_function("[...document.images].every(one => one.complete)")
    widths = page.evaluate("[...document.images].map(one => one.naturalWidth)")
    page.close()

    assert widths == [300, 1200, 0]


def test_an_embed_is_shown_as_asked_and_in_another_currency_or_says_why_not(
    site: str, browse: Open
) -> None:
    page = browse("about:blank")
    page.goto(f"{site}/embed/1?range=7d&scale=log&form=area&currency=EUR")
    page.locator(".plot canvas").first.wait_for()
    expect(page.locator(".notes")).to_contain_text("EUR")
    assert findings(page) == []


def test_what_is_copied_follows_what_is_on_the_screen(site: str, browse: Open) -> None:
    page = browse(f"{site}/assets/1", permissions=["clipboard-read", "clipboard-write"])
    drawn(page)
    page.locator("#range-30d").click()
    expect(page.locator("#range-30d")).to_have_attribute("aria-current", "true")
    page.locator("#share summary").click()
    snippet = page.locator("#share-frame")
    expect(snippet).to_have_value(re.compile(r'src="[^"]*/embed/1\?range=30d"'))
    snippet.locator("xpath=following-sibling::button").click()
    expect(page.locator("#said")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == snippet.input_value()
    assert 'loading="lazy"' in copied
    assert page.locator("#share-link").input_value() == f"{site}/assets/1?range=30d"


def test_a_question_mark_shows_the_keys_and_a_slash_leads_to_the_search(
    site: str, browse: Open
) -> None:
    page = browse(f"{site}/es/assets/1")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Teclas")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("button", name="Cerrar")).to_be_focused()
    assert findings(page, within="dialog") == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("?")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Cerrar").click()
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("?/")
    expect(page.locator("#q")).to_have_value("?/")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_first_tab_leads_past_the_header(site: str, browse: Open) -> None:
    page = browse(f"{site}/assets/1")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport(ratio=1)
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_paper_holds_what_can_be_read_and_no_controls(simulated_site: str, browse: Open) -> None:
    page = browse(f"{simulated_site}/assets/1", color_scheme="dark")
    drawn(page)
    page.emulate_media(media="print", color_scheme="dark")
    for gone in (".top nav", ".ranges", "#theme", "#share", ".languages", "#currency", "button"):
        assert not any(one.is_visible() for one in page.locator(gone).all()), gone
    for kept in ("h1", ".plot", ".facts", ".simulated", "#fresh time", ".foot p"):
        assert page.locator(kept).first.is_visible(), kept
    look = "one => [getComputedStyle(one).color, getComputedStyle(one).backgroundColor]"
    assert page.locator("body").evaluate(look) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert page.locator("main a").first.evaluate("a => getComputedStyle(a, '::after').content") in {
        "none",
        "normal",
    }


@pytest.mark.parametrize("language", ["", "/es"])
def test_every_page_fits_a_wide_screen_at_400_percent(
    site: str, browse: Open, language: str
) -> None:
    page = browse(f"{site}{language}/keys", viewport={"width": 320, "height": 256})
    for path in (*PAGES, "/keys", "/embed/1"):
        page.goto(site + language + path)
        page.locator("h1, h2").first.wait_for()
        assert (path, page.evaluate("document.documentElement.scrollWidth")) == (path, 320)


def test_everything_to_press_is_large_enough(site: str, browse: Open) -> None:
    page = browse(f"{site}/assets/1", viewport=PHONE)
    for path in PAGES[:4]:
        page.goto(site + path)
        assert (path, findings(page, "target-size")) == (path, [])


WATCH_SHIFTS = """window.shifted = 0;
new PerformanceObserver((seen) => {
  for (const one of seen.getEntries()) window.shifted += one.value;
}).observe({type: "layout-shift", buffered: true})"""


def test_nothing_jumps_on_a_phone_when_the_scripts_start(site: str, browse: Open) -> None:
    page = browse(f"{site}/log", viewport=PHONE)
    page.add_init_script(WATCH_SHIFTS)
    for path in ("/", "/es/", "/assets/1"):
        page.goto(site + path)
        drawn(page)
        expect(page.locator("#fresh")).to_contain_text("1 h 11 min")
        assert page.evaluate("window.shifted") < 0.05


def test_few_colours_and_more_contrast_leave_nothing_out(site: str, browse: Open) -> None:
    page = browse(f"{site}/", forced_colors="active", java_script_enabled=False)
    text = page.evaluate("getComputedStyle(document.body).color")
    strokes = page.locator(".lc path.s").evaluate_all(
        "all => all.map(one => getComputedStyle(one).stroke)"
    )
    assert text in strokes
    assert "none" not in strokes
    current = page.locator(".ranges [aria-current]").first
    assert current.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    for scheme in ("light", "dark"):
        more = browse(f"{site}/assets/1", contrast="more", color_scheme=scheme)
        assert findings(more, "color-contrast-enhanced") == []


def test_nothing_moves_for_those_who_want_no_movement(site: str, browse: Open) -> None:
    page = browse(f"{site}/assets/1", reduced_motion="reduce")
    moving = page.evaluate(
        "[...document.querySelectorAll('*')].filter(one =>"
        " parseFloat(getComputedStyle(one).transitionDuration) > 0.01 ||"
        " parseFloat(getComputedStyle(one).animationDuration) > 0.01).length"
    )
    assert moving == 0
