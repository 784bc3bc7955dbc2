"""The database is away: what was known is shown with its age, and nobody has to start anything."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
import sqlalchemy as sa

from coinlog.slots import iso
from coinlog.store.reader import Reader
from coinlog.web.i18n import languages
from coinlog.web.security import Scope
from coinlog.web.sending import Answer, nothing_more
from coinlog.web.shell import prefix_of
from coinlog.web.standby import OTHERS, PAGES, Standby
from program import page_settings, running
from ready import ReadyFile
from samples import HOUR, SLOT, STEP
from servers import MariaDB
from sites import NOW, Site, site_on
from wires import wire

SERIES = "/api/v1/assets/1/series?range=1d"
AWAY = "coinlog-store-away-since"
PATIENCE = 30


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDB]:
    """Return a MariaDB for these tests alone, to kill and start again."""
    server = MariaDB()
    yield server
    server.remove()


@pytest.fixture
def own_mariadb(server: MariaDB) -> MariaDB:
    """Return it running, whatever a test before has done to it."""
    if server.process is None:
        server.start()
    return server


@pytest.fixture
def fragile(own_mariadb: MariaDB) -> Iterator[Site]:
    """Return a site whose database can be ended."""
    with own_mariadb.database() as url, site_on(url) as site:
        site.store(SLOT - STEP)
        site.store(SLOT)
        site.look()
        yield site


def test_a_kept_page_says_in_words_how_old_it_is_and_since_when_the_database_is_away(
    fragile: Site, own_mariadb: MariaDB
) -> None:
    before = {path: fragile.get(path).text for path in ("/", "/es/", "/embed/1")}
    fragile.now += 600
    own_mariadb.kill()
    fragile.look()
    fragile.now += 60

    page, spanish, embed = (fragile.get(path) for path in before)

    assert page.status == spanish.status == embed.status == 200
    assert (page.headers["age"], page.headers[AWAY]) == ("660", iso(NOW + 600))
    assert "The database has not answered since" in page.text
    assert "This page was made on" in page.text
    assert "La base de datos no responde desde el" in spanish.text
    assert "Esta página se generó el" in spanish.text
    assert "The database has not answered since" in embed.text
    # Nothing else has changed: every number is the one of its slot.
    for reply, whole in zip((page, spanish, embed), before.values(), strict=True):
        assert without_freshness(reply.text) == without_freshness(whole)
    assert fragile.get("/", {"if-none-match": page.headers["etag"]}).status == 304


def without_freshness(page: str) -> list[str]:
    return re.split(r'<p class="fresh .*?</p>', page, flags=re.DOTALL)


def test_a_kept_page_grows_stale_with_the_clock_and_so_does_json(
    fragile: Site, own_mariadb: MariaDB
) -> None:
    for path in ("/", SERIES, "/data/latest.json"):
        fragile.get(path)
    own_mariadb.kill()
    fragile.look()
    assert fragile.json(SERIES)["stale"] is False

    fragile.now = SLOT + STEP + HOUR
    fragile.look()
    page, series = fragile.get("/"), fragile.json(SERIES)

    assert '<p class="fresh amber" id="fresh" data-away' in page.text
    assert "1 slot missed" in page.text
    assert f'data-slot="{SLOT}"' in page.text
    assert f'data-next="{SLOT + 2 * STEP}"' in page.text
    assert (series["stale"], series["next_slot"]) == (True, SLOT + 2 * STEP)
    assert (series["as_of"], series["slots"]) == (SLOT + 12, [SLOT - STEP, SLOT])
    assert fragile.json("/data/latest.json")["stale"] is True


def test_an_answer_that_was_no_longer_the_newest_does_not_pass_for_new(
    fragile: Site, own_mariadb: MariaDB
) -> None:
    series = fragile.json(SERIES)
    fragile.get("/log")
    fragile.now = SLOT + STEP + 60.0
    fragile.store(SLOT + STEP)
    fragile.look()
    own_mariadb.kill()
    fragile.look()

    old, log = fragile.json(SERIES), fragile.get("/log")

    assert (old["slots"], old["as_of"]) == (series["slots"], series["as_of"])
    assert old["stale"] is True
    assert f'data-slot="{SLOT}"' in log.text


def test_what_nobody_has_asked_for_stands_by(fragile: Site, own_mariadb: MariaDB) -> None:
    asyncio.run(fragile.app.standby.prepare(share=0))
    own_mariadb.kill()
    fragile.look()

    for path in ("/", "/es/", "/market", "/log", "/es/assets/1", "/assets/1027", "/api/v1/assets"):
        reply = fragile.get(path, {"host": f"{len(path)}.example"})

        assert (reply.status, AWAY in reply.headers) == (200, True), path
        # It is one answer for all hosts, and names none of them.
        assert ".example" not in reply.text
    assert fragile.get("/data/latest.json").status == 200


def test_each_page_stands_by_in_its_own_language(on_file: Site, tmp_path: Path) -> None:
    file, pages = tmp_path / "coinlog.db", [*PAGES, "/assets/1", "/assets/1027"]
    paths = [prefix_of(language) + page for language in languages() for page in pages]
    before = {path: named(on_file.get(path).text) for path in paths}
    # Another process, which nobody has asked for any of them.
    other = Site(on_file.engine.url, there=False)
    other.now = on_file.now
    other.look()
    asyncio.run(other.app.standby.prepare(share=0))
    other.app.watch.reader.engine.dispose()
    file.rename(tmp_path / "elsewhere.db")

    with wire(other) as (host, port):
        address = f"http://{host}:{port}"
        until(lambda: status(address, "/ready") == 503)
        told = {path: httpx.get(address + path, trust_env=False) for path in paths}
    other.close()

    assert {AWAY in reply.headers for reply in told.values()} == {True}
    assert {path: named(reply.text) for path, reply in told.items()} == before
    assert {language for language, _, _ in before.values()} == set(languages())


def named(page: str) -> tuple[str, ...]:
    """Return a page's language, its title and its first heading."""
    heads = [re.search(rf"<{tag}>(.*?)<", page) for tag in ("title", "h1[^>]*")]
    language = re.search(r'<html lang="(.*?)"', page)
    return tuple(found[1] if found else "" for found in (language, *heads))


