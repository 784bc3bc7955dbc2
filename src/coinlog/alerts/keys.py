"""The keys of the file of alerts: what each must be, and what it becomes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from coinlog.market import FIAT_IDS
from coinlog.slots import DAY, HOUR, MINUTE

MOST_ASSET_ID = 2**31 - 1
LONGEST_WINDOW_DAYS = 366


class Key(NamedTuple):
    """A key of a table: ``expected`` completes "expected ...", ``example`` is a value."""

    name: str
    field: str
    parse: Callable[[object], object]
    expected: str
    example: str

    def __str__(self) -> str:
        return f"{self.name} = {self.example}"


def words(names: Sequence[object]) -> str:
    """Return ``a, b and c``."""
    texts = [str(name) for name in names]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def whole(name: str, low: int, high: int, example: str) -> Key:
    """Return a key that is a whole number within bounds, both included."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError
        return value

    return Key(name, name, parse, f"a whole number from {low:,} to {high:,}", example)


def number(name: str) -> Key:
    """Return a key that is a number above 0."""
    return Key(name, name, lambda value: _within(value, 0, math.inf), "a number above 0", "100000")


def percent(name: str, example: str) -> Key:
    """Return a key that is percent, above 0 and below 100."""
    expected = "a number above 0 and below 100"
    return Key(name, name, lambda value: _within(value, 0, 99.999), expected, example)


def margin(example: str) -> Key:
    """Return the key of the margin by which a figure must come back."""
    expected = "a number above 0 and at most 1,000"
    return Key("rearm", "rearm", lambda value: _within(value, 0, 1000), expected, example)


def percent_change() -> Key:
    """Return the key of a change: percent with a sign."""

    def parse(value: object) -> float:
        found = _within(value, -100.001, 1_000_000)
        if not found:
            raise ValueError
        return found

    return Key("percent", "percent", parse, "a number from -100 to 1,000,000, not 0", "-10")


def asset_id(known: Sequence[int] = ()) -> Key:
    """Return the key of an asset: CoinMarketCap's id, since symbols are no identity."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError  # noqa: TRY004  as everything that cannot be used
        if not 0 < value <= MOST_ASSET_ID or (known and value not in known):
            raise ValueError
        return value

    one_of = f" ({words(known)} alone are recorded)" if known else ""
    expected = f"the id of an asset, as in the address of its page{one_of}"
    return Key("asset", "asset", parse, expected, "1")


def currency() -> Key:
    """Return the key of a currency that is recorded."""

    def parse(value: object) -> str:
        if not isinstance(value, str) or value.upper() not in FIAT_IDS:
            raise ValueError
        return value.upper()

    return Key("currency", "currency", parse, f"one of {words(list(FIAT_IDS))}", '"EUR"')


def window() -> Key:
    """Return the key of a stretch of time."""

    def parse(value: object) -> int:
        units = {"m": MINUTE, "h": HOUR, "d": DAY}
        text = value.strip().lower() if isinstance(value, str) else ""
        if text[-1:] not in units or not text[:-1].isdecimal() or len(text) > len("525600m"):
            raise ValueError
        seconds = int(text[:-1]) * units[text[-1]]
        if not 0 < seconds <= LONGEST_WINDOW_DAYS * DAY:
            raise ValueError
        return seconds

    expected = "minutes, hours or days, up to 366 days"
    return Key("window", "window_seconds", parse, expected, '"24h"')


def _within(value: object, above: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError  # noqa: TRY004  as everything that cannot be used
    try:
        found = float(value)
    except OverflowError:
        raise ValueError from None
    if not above < found <= most or not math.isfinite(found):
        raise ValueError
    return found
