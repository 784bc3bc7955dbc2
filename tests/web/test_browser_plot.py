"""The drawing of charts in a real Chromium: forms, scales, gaps, the strip, nights, files.

Pictures are made up here, so that forms and scales are seen apart from the data of a page.
"""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import expect

from browsing import Open, price_text
from plots import (
    POINTS,
    SLOTS,
    Picture,
    at,
    bare,
    line,
    open_plot,
    picture,
    point_at,
    rows,
    show,
    texts_drawn,
    told,
    wave,
)
from samples import HOUR, STEP

pytestmark = pytest.mark.browser

PRICES = [wave(index) for index in range(POINTS)]
SPAN = SLOTS[-1] - SLOTS[0]


def gapped(*gaps: tuple[int, int]) -> Picture:
    values = [
        None if any(start <= index < end for start, end in gaps) else price
        for index, price in enumerate(PRICES)
    ]
    bands = [
        {"start": SLOTS[start - 1], "end": SLOTS[end], "reason": "the recorder was not running"}
        for start, end in gaps
    ]
    return picture([line(values)], bands=bands)


def slots(**outcomes: str) -> list[dict[str, Any]]:
    """Return the outcomes of all slots: stored, but for those given by their index."""
    return [
        {
            "slot": slot,
            "outcome": outcomes.get(f"at{index}", "stored"),
            "reason": "the API credits are spent" if f"at{index}" in outcomes else "",
        }
        for index, slot in enumerate(SLOTS)
    ]


def test_lines_and_areas_break_at_gaps_that_say_why(site: str, browse: Open) -> None:
    page = open_plot(browse, site)
    # Between two gaps that touch but for one point, that point is a dot.
    made = gapped((20, 24), (40, 42), (43, 45))
    made["lines"][0]["backfilled"] = [index < 10 for index in range(POINTS)]
    for form in ("line", "area"):
        show(page, made | {"form": form})
        assert rows(page, at(22), "--s1") == [], form
        assert len(rows(page, at(42), "--s1")) >= 5, form
        assert rows(page, at(30.5), "--s1") != [], form
    # Where points were backfilled the stroke is dotted, and their dots are hollow.
    lit = [bool(rows(page, at(4.2 + share / 100), "--s1")) for share in range(0, 60, 2)]
    assert lit.count(True) > 5
    assert lit.count(False) > 5
    assert all(rows(page, at(30.2 + share / 100), "--s1") for share in range(0, 60, 2))
    middle = rows(page, at(4), "--s1")
    assert max(middle) - min(middle) + 1 > len(middle)
    expect(page.locator("[data-hint]")).to_contain_text("Dotted: backfilled")
    point_at(page, 22)
    expect(page.locator("[data-at]")).to_contain_text("Gap: the recorder was not running")
    expect(page.locator("[data-line]")).to_have_text("–")
    point_at(page, 4)
    expect(page.locator("[data-at]")).to_contain_text("backfilled")


def test_an_area_is_filled_down_to_the_floor_and_only_where_points_are(
    site: str, browse: Open
) -> None:
    page = open_plot(browse, site)
    made = gapped((20, 24))
    filled = []
    for form in ("line", "area"):
        show(page, made | {"form": form})
        filled.append([bare(page, slot) for slot in (10, 30)])
    assert all(line > area + 60 for line, area in zip(*filled, strict=True))


def test_a_logarithmic_axis_leaves_out_what_is_not_above_zero(site: str, browse: Open) -> None:
    page = open_plot(browse, site)
    values = [10 ** (index / 15) for index in range(POINTS)]
    values[20:23] = [0.0, -5.0, 0.0]
    show(page, picture([line(values)], scale="log"))
    assert rows(page, at(21), "--s1") == []
    heights = [
        sum(found) / len(found) for found in (rows(page, at(s), "--s1") for s in (15, 30, 45))
    ]
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=2)
    assert {"$1", "$10", "$100", "$1,000"} <= set(texts_drawn(page))
    show(page, picture([line([2.2 + index / 8 for index in range(POINTS)])], scale="log"))
    assert {"$5.0", "$2.5"} & set(texts_drawn(page)) or {"$5", "$2"} & set(texts_drawn(page))
    show(page, picture([line([0.0] * POINTS)], scale="log"))
    assert rows(page, at(30), "--s1") == []


