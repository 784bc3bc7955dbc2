"""The pictures of shared links (Open Graph): an asset's chart, several assets', the market's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from markupsafe import Markup

from coinlog.market import ATTRIBUTION
from coinlog.notice import attribution
from coinlog.web import chartdata, charts, embed_pages, page_views, query, shell, views
from coinlog.web import format as fmt
from coinlog.web.api import TheWatch, known_asset
from coinlog.web.i18n import Catalogue, catalogue
from coinlog.web.labels import label
from coinlog.web.painter import Painter
from coinlog.web.picture import CHART_SIZE, Card, Label, draw_card, legible
from coinlog.web.rendering import AnyRequest, asked
from coinlog.web.watch import Moment, Watch

POINTS = 700
PNG = "image/png"
_painter = Painter()

Find = Callable[[Moment], list[views.AssetLabel]]


@get("/og/assets/{name:str}")
async def asset_picture(
    request: AnyRequest, watch: TheWatch, name: FromPath[str]
) -> Response[bytes]:
    """Draw an asset's chart for those that show a link to it."""
    asset_id = query.id_in(name, "png")
    ask = asked(request, f"/assets/{asset_id}")

    def find(moment: Moment) -> list[views.AssetLabel]:
        return [label(known_asset(watch, moment, asset_id))]

    return await _picture(watch, ask, find)


@get("/og/compare.png")
async def compare_picture(request: AnyRequest, watch: TheWatch) -> Response[bytes]:
    """Draw several assets' chart for those that show a link to it."""
    ask = asked(request, "/compare")
    return await _picture(watch, ask, lambda _: embed_pages.compared(watch, ask))


@get("/og/home.png")
async def home_picture(request: AnyRequest, watch: TheWatch) -> Response[bytes]:
    """Draw the leading assets' chart for those that show a link to the market."""
    ask = asked(request, "/")
    return await _picture(watch, ask, lambda moment: page_views.leading_assets(watch, moment))


async def _picture(watch: Watch, ask: shell.Ask, find: Find) -> Response[bytes]:
    svg = await asyncio.to_thread(_drawing, watch, ask, find)
    return Response(await _painter.paint(svg), media_type=PNG)


def _drawing(watch: Watch, ask: shell.Ask, find: Find) -> str:
    """Return the card as SVG, in the form that the server itself can draw."""
    plain = msgspec.structs.replace(ask.query, scale=None, form="line", currency="USD")
    ask = msgspec.structs.replace(ask, query=plain)
    words = catalogue(ask.at.language)
    with watch.moment() as moment:
        found = find(moment)
        chart = charts.chart_view(watch, moment, found, ask, POINTS) if found else None
    return draw_card(_card(ask, moment, chart, words))


def _card(ask: shell.Ask, moment: Moment, chart: views.ChartView | None, words: Catalogue) -> Card:
    mark = words.text("simulated.mark") if moment.simulated else ""
    as_of = fmt.time_utc(moment.fresh.as_of, words.format)
    card = Card(
        title=words.text("home.title"),
        symbol="",
        value="",
        span="",
        labels=[],
        chart=Markup(""),
        nothing="" if chart else words.text("empty.title"),
        as_of=words.text("fresh.as_of_day", time=as_of) if moment.fresh.as_of else "",
        attribution=attribution(simulated=True) if moment.simulated else ATTRIBUTION,
        mark=mark,
    )
    return _with_chart(card, ask, chart, words) if chart else card


def _with_chart(card: Card, ask: shell.Ask, chart: views.ChartView, words: Catalogue) -> Card:
    """Return a card with its chart, and with the names and numbers that belong to it."""
    width, height = CHART_SIZE
    size = width, height - (44 if card.mark else 0)
    drawn = chartdata.draw(chart, words, "", simulated=bool(card.mark), size=size)
    names = [_name(legend.asset) for legend in drawn.legends]
    single = len(names) == 1
    field = "" if chart.field == "price" else f"{words.text(f'field.{chart.field}')}, "
    home = ask.at.path == "/"
    return msgspec.structs.replace(
        card,
        title=card.title if home else ", ".join(names),
        symbol=legible(chart.lines[0].asset.symbol, "") if single else "",
        value=drawn.legends[0].last if single else "",
        span=field + words.text(f"range.{chart.range}.long"),
        labels=[
            Label(name, fmt.percent(legend.change, words.format), fmt.direction(legend.change))
            for name, legend in zip(names, drawn.legends, strict=True)
        ],
        chart=drawn.picture,
        nothing=words.text("chart.nothing") if drawn.empty else "",
    )


def _name(asset: views.AssetLabel) -> str:
    return legible(asset.name, legible(asset.slug, f"id {asset.id}"))


HANDLERS: list[HTTPRouteHandler] = [asset_picture, compare_picture, home_picture]
