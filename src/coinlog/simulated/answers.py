"""The answers of the made-up market: CoinMarketCap's envelopes, endpoints and errors.

What the API documents is followed: ``status`` and ``data``, a quote that is a list in v3 and
keyed by its currency in v1, credits, error codes. Every envelope also says that it is simulated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from coinlog.simulated import asset_endpoints, market_endpoints
from coinlog.simulated.noise import digest
from coinlog.simulated.parameters import Parameters
from coinlog.simulated.shapes import milliseconds
from coinlog.simulated.world import Reply, World
from coinlog.slots import MINUTE

NOTICE = "Simulated market made up by coinlog: not real data."


class NotFoundError(Exception):
    """The API has no such path (HTTP 404)."""


def _status(
    time: float, credit_count: int, total_count: int | None, *, strings: bool
) -> dict[str, Any]:
    """Return the status of an answer without an error: v3 gives the code as a string."""
    status: dict[str, Any] = {
        "timestamp": milliseconds(time),
        "error_code": "0" if strings else 0,
        "error_message": "" if strings else None,
        "elapsed": 4 + digest("elapsed", int(time), size=1)[0] // 6,
        "credit_count": credit_count,
        "simulated": True,
        "notice": NOTICE,
    }
    return status if total_count is None else status | {"total_count": total_count}


def error_envelope(time: float, code: int, message: str) -> bytes:
    """Return the body of an error: a status and no data."""
    return msgspec.json.encode(
        {
            "status": {
                "timestamp": milliseconds(time),
                "error_code": code,
                "error_message": message,
                "elapsed": 0,
                "credit_count": 0,
                "simulated": True,
                "notice": NOTICE,
            }
        }
    )


_Endpoint = Callable[[World, int, Parameters, int], Reply]
_LISTING = ("start", "limit", "sort", "sort_dir", "cryptocurrency_type", "tag")
_HISTORY = ("time_start", "time_end", "interval", "count")
_ENDPOINTS: dict[str, tuple[_Endpoint, tuple[str, ...]]] = {
    "/v1/cryptocurrency/listings/latest": (asset_endpoints.listings, _LISTING),
    "/v3/cryptocurrency/listings/latest": (asset_endpoints.listings, _LISTING),
    "/v1/cryptocurrency/quotes/latest": (asset_endpoints.quotes, ("id",)),
    "/v3/cryptocurrency/quotes/latest": (asset_endpoints.quotes, ("id",)),
    "/v1/cryptocurrency/quotes/historical": (asset_endpoints.quotes_history, ("id", *_HISTORY)),
    "/v3/cryptocurrency/quotes/historical": (asset_endpoints.quotes_history, ("id", *_HISTORY)),
    "/v1/global-metrics/quotes/latest": (market_endpoints.global_metrics, ()),
    "/v1/global-metrics/quotes/historical": (market_endpoints.global_history, _HISTORY),
    "/v3/fear-and-greed/latest": (market_endpoints.fear_and_greed, ()),
    "/v3/fear-and-greed/historical": (market_endpoints.fear_and_greed_history, ("start", "limit")),
    "/v1/key/info": (market_endpoints.key_info, ()),
    "/v1/cryptocurrency/map": (
        asset_endpoints.asset_map,
        ("start", "limit", "sort", "listing_status"),
    ),
    "/v1/fiat/map": (market_endpoints.fiat_map, ("start", "limit", "include_metals")),
}


class Answers:
    """The API over one made-up market."""

    def __init__(self, seed: int, assets: int) -> None:
        self._world = World(seed, assets)
        # A listing of thousands is asked for again and again in tests and benchmarks.
        self._reply = lru_cache(maxsize=6)(self._compute)

    def envelope(self, path: str, query: Mapping[str, str], time: float) -> bytes:
        """Return the whole body of an answer at a time in seconds.

        Raises:
            NotFoundError: the API has no such path.
            BadParameterError: the query cannot be answered.
        """
        minute = int(time // MINUTE) * MINUTE
        answer = self._reply(path, tuple(sorted(query.items())), minute)
        status = _status(time, answer.credits, answer.total_count, strings=path.startswith("/v3"))
        return b'{"data":' + answer.data + b',"status":' + msgspec.json.encode(status) + b"}"

    def _compute(self, path: str, query: tuple[tuple[str, str], ...], minute: int) -> Reply:
        if path not in _ENDPOINTS:
            raise NotFoundError(path)
        endpoint, names = _ENDPOINTS[path]
        return endpoint(self._world, int(path[2]), Parameters(dict(query), names), minute)