def test_ranks_hang_from_the_first_and_are_whole(site: str, browse: Open) -> None:
    page = open_plot(browse, site)
    places = [1.0 if index < 30 else 2.0 for index in range(POINTS)]
    show(page, picture([line(places)], unit="rank", field="rank"))
    labels = [text for text in texts_drawn(page) if text.startswith("#")]
    assert labels == ["#1", "#2"]
    assert max(rows(page, at(10), "--s1")) < min(rows(page, at(50), "--s1"))
    expect(page.locator("[data-line]")).to_have_text("#2")
    show(page, picture([line([150.0 + index for index in range(POINTS)])], unit="rank"))
    labels = [text for text in texts_drawn(page) if text.startswith("#")]
    assert len(labels) == len(set(labels)) > 2
    # What is counted or shared says so, too.
    show(page, picture([line([19_900_000.0 + index for index in range(POINTS)])], unit="coins"))
    expect(page.locator("[data-line]")).to_contain_text("19,900,060\u00a0AST")
    show(page, picture([line([58.2] * POINTS)], unit="share"))
    expect(page.locator("[data-line]")).to_have_text("58.20%")


def test_percent_marks_the_line_of_no_change(site: str, browse: Open) -> None:
    page = open_plot(browse, site, lines=10)
    lines = [line([wave(index + 5 * n) for index in range(POINTS)], n + 1) for n in range(10)]
    for one in lines:
        one["drawn"] = [(value / one["values"][0] - 1) * 100 for value in one["values"]]
    show(page, picture(lines, scale="percent"))
    assert "0%" in texts_drawn(page)
    zero = [y for y in rows(page, at(33.5), "--soft") if y in rows(page, at(47.5), "--soft")]
    assert len(zero) == 1
    point_at(page, 30)
    for n in (0, 9):
        change = lines[n]["drawn"][30]
        text = f"{change:+.2f}%".replace("-", "−")
        expect(page.locator(f'[data-line="{n}"]')).to_contain_text(text)


def candle(index: int, rise: float, *, complete: bool = True, slots: int = 4) -> dict[str, Any]:
    start = SLOTS[0] + index * STEP
    opened, closed = 100.0, 100.0 + rise
    return {
        "start": start,
        "end": start + slots * STEP,
        "open": opened,
        "close": closed,
        "high": max(opened, closed) + 2,
        "low": min(opened, closed) - 2,
        "points": slots,
        "complete": complete,
    }


def test_candles_are_as_wide_as_their_time_and_hollow_where_the_price_rose(
    site: str, browse: Open
) -> None:
    page = open_plot(browse, site)
    candles = [candle(0, 8), candle(4, -8), candle(8, 8, slots=16), candle(40, -8, complete=False)]
    volume = [4e10] * POINTS
    show(page, picture([line(PRICES)], form="candles", candles=candles, volume=volume))
    # A little beside the middle there is no wick.
    rose, fell = rows(page, at(2.7), "--up"), rows(page, at(6.7), "--down")
    assert max(rose) - min(rose) > 60
    assert len(rose) < 8
    assert len(fell) == max(fell) - min(fell) + 1 > 60
    assert len(rows(page, at(42.7), "--down")) < 10
    wide = [
        sum(bool(rows(page, share / 610, "--up")) for share in range(*ends))
        for ends in ((0, 40), (80, 240))
    ]
    assert wide[1] == pytest.approx(4 * wide[0], rel=0.15)
    assert rows(page, at(30), "--up") == []
    point_at(page, 5)
    told = "open $100.00, high $102.00, low $90.00, close $92.00 (4 observations)"
    expect(page.locator("[data-line]")).to_have_text(told)
    point_at(page, 42)
    expect(page.locator("[data-at]")).to_contain_text("not whole")


def test_volume_stands_in_the_lowest_fifth_by_its_own_scale(site: str, browse: Open) -> None:
    page = open_plot(browse, site)
    show(page, picture([line(PRICES)]))
    before = [bare(page, slot) for slot in (20.2, 40.2)]
    volume = [4e10 if index < 30 else 2e10 for index in range(POINTS)]
    show(page, picture([line(PRICES)], volume=volume))
    covered = [empty - bare(page, slot) for empty, slot in zip(before, (20.2, 40.2), strict=True)]
    height = page.locator(".u-over").evaluate("one => one.clientHeight")
    assert covered[0] == pytest.approx(height / 5, abs=5)
    assert covered[1] == pytest.approx(height / 10, abs=5)
    assert "volume ≤ $40.0B" in texts_drawn(page)
    point_at(page, 20)
    expect(page.locator("[data-at]")).to_contain_text("volume $40.0B")


