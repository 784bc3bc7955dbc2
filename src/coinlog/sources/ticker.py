"""The retired public ticker: ``/v1/ticker/`` (until 2018) and ``/v2/ticker/`` (until 2019).

The first is a list of rows whose numbers are strings and whose ``id`` is a slug; the second is a
dict, or a list, of rows with CoinMarketCap ids and ``quotes`` by currency.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from coinlog.errors import BrokenAnswerError
from coinlog.market import BITCOIN
from coinlog.slots import iso
from coinlog.sources.decode import AssetId, AssetRow, Refused, check_numbers, decode
from coinlog.sources.labels import Label, Labelled
from coinlog.sources.numbers import read_amount
from coinlog.sources.status import parse_iso

_LIST = msgspec.json.Decoder(list[dict[str, Any]])

# What the first ticker's keys are called today; ``quote`` are those of the quote in USD.
_ROW_KEYS = {
    "circulating_supply": "available_supply",
    "total_supply": "total_supply",
    "max_supply": "max_supply",
    "cmc_rank": "rank",
}
_QUOTE_KEYS = {
    "price": "price_usd",
    "market_cap": "market_cap_usd",
    "volume_24h": "24h_volume_usd",
    "percent_change_1h": "percent_change_1h",
    "percent_change_24h": "percent_change_24h",
    "percent_change_7d": "percent_change_7d",
}
_SUPPLIES = ("circulating_supply", "total_supply", "max_supply")


class Ticker(msgspec.Struct, frozen=True):
    """A ticker's rows in order, those refused, and when it was told (seconds UTC)."""

    rows: list[Labelled]
    refused: list[Refused]
    observed_at: int | None


class _Metadata(msgspec.Struct):
    timestamp: Any = None


class _Second(msgspec.Struct):
    data: dict[str, dict[str, Any]] | list[dict[str, Any]]
    metadata: _Metadata


_SECOND = msgspec.json.Decoder(_Second)


def read_first_ticker(body: bytes) -> Ticker:
    """Return the rows of a ``/v1/ticker/`` answer; it was told when its newest row was.

    Raises:
        BrokenAnswerError: the body is none.
    """
    rows, refused = _each(_decode(_LIST, body), _first_row)
    times = [parse_iso(each.row.last_updated) or 0 for each in rows]
    return Ticker(rows, refused, max(times, default=0) or None)


def read_second_ticker(body: bytes) -> Ticker:
    """Return the rows of a ``/v2/ticker/`` answer.

    Raises:
        BrokenAnswerError: the body is none.
    """
    answer = _decode(_SECOND, body)
    data = answer.data if isinstance(answer.data, list) else list(answer.data.values())
    rows, refused = _each(data, _second_row)
    return Ticker(rows, refused, _epoch(answer.metadata.timestamp))


def _decode(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:  # noqa: ANN401  of two kinds
    check_numbers(body)
    try:
        return decode(decoder, body)
    except msgspec.ValidationError as error:
        raise BrokenAnswerError(
            f"got JSON of an unknown shape ({error}): expected the rows of a ticker"
        ) from error


def _each(
    rows: list[dict[str, Any]], read: Callable[[dict[str, Any]], Labelled]
) -> tuple[list[Labelled], list[Refused]]:
    found: list[Labelled] = []
    refused: list[Refused] = []
    for row in rows:
        try:
            found.append(read(row))
        except (ValueError, msgspec.ValidationError) as error:
            who = str(row.get("symbol") or row.get("id"))[:40]
            refused.append(Refused(None, f"{who}: {error}".replace("`", "")))
    return found, refused


def _first_row(row: dict[str, Any]) -> Labelled:
    label = Label(_text(row, "symbol"), _text(row, "name"), _text(row, "id"))
    quote = {name: _number(row.get(key)) for name, key in _QUOTE_KEYS.items()}
    values = {name: _number(row.get(key)) for name, key in _ROW_KEYS.items()}
    return _labelled(label, values, quote, _iso(row.get("last_updated")))


def _second_row(row: dict[str, Any]) -> Labelled:
    quotes = row.get("quotes")
    usd = quotes.get("USD") if isinstance(quotes, dict) else None
    if not isinstance(usd, dict):
        raise ValueError("it has no quote in USD")  # noqa: TRY004  refused like any other value
    asset_id = msgspec.convert(row.get("id"), AssetId)
    label = Label(_text(row, "symbol"), _text(row, "name"), _text(row, "website_slug"), asset_id)
    quote = {name: _number(usd.get(name)) for name in _QUOTE_KEYS}
    values = {name: _number(row.get(name)) for name in _SUPPLIES}
    values["cmc_rank"] = _number(row.get("rank"))
    return _labelled(label, values, quote, _iso(row.get("last_updated")))


def _labelled(
    label: Label,
    values: dict[str, float | None],
    quote: dict[str, float | None],
    updated: str | None,
) -> Labelled:
    told = {**values, "quote": {"USD": quote}, "name": label.name, "symbol": label.symbol}
    # The id is the match's to give; any will do until then.
    row = msgspec.convert({**told, "slug": label.slug, "id": label.id or BITCOIN}, AssetRow)
    row.last_updated = updated
    return Labelled(label, row)


def _number(value: object) -> float | None:
    """Return a number that was given as one or as a string; a boolean is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | None):
        raise ValueError(f"got {str(value)[:40]!r} for a number")  # noqa: TRY004  likewise
    return read_amount(value) if isinstance(value, str) else _double(value)


def _double(value: float | None) -> float | None:
    return None if value is None else float(value)


def _text(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""


def _epoch(value: object) -> int | None:
    """Return epoch seconds given as a number or as a string, None where they are no such time."""
    try:
        return parse_iso(iso(int(value))) if isinstance(value, str | int | float) else None
    except (ValueError, OverflowError, OSError):
        return None


def _iso(value: object) -> str | None:
    seconds = _epoch(value)
    return None if seconds is None else iso(seconds)
