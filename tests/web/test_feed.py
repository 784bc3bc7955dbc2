"""The Atom feed of failures: valid, one entry for each incident, at home behind any host."""

from __future__ import annotations

import re
from datetime import datetime
from xml.etree import ElementTree as ET

import msgspec

from coinlog.slots import DAY
from coinlog.store.writer import settle
from samples import SLOT, STEP, refused, settlement, snapshot
from sites import Site, slots_before

ATOM = "{http://www.w3.org/2005/Atom}"
GZIP = {"accept-encoding": "gzip"}
HOSTILE = "<b>no</b> & \x00\x1b\x0b\ud800\ufffe]]> 🪙".encode("utf-8", "replace").decode()


def read(web: Site, target: str = "/log.atom", host: str = "coinlog.test") -> ET.Element:
    reply = web.get(target, {"host": host})
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/atom+xml; charset=utf-8"
    return ET.fromstring(reply.body)  # noqa: S314  what we have written ourselves


def text_of(parent: ET.Element, name: str) -> str:
    """Return the text of an element that must be there once."""
    (found,) = parent.findall(ATOM + name)
    return found.text or ""


def links(parent: ET.Element) -> dict[str, str]:
    return {link.attrib["rel"]: link.attrib["href"] for link in parent.findall(f"{ATOM}link")}


def check(feed: ET.Element) -> list[ET.Element]:
    """Check the rules of RFC 4287 that readers rely on; return the entries."""
    entries = feed.findall(f"{ATOM}entry")
    assert feed.tag == f"{ATOM}feed"
    assert feed.find(f"{ATOM}author/{ATOM}name") is not None
    ids = [text_of(one, "id") for one in (feed, *entries)]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"tag:coinlog,2026:log[\w:/]*", one) for one in ids)
    for one in (feed, *entries):
        assert text_of(one, "title")
        assert datetime.fromisoformat(text_of(one, "updated")).tzinfo is not None
        assert "alternate" in links(one)
    updated = [text_of(one, "updated") for one in entries]
    assert updated == sorted(updated, reverse=True)
    assert text_of(feed, "updated") == max(updated, default=text_of(feed, "updated"))
    assert "self" in links(feed)
    return entries


def broken(web: Site) -> None:
    """Store a failure whose words are hostile, three missed slots, a partial and a stored one."""
    slots = slots_before(8)
    web.store(*slots[:2], slots[-1])
    failed = msgspec.structs.replace(settlement(slots[2]), detail=HOSTILE)
    settle(web.engine, failed, slots[2] + 20)
    web.settle(slots[6], snapshot((1,), missing=(refused(1027),)))


def test_each_incident_is_one_entry_newest_first(web: Site) -> None:
    broken(web)

    entries = check(read(web))

    slots = slots_before(8)
    assert [text_of(one, "title") for one in entries] == [
        "1 partial slot: 26 Jan 2026, 12:00\xa0UTC",
        "3 missed slots: 25 Jan 2026, 18:00\xa0UTC to 26 Jan 2026, 06:00\xa0UTC",
        "1 failed slot: 25 Jan 2026, 12:00\xa0UTC",
    ]
    assert text_of(entries[1], "id") == "tag:coinlog,2026:log/missed/20260125T180000Z"
    # It was known to be missed when the grace of its last slot was over.
    known = datetime.fromisoformat(text_of(entries[1], "updated")).timestamp()
    assert known == slots[5] + STEP // 10
    assert links(entries[1])["alternate"] == "http://coinlog.test/log/20260125T180000Z"
    assert text_of(entries[2], "summary").startswith("CoinMarketCap took too long to answer.\n")
    assert "<b>no</b> & " in text_of(entries[2], "summary")
    assert "🪙" in text_of(entries[2], "summary")


def test_an_incident_that_goes_on_stays_the_same_entry(web: Site) -> None:
    web.store(SLOT)
    web.now = SLOT + 2 * STEP + DAY / 10
    web.look()
    (before,) = check(read(web))

    web.now += STEP
    web.look()
    (after,) = check(read(web))

    assert text_of(after, "id") == text_of(before, "id")
    assert text_of(after, "updated") > text_of(before, "updated")
    assert text_of(after, "title").startswith("3 missed slots")


def test_spanish_has_a_feed_of_its_own_with_links_to_its_pages(web: Site) -> None:
    broken(web)

    spanish, english = read(web, "/es/log.atom"), read(web)

    assert text_of(check(spanish)[1], "title").startswith("3 tomas perdidas: Del 25 ene 2026")
    assert text_of(spanish, "id") != text_of(english, "id")
    assert links(spanish)["self"] == "http://coinlog.test/es/log.atom"
    assert links(check(spanish)[0])["alternate"].startswith("http://coinlog.test/es/log/")


def test_each_host_has_its_own_answer_also_from_the_cache(web: Site) -> None:
    broken(web)
    hosts = ("coinlog.test", "[::1]:5000", "other.example:8443")

    for _ in range(2):
        for host in hosts:
            reply = web.get("/log.atom", {**GZIP, "host": host})
            again = web.get("/log.atom", {**GZIP, "host": host})
            assert again.headers == reply.headers
            assert again.body == reply.body
            assert links(read(web, host=host))["self"] == f"http://{host}/log.atom"
    assert (web.app.misses, len(web.app.entries)) == (3, 3)
    https = web.get("/log.atom", scheme="https").text
    assert 'href="https://coinlog.test/log.atom"' in https
    # What is no host is not repeated: it is refused, or the links are relative.
    assert web.get("/log.atom", {"host": '"><script>'}).status == 400
    assert links(read(web, host=""))["self"] == "/log.atom"


def test_nothing_wrong_is_a_valid_feed_without_entries(web: Site) -> None:
    assert check(read(web)) == []
    web.store(SLOT)
    web.look()
    assert check(read(web)) == []


def test_only_the_last_thirty_days_are_told(web: Site) -> None:
    old = SLOT - 31 * DAY
    web.settle(old)
    web.store(*slots_before(122)[1::2], ids=(1,))

    entries = check(read(web))

    assert len(entries) == 60
    assert all(text_of(one, "title").startswith("1 missed slot") for one in entries)


def test_the_log_leads_to_its_feed(web: Site) -> None:
    for prefix in ("", "/es"):
        html = web.get(f"{prefix}/log").text
        assert '<link rel="alternate" type="application/atom+xml" title="coinlog: ' in html
        assert html.count(f'href="{prefix}/log.atom"') == 2
