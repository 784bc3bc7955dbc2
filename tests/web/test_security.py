"""What every answer carries, hostile names, and questions that make no sense."""

from __future__ import annotations

import time

import msgspec
import pytest

from coinlog.market import QUOTE_FIELDS, Asset, Snapshot, SourceKind
from coinlog.web.shell import PARTS
from samples import SLOT, quote
from sites import Site, slots_before

EXACT = {
    "content-security-policy": "default-src 'none'; object-src 'none'; script-src 'self'; "
    "style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types coinlog",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
FILE = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
}

TARGETS = (
    *("/", "/es/", "/assets/1", "/compare?ids=1,1027", "/log", "/schema", "/schema/openapi.json"),
    *("/api/v1/assets", "/api/v1/assets/1", "/api/v1/assets/1/series", "/api/v1/log"),
    *("/api/v1/assets/1/series.csv", "/live", "/ready", "/fresh", "/metrics"),
    *("/nowhere", "/static/nothing.js", "/assets/77", "/api/v1/assets?x=1", "/%ff"),
)


@pytest.mark.parametrize("target", TARGETS)
def test_every_answer_carries_the_same_headers_once(asked_webs: Site, target: str) -> None:
    for _ in range(2):  # made, and from the cache
        reply = asked_webs.get(target)
        assert {name: reply.headers.get(name) for name in EXACT} == EXACT
        assert len(reply.names) == len(set(reply.names))
        assert "server" not in reply.headers


@pytest.mark.parametrize("target", [*TARGETS, "/", "/static/"])
def test_by_https_every_answer_keeps_browsers_there_and_by_http_none_does(
    web: Site, target: str
) -> None:
    web.store(SLOT)
    file = next(iter(web.app.static)).decode() if target == "/static/" else target

    for _ in range(2):  # made, and from the cache
        by_https = web.get(file, scheme="https")
        assert by_https.headers["strict-transport-security"] == "max-age=31536000"
        assert len(by_https.names) == len(set(by_https.names))
        assert "strict-transport-security" not in web.get(file).headers


@pytest.mark.parametrize("target", TARGETS)
def test_every_answer_says_its_exact_type(asked_webs: Site, target: str) -> None:
    kind = asked_webs.get(target).headers["content-type"]

    assert kind in (
        *("text/html; charset=utf-8", "application/json", "text/csv; charset=utf-8"),
        "text/plain; version=0.0.4; charset=utf-8",
    )


def test_the_bundle_is_kept_for_a_year_and_may_do_nothing_as_a_page(asked_web: Site) -> None:
    for target in asked_web.app.static:
        reply = asked_web.get(target.decode(), {"accept-encoding": "gzip"})
        assert reply.status == 200
        assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
        found = {name: reply.headers.get(name) for name in EXACT if name in reply.headers}
        assert found == (FILE if target.endswith((b".js", b".css")) else EXACT)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "FOO"])
@pytest.mark.parametrize("target", ["/", "/api/v1/assets", "/static/x.js", "/nowhere"])
def test_nothing_but_reading_is_answered(asked_web: Site, method: str, target: str) -> None:
    reply = asked_web.get(target, method=method)

    assert (reply.status, reply.error["code"]) == (405, "method_not_allowed")
    assert reply.headers["allow"] == "GET, HEAD"


JUNK = ("/%ff", "/%zz", "/%", "/?q=%00", "/?q=%0", "/a\x00b", "/?q=\x01", "/\\x", "/%C0%AE", "/a b")


@pytest.mark.parametrize("target", [*JUNK, "/" + "a" * 100_000, "/?q=" + "a" * 5000])
def test_junk_is_refused_before_anything_looks_at_it(asked_web: Site, target: str) -> None:
    before = (asked_web.app.misses, asked_web.app.hits)

    reply = asked_web.get(target)

    assert (reply.status, reply.error["code"]) == (400, "bad_request")
    assert (asked_web.app.misses, asked_web.app.hits) == before


REFUSED = (
    *("assets?limit=1000000000", "assets?limit=0", "assets?offset=1000000001", "assets?offset=-1"),
    *("assets?limit=1&limit=1", "assets?surprise=1", "assets?q=" + "a" * 101, "assets?sort=;"),
    *("assets?ids=" + ",".join(map(str, range(1, 700))), "assets?at=1900-01-01", "assets?ids=1,x"),
    *("assets?at=3000-01-01", "log?limit=999999999", "log?before=yesterday", "assets?limit=null"),
    *("assets/1/series?points=1000000000", "assets/1/series?points=-1", "assets/1/series?points=9"),
    *("assets/1/series?points=null", "assets/1/series.csv?points=NULL"),
    *("assets/1/series?fields=price,password", "assets/1/series?from=1900-01-01&to=3000-01-01"),
    *("assets/1/series?from=2026-01-26&to=2025-01-01", "assets/1/series?range=1d&from=2026-01-01"),
    *("assets/1/candles?interval=5m", "assets/1/candles?interval=1h&from=x"),
)


@pytest.mark.parametrize("target", REFUSED)
def test_what_makes_no_sense_to_the_api_is_refused_in_one_shape(
    asked_webs: Site, target: str
) -> None:
    reply = asked_webs.get(f"/api/v1/{target}")

    assert (reply.status, reply.error["code"]) == (400, "bad_request")
    assert "expected" in reply.error["message"] or "give one" in reply.error["message"]


