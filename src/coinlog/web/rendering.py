"""From a request to what a page is asked for, and from its view to what is sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from litestar import Request, Response
from litestar.datastructures import State

from coinlog.web import shell, views
from coinlog.web.answers import ErrorDetail
from coinlog.web.canonical import known_of, names_its_origin
from coinlog.web.i18n import DEFAULT
from coinlog.web.language import language_of_path
from coinlog.web.look import environment
from coinlog.web.origin import origin_of
from coinlog.web.rates import Rates, rates_at
from coinlog.web.watch import Moment

HTML = "text/html"

AnyRequest = Request[Any, Any, State]


def asked(request: AnyRequest, path: str) -> shell.Ask:
    """Return what a page is asked for; ``path`` is its address without the language."""
    parts = shell.PARTS.get(path.rstrip("0123456789"), ())
    given = known_of(request.url.path, request.query_params.multi_items())
    query = shell.read_query(given, parts)
    return shell.ask_of(path, language_of(request), query)


def language_of(request: AnyRequest) -> str:
    """Return the language that an address is in: its first part, else the default."""
    return language_of_path(request.url.path)


def answer(  # noqa: PLR0913  what a page is made of
    request: AnyRequest,
    kind: str,
    ask: shell.Ask,
    moment: Moment,
    view: views.View,
    *,
    slots: Iterable[int | None] = (),
) -> Response[bytes]:
    """Return a page, or the part of it that was asked for, with the rates of its slots.

    ``slots`` are those whose amounts it shows besides the newest one's.
    """
    rates = _rates(request, moment, slots)
    origin = origin_of(request) if names_its_origin(request.url.path) else ""
    bundle = request.app.state.bundle
    page = shell.page_view(kind, ask.at, bundle, moment, rates=rates, origin=origin)
    if not ask.query.part:
        return Response(render(kind, page, view), media_type=HTML)
    # A part may be of a newer slot than the page that it comes into: its rates go with it.
    part = ask.query.part
    parts = (part,) if part in shell.WITHOUT_AMOUNTS else (part, "rates")
    return Response(b"".join(render(part, page, view) for part in parts), media_type=HTML)


def _rates(request: AnyRequest, moment: Moment, slots: Iterable[int | None]) -> Rates:
    newest = moment.head.newest
    asked = {slot for slot in (newest.slot if newest else None, *slots) if slot is not None}
    return rates_at(request.app.state.cache.watch, moment, asked)


def render(template: str, page: views.PageView, view: views.View) -> bytes:
    """Return a page as it is sent."""
    templates = environment(page.language)
    return templates.get_template(f"{template}.html").render(page=page, view=view).encode()


def error_page(
    request: AnyRequest, detail: ErrorDetail, since: int | None, headers: dict[str, str] | None
) -> Response[bytes]:
    """Return a page that says what went wrong, in the address's language.

    ``detail.message`` is what there is to say beyond its title and text; ``since`` is when the
    store went away, where that is the reason.
    """
    language, status = language_of(request), detail.status
    path = request.url.path.removeprefix(shell.prefix_of(language)) or "/"
    at = shell.Address(path, language)
    page = shell.page_view("error", at, request.app.state.bundle, status=status)
    # What it has to add is in English, and no help on a page in another language.
    message = detail.message if language == DEFAULT else ""
    view = views.ErrorView(status=status, code=detail.code, message=message, since=since)
    content = render("error", page, view)
    return Response(content, media_type=HTML, status_code=status, headers=headers)
