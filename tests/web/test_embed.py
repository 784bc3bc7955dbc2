"""What other sites may frame, and what pages tell of themselves to whoever shows a link to them."""

from __future__ import annotations

import re
from html import unescape

from coinlog.market import Asset, Snapshot, SourceKind
from coinlog.web.security import POLICY
from samples import SLOT, quote
from sites import Site, slots_before

FRAMABLE = ("/embed/1", "/es/embed/1", "/embed/compare?ids=1,1027", "/embed/77", "/embed/compare")
CLOSED = (
    "/",
    "/assets/1",
    "/es/compare?ids=1",
    "/keys",
    "/embedded",
    "/assets/embed/1",
    "/spark/1.svg",
)


def test_embeds_may_be_framed_by_anyone_and_are_as_strict_as_pages_else(
    sqlite_web: Site,
) -> None:
    sqlite_web.store(SLOT)
    ordinary = sqlite_web.get("/log").headers

    for target in FRAMABLE * 2:  # made, and from the cache
        reply = sqlite_web.get(target)
        policy = reply.headers["content-security-policy"]
        assert policy == POLICY.replace("frame-ancestors 'none'", "frame-ancestors *")
        assert "x-frame-options" not in reply.headers
        others = ("x-content-type-options", "referrer-policy", "cross-origin-resource-policy")
        assert [reply.headers[name] for name in others] == [ordinary[name] for name in others]


def test_nothing_else_may_be_framed(sqlite_web: Site) -> None:
    sqlite_web.store(SLOT)

    for target in CLOSED * 2:  # made, and from the cache
        headers = sqlite_web.get(target).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_an_embed_shows_the_chart_its_age_its_source_and_the_way_to_the_page(
    sqlite_web: Site,
) -> None:
    sqlite_web.store(*slots_before(4))

    text = sqlite_web.get("/embed/1?range=7d&theme=dark").text

    assert re.search(r'<html lang="en"[^>]* data-theme="dark">', text)
    assert '<a href="/assets/1?range=7d" target="_blank" rel="noopener"><bdi>Asset 1</bdi>' in text
    assert 'datetime="2026-01-26T18:00:12Z"' in text
    assert "Data: CoinMarketCap" in text
    assert text.count('<path class="s s1"') == 1
    assert sqlite_web.get("/embed/1?theme=%22%3E").text.count("data-theme") == 0


def test_several_assets_keep_to_the_order_asked_for_and_unknown_ones_are_left_out(
    sqlite_web: Site,
) -> None:
    sqlite_web.store(*slots_before(4), ids=(1, 2, 3))

    text = sqlite_web.get("/embed/compare?ids=3,77,1,x").text

    assert re.findall(r'<a class="name"[^>]*>([^<]*)', text) == ["Asset 3", "Asset 1"]
    assert sqlite_web.get("/embed/compare?ids=77").status == 404
    assert 'class="embed"' in sqlite_web.get("/embed/compare?ids=77").text


def test_a_made_up_market_says_so_in_the_frame(sqlite_web: Site) -> None:
    sqlite_web.store(SLOT, source=SourceKind.SIMULATED)

    assert "SIMULATED" in sqlite_web.get("/embed/1").text
    assert "SIMULADO" in sqlite_web.get("/es/embed/1").text


HOSTILE = '"><script>alert(1)</script>'


def hostile(slot: int) -> Snapshot:
    return Snapshot(
        observed_at=slot + 12,
        source=SourceKind.COINMARKETCAP,
        assets=(Asset(1, HOSTILE, "<b>", "hostile"),),
        quotes=(quote(1),),
    )


def test_a_hostile_name_stays_a_name_in_frames_snippets_and_descriptions(sqlite_web: Site) -> None:
    sqlite_web.settle(SLOT, hostile(SLOT))

    for target in ("/embed/1", "/assets/1", "/compare?ids=1", "/spark/1.svg"):
        text = sqlite_web.get(target).text
        assert "<script>alert" not in text
        assert "<b>" not in text
    field = re.search(
        r"<textarea[^>]*>(.*?)</textarea>", sqlite_web.get("/assets/1").text, re.DOTALL
    )
    assert field
    snippet = unescape(field[1])
    assert snippet.count("<") == 2  # <iframe> and its end
    assert unescape(re.findall(r'title="([^"]*)"', snippet)[0]) == f"{HOSTILE}, coinlog"