def test_an_outage_in_the_middle_of_a_round_is_made_good_when_it_is_over(
    fragile: Site, own_mariadb: MariaDB
) -> None:
    standby, looks = fragile.app.standby, fragile.app.looks
    # Two assets lead, and each page is made in each language.
    whole = len(OTHERS) + len(languages()) * (len(PAGES) + 2)

    async def storm() -> tuple[int, int, bool]:
        keeping = asyncio.create_task(standby.keep(look=0, rest=0, share=0))
        await until_then(lambda: len(standby) >= 3)
        await asyncio.to_thread(own_mariadb.kill)
        await fragile.app.look()
        assert looks.away
        interrupted = len(standby)
        await asyncio.to_thread(own_mariadb.start)
        await fragile.app.look()
        await until_then(lambda: len(standby) == whole or keeping.done())
        lives = not keeping.done()
        keeping.cancel()
        return interrupted, len(standby), lives

    interrupted, after, lives = asyncio.run(storm())

    assert interrupted < whole
    assert (after, lives) == (whole, True)


def test_an_answer_that_breaks_off_ends_no_round(asked_web: Site) -> None:
    broken = {"/log"}

    async def ask(scope: Scope) -> Answer:
        if scope["path"] in broken:
            raise ConnectionError("gone")
        answer = Answer()
        await asked_web.app.inner(scope, nothing_more, answer.catch)
        return answer

    asked_web.look()
    standby = Standby(asked_web.app.looks, ask)
    assert not asyncio.run(standby.prepare(share=0))
    before = len(standby)
    broken.clear()

    assert asyncio.run(standby.prepare(share=0))
    assert 0 < before == len(standby) - 1


