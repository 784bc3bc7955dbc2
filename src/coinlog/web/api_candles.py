"""The candles of the API, as JSON and CSV."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency

from coinlog.errors import UsageError
from coinlog.slots import iso
from coinlog.store.candles import INTERVALS, Candle, candle_start, read_candles
from coinlog.store.points import ends
from coinlog.store.reader import StoredAsset
from coinlog.timeline import Window
from coinlog.web import answers, query
from coinlog.web.api import TheWatch, envelope, known_asset
from coinlog.web.api_parameters import AssetId, From, Range, To, choice
from coinlog.web.csv_file import write_candles
from coinlog.web.watch import Moment, Watch

Interval = Annotated[
    str,
    choice("interval", "1h, 2h, 3h, 4h, 6h, 8h, 12h, 1d, 1w or 1mo (UTC).", "1d", [*INTERVALS]),
]


class AskedCandles(msgspec.Struct, frozen=True):
    """Candles as they were asked for; the ends of their range are not checked yet."""

    watch: Watch
    asset_id: int
    interval: str
    range: str | None
    start: str | None
    end: str | None


TheAskedCandles = NamedDependency[AskedCandles]


def asked_candles(  # noqa: PLR0913, PLR0917  one for each parameter of the address
    watch: TheWatch,
    asset_id: AssetId,
    interval: Interval = "1d",
    range_: Range = None,
    from_: From = None,
    to: To = None,
) -> AskedCandles:
    """Return the parameters that JSON and CSV share."""
    refuse_unknown_interval(interval)
    return AskedCandles(watch, asset_id, interval, range_, from_, to)


@get("/assets/{asset_id:int}/candles")
async def candles(asked_candles: TheAskedCandles) -> answers.CandlesAnswer:
    """Return an asset's price as candles, in columns: open, high, low and close by interval."""
    moment, asset, found = await asked_candles.watch.read(read_asked, asked_candles)
    return answers.CandlesAnswer(
        **envelope(moment),
        asset=answers.AssetIdentity(asset.id, asset.symbol, asset.name, asset.slug),
        interval=asked_candles.interval,
        starts=[one.start for one in found],
        ends=[one.end for one in found],
        open=[one.open for one in found],
        high=[one.high for one in found],
        low=[one.low for one in found],
        close=[one.close for one in found],
        points=[one.points for one in found],
        first_slot=[one.first_slot for one in found],
        last_slot=[one.last_slot for one in found],
        complete=[one.complete for one in found],
    )


@get("/assets/{asset_id:int}/candles.csv", sync_to_thread=True, media_type="text/csv")
def candles_csv(asked_candles: TheAskedCandles) -> Response[bytes]:
    """Return an asset's candles as CSV for spreadsheets: ISO times, a row for each candle."""
    moment, asset, found = read_asked(asked_candles)
    name = f"coinlog-{asset.id}-candles-{asked_candles.interval}.csv"
    return Response(
        write_candles(asset, found, simulated=moment.simulated),
        media_type="text/csv",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def read_asked(asked: AskedCandles) -> tuple[Moment, StoredAsset, list[Candle]]:
    """Return the candles asked for, and the asset and moment they belong to.

    The first one is whole where there are quotes for it: the range begins where it begins.
    """
    watch, asset_id = asked.watch, asked.asset_id
    with watch.moment() as moment:
        window = query.parse_window(moment, asked.range, asked.start, asked.end)
        asset = known_asset(watch, moment, asset_id)
        span = ends(watch.reader, asset_id, window.start, window.end)
        if span is None:
            return moment, asset, []
        window = candle_window(window, asked.interval, span[0])
        found = read_candles(watch.reader, asset_id, window.start, window.end, asked.interval)
    return moment, asset, found


def refuse_unknown_interval(text: str) -> None:
    """Refuse an interval that candles do not have.

    Raises:
        UsageError: there is no such interval.
    """
    if text not in INTERVALS:
        raise UsageError(
            f"interval={text[:40]!r} cannot be used: expected one of {', '.join(INTERVALS)}, "
            "for example interval=1d"
        )


def candle_window(window: Window, interval: str, first_slot: int) -> Window:
    """Return a window from the start of the candle of its first slot with a quote.

    Raises:
        UsageError: it has too many candles.
    """
    start, width = candle_start(first_slot, interval), INTERVALS[interval]
    if (window.end - start) // width > query.MAX_POINTS:
        shorter = iso(window.end - query.MAX_POINTS * width)
        raise UsageError(
            f"this range holds more than {query.MAX_POINTS} candles of {interval}: expected a "
            f"longer interval or a shorter range, for example from={shorter}"
        )
    return Window(start, window.end)