def test_what_is_to_be_copied_leads_to_what_is_shown(sqlite_web: Site) -> None:
    sqlite_web.store(SLOT)

    text = sqlite_web.get("/es/assets/1?range=30d&field=market_cap&unknown=1").text
    values = [unescape(value) for value in re.findall(r'readonly value="([^"]*)"', text)]
    (snippet,) = re.findall(r"<textarea[^>]*>(.*?)</textarea>", text)

    assert values[0] == "http://coinlog.test/es/assets/1?range=30d&field=market_cap"
    (framed,) = re.findall(r'src="([^"]*)"', unescape(snippet))
    for address in (*values, unescape(framed)):
        assert sqlite_web.get(address.removeprefix("http://coinlog.test")).status == 200


def meta(text: str) -> dict[str, str]:
    """Return what a page tells those who show a link to it."""
    pairs = re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)">', text)
    return {name: unescape(content) for name, content in pairs}


PREVIEWS = {
    "/": ("/", "/og/home.png"),
    "/es/": ("/es/", "/es/og/home.png"),
    "/assets/1?range=30d&q=x": ("/assets/1?range=30d", "/og/assets/1.png?range=30d"),
    "/compare?ids=1,1027": ("/compare?ids=1,1027", "/og/compare.png?ids=1,1027"),
}


def test_a_page_tells_how_a_link_to_it_looks(sqlite_web: Site) -> None:
    sqlite_web.store(*slots_before(4))

    for target, (address, picture) in PREVIEWS.items():
        text = sqlite_web.get(target).text
        told = meta(text)
        assert told["og:url"] == f"http://coinlog.test{address}"
        assert told["og:image"] == f"http://coinlog.test{picture}"
        assert (told["og:image:width"], told["og:image:height"]) == ("1200", "630")
        assert told["twitter:card"] == "summary_large_image"
        assert told["og:title"] in text.partition("</title>")[0]
        assert all(told[f"og:{name}"] for name in ("type", "site_name", "locale", "description"))
        assert told["og:image:alt"]


def test_a_page_has_one_address_for_search_engines_whatever_it_shows(sqlite_web: Site) -> None:
    sqlite_web.store(SLOT)
    canonical = re.compile(r'<link rel="canonical" href="([^"]*)">')

    for target in ("/assets/1", "/assets/1?range=7d", "/assets/1?scale=log&theme=x"):
        assert canonical.findall(sqlite_web.get(target).text) == ["http://coinlog.test/assets/1"]
    assert canonical.findall(sqlite_web.get("/compare?ids=1,1027&range=7d").text) == [
        "http://coinlog.test/compare?ids=1,1027"
    ]
    other = sqlite_web.get("/assets/1", {"host": "other.test"}).text
    assert canonical.findall(other) == ["http://other.test/assets/1"]
    assert sqlite_web.get("/assets/1", {"host": '"><b>'}).status == 400
    assert canonical.findall(sqlite_web.get("/assets/1", {"host": "no_name"}).text) == []
    assert "canonical" not in sqlite_web.get("/nowhere").text


def test_search_engines_are_told_of_pages_that_are_there(sqlite_web: Site) -> None:
    sqlite_web.store(SLOT, ids=(1, 1027))

    robots = sqlite_web.get("/robots.txt").text
    assert "Disallow: /api/\n" in robots
    assert robots.endswith("Sitemap: http://coinlog.test/sitemap.xml\n")
    listed = re.findall(
        r"<loc>http://coinlog\.test([^<]*)</loc>", sqlite_web.get("/sitemap.xml").text
    )
    assert {"/", "/es/", "/log", "/assets/1", "/es/assets/1027"} <= set(listed)
    assert {sqlite_web.get(path).status for path in listed} == {200}
    nameless = {"host": "no_name"}
    assert "Sitemap" not in sqlite_web.get("/robots.txt", nameless).text
    assert sqlite_web.get("/sitemap.xml", nameless).status == 404


def test_a_page_that_does_not_know_its_host_offers_what_is_there_on_any(sqlite_web: Site) -> None:
    sqlite_web.store(SLOT)

    asset = sqlite_web.get("/assets/1", {"host": "no_name"}).text
    compared = sqlite_web.get("/compare?ids=1", {"host": "no_name"}).text

    assert 'readonly value="/assets/1"' in asset
    # A frame or a picture on another site needs a whole address.
    assert "/embed/1" not in asset
    assert "/spark/" not in asset
    assert "og:image" not in asset
    assert "<iframe" not in compared.replace("&lt;", "<")


def test_the_keys_have_a_page_that_every_page_leads_to(sqlite_web: Site) -> None:
    sqlite_web.store(SLOT)

    for prefix in ("", "/es"):
        assert f'<a id="keys-link" href="{prefix}/keys">' in sqlite_web.get(f"{prefix}/log").text
        assert sqlite_web.get(f"{prefix}/keys").text.count("<kbd>") > 10