def test_a_page_that_was_never_asked_for_says_since_when_and_shows_the_way(
    fragile: Site, own_mariadb: MariaDB
) -> None:
    own_mariadb.kill()
    fragile.look()
    fragile.now += 90

    page, spanish = fragile.get("/assets/1"), fragile.get("/es/assets/1")
    api, ready = fragile.get("/api/v1/assets/1"), fragile.get("/ready")

    since = iso(NOW)
    assert [one.status for one in (page, spanish, api, ready)] == [503] * 4
    assert {one.headers["retry-after"] for one in (page, spanish, api, ready)} == {"60"}
    assert "Try again in a minute" in page.text
    assert "try again in a minute" in api.error["message"]
    assert page.headers["content-type"].startswith("text/html")
    assert "The database has not answered since" in page.text
    assert "La base de datos no responde desde el" in spanish.text
    assert '<a href="/es/log"' in spanish.text
    assert f'datetime="{since}"' in page.text
    # Once, in words, and not again as the API says it.
    for text in (page.text, spanish.text):
        assert "has not been readable since" not in text
    for reply in (api, ready):
        assert reply.error["code"] == "store_unavailable"
        assert f"since {since}: it cannot be reached" in reply.error["message"]
        assert str(own_mariadb.port) not in reply.text
    assert fragile.get("/nowhere").status == 404
    assert fragile.get("/live").status == 200
    assert "coinlog_store_up 0" in fragile.get("/metrics").text


def test_a_store_that_comes_back_as_it_was_has_its_answers_back(
    fragile: Site, own_mariadb: MariaDB
) -> None:
    before = fragile.get("/")
    own_mariadb.kill()
    fragile.look()
    assert AWAY in fragile.get("/").headers
    own_mariadb.start()
    fragile.look()

    after = fragile.get("/")

    assert (after.body, after.headers) == (before.body, before.headers)
    assert fragile.app.misses == 1


def test_an_outage_is_noticed_by_the_first_who_asks(fragile: Site, own_mariadb: MariaDB) -> None:
    fragile.get("/")
    fragile.store(SLOT + STEP)
    fragile.look()
    own_mariadb.kill()

    reply = fragile.get("/")

    assert (reply.status, AWAY in reply.headers) == (200, True)


def test_a_database_that_says_nothing_is_away_and_holds_nobody_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = sa.URL.create("mysql+pymysql", "u", "p", "127.0.0.1", port, "d")
        site = Site(url, there=False)
        site.app.looks.deadline = 0.2
        site.look()

        reply = site.get("/api/v1/assets")

        assert reply.status == 503
        assert "it does not answer in time" in reply.error["message"]
        site.close()


@pytest.fixture
def on_file(tmp_path: Path, ready_file: ReadyFile) -> Iterator[Site]:
    """Return a site on a SQLite file, which has been read."""
    with site_on(ready_file.copy(tmp_path / "coinlog.db")) as site:
        site.store(SLOT)
        site.look()
        site.get("/")
        # What was written is in the file itself, and not beside it.
        site.engine.dispose()
        yield site


def test_a_file_that_is_gone_is_missed_and_never_made_anew(on_file: Site, tmp_path: Path) -> None:
    file, elsewhere = tmp_path / "coinlog.db", tmp_path / "elsewhere.db"
    file.rename(elsewhere)
    on_file.look()

    assert AWAY in on_file.get("/").headers
    assert "its file is not there" in on_file.get("/ready").error["message"]
    assert on_file.get("/log").status == 503
    assert not file.exists()

    elsewhere.rename(file)
    on_file.look()
    assert on_file.get("/log").status == 200
    assert AWAY not in on_file.get("/").headers


