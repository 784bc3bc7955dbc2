"""Numbers and times as readers of English and Spanish write them."""

from __future__ import annotations

import pytest

from coinlog.web import format as fmt
from coinlog.web.i18n import catalogue

EN = catalogue("en").format
ES = catalogue("es").format
SLOT = 1_769_450_400


def plain(text: str) -> str:
    """Return a text with ordinary spaces, so that a test can be read."""
    return text.replace(fmt.SPACE, " ").replace(fmt.MINUS, "-")


@pytest.mark.parametrize(
    ("value", "english", "spanish"),
    [
        (87_654.321, "$87,654.32", "US$ 87.654,32"),
        (1_234_567.8, "$1,234,567.80", "US$ 1.234.567,80"),
        (10, "$10.00", "US$ 10,00"),
        (9.99996, "$10.00", "US$ 10,00"),
        (1.00034, "$1.0003", "US$ 1,0003"),
        (0.99987, "$0.9999", "US$ 0,9999"),
        (0.5, "$0.5000", "US$ 0,5000"),
        (0.01234567, "$0.01235", "US$ 0,01235"),
        (0.000006, "$0.000006", "US$ 0,000006"),
        (0.0000061234, "$0.000006123", "US$ 0,000006123"),
        (0.00000061234, "$0.0₆6123", "US$ 0,0₆6123"),
        (1.2e-19, "$0.0₁₈12", "US$ 0,0₁₈12"),
        (5e-324, "$0.0₃₂₃4941", "US$ 0,0₃₂₃4941"),
        (0.0, "$0.00", "US$ 0,00"),
        (2.9e24, "$2.900 × 10²⁴", "US$ 2,900 × 10²⁴"),
        (None, "–", "–"),
    ],
)
def test_a_price_is_written_by_its_significant_digits(
    value: float | None, english: str, spanish: str
) -> None:
    assert plain(fmt.price(value, EN)) == english
    assert plain(fmt.price(value, ES)) == spanish


@pytest.mark.parametrize(
    ("value", "english", "spanish"),
    [
        (1.234e12, "$1.23T", "US$ 1,23 bill."),
        (9.996e11, "$1.00T", "US$ 1,00 bill."),
        (1.1e11, "$110B", "US$ 110 mil M"),
        (34_012_345_678, "$34.0B", "US$ 34,0 mil M"),
        (1_500_000, "$1.50M", "US$ 1,50 M"),
        (999_999, "$999,999", "US$ 999.999"),
        (12.5, "$12.50", "US$ 12,50"),
        (2.9e24, "$2.90 × 10²⁴", "US$ 2,90 × 10²⁴"),
        (0, "$0.00", "US$ 0,00"),
        (None, "–", "–"),
    ],
)
def test_large_money_has_three_digits_and_the_words_of_the_language(
    value: float | None, english: str, spanish: str
) -> None:
    assert plain(fmt.money(value, EN)) == english
    assert plain(fmt.money(value, ES)) == spanish


@pytest.mark.parametrize(
    ("value", "english", "spanish"),
    [
        (1.234, "+1.23%", "+1,23 %"),
        (-2.5, "-2.50%", "-2,50 %"),
        (0.004, "0.00%", "0,00 %"),
        (-0.004, "0.00%", "0,00 %"),
        (0, "0.00%", "0,00 %"),
        (1_234.5, "+1,234%", "+1.234 %"),
        (5.5e19, "+5.50 × 10¹⁹%", "+5,50 × 10¹⁹ %"),
        (None, "–", "–"),
    ],
)
def test_a_change_has_its_sign_and_zero_has_none(
    value: float | None, english: str, spanish: str
) -> None:
    assert plain(fmt.percent(value, EN)) == english
    assert plain(fmt.percent(value, ES)) == spanish


@pytest.mark.parametrize(
    ("value", "currency", "english", "spanish"),
    [
        (1234.56, "EUR", "€1,234.56", "1.234,56 €"),
        (4123.4, "COP", "COP 4,123", "COP 4.123"),
        (360_000_000.0, "COP", "COP 360,000,000", "COP 360.000.000"),
        (999.5, "JPY", "¥999.50", "999,50 ¥"),
        (13_400_000.4, "JPY", "¥13,400,000", "13.400.000 ¥"),
        (0.00021, "JPY", "¥0.00021", "0,00021 ¥"),
        (0.0333333, "BTC", "₿0.03333", "0,03333 BTC"),
        (6.8e-11, "BTC", "₿0.0₁₀68", "0,0₁₀68 BTC"),
        (29.85, "ETH", "Ξ29.85", "29,85 ETH"),
        (1234.5, "MXN", "MX$1,234.50", "MX$ 1.234,50"),
        (2e15, "COP", "COP 2.000 × 10¹⁵", "COP 2,000 × 10¹⁵"),
    ],
)
def test_a_price_in_any_currency_is_written_as_the_language_does(
    value: float, currency: str, english: str, spanish: str
) -> None:
    assert plain(fmt.price(value, EN, currency)) == english
    assert plain(fmt.price(value, ES, currency)) == spanish


def test_little_money_is_not_written_as_nothing() -> None:
    assert fmt.money(0.0042, EN, "BTC") == "₿0.0042"
    assert plain(fmt.money(0, EN, "ETH")) == "Ξ0.00"


def test_much_money_of_small_units_has_its_words() -> None:
    assert plain(fmt.money(8.134e15, EN, "COP")) == "COP 8.13Q"
    assert plain(fmt.money(8.134e15, ES, "COP")) == "COP 8,13 mil bill."
    assert plain(fmt.money_full(3.25e9, ES, "EUR")) == "3.250.000.000 €"


def test_a_negative_number_has_a_real_minus_sign() -> None:
    assert fmt.percent(-1, EN) == "\N{MINUS SIGN}1.00%"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (19_800_000.4, "19,800,000"),
        (589_735_030_408_323.0, "589,735,030,408,323"),
        (0.25, "0.2500"),
        (3, "3"),
        (5.5e19, "5.500 × 10¹⁹"),
        (None, "–"),
    ],
)
def test_counts_are_whole_where_that_loses_nothing(value: float | None, text: str) -> None:
    assert plain(fmt.number(value, EN)) == text


@pytest.mark.parametrize(("value", "tone"), [(0.3, "u"), (-0.3, "d"), (0.001, ""), (None, "")])
def test_a_change_that_reads_as_zero_has_no_direction(value: float | None, tone: str) -> None:
    assert fmt.direction(value) == tone


def test_times_are_utc_and_say_so() -> None:
    assert plain(fmt.time_utc(SLOT, EN)) == "26 Jan 2026, 18:00 UTC"
    assert plain(fmt.time_utc(SLOT, ES)) == "26 ene 2026, 18:00 UTC"
    assert fmt.clock_seconds(SLOT + 21) == "18:00:21"
    assert fmt.machine_time(SLOT) == "2026-01-26T18:00:00Z"


def test_what_is_not_known_is_a_dash_and_never_zero() -> None:
    unknown = [
        fmt.time_utc(None, EN),
        fmt.clock(None),
        fmt.clock_seconds(None),
        fmt.share(None, EN),
    ]
    assert set(unknown) == {"–"}
