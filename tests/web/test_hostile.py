"""Hostile names in everything that is answered and written: each stays a text, in every format."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import time_machine
from PIL import Image

from coinlog.attempts import slot_name
from coinlog.market import Asset
from editions import publish_at
from hostile import IDS, NAMES, NOW, SLOTS, called, fill_hostile, skeleton
from program import run_here
from ready import ReadyFile
from sites import Site, site_on

ALL = ",".join(map(str, IDS[:10]))
REST = ",".join(map(str, IDS[10:20]))
FAILED, PARTIAL = (f"/log/{slot_name(SLOTS[place])}" for place in (4, 2))
PAGES = (
    *(
        "/",
        "/es/",
        "/overview",
        "/log",
        FAILED,
        PARTIAL,
        f"/market?at={SLOTS[0]}",
        "/keys",
        "/schema",
    ),
    *(f"/assets/{one}" for one in IDS),
    *(f"/embed/{one}" for one in IDS),
    *(f"/{kind}?ids={ids}" for kind in ("compare", "embed/compare") for ids in (ALL, REST)),
    *(f"/?part=market&sort={sort}" for sort in ("name", "-symbol")),
)
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def filled(web: Site, *, tame: bool) -> Site:
    web.now = float(NOW)
    fill_hostile(web.engine.url, tame=tame)
    return web


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, ready_file: ReadyFile) -> Iterator[Site]:
    """Return a site whose market calls everything by a hostile name."""
    with site_on(ready_file.copy(tmp_path_factory.mktemp("hostile") / "coinlog.db")) as web:
        yield filled(web, tame=False)


@pytest.fixture(scope="module")
def tame(tmp_path_factory: pytest.TempPathFactory, ready_file: ReadyFile) -> Iterator[Site]:
    """Return the same market with harmless names."""
    with site_on(ready_file.copy(tmp_path_factory.mktemp("tame") / "coinlog.db")) as web:
        yield filled(web, tame=True)


def same_but_for_words(found: str, expected: str) -> None:
    """Compare two pages' elements, attributes and addresses; look at their data too."""
    mine, theirs = skeleton(found), skeleton(expected)
    assert mine.parts == theirs.parts
    assert len(mine.scripts) == len(theirs.scripts)
    for address in mine.addresses:
        assert re.match(r"(/|\?|#|https?://|data:image/svg\+xml[,;]|$)", address), address
    for one in mine.scripts:
        json.loads(one)


@pytest.mark.parametrize("target", PAGES)
def test_a_page_is_made_of_the_same_elements_whatever_things_are_called(
    hostile: Site, tame: Site, target: str
) -> None:
    reply, expected = hostile.get(target), tame.get(target)

    assert (reply.status, expected.status) == (200, 200)
    same_but_for_words(reply.text, expected.text)


def test_the_data_in_a_page_calls_assets_as_they_are_called(hostile: Site) -> None:
    for place, asset_id in enumerate(IDS):
        scripts = skeleton(hostile.get(f"/assets/{asset_id}").text).scripts
        lines = [one["lines"][0] for text in scripts if "lines" in (one := json.loads(text))]
        found = [(one["name"], one["symbol"], one["slug"]) for one in lines]
        who = called(place)
        assert found == [(who.name, who.symbol, who.slug)]


def test_json_has_every_name_as_it_is(hostile: Site) -> None:
    found = {
        one["id"]: Asset(one["id"], one["name"], one["symbol"], one["slug"])
        for one in hostile.json("/api/v1/assets?limit=100")["assets"]
    }

    assert found == {IDS[place]: called(place) for place in range(len(IDS))}
    assert set(map(str, IDS)) == set(map(str, hostile.json("/data/market.json")["assets"]["id"]))


def test_each_hostile_name_can_be_searched_for(hostile: Site) -> None:
    for place, name in enumerate(NAMES):
        words = called(place, renamed=False).name[:100]
        if words.isprintable() and words.strip() == words:
            reply = hostile.get("/api/v1/assets?q=" + _quoted(words))
            assert reply.status == 200, name
            assert reply.json()["total"] >= 1


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