def test_another_file_in_its_place_is_read_from_then_on(
    on_file: Site, tmp_path: Path, ready_file: ReadyFile
) -> None:
    with site_on(ready_file.copy(tmp_path / "other.db")) as other:
        other.store(SLOT, SLOT - STEP, ids=(1, 1027, 5994))
    # What lies beside a file is a part of it.
    for name in ("coinlog.db-wal", "coinlog.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "other.db").rename(tmp_path / "coinlog.db")
    on_file.look()

    assert on_file.json("/api/v1/assets")["total"] == 3


def test_an_older_file_of_the_same_version_in_its_place_is_read_too(
    on_file: Site, tmp_path: Path, ready_file: ReadyFile
) -> None:
    on_file.store(SLOT + STEP)
    on_file.now += STEP
    on_file.engine.dispose()
    on_file.look()
    assert on_file.json("/fresh")["slot"] == SLOT + STEP
    newer = on_file.json("/api/v1/assets/1/series?range=1d"), on_file.get("/").body
    with site_on(ready_file.copy(tmp_path / "older.db")) as other:
        other.store(SLOT - STEP, SLOT)
        assert Reader(other.engine).version() == on_file.app.watch.reader.version()
    for name in ("coinlog.db-wal", "coinlog.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "older.db").rename(tmp_path / "coinlog.db")
    on_file.look()

    series = on_file.json("/api/v1/assets/1/series?range=1d")
    assert newer[0]["slots"] == [SLOT, SLOT + STEP]
    assert series["slots"] == [SLOT - STEP, SLOT]
    assert on_file.get("/").body != newer[1]
    # Four hours after it was due, the newest of this store's slots is missed.
    assert on_file.get("/fresh").status == 503


def test_a_file_that_is_damaged_is_told_as_such(on_file: Site, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"nothing of the kind" * 1000)
    damaged.rename(tmp_path / "coinlog.db")
    on_file.look()

    assert AWAY in on_file.get("/").headers
    assert "damaged" in on_file.get("/ready").error["message"]


def test_process_store_and_freshness_are_told_apart(fragile: Site, own_mariadb: MariaDB) -> None:
    assert health(fragile) == (200, 200, 200)
    assert fragile.json("/fresh")["slot"] == SLOT

    fragile.now = SLOT + STEP + HOUR
    assert health(fragile) == (200, 200, 503)
    assert fragile.get("/fresh").error["code"] == "stale"
    assert "1 slots were due" in fragile.get("/fresh").error["message"]

    fragile.store(SLOT + STEP)
    assert health(fragile) == (200, 200, 200)
    own_mariadb.kill()
    # No slot is due yet: what is there is new, whoever keeps it from being read.
    assert health(fragile) == (200, 503, 200)
    fragile.now += STEP + HOUR
    assert health(fragile) == (200, 503, 503)


def health(site: Site) -> tuple[int, int, int]:
    site.look()
    live, ready, fresh = (site.get(path).status for path in ("/live", "/ready", "/fresh"))
    return live, ready, fresh


def test_real_workers_outlive_a_killed_database_and_need_no_restart(own_mariadb: MariaDB) -> None:
    now = int(time.time()) // STEP * STEP
    with own_mariadb.database() as url:
        with site_on(url) as site:
            site.store(now - STEP, now)
        settings = page_settings(url)
        with running("serve", **settings) as process:
            address = f"http://127.0.0.1:{settings['COINLOG_PORT']}"
            until(lambda: status(address, "/ready") == 200)
            workers = {one.pid for one in psutil.Process(process.pid).children()}
            # Of each worker, as whoever connects anew meets either.
            for _ in range(20):
                assert status(address, "/") == 200

            own_mariadb.kill()
            until(lambda: all(status(address, "/ready") == 503 for _ in range(10)))
            told = [httpx.get(f"{address}/", trust_env=False) for _ in range(10)]
            assert {one.status_code for one in told} == {200}
            assert all("The database has not answered since" in one.text for one in told)
            assert status(address, "/live") == 200

            own_mariadb.start()
            until(lambda: all(status(address, "/ready") == 200 for _ in range(10)))
            until(lambda: all(AWAY not in headers(address) for _ in range(10)))
            assert {one.pid for one in psutil.Process(process.pid).children()} == workers


def status(address: str, path: str) -> int:
    try:
        return httpx.get(address + path, trust_env=False, timeout=20).status_code
    except httpx.TransportError:
        return 0


def headers(address: str) -> httpx.Headers:
    return httpx.get(f"{address}/", trust_env=False, timeout=20).headers


async def until_then(holds: Callable[[], bool]) -> None:
    """Let others go on until something holds, or for long enough."""
    give_up = time.monotonic() + PATIENCE
    while not holds() and time.monotonic() < give_up:
        await asyncio.to_thread(bool)


def until(holds: Callable[[], bool]) -> None:
    """Ask again and again until something holds."""
    give_up = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < give_up


def test_many_look_at_once_and_each_learns_of_it(asked_web: Site) -> None:
    async def all_of_them() -> None:
        for _ in range(20):
            await asyncio.gather(*(after(turns) for turns in range(12)))

    async def after(turns: int) -> None:
        for _ in range(turns):
            await asyncio.to_thread(int)
        await asked_web.app.look()

    asyncio.run(all_of_them())

    assert asked_web.get("/ready").status == 200