def test_the_strip_tells_every_slot_by_colour_and_form(site: str, browse: Open) -> None:
    page = open_plot(browse, site)
    outcomes = slots(at10="partial", at20="failed", at30="missed", at31="missed")
    show(page, picture([line(PRICES)], outcomes=outcomes))
    tall = {
        name: rows(page, at(slot), f"--{name}", "strip")
        for name, slot in (("stored", 5), ("partial", 10), ("failed", 20), ("missed", 30))
    }
    assert len(tall["stored"]) > len(tall["partial"]) > len(tall["failed"]) > 1
    # Hollow: an edge above and below, and nothing between.
    assert max(tall["missed"]) - min(tall["missed"]) + 1 == len(tall["stored"])
    assert len(tall["missed"]) <= 4
    point_at(page, 20, under=True)
    said = "16 Jan 2026, 13:00\u00a0GMT-5 · failed: the API credits are spent"
    expect(page.locator("[data-at]")).to_have_text(said)
    point_at(page, 5, under=True)
    expect(page.locator("[data-at]")).to_contain_text("· stored")
    point_at(page, 20)
    expect(page.locator("[data-at]")).to_contain_text("failed: the API credits are spent")


def test_of_slots_too_narrow_to_see_the_worst_shows(site: str, browse: Open) -> None:
    page = open_plot(browse, site)
    many = [
        {"slot": SLOTS[0] + n * SPAN // 6000, "outcome": "stored", "reason": ""}
        for n in range(6001)
    ]
    many[3000]["outcome"] = "failed"
    show(page, picture([line(PRICES)], outcomes=many))
    near = [rows(page, 0.5 + shift / 1000, "--failed", "strip") for shift in range(-2, 3)]
    assert any(near)
    assert rows(page, 0.4, "--stored", "strip") != []


def test_another_picture_comes_without_a_flicker(site: str, browse: Open) -> None:
    page = open_plot(browse, site)
    page.evaluate("""document.querySelector(".plot").innerHTML = "<svg class=lc></svg>" """)
    show(page, picture([line(PRICES)]))
    expect(page.locator(".plot svg")).to_have_count(0)
    size = page.locator(".plot").bounding_box()
    # In every frame there is one drawing, and it has something on it.
    page.evaluate("""() => {
        window.frames_ = [];
        const look = () => {
            const all = [...document.querySelectorAll(".plot canvas")];
            const lit = (one) => one.getContext("2d").getImageData(0, 0, one.width, one.height)
                .data.some((value) => value);
            frames_.push([all.length, all.every(lit)]);
            requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
    }""")
    for change in ({"scale": "log"}, {"form": "area"}, {"unit": "rank"}, {"form": "line"}):
        show(page, picture([line(PRICES)], **change))
    show(page, picture([line(PRICES), line(PRICES[::-1], 2)]))
    show(page, picture([line([])], times=[], bands=[]))
    seen = page.evaluate("frames_.slice(1)")
    assert len(seen) > 8
    assert [1, True] in seen
    assert all(one == [1, True] for one in seen)
    assert page.locator(".plot").bounding_box() == size
    # While the reader drags, a fresh picture does not take the view away.
    show(page, picture([line(PRICES)]))
    page.locator(".plot").press("+")
    show(page, picture([line(PRICES)]))
    [[start, end]] = told(page)
    assert end - start == SPAN // 2
    page.evaluate("plot.destroy()")
    expect(page.locator(".plot canvas")).to_have_count(0)
    page.locator(".plot").press("+")
    assert told(page) == []


NIGHTS = [
    # The clocks go forward and back: 8 March and 1 November, 29 March and 25 October.
    ("America/New_York", 1_772_946_000, ["8 Mar", "01:00", "03:00", "04:00", "05:00"]),
    ("America/New_York", 1_793_505_600, ["1 Nov", "01:00", "02:00", "03:00"]),
    ("Europe/Madrid", 1_774_738_800, ["29 Mar", "01:00", "03:00", "04:00", "05:00"]),
    ("Europe/Madrid", 1_792_879_200, ["25 Oct", "01:00", "02:00", "03:00"]),
    ("America/Bogota", 1_772_946_000, ["8 Mar", "01:00", "02:00", "03:00", "04:00"]),
]


@pytest.mark.parametrize(("zone", "midnight", "expected"), NIGHTS)
def test_nights_when_the_clocks_change_are_marked_by_the_clock_on_the_wall(
    site: str, browse: Open, zone: str, midnight: int, expected: list[str]
) -> None:
    page = open_plot(browse, site, timezone_id=zone)
    hours = page.evaluate("([a, b]) => timeMarks(a, b, 4)", [midnight, midnight + 4 * HOUR])
    assert [mark["label"] for mark in hours] == expected
    # Days begin where the reader's do: each once, a little more or less than a day apart.
    days = page.evaluate(
        "([a, b]) => timeMarks(a, b, 8)", [midnight - 3 * 86_400, midnight + 4 * 86_400]
    )
    labels = [mark["label"] for mark in days]
    assert len(labels) == len(set(labels)) >= 6
    assert midnight in [mark["time"] for mark in days]
    apart = {b["time"] - a["time"] for a, b in pairwise(days)}
    assert apart <= {82_800, 86_400, 90_000}
    assert len(apart) == (1 if zone == "America/Bogota" else 2)
    if zone == "Europe/Madrid":
        show(page, picture([line(PRICES)]))
        assert texts_drawn(page).count("CET") == 1
        page.locator("[data-zone]").click()
        assert texts_drawn(page).count("UTC") == 1
        expect(page.locator("[data-zone]")).to_have_text("Show times in Europe/Madrid")


PNG = """async (parts) => {
    const blob = await plot.png(...parts);
    const ink = new OffscreenCanvas(4, 4).getContext("2d");
    ink.drawImage(await createImageBitmap(blob), 0, 0);
    const head = new Uint8Array(await blob.arrayBuffer()).subarray(0, 24);
    return [[...head], [...ink.getImageData(1, 1, 1, 1).data]];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_png_holds_what_is_on_screen(site: str, browse: Open, scheme: str) -> None:
    page = open_plot(browse, site, color_scheme=scheme)
    made = picture([line(PRICES)], outcomes=slots(), mark="simulated data", volume=[4e10] * POINTS)
    show(page, made)
    page.evaluate("""() => {
        window.written = [];
        const own = CanvasRenderingContext2D.prototype.fillText;
        CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
            written.push(text);
            own.call(this, text, ...place);
        };
    }""")
    head, corner = page.evaluate(PNG, ["Bitcoin: price", "coinlog, data of CoinMarketCap"])
    png = bytes(head)
    assert png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", png[16:24])
    box = page.locator(".plot").bounding_box()
    assert box
    assert width == 2 * (box["width"] + 40)
    assert height > 2 * box["height"]
    written = " ".join(page.evaluate("written"))
    for text in ("Bitcoin: price", "Asset 1", price_text(PRICES[-1]), "simulated data", "13 Jan"):
        assert text in written
    for text in ("coinlog, data of CoinMarketCap", "26 Jan 2026, 13:00", "GMT-5", "$110"):
        assert text in written
    assert corner == ([255, 255, 255, 255] if scheme == "light" else [0x19, 0x1C, 0x1F, 255])


def test_forced_colours_and_many_lines_can_be_told_apart(site: str, browse: Open) -> None:
    page = open_plot(browse, site, lines=2, forced_colors="active")
    show(page, picture([line([100.0] * POINTS), line([200.0] * POINTS, 2)]))
    # By their dashes alone.
    solid = [len(rows(page, 0.5 + n / 1000, "--s1")) for n in range(40)]
    assert min(solid) < max(solid)
    page = open_plot(browse, site, lines=6)
    show(page, picture([line([100.0 + 20 * n] * POINTS, n + 1) for n in range(6)]))
    whole = [bool(rows(page, 0.5 + n / 1000, "--s5")) for n in range(40)]
    dashed = [bool(rows(page, 0.5 + n / 1000, "--s6")) for n in range(40)]
    assert all(whole)
    assert not all(dashed)
