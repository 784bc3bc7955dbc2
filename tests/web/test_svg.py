"""The charts that the server draws: the first paint, and all there is without scripts."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import msgspec
import pytest

from coinlog.slots import DAY, HOUR
from coinlog.web import svg, ticks
from coinlog.web.i18n import catalogue

EN = catalogue("en").format
SLOT = 1_769_450_400
LINE = [[(SLOT, 1.0), (SLOT + HOUR, 2.0)], [(SLOT + 5 * HOUR, 3.0), (SLOT + 6 * HOUR, 2.5)]]
FIGURE = svg.Figure(
    title="Price of A & B",
    description="It rose <fast>.",
    start=SLOT,
    end=SLOT + 6 * HOUR,
    lines=[LINE],
)


def drawn(figure: svg.Figure = FIGURE) -> ET.Element:
    return ET.fromstring(svg.line_chart(figure, EN))  # noqa: S314 -- our own drawing


def paths(chart: ET.Element) -> list[str]:
    return [path.attrib["d"] for path in chart.iter("path")]


def labels(chart: ET.Element) -> list[str]:
    return [text.text or "" for text in chart.iter("text")]


def test_a_line_breaks_at_a_gap() -> None:
    assert paths(drawn())[0].count("M") == 2


def test_a_lone_point_is_a_dot() -> None:
    figure = msgspec.structs.replace(FIGURE, lines=[[[(SLOT + HOUR, 2.0)]]])
    assert re.fullmatch(r"M\d+ \d+h\.01", paths(drawn(figure))[0])


def test_each_line_has_its_own_class_for_its_colour() -> None:
    figure = msgspec.structs.replace(FIGURE, lines=[LINE, LINE, LINE], percent=True)
    classes = [path.attrib["class"] for path in drawn(figure).iter("path")]
    assert classes == ["s s1", "s s2", "s s3"]


def test_a_gap_says_its_reason() -> None:
    bands = [svg.Band(SLOT + HOUR, SLOT + 5 * HOUR, "the recorder was not running")]
    chart = drawn(msgspec.structs.replace(FIGURE, bands=bands))
    assert [title.text for title in chart.iter("title")] == ["the recorder was not running"]


def test_names_and_words_cannot_become_markup() -> None:
    chart = drawn()
    assert chart.attrib["aria-label"] == "Price of A & B"
    assert [desc.text for desc in chart.iter("desc")] == ["It rose <fast>."]


def test_simulated_data_is_marked_on_the_chart_itself() -> None:
    assert "SIMULATED" not in labels(drawn())
    assert "SIMULATED" in labels(drawn(msgspec.structs.replace(FIGURE, watermark="SIMULATED")))


def test_a_chart_without_a_point_is_drawn_empty() -> None:
    assert paths(drawn(msgspec.structs.replace(FIGURE, lines=[[]]))) == [""]


def test_no_style_stands_in_the_drawing() -> None:
    assert "style" not in svg.line_chart(FIGURE, EN)


def test_a_percent_axis_shows_signs() -> None:
    figure = msgspec.structs.replace(
        FIGURE, lines=[[[(SLOT, 0.0), (SLOT + HOUR, 25.0), (SLOT + 2 * HOUR, -25.0)]]], percent=True
    )
    assert {"+20%", "0%", "\N{MINUS SIGN}20%"} <= set(labels(drawn(figure)))


def test_a_crowded_column_keeps_its_extremes() -> None:
    points = [(SLOT + index / 100, float(index % 17)) for index in range(1000)]
    points += [(SLOT + 6 * HOUR, 8.0)]
    path = paths(drawn(msgspec.structs.replace(FIGURE, lines=[[points]])))[0]
    assert len(path) < 60


def test_a_sparkline_rises_or_falls_and_is_hidden_from_screen_readers() -> None:
    assert 'class="sp u"' in svg.sparkline(LINE)
    assert 'class="sp d"' in svg.sparkline([LINE[0][::-1]])
    assert 'aria-hidden="true"' in svg.sparkline(LINE)
    assert svg.sparkline([[(SLOT, 1.0)]]) == ""


def test_each_block_of_the_strip_says_its_slot_and_differs_in_shape() -> None:
    strip = ET.fromstring(svg.strip([("stored", "A"), ("failed", "B"), ("missed", "C")]))  # noqa: S314
    blocks = list(strip.iter("rect"))
    assert [block.attrib["class"] for block in blocks] == ["stored", "failed", "missed"]
    assert blocks[0].attrib["height"] != blocks[1].attrib["height"]
    assert [title.text for title in strip.iter("title")] == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, ["$0", "$2", "$4", "$6", "$8", "$10"]),
        (0.9991, 1.0006, ["$0.9995", "$1.0000", "$1.0005"]),
        (1.61e12, 1.79e12, ["$1.65T", "$1.70T", "$1.75T"]),
        (1.2e-19, 1.9e-19, ["$0.0₁₈12", "$0.0₁₈14", "$0.0₁₈16", "$0.0₁₈18"]),
    ],
)
def test_the_marks_of_money_are_round_and_can_be_told_apart(
    low: float, high: float, expected: list[str]
) -> None:
    step = ticks.round_step(high - low)
    marks = ticks.value_marks(low, high)
    assert [ticks.price_label(mark, step, EN) for mark in marks] == expected


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (1, ["26 Jan", "02:00", "04:00"]),
        (7, ["26 Jan", "27 Jan", "28 Jan"]),
        (30, ["27 Jan", "31 Jan", "4 Feb"]),
        (365, ["Feb", "Mar", "Apr"]),
        (3650, ["2027", "2028", "2029"]),
    ],
)
def test_the_marks_of_time_are_round_in_utc(days: int, expected: list[str]) -> None:
    start = SLOT - SLOT % DAY
    marks = ticks.time_marks(start, start + days * DAY, EN)
    assert [mark.label for mark in marks][:3] == expected
    assert len(marks) <= ticks.TIME_MARKS + 1


def test_a_flat_line_still_has_a_height() -> None:
    low, high = ticks.bounds(5.0, 5.0)
    assert low < 5 < high
