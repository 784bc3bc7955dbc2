"""The pages: home, an asset, assets compared, the ledger, the API's own, in every language."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get
from litestar.datastructures import State
from litestar.params import FromPath

from coinlog.web import page_views, schema_page, shell, views
from coinlog.web.api import TheWatch
from coinlog.web.i18n import DEFAULT, languages
from coinlog.web.look import environment
from coinlog.web.watch import Moment

HTML = "text/html"

AnyRequest = Request[Any, Any, State]


@get("/", sync_to_thread=True)
def home(request: AnyRequest, watch: TheWatch) -> Response[bytes]:
    """Show the leading assets' chart, the market table and the last slots."""
    ask = _asked(request, "/")
    with watch.moment() as moment:
        view = page_views.home_view(watch, moment, ask)
    return _answer(request, "home", ask, moment, view)


@get("/assets/{asset_id:int}", sync_to_thread=True)
def asset(request: AnyRequest, watch: TheWatch, asset_id: FromPath[int]) -> Response[bytes]:
    """Show an asset: its chart, its newest numbers, its names so far."""
    ask = _asked(request, f"/assets/{asset_id}")
    with watch.moment() as moment:
        view = page_views.asset_view(watch, moment, asset_id, ask)
    return _answer(request, "asset", ask, moment, view)


@get("/compare", sync_to_thread=True)
def compare(request: AnyRequest, watch: TheWatch) -> Response[bytes]:
    """Show several assets in one chart."""
    ask = _asked(request, "/compare")
    with watch.moment() as moment:
        view = page_views.compare_view(watch, moment, ask)
    return _answer(request, "compare", ask, moment, view)


@get("/log", sync_to_thread=True)
def log(request: AnyRequest, watch: TheWatch) -> Response[bytes]:
    """Show the ledger: what became of each slot."""
    ask = _asked(request, "/log")
    with watch.moment() as moment:
        view = page_views.log_view(watch, moment, ask)
    return _answer(request, "log", ask, moment, view)


@get("/schema", sync_to_thread=True)
def schema(request: AnyRequest, watch: TheWatch) -> Response[bytes]:
    """Show the API's operations, parameters and examples."""
    ask = _asked(request, "/schema")
    with watch.moment() as moment:
        view = schema_page.schema_view(request.app.openapi_schema)
    return _answer(request, "schema", ask, moment, view)


def _asked(request: AnyRequest, path: str) -> shell.Ask:
    parts = shell.PARTS.get(path.rstrip("0123456789"), ())
    asked = shell.read_query(dict(request.query_params.items()), parts)
    return shell.ask_of(path, language_of(request), asked)


def language_of(request: AnyRequest) -> str:
    """Return the language that an address is in: its first part, else the default."""
    first = request.url.path.split("/")[1]
    return first if first in languages() else DEFAULT


def _answer(
    request: AnyRequest, kind: str, ask: shell.Ask, moment: Moment, view: views.View
) -> Response[bytes]:
    page = shell.page_view(kind, ask.at, request.app.state.bundle, moment)
    return Response(render(ask.query.part or kind, page, view), media_type=HTML)


def render(template: str, page: views.PageView, view: views.View) -> bytes:
    """Return a page as it is sent."""
    templates = environment(page.language)
    return templates.get_template(f"{template}.html").render(page=page, view=view).encode()


def error_page(request: AnyRequest, status: int, code: str, message: str) -> Response[bytes]:
    """Return a page that says what went wrong, in the address's language."""
    language = language_of(request)
    path = request.url.path.removeprefix(shell.prefix_of(language)) or "/"
    at = shell.Address(path, language)
    page = shell.page_view("error", at, request.app.state.bundle, status=status)
    view = views.ErrorView(status=status, code=code, message=message)
    return Response(render("error", page, view), media_type=HTML, status_code=status)


def page_routers() -> list[Router]:
    """Return the pages once for each language."""
    handlers = [home, asset, compare, log, schema]
    return [
        Router(shell.prefix_of(language) or "/", route_handlers=handlers, include_in_schema=False)
        for language in languages()
    ]
