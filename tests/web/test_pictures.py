"""The pictures of shared links: looked at pixel by pixel, after a real renderer has drawn them."""

from __future__ import annotations

import asyncio
import io
import subprocess
from collections import Counter
from itertools import pairwise

import pytest
from PIL import Image

from coinlog.market import Asset, Snapshot, SourceKind
from coinlog.web import painter
from coinlog.web.painter import Painter
from coinlog.web.picture import LINE, legible, shortened
from coinlog.web.problems import BusyError
from coinlog.web.static_files import STATIC
from samples import SLOT, STEP, quote
from sites import Site, slots_before

PLAIN_SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10">{}</svg>'


def colours(png: bytes) -> Counter[str]:
    """Return how many pixels of a picture have which colour."""
    picture = Image.open(io.BytesIO(png))
    assert picture.size == (1200, 630)
    found = picture.convert("RGB").getcolors(maxcolors=1200 * 630)
    assert isinstance(found, list)
    return Counter(
        {"#%02x%02x%02x" % colour: count for count, colour in found if isinstance(colour, tuple)}  # noqa: UP031 -- a colour
    )


def png_of(web: Site, target: str) -> bytes:
    reply = web.get(target)
    assert (reply.status, reply.headers["content-type"]) == (200, "image/png"), reply.text
    return reply.body


def columns(png: bytes, colour: str) -> list[int]:
    """Return where, from left to right, a colour is found below the headings."""
    picture = Image.open(io.BytesIO(png)).convert("RGB").crop((0, 230, 1200, 560))
    wanted = tuple(bytes.fromhex(colour[1:]))
    return [
        x
        for x in range(picture.width)
        if any(picture.getpixel((x, y)) == wanted for y in range(picture.height))
    ]


def moving(
    slot: int, *, name: str = "Bitcoin", source: SourceKind = SourceKind.COINMARKETCAP
) -> Snapshot:
    """Return a market whose first asset rises and falls."""
    turn = slot // STEP
    return Snapshot(
        observed_at=slot + 12,
        source=source,
        assets=(Asset(1, name, "BTC", "bitcoin"), Asset(2, "Two", "TWO", "two")),
        quotes=(quote(1, 100.0 + turn % 5), quote(2, 50.0 + turn % 3)),
    )


def test_an_assets_picture_shows_its_line_with_the_gap_and_only_other_sites_may_show_it(
    sqlite_web: Site,
) -> None:
    slots = slots_before(12)
    for slot in (*slots[:5], *slots[8:]):
        sqlite_web.settle(slot, moving(slot))

    png = png_of(sqlite_web, "/og/assets/1.png?range=7d")

    drawn = columns(png, LINE)
    widest = max(after - before for before, after in pairwise(drawn))
    assert len(drawn) > 300
    assert widest > 80  # where four slots of twelve are missing
    assert sqlite_web.get("/og/assets/1.png?range=7d").body == png
    assert sqlite_web.app.hits == 1
    headers = sqlite_web.get("/og/assets/1.png?range=7d", {"accept-encoding": "gzip"}).headers
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert "content-encoding" not in headers


def test_letters_come_from_our_own_font(sqlite_web: Site) -> None:
    for slot in slots_before(4):
        sqlite_web.settle(slot, moving(slot))

    with_letters = colours(png_of(sqlite_web, "/og/assets/1.png"))["#1b1f24"]

    assert (STATIC / "fonts" / "LICENSE_FONT").is_file()
    assert with_letters > 2000


def test_several_assets_have_their_colours_and_a_made_up_market_its_band(sqlite_web: Site) -> None:
    for slot in slots_before(8):
        sqlite_web.settle(slot, moving(slot, source=SourceKind.SIMULATED))

    found = colours(png_of(sqlite_web, "/og/compare.png?ids=1,2"))

    assert found["#c2620a"] > 200
    assert found["#4a56d6"] > 200
    assert found["#6a1b9a"] > 40_000
    assert colours(png_of(sqlite_web, "/es/og/home.png"))["#6a1b9a"] > 40_000


def test_a_hostile_name_is_drawn_as_letters(sqlite_web: Site) -> None:
    for slot in slots_before(4):
        sqlite_web.settle(slot, moving(slot))
    honest = colours(png_of(sqlite_web, "/og/assets/1.png"))
    evil = '</text><rect width="1200" height="630" fill="#ff0000"/><text>'
    sqlite_web.settle(SLOT + STEP, moving(SLOT + STEP, name=evil))
    sqlite_web.now += STEP
    sqlite_web.look()

    found = colours(png_of(sqlite_web, "/og/assets/1.png"))

    assert found["#ff0000"] == 0
    assert found["#1b1f24"] > honest["#1b1f24"]


def test_an_empty_store_has_a_picture_too(sqlite_web: Site) -> None:
    assert colours(png_of(sqlite_web, "/og/home.png"))["#ffffff"] > 500_000


ABSENT = ("/og/assets/77.png", "/og/assets/1.svg", "/og/assets/x.png", "/og/compare.png?ids=x")


def test_what_is_not_there_is_an_error_for_programs(sqlite_web: Site) -> None:
    sqlite_web.store(SLOT)

    for target in ABSENT:
        reply = sqlite_web.get(target)
        assert (reply.status, reply.error["code"]) == (404, "not_found")


def test_a_name_without_letters_of_ours_gives_way_and_a_long_one_is_cut() -> None:
    assert legible("币安人生", "bian") == "bian"
    assert legible("a\x01b\u202e", "x") == "ab"
    assert legible("Niño Ξ Б", "x") == "Niño Ξ Б"
    assert shortened("Bitcoin", 56, 800) == "Bitcoin"
    assert shortened("M" * 200, 56, 800).endswith("…")
    assert len(shortened("M" * 200, 56, 800)) < 20


def test_nothing_outside_a_drawing_gets_into_it() -> None:
    inner = '<image href="file:///etc/hostname" width="10" height="10"/>'

    png = painter.draw(PLAIN_SVG.format(inner))

    assert Image.open(io.BytesIO(png)).getchannel("A").getextrema() == (0, 0)


def test_what_cannot_be_drawn_fails_alone() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        painter.draw("<svg")


def test_a_crowd_is_sent_away_instead_of_piling_up() -> None:
    async def ask(count: int) -> list[bytes | BaseException]:
        one = Painter(most=2)
        drawing = PLAIN_SVG.format("")
        return await asyncio.gather(
            *(one.paint(drawing) for _ in range(count)), return_exceptions=True
        )

    found = asyncio.run(ask(5))

    assert [isinstance(one, BusyError) for one in found] == [False, False, True, True, True]