@pytest.mark.parametrize("kind", ["series", "candles"])
def test_csv_has_the_name_in_one_safe_cell(hostile: Site, kind: str) -> None:
    for place, asset_id in enumerate(IDS):
        reply = hostile.get(f"/api/v1/assets/{asset_id}/{kind}.csv")
        text = reply.body.decode()
        rows = list(csv.reader(io.StringIO(text, newline="")))
        assert {len(row) for row in rows} == {len(rows[0])}
        assert len(rows) == text.count("\r\n") == (8 if kind == "series" else 3)
        for cell in (cell for row in rows for cell in row):
            assert not cell.startswith(("=", "+", "-", "@"))
            assert not CONTROLS.search(cell.removeprefix("\t"))
        column = rows[0].index("name")
        words = set(called(place).name.split()) - {"\x00nul\x0b\u2028\ufffe"}
        assert not words or any(one in rows[1][column] or CONTROLS.search(one) for one in words)
        name = rf'attachment; filename="coinlog-{asset_id}-(series|candles-1d)\.csv"'
        assert re.fullmatch(name, reply.headers["content-disposition"])


def test_pictures_and_lists_are_well_formed_and_hold_names_as_text(hostile: Site) -> None:
    namespace = "{http://www.w3.org/2000/svg}"
    for asset_id in IDS:
        svg = ET.fromstring(hostile.get(f"/spark/{asset_id}.svg").body)  # noqa: S314  our own
        kinds = [one.tag.removeprefix(namespace) for one in svg.iter()]
        assert kinds == ["svg", "title", "style", "path"]
    for target in ("/og/home.png", "/og/assets/10.png", f"/og/compare.png?ids={ALL}"):
        picture = Image.open(io.BytesIO(hostile.get(target).body))
        assert picture.format == "PNG"
    feed = ET.fromstring(hostile.get("/log.atom").body)  # noqa: S314  our own
    assert len(feed.findall("{http://www.w3.org/2005/Atom}entry")) == 2
    sitemap = ET.fromstring(hostile.get("/sitemap.xml").body)  # noqa: S314  our own
    assert {one.tag.rpartition("}")[2] for one in sitemap.iter()} == {
        "urlset",
        "url",
        "loc",
        "link",
    }


def test_no_header_of_any_answer_holds_a_name(hostile: Site, tame: Site) -> None:
    for target in (*PAGES, "/api/v1/assets/1", "/spark/1.svg", "/log.atom"):
        found, expected = hostile.get(target), tame.get(target)
        own = ("etag", "content-length")
        assert {k: v for k, v in found.headers.items() if k not in own} == {
            k: v for k, v in expected.headers.items() if k not in own
        }


def test_a_published_edition_is_made_of_the_same_elements(
    hostile: Site, tame: Site, tmp_path: Path
) -> None:
    for name, web in (("hostile", hostile), ("tame", tame)):
        publish_at(web.engine.url, tmp_path / name, NOW)
    pages = sorted((tmp_path / "tame").rglob("*.html"))
    assert len(pages) > len(IDS)

    for page in pages:
        place = page.relative_to(tmp_path / "tame")
        mine = (tmp_path / "hostile" / place).read_text(encoding="utf-8")
        same_but_for_words(mine, page.read_text(encoding="utf-8"))
    names = [path.name for path in (tmp_path / "hostile").rglob("*")]
    assert sorted(names) == sorted(path.name for path in (tmp_path / "tame").rglob("*"))


def test_no_foreign_text_steers_a_terminal(hostile: Site) -> None:
    url = hostile.engine.url.render_as_string(hide_password=False)
    with time_machine.travel(NOW, tick=False):
        done = run_here("status", COINLOG_DATABASE_URL=url)

    assert "owned" in done.stdout
    assert not CONTROLS.search(done.stdout + done.stderr)


def test_an_export_holds_names_as_cells(hostile: Site, tmp_path: Path) -> None:
    url = hostile.engine.url.render_as_string(hide_password=False)
    out = tmp_path / "assets.csv"

    done = run_here("export", str(out), "--what", "assets", COINLOG_DATABASE_URL=url)

    assert done.returncode == 0, done.stderr
    rows = list(csv.reader(io.StringIO(out.read_text(encoding="utf-8"), newline="")))
    assert len(rows) == 1 + len(IDS)
    assert not any(CONTROLS.search(cell.removeprefix("\t")) for row in rows for cell in row)
