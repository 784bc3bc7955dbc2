"""Where the axes of a chart have their marks, and what is written there: round numbers and times.

``frontend/src/chart/ticks.ts`` places the marks of the value axis by the same rule, so that nothing
jumps when the script takes over from the first paint.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import NamedTuple

from coinlog.slots import DAY, HOUR
from coinlog.web import format as fmt
from coinlog.web.i18n import NumberFormat


class Mark(NamedTuple):
    """A mark on an axis: its value and its label."""

    value: float
    label: str


_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_SPANS = (HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 4 * DAY, 7 * DAY, 14 * DAY)
_MONTHS = (1, 2, 3, 6, 12, 24, 48, 120)
_MONTH = 30.4 * DAY
_JANUARY = 1
_EPOCH_YEAR = 1970
TINY = 1e-9
LEAST_STEP = 1e-300
"""Steps below this cannot be reckoned with in doubles."""
VALUE_MARKS, TIME_MARKS = 5, 13
"""The most marks that an axis has."""


def bounds(low: float, high: float) -> tuple[float, float]:
    """Return the range of a value axis: the values with some air, never of no height."""
    air = (high - low) * 0.06 or abs(high) * 0.02 or 1.0
    floor = low - air
    return (0.0 if floor < 0 <= low else floor), high + air


def round_step(span: float, count: int = VALUE_MARKS) -> float:
    """Return the smallest step of 1, 2, 2.5 or 5 tens that makes at most ``count`` of a span."""
    rough = max(span / count, LEAST_STEP)
    ten: float = 10.0 ** math.floor(math.log10(rough))
    return next(step * ten for step in _STEPS if step * ten >= rough * (1 - 1e-9))


def step_of(low: float, high: float, unit: str) -> float:
    """Return the step between the marks of an axis; ranks have none between two places."""
    step = round_step(high - low)
    return max(step, 1.0) if unit == "rank" else step


def value_marks(low: float, high: float, unit: str = "price") -> list[float]:
    """Return the round values between two bounds; no rank is above the first."""
    step = step_of(low, high, unit)
    low = max(low, 1.0) if unit == "rank" else low
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def label(value: float, step: float, unit: str, form: NumberFormat) -> str:
    """Return the label of an axis in a unit."""
    if unit == "percent":
        return percent_label(value, step, form)
    if unit == "share":
        return form.percent.format(fmt.fixed(value, _decimals(step), form))
    if unit in {"coins", "rank"}:
        return number_label(value, step, form)
    return price_label(value, step, form)


def price_label(value: float, step: float, form: NumberFormat) -> str:
    """Return the label of a money axis: as many digits as tell two marks apart."""
    return form.money.format(number_label(value, step, form))


def number_label(value: float, step: float, form: NumberFormat) -> str:
    """Return the label of an axis of plain numbers: as many digits as tell two marks apart."""
    largest = max(abs(value), step)
    if step < TINY or largest >= fmt.PLAIN_BELOW:
        return fmt.plain_price(value, form)
    if largest < fmt.SHORT_FROM:
        return fmt.fixed(value, _decimals(step), form)
    exponent = math.floor(math.log10(largest) + TINY) // 3 * 3
    scaled = fmt.fixed(value / 10**exponent, _decimals(step / 10**exponent), form)
    return form.powers[str(exponent)].format(scaled)


def percent_label(value: float, step: float, form: NumberFormat) -> str:
    """Return the label of an axis of changes: ``+20%``."""
    text = form.percent.format(fmt.fixed(value, _decimals(step), form))
    return f"+{text}" if value > step / 2 else text


def _decimals(step: float) -> int:
    if step >= 1 and step == int(step):
        return 0
    places = max(1, -math.floor(math.log10(step)))
    return places if round(step * 10**places, 6) == int(round(step * 10**places, 6)) else places + 1


def time_marks(start: int, end: int, form: NumberFormat) -> list[Mark]:
    """Return round UTC times between two times (seconds), with labels."""
    rough = max(end - start, HOUR) / TIME_MARKS
    span = next((span for span in _SPANS if span >= rough), None)
    return _month_marks(start, end, rough, form) if span is None else _spans(start, end, span, form)


def _spans(start: int, end: int, span: int, form: NumberFormat) -> list[Mark]:
    first = -(-start // span) * span
    return [Mark(time, _span_label(time, form)) for time in range(first, end + 1, span)]


def _span_label(time: int, form: NumberFormat) -> str:
    return fmt.clock(time) if time % DAY else fmt.day(time, form)


def _month_marks(start: int, end: int, rough: float, form: NumberFormat) -> list[Mark]:
    months = next((count for count in _MONTHS if count * _MONTH >= rough), _MONTHS[-1])
    first = datetime.fromtimestamp(start, UTC)
    index = -(-((first.year - _EPOCH_YEAR) * 12 + first.month - 1) // months) * months
    marks = []
    while (time := _month_start(index)) <= end:
        if time >= start:
            marks.append(Mark(time, _month_label(index, form)))
        index += months
    return marks


def _month_start(index: int) -> int:
    year, month = divmod(index, 12)
    return int(datetime(_EPOCH_YEAR + year, month + 1, 1, tzinfo=UTC).timestamp())


def _month_label(index: int, form: NumberFormat) -> str:
    year, month = divmod(index, 12)
    return form.months[month] if month + 1 > _JANUARY else str(_EPOCH_YEAR + year)