def test_more_fields_reach_less_far_back(web: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    slots = slots_before(10)
    web.store(*slots)
    for name in ("MAX_SLOTS", "MAX_ROWS"):
        monkeypatch.setattr(f"coinlog.timeline.{name}", 8)
    few, many = ",".join(QUOTE_FIELDS[:4]), ",".join(QUOTE_FIELDS[:8])

    for fields, count in ((few, 8), (many, 4)):
        asked = f"/api/v1/assets/1/series{{}}?fields={fields}"
        assert web.json(asked.format(""))["slots"] == slots[-count:]
        assert web.get(asked.format(".csv")).text.count("\r\n") == 1 + count


SILLY = (
    "/?range=1900-3000&q=%27%29%3B%20DROP%20TABLE%20asset%3B--&sort=;&limit=1e9&offset=-5&page=",
    "/?limit=999999999999999999999999&offset=99999999999999999999",
    "/assets/1?range=&field=%3Cscript%3E",
    "/compare?ids=" + ",".join(map(str, range(1, 800))),
    "/compare?ids=1,1,1,x,%F0%9F%92%A9,-5,99999999999999999999",
    "/compare",
    "/log?before=nonsense&limit=0",
    "/log?before=9999999999999",
    "/?q=" + "%F0%9F%92%A9" * 50,
    "/?q=%25%25_%5C%27%22",
    "/?part=nonsense&part=market",
    "/es/?range=all&range=1d",
)


@pytest.mark.parametrize("target", SILLY)
def test_pages_answer_silly_questions_quickly_and_never_fail(asked_webs: Site, target: str) -> None:
    started = time.perf_counter()

    reply = asked_webs.get(target)

    assert reply.status == 200
    assert time.perf_counter() - started < 2


def test_an_embedded_chart_has_no_parts_to_ask_for(asked_web: Site) -> None:
    whole = asked_web.get("/embed/1").body

    assert asked_web.get("/embed/1?part=chart").body == whole
    assert asked_web.get("/embed/compare?ids=1&part=chart").status == 200


def test_what_a_page_does_not_know_leaves_no_trace_in_it(asked_web: Site) -> None:
    asked_web.get("/overview?from=1769360400&q=surprise")

    assert "surprise" not in asked_web.get("/overview").text
    assert "1769360400" not in asked_web.get("/overview").text


@pytest.mark.parametrize("slots", [0, 1])
def test_no_part_of_a_page_fails_where_there_is_nothing_to_show(
    sqlite_web: Site, slots: int
) -> None:
    sqlite_web.store(*[SLOT][:slots])

    for page, parts in PARTS.items():
        for part in (*parts, "nonsense", ""):
            target = f"{page}{1 if page.endswith('/assets/') else ''}?part={part}"
            assert sqlite_web.get(target).status == (404 if "assets" in page and not slots else 200)


@pytest.mark.parametrize(
    "target",
    [
        *("/assets/0", "/assets/99999999999999999999", "/assets/x", "/assets/-1", "/assets/1.5"),
        *("/assets/", "/es/assets/77", "/assets/1/2", "/static/", "/static/..%2f..%2fapp.py"),
    ],
)
def test_what_is_not_there_is_404(asked_webs: Site, target: str) -> None:
    assert asked_webs.get(target).status == 404


HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "'); DROP TABLE asset; --",
    '"__proto__"',
    "\u202egnp.exe",
    "💩" * 50,
    "=HYPERLINK(1)",
    "line\nbreak",
    "javascript:alert(1)",
    "</script><script>alert(1)</script>",
    "{{ 7 * 7 }}",
)


def hostile_market() -> Snapshot:
    assets = tuple(
        Asset(number, name, name[:32], name[:200]) for number, name in enumerate(HOSTILE, 1)
    )
    quotes = tuple(quote(number) for number in range(1, len(HOSTILE) + 1))
    return Snapshot(SLOT + 12, SourceKind.COINMARKETCAP, assets, quotes)


def test_hostile_names_are_text_in_every_page(web: Site) -> None:
    web.settle(SLOT, hostile_market())

    for target in ("/", "/es/", "/compare?ids=1,2,9", *(f"/assets/{one}" for one in range(1, 11))):
        page = web.get(target).text
        assert "<img" not in page
        assert "<script>alert" not in page
        assert 'href="javascript:' not in page
        assert ">49<" not in page


def test_hostile_names_come_back_as_they_were_in_json(web: Site) -> None:
    web.settle(SLOT, hostile_market())

    names = [one["name"] for one in web.json("/api/v1/assets?sort=rank")["assets"]]

    assert sorted(names) == sorted(HOSTILE)


def test_hostile_names_are_one_safe_cell_in_csv(web: Site) -> None:
    web.settle(SLOT, hostile_market())

    for number in range(1, len(HOSTILE) + 1):
        lines = web.get(f"/api/v1/assets/{number}/series.csv?range=1d").text.split("\r\n")
        assert len(lines) == 3
        assert not any(cell.startswith(("=", "+", "@")) for cell in lines[1].split(","))


def test_a_failure_of_our_own_tells_the_public_nothing(
    web: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a canary of the inside")

    for module in ("api_market", "market_table"):
        monkeypatch.setattr(f"coinlog.web.{module}.read_listing", fail)
    web.store(SLOT)

    data, page = web.get("/api/v1/assets"), web.get("/")

    assert (data.status, data.error["code"]) == (500, "internal")
    assert page.status == 500
    assert "canary" not in data.text + page.text
    assert "a canary of the inside" in caplog.text


def test_even_a_failure_outside_the_application_has_the_one_shape(
    web: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("a canary of the inside")

    monkeypatch.setattr(web.app, "inner", fail)

    reply = web.get("/")

    assert (reply.status, reply.error["code"]) == (500, "internal")
    assert msgspec.json.decode(reply.body)["error"]["message"].startswith("something is wrong")
