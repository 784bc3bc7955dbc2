"""The API: the market, an asset, its series, and the ledger, as JSON or CSV."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency

from coinlog import timeline
from coinlog.asked import parse_fields, parse_moment
from coinlog.market import Outcome
from coinlog.notice import attribution
from coinlog.sampling import read_thinned
from coinlog.series import Series, read_series
from coinlog.store.extremes import Extremes, read_extremes
from coinlog.store.ledger import LedgerRow, MissingRow, read_missing, read_page
from coinlog.store.reader import ListedAsset, StoredAsset
from coinlog.web import answers, query
from coinlog.web.api_parameters import (
    DEFAULT_LIMIT,
    AssetId,
    Before,
    Fields,
    From,
    Limit,
    Points,
    Range,
    To,
)
from coinlog.web.asset_views import record_window
from coinlog.web.csv_file import write_csv
from coinlog.web.problems import NoSuchAssetError
from coinlog.web.watch import Moment, Watch

REAL, MADE_UP = answers.Attribution(), answers.Attribution(attribution(simulated=True))
TheWatch = NamedDependency[Watch]


@get("/assets/{asset_id:int}", sync_to_thread=True)
def one_asset(watch: TheWatch, asset_id: AssetId) -> answers.OneAssetAnswer:
    """Tell an asset's newest quote, its names so far, and since when it is recorded."""
    with watch.moment() as moment:
        stored = known_asset(watch, moment, asset_id)
        listed = watch.reader.newest([asset_id])[0]
        names = watch.reader.names(asset_id)
        extremes = read_extremes(watch.reader, asset_id, record_window(moment).start)
    newest = moment.head.newest
    return answers.OneAssetAnswer(
        **envelope(moment),
        **msgspec.structs.asdict(listed_answer(listed)),
        is_fiat=stored.is_fiat,
        listed=newest is not None and newest.slot == listed.slot,
        first_slot=stored.first_slot,
        last_slot=stored.last_slot,
        names=[answers.NameAnswer(*msgspec.structs.astuple(name)) for name in names],
        record=_record_answer(extremes) if extremes else None,
    )


def _record_answer(found: Extremes) -> answers.RecordAnswer:
    high, low = found.high, found.low
    ends = (high.value, high.slot, low.value, low.slot)
    return answers.RecordAnswer(*ends, quotes=found.quotes, since=found.first)


class Asked(msgspec.Struct, frozen=True):
    """A series as it was asked for; the ends of its range are not checked yet."""

    watch: Watch
    asset_id: int
    range: str | None
    start: str | None
    end: str | None
    fields: tuple[str, ...]
    points: int | None


TheAsked = NamedDependency[Asked]


def asked_series(  # noqa: PLR0913, PLR0917  one for each parameter of the address
    watch: TheWatch,
    asset_id: AssetId,
    range_: Range = None,
    from_: From = None,
    to: To = None,
    fields: Fields = None,
    points: Points = None,
) -> Asked:
    """Return the parameters that JSON and CSV share."""
    chosen = query.DEFAULT_FIELDS if fields is None else parse_fields(fields)
    return Asked(watch, asset_id, range_, from_, to, chosen, points)


@get("/assets/{asset_id:int}/series")
async def series(asked: TheAsked) -> answers.SeriesAnswer:
    """Return an asset's history as columns, with its gaps and their reasons."""
    moment, asset, found = await asked.watch.read(read_asked, asked)
    columns: dict[str, Any] = {**found.fields}
    return answers.SeriesAnswer(
        **envelope(moment),
        **columns,
        asset=answers.AssetIdentity(asset.id, asset.symbol, asset.name, asset.slug),
        slots=found.slots,
        observed_at=found.observed_at,
        origin=found.origins,
        gaps=found.gaps,
        sampled=found.sampled,
    )


