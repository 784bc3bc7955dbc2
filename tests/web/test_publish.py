"""Publishing into a folder: the server's own answers as files, and after a slot what changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
import sqlalchemy as sa

from backfills import put_asset_history
from browsing import NOW, fill_store
from coinlog.archive import open_archive
from coinlog.chunks.market import first_of_slot, slot_chunk
from coinlog.chunks.names import Month
from coinlog.chunks.record import Record
from coinlog.errors import UsageError
from coinlog.loading import sweep
from coinlog.market import SourceKind
from coinlog.publish import run
from coinlog.publish.changes import Changes
from coinlog.publish.edition import Marks
from coinlog.publish.jobs import among
from coinlog.publish.standing import Standing
from coinlog.slots import DAY
from coinlog.store import schema
from coinlog.store.ledger import read_head
from coinlog.store.reader import Reader
from coinlog.store.stretches import Names
from coinlog.store.writer import settle
from coinlog.watching import Advance
from editions import files_of, publish_at, unwatched
from samples import HOUR, SLOT, STEP, asset, settlement, snapshot
from sites import Site, site_on

FIRST = SLOT - 26 * DAY
IDS = (1, 1027, 52, 2790)
EARLIER = (*range(FIRST, FIRST + 4 * STEP, STEP), *range(SLOT - 6 * STEP, SLOT, STEP))
LINK = re.compile(r'(?:href|src|action)="(/[^"]*)"')


@pytest.fixture
def web(own_world: Path) -> Iterator[Site]:
    """Return a site with slots in two months, the newest not recorded yet."""
    with site_on(sa.URL.create("sqlite", database=str(own_world / "coinlog.db"))) as web:
        web.store(*EARLIER, ids=IDS)
        yield web


def published(web: Site, folder: Path, **options: object) -> set[str]:
    """Publish what a site holds, and return which files of the folder are new or others now."""
    before = inodes(folder)
    publish_at(web.engine.url, folder, web.now, **options)
    return {path for path, node in inodes(folder).items() if before.get(path) != node}


def inodes(folder: Path) -> dict[str, int]:
    """Return what tells a file that was written anew from one that was left alone."""
    return (
        {path: (folder / path).stat().st_ino for path in files_of(folder)}
        if folder.exists()
        else {}
    )


def is_asset_page(path: str) -> bool:
    return re.fullmatch(r"(es/)?assets/\d+/index\.html", path) is not None


def renewed(folder: Path) -> dict[str, bytes]:
    """Return all but the pages of assets and slots: those stay until what they say has changed."""
    page = re.compile(r"(es/)?(assets/\d+|log/\w+)/index\.html")
    return {path: body for path, body in files_of(folder).items() if not page.fullmatch(path)}


def test_data_is_what_the_server_answers_and_every_link_leads_to_a_file(tmp_path: Path) -> None:
    url = sa.URL.create("sqlite", database=str(tmp_path / "coinlog.db"))
    fill_store(url)
    folder = tmp_path / "site"
    done = publish_at(url, folder, NOW)
    files = files_of(folder)

    assert (done.written, done.first, done.slot) == (len(files), True, SLOT)
    with site_on(url) as web:
        web.now = NOW
        for path in (path for path in files if path.startswith("data/")):
            assert files[path] == web.get(f"/{path}").body, path
        names = {path.rpartition("/")[2] for path in files if path.startswith("data/assets/1/")}
        # The newest month has its days in it.
        kinds = ("2025-12", "2025-12.days", "2026-01", "2025")
        assert names == {f"{kind}.json" for kind in kinds}
        for address, entry in web.app.static.items():
            assert files[address.decode().lstrip("/")] == entry.plain().content
    pages = {path: body.decode() for path, body in files.items() if path.endswith(".html")}
    assert {"index.html", "es/index.html", "es/assets/666/index.html", "404.html"} <= pages.keys()
    for path, page in pages.items():
        # Parts of pages begin with themselves.
        assert "</html>" not in page or 'data-edition="published"' in page
        assert "/api/" not in page, path
        for link in LINK.findall(page):
            there = urlsplit(link).path.strip("/")
            assert {there, f"{there}/index.html".lstrip("/")} & files.keys(), f"{path}: {link}"
    assert "<script>alert" not in pages["assets/666/index.html"]
    # Nobody has said where the folder will be served, so no page names a place.
    assert not any("localhost" in page or 'rel="canonical"' in page for page in pages.values())
    assert "sitemap.xml" not in files
    assert {
        "keys/index.html",
        "log/slots-2026-01-16.html",
        "log/calendar-2025.html",
    } <= pages.keys()
    assert 'data-line="1"' in pages["compare/index.html"]
    assert "embed/" not in pages["assets/1/index.html"]


def test_pages_name_the_address_that_they_are_told(web: Site, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    publish_at(web.engine.url, folder, web.now)
    changed = published(web, folder, origin="https://coinlog.example")
    files = files_of(folder)
    page = files["es/assets/1/index.html"].decode()
    assert '<link rel="canonical" href="https://coinlog.example/es/assets/1">' in page
    assert "og:image" not in page
    assert b"<loc>https://coinlog.example/es/assets/1</loc>" in files["sitemap.xml"]
    assert b"/schema<" not in files["sitemap.xml"]
    assert b"Sitemap: https://coinlog.example/sitemap.xml" in files["robots.txt"]
    assert not any(path.startswith("data/") for path in changed)
    assert published(web, folder, origin="https://coinlog.example") == set()


def test_a_slot_renews_what_it_is_in_and_nothing_else(store_url: sa.URL, tmp_path: Path) -> None:
    """The new slot lacks one asset and has a new one; the same as if all were published anew."""
    with site_on(store_url) as web:
        web.store(*EARLIER, ids=IDS)
        web.now = SLOT - STEP + HOUR
        folder = tmp_path / "site"
        published(web, folder)
        assert published(web, folder) == set()
        web.store(SLOT, ids=(1, 1027, 2790, 4687))
        web.now = SLOT + HOUR

        changed = published(web, folder)

        months = {f"data/assets/{one}/2026-01.json" for one in (*IDS, 4687)}
        data = {path for path in changed if path.startswith("data/")}
        assert data == {
            *months,
            "data/latest.json",
            "data/market.json",
            "data/log/2026-01.json",
            f"data/slots/{SLOT}.json",
        }
        # One is new, and one says since when it is not listed: the others' pages stay.
        assert {path for path in changed if is_asset_page(path)} == {
            f"{prefix}assets/{one}/index.html" for one in (52, 4687) for prefix in ("", "es/")
        }
        anew = tmp_path / "anew"
        published(web, anew)
        assert renewed(folder) == renewed(anew)
        assert files_of(folder).keys() == files_of(anew).keys()


def test_time_alone_renews_what_it_changes(web: Site, tmp_path: Path) -> None:
    """A missed slot, and the end of a month."""
    folder = tmp_path / "site"
    published(web, folder)
    web.now = SLOT + 10 * DAY

    changed = published(web, folder)

    anew = tmp_path / "anew"
    published(web, anew)
    assert {"data/latest.json", "data/log/2026-02.json", "data/assets/1/2026-01.json"} <= changed
    assert f"data/assets/1/{FIRST}.json" not in changed
    assert renewed(folder) == renewed(anew)


def test_months_of_the_past_are_renewed_when_something_was_settled_in_them(
    web: Site, tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    published(web, folder)
    archive = open_archive(str(tmp_path / "archive"))
    points = {FIRST - 3 * DAY + hour * HOUR: 7.5 for hour in (0, 24)}
    put_asset_history(archive, 1027, points, DAY)
    list(sweep(web.engine, archive, clock=lambda: web.now))

    backfilled = published(web, folder)
    late = FIRST - 2 * STEP
    web.store(late, ids=(1,))
    settled = published(web, folder)

    assert "data/assets/1027/2025-12.json" in backfilled
    assert "data/assets/1/2025-12.json" not in backfilled
    assert {f"data/slots/{late}.json", "data/assets/1/2025-12.json"} <= settled
    assert "data/assets/1/2025.json" in settled
    anew = tmp_path / "anew"
    published(web, anew)
    assert renewed(folder) == renewed(anew)


def test_an_asset_that_is_renamed_has_its_page_renewed(web: Site, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    published(web, folder)
    named = snapshot(IDS, observed_at=SLOT + 12)
    called = [asset(1, "<b>Bitcoin</b>", "BTC"), *named.assets[1:]]
    web.settle(SLOT, msgspec.structs.replace(named, assets=tuple(called)))

    changed = {path for path in published(web, folder) if is_asset_page(path)}

    assert changed == {"assets/1/index.html", "es/assets/1/index.html"}
    assert b"&lt;b&gt;Bitcoin&lt;/b&gt;" in (folder / "assets/1/index.html").read_bytes()


def test_what_is_gone_is_removed_and_what_others_put_there_stays(web: Site, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    published(web, folder)
    for theirs in ("CNAME", "data/assets/52/notes.txt"):
        (folder / theirs).write_text("mine")
    with web.engine.begin() as connection:
        for table in (schema.quote, schema.latest):
            connection.execute(table.delete().where(table.c.asset_id == 52))
        connection.execute(schema.asset.delete().where(schema.asset.c.id == 52))
        early = schema.slot.c.slot <= FIRST
        connection.execute(schema.slot.delete().where(early))
        connection.execute(schema.quote.delete().where(schema.quote.c.slot <= FIRST))

    published(web, folder)

    assert (folder / "CNAME").read_text() == "mine"
    left = [path for path in files_of(folder) if "assets/52/" in path or str(FIRST) in path]
    assert left == ["data/assets/52/notes.txt"]


def test_a_run_that_was_stopped_goes_on_where_it_was(
    web: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, anew = tmp_path / "site", tmp_path / "anew"
    monkeypatch.setattr("coinlog.publish.jobs._WHOLE_BATCH", 2)

    @contextmanager
    def impatient(_what: str, _total: int | None) -> Iterator[Advance]:
        def stop(_: int) -> None:
            raise KeyboardInterrupt

        yield stop

    with pytest.raises(KeyboardInterrupt):
        published(web, folder, watch=impatient)
    half = inodes(folder)
    assert "data/latest.json" not in half
    assert "assets/1/index.html" in half
    assert not list(folder.rglob("*.part"))

    changed = published(web, folder)
    published(web, anew)

    assert files_of(folder) == files_of(anew)
    assert not {path for path in changed if "assets/1/" in path}


def test_processes_write_the_same_files(
    web: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(web, tmp_path / "alone", processes=1)
    monkeypatch.setattr(run, "_ALONE_BELOW", 1)

    published(web, tmp_path / "together", processes=2)

    assert files_of(tmp_path / "together") == files_of(tmp_path / "alone")


def test_all_brings_back_what_was_lost(web: Site, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    published(web, folder)
    whole = files_of(folder)
    lost = ("data/assets/1/2025-12.json", "assets/1/index.html", "data/log/2025-12.json")
    for path in lost:
        (folder / path).unlink()

    assert published(web, folder) == set()
    assert published(web, folder, everything=True) == set(lost)
    assert files_of(folder) == whole


def test_a_folder_that_is_not_ours_is_left_alone(web: Site, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "thesis.tex").write_text("mine")

    with pytest.raises(UsageError, match="is not empty"):
        published(web, theirs)

    assert [path.name for path in theirs.iterdir()] == ["thesis.tex"]
    folder = tmp_path / "site"
    published(web, folder)
    with site_on(sa.URL.create("sqlite", database=str(tmp_path / "made-up.db"))) as other:
        found = snapshot(IDS, source=SourceKind.SIMULATED)
        settle(other.engine, settlement(found=found, source=SourceKind.SIMULATED), SLOT + 20)
        with pytest.raises(UsageError, match="another place"):
            published(other, folder)


def test_nothing_is_published_before_the_terms_are_agreed_to(web: Site, tmp_path: Path) -> None:
    told: list[str] = []
    folder = tmp_path / "site"

    def refuse(terms: str) -> bool:
        told.append(terms)
        return False

    with pytest.raises(UsageError, match="--yes"):
        publish_at(web.engine.url, folder, web.now, consent=refuse)
    assert not folder.exists()
    publish_at(web.engine.url, folder, web.now)
    web.store(SLOT, ids=IDS)
    publish_at(web.engine.url, folder, web.now, consent=refuse)

    assert len(told) == 1
    assert "redistributing" in told[0]


def test_the_first_assets_of_a_slot_are_found_wherever_they_stand(web: Site) -> None:
    """Ranks that repeat, have holes and are unknown: the same as looking at all of them."""
    ids = range(5000, 5260)
    web.store(SLOT, ids=[*IDS, *ids])
    table = schema.quote.c
    with web.engine.begin() as connection:
        for one in ids:
            rank = None if one % 50 == 0 else one % 200 + (90 if one % 3 else 250)
            here = schema.quote.update().where(table.asset_id == one)
            connection.execute(here.values(rank=rank))
        connection.execute(
            schema.asset.update().where(schema.asset.c.id == 2790).values(is_fiat=True)
        )
    reader = Reader(web.engine)
    record = Record(reader, read_head(reader), web.now, lambda _: pytest.fail("no gaps here"))
    whole = slot_chunk(record, SLOT)
    assert whole is not None
    best = {one: (one % 200 + (90 if one % 3 else 250) if one % 50 else 2**31) for one in ids}
    best |= dict.fromkeys(IDS[:3], 2**31)

    months = dict.fromkeys([*best, 2790], Month(2026, 1))

    standing = Standing(
        head=record.head,
        now=web.now,
        state="",
        marks=Marks(),
        last_months=months,
        facts={},
        slots=[],
        ledger=[],
        changes=Changes(None),
        fiat=frozenset({2790}),
    )

    known = among(standing, best, {SLOT: whole["total"]})
    assert known is not None
    assert 0 < len(known.ids) < len(ids)

    for most in (10, 60, 200):
        first = first_of_slot(record, SLOT, Names(reader), most, known)
        assert first == first_of_slot(record, SLOT, Names(reader), most)
        assert first is not None
        assert first["total"] == whole["total"]
        assert first["assets"]["id"] == whole["assets"]["id"][:most]


def test_two_runs_do_not_meet(web: Site, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    published(web, folder)

    @contextmanager
    def meanwhile(what: str, total: int | None) -> Iterator[Advance]:
        with pytest.raises(UsageError, match="at work"):
            published(web, folder, everything=True)
        with unwatched(what, total) as advance:
            yield advance

    published(web, folder, everything=True, watch=meanwhile)
