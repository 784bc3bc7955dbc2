"""The web application: pages and API behind the byte cache, as one ASGI application."""

from __future__ import annotations

import time
from typing import Any, cast

import msgspec
import sqlalchemy as sa
from litestar import Litestar, Request, Response, get
from litestar.datastructures import State
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig

from coinlog.errors import StoreError
from coinlog.store.engine import open_engine
from coinlog.store.reader import Reader
from coinlog.web.answers import ErrorAnswer
from coinlog.web.api_description import describe_api
from coinlog.web.api_routes import api_router
from coinlog.web.cache import LOOK_SECONDS, ByteCache
from coinlog.web.data_routes import data
from coinlog.web.entries import CACHE_BYTES
from coinlog.web.operations import OPERATIONS
from coinlog.web.pages import page_routers
from coinlog.web.problems import RETRY_SECONDS, describe, more_than_the_page
from coinlog.web.rendering import error_page
from coinlog.web.security import Application
from coinlog.web.shell import LIVE, PUBLISHED
from coinlog.web.site_pages import WHOLE_SITE
from coinlog.web.static_files import read_static
from coinlog.web.watch import MANY_POINTS, Clock, Watch

PUBLISHED_POINTS = 500
"""Of a line in a published page: there are thousands of pages, and the whole lies beside them."""

API_VERSION = "1"
"""Of the API, as in its addresses. Which coinlog serves it is nobody's business."""

_MACHINES = (
    *("/api/", "/data/", "/static/", "/live", "/ready", "/fresh", "/metrics", "/schema/"),
    *("/spark/", "/og/"),
)
_AWAY = 503
_ANSWER_SECONDS = 20
"""A database ends each of our statements sooner; one that is silent for longer is dead."""

_ABOUT = (
    "The market of CoinMarketCap as this coinlog has recorded it. All times are seconds since "
    "1970-01-01 UTC, all money is USD, numbers have full precision, null means unknown."
)


def create_app(
    database_url: sa.URL | str,
    *,
    clock: Clock = time.time,
    look_seconds: float = LOOK_SECONDS,
    cache_bytes: int = CACHE_BYTES,
    edition: str = LIVE,
) -> ByteCache:
    """Return the ASGI application that reads one store; nothing is connected yet.

    ``look_seconds`` is how often the store is asked whether it has changed, ``cache_bytes`` how
    much ready answers may take. Pages of a published ``edition`` have no server behind them.
    """
    most = PUBLISHED_POINTS if edition == PUBLISHED else MANY_POINTS
    engine = open_engine(database_url, read_only=True, answer_seconds=_ANSWER_SECONDS)
    watch = Watch(Reader(engine), clock, most)
    bundle, static = read_static()
    bundle = msgspec.structs.replace(bundle, edition=edition)
    cache = ByteCache(
        _nobody_yet, watch, static, look_seconds=look_seconds, cache_bytes=cache_bytes
    )
    app = Litestar(
        [
            api_router(),
            *page_routers(),
            data,
            *OPERATIONS,
            openapi_json,
            *WHOLE_SITE,
        ],
        dependencies={
            "watch": Provide(lambda: watch, use_cache=True, sync_to_thread=False),
        },
        exception_handlers={Exception: on_error},
        lifespan=[cache.looking],
        openapi_config=OpenAPIConfig(
            title="coinlog",
            version=API_VERSION,
            description=_ABOUT,
            path="/-",
            render_plugins=[],
            use_handler_docstrings=True,
        ),
        logging_config=None,
        state=State({"bundle": bundle, "cache": cache}),
    )
    # Made now, so that worker processes share its memory.
    app.state.description = describe_api(app.openapi_schema)
    # The same protocol, written with other types.
    cache.inner = cast("Application", app)
    return cache


async def _nobody_yet(_scope: Any, _receive: Any, _send: Any) -> None:  # noqa: ANN401  ASGI
    raise RuntimeError("the application is not put together yet")


@get("/schema/openapi.json", include_in_schema=False)
async def openapi_json(request: Request[Any, Any, State]) -> Response[bytes]:
    """Return the API's description for programs (OpenAPI 3.1)."""
    described = msgspec.json.encode(request.app.state.description)
    return Response(described, media_type="application/json")


def on_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer with an error: JSON for programs, a page for people."""
    detail = describe(error, request)
    later = {"retry-after": str(RETRY_SECONDS)} if detail.status == _AWAY else None
    if request.url.path.startswith(_MACHINES):
        return Response(ErrorAnswer(detail), status_code=detail.status, headers=later)
    since = request.app.state.cache.watch.away_since if isinstance(error, StoreError) else None
    more = more_than_the_page(error, detail)
    return error_page(request, msgspec.structs.replace(detail, message=more), since, later)
