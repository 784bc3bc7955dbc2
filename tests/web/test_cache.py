"""The byte cache: what was answered is sent again, until it is no longer right."""

from __future__ import annotations

import gzip

import pytest
import sqlalchemy as sa

from coinlog.web.canonical import key_of
from coinlog.web.entries import Entries, Entry
from coinlog.web.language import preferred
from coinlog.web.looking import TURNS_AT_ONCE
from coinlog.web.negotiation import takes_gzip
from samples import SLOT, STEP, snapshot
from sites import Site, site_on

SERIES = "/api/v1/assets/1/series?range=1d"
GZIP = {"accept-encoding": "gzip, deflate, br"}


def test_a_second_request_is_answered_without_asking_the_store(web: Site) -> None:
    web.store(SLOT)
    first = web.get(SERIES, GZIP)

    second = web.get(SERIES, GZIP)

    assert (web.app.misses, web.app.hits) == (1, 1)
    assert second.body == first.body
    assert second.headers == first.headers


def test_the_same_question_written_otherwise_has_the_same_answer(web: Site) -> None:
    web.store(SLOT)

    for target in ("/?q=&sort=rank", "/", "/?offset=0&utm_source=x", "/?range=1y&limit=50"):
        web.get(target, GZIP)

    assert web.app.misses == 1


def test_a_stored_slot_begins_a_new_generation(web: Site) -> None:
    web.store(SLOT - STEP)
    before = web.json(SERIES)
    web.store(SLOT)

    unnoticed = web.json(SERIES)
    web.look()
    noticed = web.json(SERIES)

    assert unnoticed == before
    assert noticed["slots"] == [SLOT - STEP, SLOT]


def test_a_store_that_is_written_to_without_end_leaves_answers_their_worth_for_a_while(
    sqlite_web: Site,
) -> None:
    began = sqlite_web.app.looks.generation
    for number in range(4 * TURNS_AT_ONCE):
        sqlite_web.settle(SLOT, snapshot(price=float(number)), attempt=str(number))
        sqlite_web.settle(SLOT - (number + 1) * STEP, snapshot())
        sqlite_web.look()
        sqlite_web.json(SERIES)

    assert sqlite_web.app.looks.generation - began <= TURNS_AT_ONCE + 1
    # What changes besides is told at once.
    sqlite_web.now = SLOT + STEP + 37 * 60
    sqlite_web.look()
    assert sqlite_web.json(SERIES)["stale"] is True


def test_time_alone_begins_a_new_generation_when_a_slot_is_missed(web: Site) -> None:
    web.store(SLOT)
    assert web.json(SERIES)["stale"] is False
    web.look()

    web.now = SLOT + STEP + 37 * 60
    web.look()

    assert web.json(SERIES)["stale"] is True


def test_an_unchanged_answer_is_not_sent_again(web: Site) -> None:
    web.store(SLOT)
    etag = web.get(SERIES, GZIP).headers["etag"]

    for headers in ({"if-none-match": etag}, {"if-none-match": f'"x", {etag}'}):
        reply = web.get(SERIES, {**GZIP, **headers})
        assert (reply.status, reply.body) == (304, b"")
        assert reply.headers["etag"] == etag
    assert web.get(SERIES, {"if-none-match": '"other"'}).status == 200


def test_a_client_without_gzip_gets_the_same_answer_plain(web: Site) -> None:
    web.store(SLOT)
    packed = web.get("/", GZIP)

    plain = web.get("/")

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["etag"] == plain.headers["etag"]
    assert packed.headers["content-length"] == str(len(packed.body))


def test_head_has_the_headers_of_get_and_no_body(web: Site) -> None:
    web.store(SLOT)
    for target in ("/", SERIES, "/static/nothing.js", "/live", "/api/v1/assets?limit=0"):
        head, got = web.get(target, GZIP, method="HEAD"), web.get(target, GZIP)

        assert head.body == b""
        assert (head.status, head.headers) == (got.status, got.headers)


def test_pages_are_asked_for_again_and_data_keeps_for_half_a_minute(web: Site) -> None:
    web.store(SLOT)

    caching = {target: web.get(target).headers["cache-control"] for target in ("/", SERIES)}

    assert caching == {"/": "no-cache", SERIES: "max-age=30"}
    assert web.get("/nowhere").headers["cache-control"] == "no-store"
    assert web.get("/live").headers["cache-control"] == "no-store"


def test_a_store_without_tables_says_what_to_do(store_url: sa.URL) -> None:
    with site_on(store_url) as web:
        with web.engine.begin() as connection:
            connection.execute(sa.text("DROP VIEW IF EXISTS v_log"))
            connection.execute(sa.text("DROP TABLE store"))

        reply = web.get("/api/v1/assets")

    assert reply.status == 503
    assert "it has no tables yet: `coinlog load` makes them" in reply.error["message"]


def test_the_memory_for_answers_is_bounded_and_the_least_asked_for_goes_first() -> None:
    entries = Entries(limit_bytes=30_000)
    for number in range(10):
        entries.put((str(number),), Entry(bytes(5000), []))
        entries.get(("0",))

    assert entries.bytes <= 30_000
    assert entries.get(("0",)) is not None
    assert entries.get(("1",)) is None


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        (b"gzip", True),
        (b"br, GZIP;q=0.5", True),
        (b"*", True),
        (b"gzip;q=0", False),
        (b"gzip;q=0.000", False),
        (b"br", False),
        (b"", False),
    ],
)
def test_gzip_is_sent_to_those_who_take_it(header: bytes, *, taken: bool) -> None:
    assert takes_gzip(header) is taken


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("es-CO,es;q=0.9,en;q=0.8", "es"),
        ("en-US,en;q=0.9,es;q=0.8", "en"),
        ("fr", "en"),
        ("", "en"),
        ("es;q=nonsense", "en"),
        ("es;q=0", "en"),
    ],
)
def test_the_browsers_first_choice_among_our_languages_counts(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


def test_only_the_bare_home_page_follows_the_browsers_language(web: Site) -> None:
    spanish = {"accept-language": "es"}
    reply = web.get("/", spanish)

    assert (reply.status, reply.headers["location"]) == (302, "/es/")
    assert reply.headers["vary"] == "accept-language"
    assert web.get("/?lang=en", spanish).status == 200
    assert web.get("/log", spanish).status == 200
    assert web.get("/", {**spanish, "sec-fetch-site": "same-origin"}).status == 200
    assert web.get("/", {**spanish, "referer": "http://coinlog.test/log"}).status == 200


def test_names_of_answers_leave_out_defaults_and_what_pages_ignore() -> None:
    assert key_of("/", b"range=1y&x=1") == key_of("/", b"")
    assert key_of("/es/", b"") == key_of("/es", b"")
    assert key_of("/es", b"") != key_of("/", b"")
    assert key_of("/api/v1/assets", b"limit=100&q=a") == key_of("/api/v1/assets", b"q=a")
    assert key_of("/api/v1/assets", b"x=1") != key_of("/api/v1/assets", b"")
    assert key_of("/live", b"") is None
    assert key_of("/nowhere", b"") is None