@get("/assets/{asset_id:int}/series.csv", sync_to_thread=True, media_type="text/csv")
def series_csv(asked: TheAsked) -> Response[bytes]:
    """Return an asset's history as CSV for spreadsheets: ISO times, a row for each point."""
    moment, asset, found = read_whole(asked) if asked.points is None else read_asked(asked)
    name = f"coinlog-{asset.id}-{asked.range or 'series'}.csv"
    return Response(
        write_csv(asset, found, simulated=moment.simulated),
        media_type="text/csv",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


@get("/log", sync_to_thread=True)
def ledger(
    watch: TheWatch, limit: Limit = DEFAULT_LIMIT, before: Before = None
) -> answers.LogAnswer:
    """Return the ledger, newest first: what became of each slot, missed ones included."""
    until = None if before is None else parse_moment("before", before)
    with watch.moment() as moment:
        rows = read_page(watch.reader, moment.head, moment.now, limit=limit, before=until)
        lacking = [row.slot for row in rows if row.outcome is Outcome.PARTIAL]
        missing = read_missing(watch.reader, lacking) if lacking else []
    return answers.LogAnswer(**envelope(moment), slots=[slot_answer(row, missing) for row in rows])


def read_asked(asked: Asked) -> tuple[Moment, StoredAsset, Series]:
    """Return the series asked for, and the asset and moment it belongs to."""
    watch, points, most = asked.watch, asked.points, asked.points
    if points is None:
        points, most = query.USUAL_POINTS, query.MAX_POINTS
    with watch.moment() as moment:
        reach = query.most_slots(timeline.MAX_SLOTS, asked.fields)
        window = query.parse_window(moment, asked.range, asked.start, asked.end, reach)
        asset = known_asset(watch, moment, asked.asset_id)
        reading = watch.reading(moment, window)
        (found,) = read_thinned(reading, [asset.id], asked.fields, points, most)
    return moment, asset, found


def read_whole(asked: Asked) -> tuple[Moment, StoredAsset, Series]:
    """Return the series asked for with every point."""
    watch = asked.watch
    with watch.moment() as moment:
        reach = query.most_slots(timeline.MAX_ROWS, asked.fields)
        window = query.parse_window(moment, asked.range, asked.start, asked.end, reach)
        asset = known_asset(watch, moment, asked.asset_id)
        ledger = watch.timeline(moment, window)
        found = read_series(watch.reader, ledger, moment.now, asset.id, asked.fields)
    return moment, asset, found


def known_asset(watch: Watch, moment: Moment, asset_id: int) -> StoredAsset:
    """Return an asset of the store.

    Raises:
        NoSuchAssetError: the store has never seen it.
    """
    found = watch.asset(moment, asset_id)
    if found is None:
        raise NoSuchAssetError(
            f"no asset with the id {asset_id} has been recorded: /api/v1/assets?q=bitcoin finds "
            "ids by name"
        )
    return found


def envelope(moment: Moment) -> dict[str, Any]:
    """Return what every answer says of its data."""
    return {
        "as_of": moment.fresh.as_of,
        "stale": moment.fresh.stale,
        "next_slot": moment.fresh.next_slot,
        "simulated": moment.simulated,
        "attribution": MADE_UP if moment.simulated else REAL,
    }


def listed_answer(asset: ListedAsset) -> answers.AssetAnswer:
    """Return an asset with its newest quote as the API sends it."""
    return answers.AssetAnswer(
        id=asset.id,
        symbol=asset.symbol,
        name=asset.name,
        slug=asset.slug,
        rank=asset.quote.rank,
        slot=asset.slot,
        quote=answers.quote_answer(asset.quote),
    )


def slot_answer(row: LedgerRow, missing: list[MissingRow]) -> answers.SlotAnswer:
    """Return a row of the ledger as the API sends it."""
    values = msgspec.structs.asdict(row)
    values["outcome"] = row.outcome.value
    values["notes"] = notes_of(row)
    values["missing"] = [
        answers.MissingAnswer(one.what, one.asset_id, one.reason, one.detail)
        for one in missing
        if one.slot == row.slot
    ]
    return answers.SlotAnswer(**values)


def notes_of(row: LedgerRow) -> list[str]:
    """Return the sentences noted about a slot."""
    return msgspec.json.decode(row.notes, type=list[str]) if row.notes else []
