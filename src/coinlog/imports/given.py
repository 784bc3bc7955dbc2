"""Which asset is which, as the user says it with ``--map``."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from coinlog.errors import UsageError
from coinlog.slots import MAX_ASSET_ID


def parse_map(texts: Iterable[str]) -> dict[str, int]:
    """Return ``BTC=1,ETH=1027``, or a CSV file of such pairs, as a dict.

    Raises:
        UsageError: it is written otherwise, or one name has two ids.
    """
    given: dict[str, int] = {}
    for text in texts:
        for key, number in _pairs(text) if "=" in text else _pairs_in(Path(text)):
            _add_given(given, key.strip(), number.strip())
    return given


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(","):
        key, _, number = part.rpartition("=")
        yield key, number


def _pairs_in(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the pairs of a CSV file; a first line that ends in no number is its header."""
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, ValueError, csv.Error) as error:
        raise UsageError(
            f"--map {str(path)[:80]!r} cannot be read ({error}): expected SYMBOL=ID, or a CSV file "
            "with a symbol, name or slug and a CoinMarketCap id in each line"
        ) from error
    for number, row in enumerate(rows):
        if row and (number or row[-1].strip().isdecimal()):
            yield row[0], row[-1]


def _add_given(given: dict[str, int], key: str, number: str) -> None:
    """Add one choice of the user.

    Raises:
        UsageError: it is none, or contradicts another.
    """
    if not key or not number.isdecimal() or not 0 < int(number[:12]) <= MAX_ASSET_ID:
        raise UsageError(
            f"--map {f'{key}={number}'[:60]!r} cannot be used: expected a symbol, name or slug and "
            "a CoinMarketCap id, for example BTC=1"
        )
    if given.setdefault(key, int(number)) != int(number):
        raise UsageError(f"--map gives {key[:60]!r} two ids: {given[key]} and {number}")
