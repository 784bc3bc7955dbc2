"""The addresses of the API, put together."""

from __future__ import annotations

from typing import Any

from litestar import Request, Router
from litestar.di import Provide
from litestar.enums import ParamType

from coinlog.web import api, api_candles, api_log, api_market, query
from coinlog.web.problems import documented


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
    """Refuse what the address does not know, so that a misspelt parameter is not overlooked."""
    known = [one.name for one in documented(request) if one.param_in == ParamType.QUERY]
    query.refuse_unknown(list(request.query_params.multi_items()), known)
