"""The addresses of the API, put together."""

from __future__ import annotations

from typing import Any

from litestar import Request, Router
from litestar.di import Provide
from litestar.enums import ParamType

from coinlog.errors import UsageError
from coinlog.web import api, api_candles, api_log, api_market, query
from coinlog.web.problems import documented, first_example


def api_router() -> Router:
    """Return the routes of the API."""
    return Router(
        "/api/v1",
        route_handlers=[
            api_market.list_assets,
            api.one_asset,
            api.series,
            api.series_csv,
            api_candles.candles,
            api_candles.candles_csv,
            api.ledger,
            api_log.one_slot,
        ],
        dependencies={
            "wanted": Provide(api_market.wanted_of, sync_to_thread=False),
            "asked": Provide(api.asked_series, sync_to_thread=False),
            "asked_candles": Provide(api_candles.asked_candles, sync_to_thread=False),
        },
        before_request=refuse_unknown_parameters,
    )


async def refuse_unknown_parameters(request: Request[Any, Any, Any]) -> None:
    """Refuse what the address does not know, so that a misspelt parameter is not overlooked.

    And ``null`` for a number: the framework would take it for a parameter that is not given.
    """
    known = {one.name: one for one in documented(request) if one.param_in == ParamType.QUERY}
    query.refuse_unknown(list(request.query_params.multi_items()), known)
    for name, value in request.query_params.multi_items():
        if value.lower() == "null" and (example := first_example(known[name])).isdigit():
            raise UsageError(
                f"{name}={value!r} cannot be used: expected a whole number, for example "
                f"{name}={example}"
            )
