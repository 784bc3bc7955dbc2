"""What a chart's script is given beside the first paint, and what the page says of it itself."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest

from coinlog.web.chart_look import Look
from coinlog.web.chartdata import draw
from coinlog.web.i18n import catalogue
from coinlog.web.views import AssetLabel, ChartView, GapView, LineView
from samples import SLOT, STEP

EN = catalogue("en")


def line(
    values: dict[int, float | None],
    *,
    asset_id: int = 1,
    name: str = "Bitcoin",
    gap: int | None = None,
) -> LineView:
    """Return a line with values by slot, broken before ``gap`` where that is given."""
    points = [(slot + 12, value) for slot, value in values.items() if value is not None]
    cut = next((i for i, (time, _) in enumerate(points) if gap and time > gap), len(points))
    after = next((slot for slot in values if gap and slot > gap), SLOT)
    return LineView(
        asset=AssetLabel(id=asset_id, symbol="X", name=name, slug="x"),
        field="price",
        slots=list(values),
        times=[slot + 12 for slot in values],
        values=list(values.values()),
        backfilled=[False] * len(values),
        gaps=[GapView(start=gap, end=after, reason="missed")] if gap else [],
        segments=[part for part in (points[:cut], points[cut:]) if part],
    )


def chart(*lines: LineView) -> ChartView:
    start = min(line.times[0] for line in lines)
    return ChartView(
        field="price", range="1d", ranges=[], start=start, end=SLOT + 20 * STEP, lines=list(lines)
    )


def columns(view: ChartView) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(draw(view, EN, "A chart", simulated=False).data)
    return data


def slots(written: dict[str, Any]) -> list[int]:
    return [sum(written["slots"][: index + 1]) for index in range(len(written["slots"]))]


def test_one_line_is_given_to_the_last_bit() -> None:
    price = 87_654.321098765432
    data = columns(chart(line({SLOT: price, SLOT + STEP: 1.2e-19})))
    assert data["lines"][0]["price"] == [price, 1.2e-19]
    assert slots(data["lines"][0]) == [SLOT, SLOT + STEP]
    assert data["lines"][0]["observed_at"] == [12, 12]
    assert data["exact"] is True


def test_of_several_lines_the_values_are_short_but_for_those_of_the_legend() -> None:
    both = [line({SLOT: 87_654.321, SLOT + STEP: 87_654.321}, asset_id=one) for one in (1, 2)]
    data = columns(chart(*both))
    assert [one["price"] for one in data["lines"]] == [[87654, 87_654.321]] * 2
    assert data["exact"] is False


def test_times_that_lines_share_are_given_once() -> None:
    alike = [line({SLOT: 1.0, SLOT + STEP: 2.0}, asset_id=one) for one in (1, 2)]
    other = line({SLOT: 1.0}, asset_id=3)
    lines = columns(chart(*alike, other))["lines"]
    assert ["slots" in one for one in lines] == [True, False, True]


def test_a_gap_is_given_with_its_reason() -> None:
    view = chart(line({SLOT: 1.5, SLOT + 3 * STEP: 2.5}, gap=SLOT + STEP))
    data = columns(view)
    assert data["lines"][0]["gaps"] == [[SLOT + STEP, SLOT + 3 * STEP, "missed"]]
    assert data["words"]["reason.missed"] == "the recorder was not running"
    bands = draw(view, EN, "A chart", simulated=False).bands
    assert [(band.start, band.end) for band in bands] == [(SLOT + 12, SLOT + 3 * STEP)]


def test_an_unknown_value_is_null_and_never_zero() -> None:
    data = columns(chart(line({SLOT: 1.0, SLOT + STEP: None, SLOT + 2 * STEP: 3.0})))
    assert data["lines"][0]["price"] == [1.0, None, 3.0]


def test_what_the_script_alone_can_draw_is_an_empty_frame_with_its_data() -> None:
    view = chart(line({SLOT: 1.0, SLOT + STEP: 2.0}))
    for look in (Look(scale="log"), Look(form="candles"), Look(currency="EUR")):
        drawn = draw(msgspec.structs.replace(view, look=look), EN, "A chart", simulated=False)
        assert drawn.bare
        assert "<path" not in drawn.picture
        assert columns(view)["lines"][0]["price"] == [1.0, 2.0]
    usual = msgspec.structs.replace(view, look=Look(scale="linear"))
    assert "<path" in draw(usual, EN, "A chart", simulated=False).picture


def test_ranks_of_several_assets_are_no_percent_and_the_first_is_on_top() -> None:
    first, last = line({SLOT: 1.0, SLOT + STEP: 1.0}), line({SLOT: 9.0, SLOT + STEP: 9.0})
    ranked = [msgspec.structs.replace(one, field="rank") for one in (first, last)]
    view = msgspec.structs.replace(chart(*ranked), field="rank")
    drawn = draw(view, EN, "A chart", simulated=False)
    assert drawn.scale == "linear"
    assert [legend.last for legend in drawn.legends] == ["#1", "#9"]
    heights = [int(y) for y in re.findall(r'd="M\d+ (\d+)', drawn.picture)]
    assert heights[0] < heights[1]


def test_the_table_has_the_newest_points_first_and_says_what_was_backfilled() -> None:
    view = chart(
        msgspec.structs.replace(line({SLOT: 1.0, SLOT + STEP: 2.0}), backfilled=[True, False])
    )
    rows = draw(view, EN, "A chart", simulated=False).rows
    assert [(row.time, row.cells, row.backfilled) for row in rows] == [
        (SLOT + STEP + 12, ["$2.0000"], False),
        (SLOT + 12, ["$1.0000"], True),
    ]


def test_several_lines_are_compared_in_percent() -> None:
    up = line({SLOT: 100.0, SLOT + STEP: 150.0})
    down = line({SLOT: 0.5, SLOT + STEP: 0.25}, asset_id=2)
    drawn = draw(chart(up, down), EN, "A chart", simulated=False)
    assert [legend.change for legend in drawn.legends] == pytest.approx([50, -50])
    assert "+25%" in drawn.picture


def test_only_a_gap_of_all_lines_is_shown_as_a_band() -> None:
    broken = line({SLOT: 1.0, SLOT + 3 * STEP: 2.0}, gap=SLOT + STEP)
    whole = line({SLOT + index * STEP: 1.0 for index in range(4)}, asset_id=2)
    assert draw(chart(broken, whole), EN, "A chart", simulated=False).bands == []


def test_a_name_cannot_end_the_element_that_the_data_stands_in() -> None:
    view = chart(line({SLOT: 1.0}, name="</script><script>alert(1)"), line({SLOT: 1.0}))
    drawn = draw(view, EN, "A chart", simulated=False)
    assert "<" not in drawn.data
    assert columns(view)["lines"][0]["name"] == "</script><script>alert(1)"


def test_a_price_that_was_zero_at_first_is_compared_from_its_first_real_value() -> None:
    late = line({SLOT: 0.0, SLOT + STEP: 2.0, SLOT + 2 * STEP: 3.0})
    drawn = draw(chart(late, late), EN, "A chart", simulated=False)
    assert drawn.legends[0].change == pytest.approx(50)


def test_numbers_that_no_axis_can_hold_are_left_out_of_the_picture() -> None:
    absurd = line({SLOT: 1e-300, SLOT + STEP: 1e300})
    assert draw(chart(absurd, absurd), EN, "A chart", simulated=False).picture


def test_the_chart_is_told_in_words_too() -> None:
    drawn = draw(chart(line({SLOT: 2.0, SLOT + STEP: 3.0})), EN, "A chart", simulated=False)
    assert "Bitcoin: +50.00%, lowest $2.0000, highest $3.0000." in drawn.picture
