"""The pages of the whole market: at a glance, and as it was at any recorded slot."""

from __future__ import annotations

from litestar import Response, get

from coinlog.web.api import TheWatch
from coinlog.web.overview import overview_view
from coinlog.web.past_views import past_view
from coinlog.web.rendering import AnyRequest, answer, asked


@get("/overview", sync_to_thread=True)
def overview(request: AnyRequest, watch: TheWatch) -> Response[bytes]:
    """Show the whole market's figures, its map, and the day's gainers and losers."""
    ask = asked(request, "/overview")
    with watch.moment() as moment:
        view = overview_view(watch, moment, ask)
    return answer(request, "overview", ask, moment, view)


@get("/market", sync_to_thread=True)
def past(request: AnyRequest, watch: TheWatch) -> Response[bytes]:
    """Show the market as it was at a recorded slot."""
    ask = asked(request, "/market")
    with watch.moment() as moment:
        view = past_view(watch, moment, ask)
    return answer(request, "past", ask, moment, view)
