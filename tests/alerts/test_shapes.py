"""The shape of an answer: what is new in it, gone from it, or of another kind."""

from __future__ import annotations

import pytest

from coinlog.alerts.shapes import differences, shape_of

ROW = {"id": 1, "name": "A", "quote": [{"price": 1.5}], "platform": None}
BEFORE = {"data": [ROW, {**ROW, "extra": "seldom"}], "status": {"error_code": 0}}


def row(**values: object) -> dict[str, object]:
    return {"data": [{**ROW, **values}], "status": {"error_code": 0}}


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (BEFORE, []),
        (row(), []),
        (row(platform={"id": 2}), []),
        (row(id=2.5), []),
        (row(id=None), []),
        (row(id="1"), ["data[].id: text instead of number"]),
        (row(quote={"USD": {"price": 1}}), ["data[].quote: object instead of list"]),
        (row(moon=1), ["new: data[].moon"]),
        (row(moon={"phase": {"x": 1}}), ["new: data[].moon"]),
        (
            {"data": [{"id": 1, "name": "A", "platform": None}]},
            ["gone: data[].quote", "gone: status"],
        ),
        ({"data": [], "status": {"error_code": 0}}, []),
        ([BEFORE], ["the answer: list instead of object"]),
    ],
)
def test_differences(now: object, found: list[str]) -> None:
    told = differences([shape_of(BEFORE), shape_of(row())], shape_of(now))

    assert told == found


def test_keys_that_are_ids_are_one_and_hostile_ones_are_plain() -> None:
    shape = shape_of({"1": {"a": 1}, "1027": {"a": 2}, "x.y\u202e<b>": 1})

    assert list(shape) == ["", "*", "*.a", "x-y--b-"]


def test_an_answer_without_end_is_not_followed_for_ever() -> None:
    deep: object = 1
    for _ in range(200):
        deep = {"a": deep}

    assert len(shape_of(deep)) < 20
    assert len(shape_of({f"key-{number}": {"a": 1} for number in range(9000)})) <= 2001
