"""The pages of the ledger: the log, one slot, and the feed of what went wrong."""

from __future__ import annotations

from litestar import Response, get
from litestar.params import FromPath

from coinlog.attempts import slot_name
from coinlog.web.api import TheWatch
from coinlog.web.feed import read_feed
from coinlog.web.log_views import log_view, slot_page_view
from coinlog.web.origin import origin_of
from coinlog.web.rendering import AnyRequest, answer, asked, language_of
from coinlog.web.shell import prefix_of
from coinlog.web.slot_names import parse_slot_name

ATOM = "application/atom+xml; charset=utf-8"


@get("/log", sync_to_thread=True)
def log(request: AnyRequest, watch: TheWatch) -> Response[bytes]:
    """Show the ledger: what became of each slot, by day and one by one."""
    ask = asked(request, "/log")
    with watch.moment() as moment:
        view = log_view(watch, moment, ask)
    return answer(request, "log", ask, moment, view)


@get("/log/{name:str}", sync_to_thread=True)
def slot(request: AnyRequest, watch: TheWatch, name: FromPath[str]) -> Response[bytes]:
    """Show one slot; other ways to write its time lead to its one address."""
    number = parse_slot_name(name)
    called = slot_name(number)
    ask = asked(request, f"/log/{called}")
    with watch.moment() as moment:
        view = slot_page_view(watch, moment, number)
    if name != called:
        to = f"{prefix_of(language_of(request))}/log/{called}"
        return Response(b"", status_code=302, headers={"location": to})
    return answer(request, "slot", ask, moment, view)


@get("/log.atom", sync_to_thread=True)
def log_feed(request: AnyRequest, watch: TheWatch) -> Response[bytes]:
    """Return the feed of what went wrong in the last 30 days."""
    with watch.moment() as moment:
        content = read_feed(watch, moment, language_of(request), origin_of(request))
    return Response(content, media_type=ATOM)
