"""What a chart's script is given beside the first paint."""

from __future__ import annotations

import json
from typing import Any

import pytest

from coinlog.slots import DAY
from coinlog.web.chartdata import ABSENT, draw
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
        data_url="",
    )


def chart(*lines: LineView) -> ChartView:
    start = min(line.times[0] for line in lines)
    return ChartView(
        field="price", range="1d", ranges=[], start=start, end=SLOT + 20 * STEP, lines=list(lines)
    )


def columns(view: ChartView) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(draw(view, EN, "A chart", simulated=False).data)
    return data


def times(data: dict[str, Any]) -> list[int]:
    return [sum(data["x"][: index + 1]) for index in range(len(data["x"]))]


def test_one_line_is_given_to_the_last_bit() -> None:
    price = 87_654.321098765432
    data = columns(chart(line({SLOT: price, SLOT + STEP: 1.2e-19})))
    assert data["lines"][0]["v"] == [price, 1.2e-19]
    assert times(data) == [SLOT + 12, SLOT + STEP + 12]
    assert data["percent"] is False


def test_a_gap_is_a_null_between_two_points() -> None:
    data = columns(chart(line({SLOT: 1.5, SLOT + 3 * STEP: 2.5}, gap=SLOT + STEP)))
    assert data["lines"][0]["v"] == [1.5, None, 2.5]
    assert data["bands"] == [[SLOT + 12, SLOT + 3 * STEP, "the recorder was not running"]]


def test_a_coarser_line_goes_on_where_a_finer_one_has_points() -> None:
    fine = line({SLOT + index * STEP: 10.0 + index for index in range(5)})
    coarse = line({SLOT: 5.0, SLOT + DAY: 6.0}, asset_id=2)
    data = columns(chart(fine, coarse))
    assert data["lines"][1]["v"] == [5, ABSENT, ABSENT, ABSENT, 6]


def test_an_unknown_value_is_null_and_never_zero() -> None:
    data = columns(chart(line({SLOT: 1.0, SLOT + STEP: None, SLOT + 2 * STEP: 3.0})))
    assert data["lines"][0]["v"] == [1.0, None, 3.0]


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
