"""Pages about the site itself: its keys, and what search engines are told of it."""

from __future__ import annotations

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from coinlog.errors import NotFoundError
from coinlog.store.listing import read_leading
from coinlog.web import shell, views
from coinlog.web.api import TheWatch
from coinlog.web.embed_pages import sparkline
from coinlog.web.i18n import languages
from coinlog.web.origin import origin_of
from coinlog.web.rendering import AnyRequest, answer, asked
from coinlog.web.sitemap import sitemap_of

LISTED_ASSETS = 200
_PAGES = ("/", "/overview", "/compare", "/log", "/schema", "/keys")


class KeysView(views.View, frozen=True, kw_only=True):
    """The page of the keys: all of it is in its texts."""


@get("/keys", sync_to_thread=True)
def keys(request: AnyRequest, watch: TheWatch) -> Response[bytes]:
    """Show what the keyboard does; the scripts show it over any page at the key ``?``."""
    with watch.moment() as moment:
        return answer(request, "keys", asked(request, "/keys"), moment, KeysView())


@get("/robots.txt", include_in_schema=False)
async def robots(request: AnyRequest) -> Response[str]:
    """Tell search engines what is not for them, and where the list of pages is."""
    closed = "".join(f"Disallow: {path}\n" for path in ("/api/", "/data/", "/embed/", "/metrics"))
    origin = origin_of(request)
    # A list of pages has whole addresses or is none.
    listed = f"Sitemap: {origin}/sitemap.xml\n" if origin else ""
    return Response(f"User-agent: *\n{closed}{listed}", media_type="text/plain")


@get("/sitemap.xml", include_in_schema=False, sync_to_thread=True)
def sitemap(request: AnyRequest, watch: TheWatch) -> Response[bytes]:
    """List the pages and the leading assets in every language."""
    origin = origin_of(request)
    if not origin:
        raise NotFoundError("a list of pages needs the host that they are at: none was named")
    with watch.moment() as moment:
        newest = moment.head.newest
        found = read_leading(watch.reader, newest.slot, LISTED_ASSETS) if newest else []
    # Only a server answers what that page is about.
    closed = {"/schema"} if request.app.state.bundle.edition == shell.PUBLISHED else set()
    there = {route.path for route in request.app.routes}
    paths = [
        *(path for path in _PAGES if path in there and path not in closed),
        *(f"/assets/{asset.id}" for asset in found),
    ]
    prefixes = {code: shell.prefix_of(code) for code in languages()}
    content = sitemap_of(origin, paths, prefixes)
    return Response(content, media_type="application/xml")


HANDLERS: list[HTTPRouteHandler] = [keys]

WHOLE_SITE: list[HTTPRouteHandler] = [sparkline, robots, sitemap]
"""What there is once for all languages."""
