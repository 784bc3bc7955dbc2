"""The pages: home, an asset, assets compared, the ledger, the API's own, in every language."""

from __future__ import annotations

from litestar import Response, Router, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from coinlog.web import (
    embed_pages,
    market_pages,
    page_views,
    picture_pages,
    schema_page,
    shell,
    site_pages,
)
from coinlog.web.api import TheWatch
from coinlog.web.i18n import languages
from coinlog.web.log_pages import log, log_feed, slot
from coinlog.web.rendering import AnyRequest, answer, asked


@get("/", sync_to_thread=True)
def home(request: AnyRequest, watch: TheWatch) -> Response[bytes]:
    """Show the leading assets' chart, the market table and the last slots."""
    ask = asked(request, "/")
    with watch.moment() as moment:
        view = page_views.home_view(watch, moment, ask)
    return answer(request, "home", ask, moment, view)


@get("/assets/{asset_id:int}", sync_to_thread=True)
def asset(request: AnyRequest, watch: TheWatch, asset_id: FromPath[int]) -> Response[bytes]:
    """Show an asset: its chart, its newest numbers, its names so far."""
    ask = asked(request, f"/assets/{asset_id}")
    with watch.moment() as moment:
        view = page_views.asset_view(watch, moment, asset_id, ask)
    return answer(request, "asset", ask, moment, view, slots=[view.quote_slot])


@get("/compare", sync_to_thread=True)
def compare(request: AnyRequest, watch: TheWatch) -> Response[bytes]:
    """Show several assets in one chart."""
    ask = asked(request, "/compare")
    with watch.moment() as moment:
        view = page_views.compare_view(watch, moment, ask)
    return answer(request, "compare", ask, moment, view)


@get("/schema", sync_to_thread=True)
def schema(request: AnyRequest, watch: TheWatch) -> Response[bytes]:
    """Show the API's operations, parameters and examples."""
    ask = asked(request, "/schema")
    with watch.moment() as moment:
        view = schema_page.schema_view(request.app.state.description)
    return answer(request, "schema", ask, moment, view)


HANDLERS: list[HTTPRouteHandler] = [
    home,
    asset,
    market_pages.overview,
    market_pages.past,
    compare,
    log,
    slot,
    log_feed,
    schema,
    *embed_pages.HANDLERS,
    *picture_pages.HANDLERS,
    *site_pages.HANDLERS,
]


def page_routers() -> list[Router]:
    """Return the pages once for each language."""
    return [
        Router(shell.prefix_of(language) or "/", route_handlers=HANDLERS, include_in_schema=False)
        for language in languages()
    ]
