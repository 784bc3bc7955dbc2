"""What can go wrong with a source, on demand: errors, broken bodies, broken connections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from coinlog.errors import UsageError
from coinlog.market import ETHEREUM
from coinlog.simulated.noise import digest


class ApiError(NamedTuple):
    """An error as the API tells it: HTTP status and sentence."""

    status: int
    message: str


API_ERRORS = {
    400: ApiError(400, "Bad request, as asked for."),
    1001: ApiError(401, "This API Key is invalid."),
    1002: ApiError(401, "API key missing."),
    1003: ApiError(402, "Your API Key must be activated."),
    1004: ApiError(402, "Your API Key's subscription plan has expired."),
    1005: ApiError(403, "An API Key is required for this call."),
    1006: ApiError(403, "Your API Key subscription plan doesn't support this endpoint."),
    1007: ApiError(403, "This API Key has been disabled."),
    1008: ApiError(429, "You've exceeded your API Key's HTTP request rate limit."),
    1009: ApiError(429, "You've exceeded your API Key's daily rate limit."),
    1010: ApiError(429, "You've exceeded your API Key's monthly rate limit."),
    1011: ApiError(429, "You've hit an IP rate limit."),
    500: ApiError(500, "An internal server error occurred."),
}
"""The API's error codes; only some are limits that pass soon (``PASSING``)."""

PASSING = frozenset({1008, 1011})

BODY_FAULTS = frozenset({"nan", "null-price", "missing-asset", "empty"})
"""Faults inside an answer that is otherwise as always."""

FAULTS = frozenset(
    {*map(str, API_ERRORS), *BODY_FAULTS}
    | {"503", "html", "truncated", "slow", "reset", "200-with-error"}
)

_NOT_A_NUMBER = "@nan@"


def parse_faults(texts: Sequence[str]) -> dict[str, float]:
    """Return the share of requests that each fault befalls, from texts such as ``1008:0.1``.

    Raises:
        UsageError: a fault is unknown, or the shares are not between 0 and 1 in total.
    """
    shares: dict[str, float] = {}
    for text in texts:
        fault, _, share = text.partition(":")
        check_fault(fault)
        try:
            shares[fault] = float(share or 1)
        except ValueError as error:
            raise UsageError(_share_message(text)) from error
    if not all(share >= 0 for share in shares.values()) or sum(shares.values()) > 1:
        raise UsageError(_share_message(" ".join(texts)))
    return shares


def _share_message(text: str) -> str:
    return (
        f"faults {text!r} cannot be used: expected FAULT:SHARE with shares from 0 to 1 that add "
        "up to at most 1, for example 1008:0.1"
    )


def check_fault(fault: str) -> None:
    """Raise a ``UsageError`` where there is no such fault."""
    if fault not in FAULTS:
        known = ", ".join(sorted(FAULTS))
        raise UsageError(f"there is no fault {fault!r}: expected one of {known}")


class Weather:
    """Decides which requests meet a fault: the same ones for the same seed."""

    def __init__(self, seed: int, shares: Mapping[str, float]) -> None:
        self._seed = seed
        self._shares = dict(shares)
        self._requests = 0

    def next_fault(self) -> str | None:
        """Return the fault that the next request meets, if it does."""
        if not self._shares:
            return None
        self._requests += 1
        luck = int.from_bytes(digest(self._seed, "fault", self._requests, size=4), "big") / 2**32
        for fault, share in self._shares.items():
            if luck < share:
                return fault
            luck -= share
        return None


def spoil(body: bytes, fault: str) -> bytes:
    """Return an answer's body with a fault inside; Ethereum is the victim where it can be."""
    answer = msgspec.json.decode(body)
    data = answer["data"]
    if fault == "empty":
        answer["data"] = type(data)()
    elif fault == "missing-asset":
        answer["data"] = _without_victim(data)
    else:
        numbers, name = _victim_number(data)
        numbers[name] = _NOT_A_NUMBER if fault == "nan" else None
    return msgspec.json.encode(answer).replace(f'"{_NOT_A_NUMBER}"'.encode(), b"NaN")


def _without_victim(data: Any) -> Any:  # noqa: ANN401
    if isinstance(data, list):
        victim = _victim(data)
        return [row for row in data if row is not victim]
    if str(ETHEREUM) in data:
        return {key: row for key, row in data.items() if key != str(ETHEREUM)}
    return data


def _victim(rows: list[Any]) -> Any:  # noqa: ANN401
    return next((row for row in rows if row.get("id") == ETHEREUM), rows[-1] if rows else {})


def _victim_number(data: Any) -> tuple[dict[str, Any], str]:  # noqa: ANN401
    """Return the object and the key of the one number that is to be spoilt."""
    if isinstance(data, dict) and "quotes" in data:
        data = data["quotes"]
    row = _victim(data) if isinstance(data, list) else data.get(str(ETHEREUM), data)
    quote = row.get("quote")
    if not quote:
        return row, "value"
    numbers = quote[0] if isinstance(quote, list) else next(iter(quote.values()))
    return numbers, "price" if "price" in numbers else "total_market_cap"
