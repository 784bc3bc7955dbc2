"""Numbers as people wrote them: read to the last bit, or refused; never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinlog.sources.numbers import decimal_of, is_ambiguous, read_amount, read_number


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [
        ("34567.891", ".", 34567.891),
        ("1,234.5", ".", 1234.5),
        ("1,234,567", ".", 1234567.0),
        ("$1,234.50", ".", 1234.5),
        ("12.5 USD", ".", 12.5),
        ("6.03e-06", ".", 6.03e-06),
        ("1.234", ".", 1.234),
        ("0,5", ",", 0.5),
        ("1.234,5", ",", 1234.5),
        ("1 234,5", ",", 1234.5),
        ("1.234", ",", 1234.0),
        ("0,00000123", ",", 0.00000123),
        ("1,5E-7", ",", 1.5e-7),
    ],
)
def test_a_number_is_read_by_its_decimal_mark(text: str, decimal: str, value: float) -> None:
    assert read_number(text, decimal) == value


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize(
    "text",
    ["", "abc", "=1+1", "1e999", "nan", "inf", "1,2,3", "12,34.5", ".", "€5", "0x10", "9" * 500],
)
def test_what_is_no_number_is_refused(text: str, decimal: str) -> None:
    with pytest.raises(ValueError, match=r"no number|more than a double"):
        read_number(text, decimal)


@pytest.mark.parametrize(("text", "decimal"), [("0,123", "."), ("0,5", "."), ("1.5", ",")])
def test_a_mark_out_of_place_is_refused(text: str, decimal: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        read_number(text, decimal)


@pytest.mark.parametrize(
    ("text", "proof"),
    [
        *((text, ".") for text in ("1.5", "0.123", "1234.567", "1,234.5", "1,234,567")),
        *((text, ",") for text in ("1,5", "0,123", "1234,567", "1.234,5", "1.234.567")),
        *((text, None) for text in ("1.234", "1,234", "1234", "abc", "")),
    ],
)
def test_a_number_proves_its_decimal_mark_or_nothing(text: str, proof: str | None) -> None:
    assert decimal_of(text) == proof


def test_a_thousand_or_one_and_a_bit_is_ambiguous() -> None:
    assert all(map(is_ambiguous, ("1,234", "1.234", "-16.500", "$16.500")))
    assert not any(map(is_ambiguous, ("1,23", "1.5", "12345", "1234.567", "1,234.0", "0.123")))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_is_read_back_to_the_last_bit(value: float) -> None:
    assert read_number(repr(value)) == value
    assert read_number(repr(value).replace(".", ","), ",") == value


def test_words_for_unknown_are_no_amount() -> None:
    assert [read_amount(text) for text in ("", " NULL", "None", "nan", "-")] == [None] * 5
