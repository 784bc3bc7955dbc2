"""The sparkline that other sites show as a picture: a whole SVG, broken at the gaps."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from coinlog.market import SourceKind
from coinlog.web.spark import STYLE, STYLE_HASH, draw_spark
from samples import SLOT, STEP
from sites import Site, slots_before

SVG = "{http://www.w3.org/2000/svg}"


def picture(web: Site, target: str) -> ET.Element:
    reply = web.get(target)
    assert (reply.status, reply.headers["content-type"]) == (200, "image/svg+xml")
    return ET.fromstring(reply.text)  # noqa: S314 -- our own drawing


def path(drawn: ET.Element) -> str:
    found = drawn.find(f"{SVG}path")
    assert found is not None
    return found.attrib["d"]


def test_it_is_a_whole_document_with_its_own_words_and_colours(sqlite_web: Site) -> None:
    sqlite_web.store(*slots_before(8))

    drawn = picture(sqlite_web, "/spark/1.svg?width=300&height=80")

    assert (drawn.attrib["width"], drawn.attrib["height"]) == ("300", "80")
    assert drawn.findtext(f"{SVG}title") == "Price of Asset 1, 7 days"
    assert drawn.findtext(f"{SVG}style") == STYLE
    assert "prefers-color-scheme:dark" in STYLE


def test_it_breaks_where_slots_were_missed(sqlite_web: Site) -> None:
    slots = slots_before(8)
    sqlite_web.store(*slots[:3], *slots[5:])

    assert path(picture(sqlite_web, "/spark/1.svg")).count("M") == 2


def test_the_range_is_the_one_asked_for(sqlite_web: Site) -> None:
    sqlite_web.store(*slots_before(8))

    points = [
        path(picture(sqlite_web, f"/spark/1.svg?range={name}")).count(" ") for name in ("1d", "7d")
    ]

    assert points[0] < points[1] == 8


SILLY = ("width=0", "width=99999999999", "height=%22%3E", "range=x", "width=-1", "nonsense=1")


def test_what_cannot_be_used_falls_back_so_that_a_picture_lives_on(sqlite_web: Site) -> None:
    sqlite_web.store(*slots_before(4))

    for query in SILLY:
        drawn = picture(sqlite_web, f"/spark/1.svg?{query}")
        assert 16 <= int(drawn.attrib["width"]) <= 1200
        assert 8 <= int(drawn.attrib["height"]) <= 600


def test_what_is_not_there_is_an_error_for_programs(sqlite_web: Site) -> None:
    sqlite_web.store(SLOT)

    for name in ("77.svg", "1.png", "x.svg", "1", "0.svg", ".svg", "1.svg.svg"):
        reply = sqlite_web.get(f"/spark/{name}")
        assert (reply.status, reply.error["code"]) == (404, "not_found")


def test_other_sites_may_show_it_and_it_may_do_nothing(sqlite_web: Site) -> None:
    sqlite_web.store(SLOT)

    for _ in range(2):  # made, and from the cache
        headers = sqlite_web.get("/spark/1.svg").headers
        assert headers["cross-origin-resource-policy"] == "cross-origin"
        assert headers["content-security-policy"] == (
            f"default-src 'none'; style-src '{STYLE_HASH}'; sandbox; frame-ancestors 'none'"
        )
        assert headers["cache-control"] == "max-age=30"
    assert sqlite_web.get("/assets/1").headers["cross-origin-resource-policy"] == "same-origin"
    assert sqlite_web.app.hits > 0


def test_a_made_up_market_says_so(sqlite_web: Site) -> None:
    sqlite_web.store(SLOT, SLOT - STEP, source=SourceKind.SIMULATED)

    drawn = picture(sqlite_web, "/spark/1.svg")

    assert drawn.findtext(f"{SVG}text") == "SIMULATED"
    assert "SIMULATED" in (drawn.findtext(f"{SVG}title") or "")


def test_lines_stay_inside_the_picture_and_a_lone_point_is_a_dot() -> None:
    drawn = draw_spark([[(0, 1e300), (1, 1.0)], [(2, 5.0)]], "A & B", 50, 20)
    numbers = [float(one) for one in re.findall(r"[\d.]+", path(ET.fromstring(drawn)))]  # noqa: S314 -- our own

    assert all(0 <= number <= 50 for number in numbers)
    assert path(ET.fromstring(drawn)).endswith("h.01")  # noqa: S314 -- our own
    assert 'd=""' in draw_spark([], "nothing", 50, 20)
