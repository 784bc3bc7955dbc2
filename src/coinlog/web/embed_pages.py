"""What other sites show: small charts in a frame, and a sparkline as a picture."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import Example
from litestar.params import FromPath, PathParameter

from coinlog.errors import NotFoundError
from coinlog.sampling import read_thinned
from coinlog.timeline import RANGES, shortened, window_of
from coinlog.web import charts, query, shell, views
from coinlog.web.api import TheWatch, known_asset
from coinlog.web.api_parameters import parameter
from coinlog.web.i18n import DEFAULT, catalogue
from coinlog.web.labels import labels
from coinlog.web.rendering import AnyRequest, answer, asked
from coinlog.web.spark import draw_spark
from coinlog.web.watch import Moment, Watch

POINTS = 360
SPARK_RANGE = "7d"
SPARK_POINTS = 200
THEMES = ("light", "dark")
WIDTHS, HEIGHTS = (16, 1200), (8, 600)
USUAL_SIZE = (120, 32)
SVG = "image/svg+xml"


class EmbedView(views.View, frozen=True, kw_only=True):
    """A chart to be framed, and the page that it links to.

    ``theme`` is ``light`` or ``dark`` where the framing site has chosen one, else empty.
    """

    assets: list[views.AssetLabel]
    chart: views.ChartView
    href: str
    theme: str


@get("/embed/{asset_id:int}", sync_to_thread=True)
def embed_asset(request: AnyRequest, watch: TheWatch, asset_id: FromPath[int]) -> Response[bytes]:
    """Show an asset's chart to a site that frames it."""
    ask = asked(request, f"/assets/{asset_id}")
    with watch.moment() as moment:
        found = labels(watch, [known_asset(watch, moment, asset_id)])
        return _answer(request, watch, moment, ask, found)


@get("/embed/compare", sync_to_thread=True)
def embed_compare(request: AnyRequest, watch: TheWatch) -> Response[bytes]:
    """Show several assets' chart to a site that frames it."""
    ask = asked(request, "/compare")
    with watch.moment() as moment:
        return _answer(request, watch, moment, ask, compared(watch, ask))


def compared(watch: Watch, ask: shell.Ask) -> list[views.AssetLabel]:
    """Return the assets that ``ids=`` names, as far as they are known.

    Raises:
        NotFoundError: it names none.
    """
    ids, _ = query.parse_ids(ask.query.ids)
    known = watch.reader.assets(ids[: query.MAX_COMPARED]) if ids else []
    if not known:
        raise NotFoundError("ids= names no asset that has been recorded, for example ids=1,1027")
    return labels(watch, known)


def _answer(
    request: AnyRequest,
    watch: Watch,
    moment: Moment,
    ask: shell.Ask,
    found: list[views.AssetLabel],
) -> Response[bytes]:
    given = request.query_params.get("theme")
    view = EmbedView(
        assets=found,
        chart=charts.chart_view(watch, moment, found, ask, POINTS),
        href=ask.at.href(),
        theme=given if given in THEMES else "",
    )
    return answer(request, "embed", ask, moment, view)


Name = Annotated[
    str,
    PathParameter(
        description="The asset's CoinMarketCap id, with .svg after it.",
        examples=[Example(value="1.svg")],
    ),
]
Range = Annotated[str | None, parameter("range", "1d, 7d, 30d, 90d, 1y or all; else 7d.", "30d")]
Width = Annotated[str | None, parameter("width", "In pixels, 16 to 1200; else 120.", "120")]
Height = Annotated[str | None, parameter("height", "In pixels, 8 to 600; else 32.", "32")]


@get("/spark/{name:str}", sync_to_thread=True, media_type=SVG)
def sparkline(
    watch: TheWatch,
    name: Name,
    range_: Range = None,
    width: Width = None,
    height: Height = None,
) -> Response[bytes]:
    """Draw an asset's price as a small line, broken at its gaps, for any page that shows pictures.

    What cannot be used falls back to what is usual: a picture that somebody shows lives on.
    """
    chosen = range_ if range_ in RANGES else SPARK_RANGE
    with watch.moment() as moment:
        asset = known_asset(watch, moment, query.id_in(name, "svg"))
        window = shortened(moment.head, window_of(moment.head, moment.now, chosen))
        reading = watch.reading(moment, window)
        (series,) = read_thinned(reading, [asset.id], ("price",), SPARK_POINTS)
    words = catalogue(DEFAULT)
    mark = words.text("simulated.mark") if moment.simulated else ""
    title = words.text("spark.title", name=asset.name, range=words.text(f"range.{chosen}.long"))
    picture = draw_spark(
        charts.segments(series, series.fields["price"], series.gaps),
        f"{mark} {title}".strip(),
        _size(width, WIDTHS, USUAL_SIZE[0]),
        _size(height, HEIGHTS, USUAL_SIZE[1]),
        mark,
    )
    return Response(picture.encode(), media_type=SVG)


def _size(text: str | None, limits: tuple[int, int], usual: int) -> int:
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > len("1200"):
        return usual
    return min(max(int(text), limits[0]), limits[1])


HANDLERS: list[HTTPRouteHandler] = [embed_asset, embed_compare]
