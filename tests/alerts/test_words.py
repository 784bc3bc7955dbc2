"""Words for messages: numbers as people read them."""

from __future__ import annotations

from coinlog.alerts.words import measured, signed


def test_no_change_has_no_sign() -> None:
    assert [signed(number) for number in (-0.04, 0.0, 0.04)] == ["0.0 %"] * 3
    assert [signed(number) for number in (-0.06, 10.0)] == ["-0.1 %", "+10.0 %"]


def test_one_of_something_is_one() -> None:
    assert [measured(n, "point") for n in (1.0, 0.5, 3)] == ["1 point", "0.5 points", "3 points"]
