"""Numbers and times as a reader of a language writes them.

Prices are shown by significant digits, because they run from 1e-19 to millions. The script
``frontend/src/format.ts`` holds the same rules; a test compares the two.
Only exact halves may differ in their last digit.

- from 10: two decimals; from 1: four; below: four significant digits
- with six or more zeros after the point, the small digit counts them: 0.0\N{SUBSCRIPT EIGHT}1234
- from 1e15: a power of ten
- pesos of Colombia and yen from a thousand on: whole, because nobody writes their cents
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

from coinlog.slots import iso
from coinlog.web.i18n import NumberFormat

MINUS = "\N{MINUS SIGN}"
UNKNOWN = "\N{EN DASH}"
SPACE = "\N{NO-BREAK SPACE}"
_TIMES = f"{SPACE}\N{MULTIPLICATION SIGN}{SPACE}10"
_LOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_HIGH = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

PLAIN_BELOW = 1e15
"""From here on a number is written as a power of ten."""
COUNTED_ZEROS = 6
"""With so many zeros after the point, they are counted instead of written."""
SHORT_FROM = 1e6
"""From here on money is shortened to three digits and a word."""
WHOLE_FROM = 1000
"""From here on percents and counts are whole numbers."""
WITHOUT_CENTS = ("COP", "JPY")
"""Currencies whose units are so small that from ``WHOLE_FROM`` on nothing follows the point."""


def localise(text: str, form: NumberFormat) -> str:
    """Return Python's ``-1,234.5`` in a language's separators, with a real minus sign."""
    swap = {",": form.group, ".": form.decimal, "-": MINUS}
    return "".join(swap.get(character, character) for character in text)


def fixed(value: float, decimals: int, form: NumberFormat) -> str:
    """Return a number with so many decimals, grouped by thousands."""
    text = f"{value:,.{decimals}f}"
    return localise(text if text.strip("-0.,") else text.lstrip("-"), form)


def power(value: float, digits: int, form: NumberFormat) -> str:
    """Return a number as ``1.23 x 10^4`` with so many significant digits."""
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return localise(mantissa, form) + _TIMES + str(int(exponent)).translate(_HIGH)


def plain_price(value: float, form: NumberFormat) -> str:
    """Return a price without its currency, by significant digits."""
    if not math.isfinite(value):
        return UNKNOWN
    if abs(value) >= PLAIN_BELOW:
        return power(value, 4, form)
    exponent = int(f"{value:.4e}".split("e")[1])
    if value == 0 or exponent > 0:
        return fixed(value, 2, form)
    return fixed(value, 4, form) if exponent == 0 else _small(value, form)


def _small(value: float, form: NumberFormat) -> str:
    """Return a number below 1 with four significant digits."""
    mantissa, exponent = f"{value:.3e}".split("e")
    zeros = -int(exponent) - 1
    if zeros < COUNTED_ZEROS:
        text = f"{value:.{zeros + 4}f}"
        keep = text.index(".") + 5
        return localise(text[:keep] + text[keep:].rstrip("0"), form)
    digits = mantissa.lstrip("-").replace(".", "").rstrip("0")
    sign = MINUS if value < 0 else ""
    return f"{sign}0{form.decimal}0{str(zeros).translate(_LOW)}{digits}"


def price(value: float | None, form: NumberFormat, currency: str = "USD") -> str:
    """Return a price by significant digits: ``$0.000006``."""
    if value is None:
        return UNKNOWN
    whole = currency in WITHOUT_CENTS and WHOLE_FROM <= abs(value) < PLAIN_BELOW
    text = fixed(value, 0, form) if whole else plain_price(value, form)
    return form.currencies[currency].format(text)


def short(value: float, form: NumberFormat) -> str:
    """Return a large number with three significant digits and its word: ``1.23T``."""
    if abs(value) < 1:
        return plain_price(value, form)
    if abs(value) < SHORT_FROM:
        return fixed(value, 0 if abs(value) >= WHOLE_FROM else 2, form)
    mantissa, exponent_text = f"{value:.2e}".split("e")
    exponent = int(exponent_text)
    word = form.powers.get(str(exponent - exponent % 3))
    if word is None:
        return power(value, 3, form)
    shift = exponent % 3
    return word.format(localise(f"{float(mantissa) * 10**shift:.{2 - shift}f}", form))


def money(value: float | None, form: NumberFormat, currency: str = "USD") -> str:
    """Return an amount, shortened from a million on: ``$1.23T``."""
    return UNKNOWN if value is None else form.currencies[currency].format(short(value, form))


def money_full(value: float | None, form: NumberFormat, currency: str = "USD") -> str:
    """Return an amount to the dollar: ``$1,234,567,890``."""
    return UNKNOWN if value is None else form.currencies[currency].format(number(value, form))


def percent(value: float | None, form: NumberFormat) -> str:
    """Return a change in percent with its sign: ``+1.23%``."""
    return UNKNOWN if value is None else ("+" if _rises(value) else "") + share(value, form)


def share(value: float | None, form: NumberFormat) -> str:
    """Return a part in percent, without a plus sign: ``58.20%``."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if abs(value) >= SHORT_FROM:
        return form.percent.format(power(value, 3, form))
    return form.percent.format(fixed(value, 0 if abs(value) >= WHOLE_FROM else 2, form))


def direction(value: float | None) -> str:
    """Return ``u`` for up, ``d`` for down, and nothing for a change that reads as zero."""
    if value is None or not (_rises(value) or _rises(-value)):
        return ""
    return "u" if value > 0 else "d"


def _rises(value: float) -> bool:
    return round(value, 2) > 0


def number(value: float | None, form: NumberFormat) -> str:
    """Return a count, whole from a thousand on: ``19,800,000``."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if abs(value) >= PLAIN_BELOW:
        return power(value, 4, form)
    if abs(value) >= WHOLE_FROM or value == int(value):
        return fixed(value, 0, form)
    return plain_price(value, form)


def _moment(time: float) -> datetime:
    return datetime.fromtimestamp(int(time), UTC)


def clock(time: float | None) -> str:
    """Return a time of day in UTC: ``18:00``."""
    return UNKNOWN if time is None else f"{_moment(time):%H:%M}"


def clock_seconds(time: float | None) -> str:
    """Return a time of day in UTC with seconds: ``18:00:21``."""
    return UNKNOWN if time is None else f"{_moment(time):%H:%M:%S}"


def day(time: float, form: NumberFormat) -> str:
    """Return a day of the year in UTC: ``26 Jan``."""
    moment = _moment(time)
    return form.day.format(d=moment.day, m=form.months[moment.month - 1], y=moment.year)


def date(time: float | None, form: NumberFormat) -> str:
    """Return a date in UTC: ``26 Jan 2026``."""
    if time is None:
        return UNKNOWN
    moment = _moment(time)
    return form.date.format(d=moment.day, m=form.months[moment.month - 1], y=moment.year)


def month(time: float, form: NumberFormat) -> str:
    """Return a month in UTC: ``Jan 2026``."""
    moment = _moment(time)
    return f"{form.months[moment.month - 1]} {moment.year}"


def time_utc(time: float | None, form: NumberFormat) -> str:
    """Return a date and time in UTC: ``26 Jan 2026, 18:00 UTC``."""
    if time is None:
        return UNKNOWN
    return f"{date(time, form)}, {clock(time)}{SPACE}UTC"


def machine_time(time: float) -> str:
    """Return a time for programs, as the ``datetime`` of a ``<time>``."""
    return iso(time)
