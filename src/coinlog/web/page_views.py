"""From the store to what the pages show: one function for each page."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from coinlog.market import BITCOIN, ETHEREUM, QUOTE_FIELDS, Outcome
from coinlog.store.ledger import LedgerRow, MissingRow, read_missing, read_page
from coinlog.store.listing import read_leading
from coinlog.store.reader import ListedAsset
from coinlog.web import views
from coinlog.web.api import known_asset, notes_of
from coinlog.web.asset_views import record_view, supply_view
from coinlog.web.charts import chart_view
from coinlog.web.labels import label, labels
from coinlog.web.market_table import global_view, market_view
from coinlog.web.market_views import HomeView
from coinlog.web.query import MAX_COMPARED, parse_ids
from coinlog.web.shell import CHART_FIELDS, Ask
from coinlog.web.watch import Moment, Watch

HOME_LINES = 5
HOME_POINTS = 225
ASSET_POINTS = 1500
COMPARE_POINTS = 700
STRIP_SLOTS = 28
PEGGED_PERCENT = 0.5
RECORDED_FIELDS = tuple(field for field in CHART_FIELDS if field != "dominance")
"""What the whole history as CSV holds: what is recorded of what charts show."""


def home_view(watch: Watch, moment: Moment, ask: Ask) -> HomeView:
    """Return the home page; a part of it when only that is asked for."""
    market = market_view(watch, moment, ask)
    if ask.query.part == "market":
        return HomeView(chart=None, market=market, global_metrics=views.GlobalView(), strip=[])
    leading = leading_assets(watch, moment)
    chart = None
    if leading:
        chart = chart_view(watch, moment, leading, ask, HOME_POINTS)
    strip = slot_views(watch, read_page(watch.reader, moment.head, moment.now, limit=STRIP_SLOTS))
    return HomeView(
        chart=chart,
        market=market,
        global_metrics=global_view(watch, moment.head.newest.slot if moment.head.newest else None),
        strip=strip[::-1],
        last=strip[0] if strip else None,
    )


def leading_assets(watch: Watch, moment: Moment) -> list[views.AssetLabel]:
    """Return Bitcoin, Ethereum and the next by rank whose price moves at all.

    A currency pegged to the dollar is among the first in rank, and its line says nothing.
    """
    newest = moment.head.newest
    if newest is None:
        return []
    top = read_leading(watch.reader, newest.slot, 20)
    first = watch.reader.newest([BITCOIN, ETHEREUM])
    moving = [asset for asset in top if asset.id not in (BITCOIN, ETHEREUM) and _moves(asset)]
    return labels(watch, [*first, *moving][:HOME_LINES])


def _moves(asset: ListedAsset) -> bool:
    changes = (asset.quote.percent_change_7d, asset.quote.percent_change_30d)
    return any(change is not None and abs(change) > PEGGED_PERCENT for change in changes)


def asset_view(watch: Watch, moment: Moment, asset_id: int, ask: Ask) -> views.AssetView:
    """Return an asset's page.

    Raises:
        NotFoundError: the store has never seen the asset.
    """
    stored = known_asset(watch, moment, asset_id)
    listed = watch.reader.newest([asset_id])[0]
    sharing = [one for one in watch.reader.sharing_symbols([stored.symbol]) if one.id != asset_id]
    called = label(stored, shares_symbol=bool(sharing))
    newest = moment.head.newest
    series = f"/api/v1/assets/{asset_id}/series"
    return views.AssetView(
        asset=called,
        is_fiat=stored.is_fiat,
        listed=newest is not None and newest.slot == listed.slot,
        quote_slot=listed.slot,
        quote={field: getattr(listed.quote, field) for field in QUOTE_FIELDS},
        first_slot=stored.first_slot,
        last_slot=stored.last_slot,
        names=[
            views.NameView(**msgspec.structs.asdict(name)) for name in watch.reader.names(asset_id)
        ],
        chart=chart_view(watch, moment, [called], ask, ASSET_POINTS),
        csv_url=f"{series}.csv?range=all&fields={','.join(RECORDED_FIELDS)}",
        json_url=f"{series}?range={ask.query.range}",
        same_symbol=[label(one, shares_symbol=True) for one in sharing],
        record=record_view(watch, moment, asset_id, listed.quote.price, listed.slot),
        supply=supply_view(listed.quote),
    )


def compare_view(watch: Watch, moment: Moment, ask: Ask) -> views.CompareView:
    """Return several assets side by side, in the order asked for."""
    ids, unreadable = parse_ids(ask.query.ids)
    known = watch.reader.assets(ids[:MAX_COMPARED]) if ids else []
    unknown = [*unreadable, *(str(one) for one in ids if one not in {a.id for a in known})]
    called = labels(watch, known)
    chart = chart_view(watch, moment, called, ask, COMPARE_POINTS) if called else None
    chosen = [str(asset.id) for asset in called]
    return views.CompareView(
        assets=called,
        chart=chart,
        unknown=unknown[:MAX_COMPARED],
        without=[_without(ask, chosen, one) for one in chosen],
        kept=[(name, value) for name, value in ask.at.kept.items() if name != "ids"],
    )


def _without(ask: Ask, ids: Sequence[str], left_out: str) -> str:
    return ask.at.href(ids=",".join(one for one in ids if one != left_out))


def slot_views(watch: Watch, rows: Sequence[LedgerRow]) -> list[views.SlotView]:
    """Return rows of the ledger with what partial slots lack."""
    partial = [row.slot for row in rows if row.outcome is Outcome.PARTIAL]
    missing = read_missing(watch.reader, partial) if partial else []
    return [_slot_view(row, missing) for row in rows]


def _slot_view(row: LedgerRow, missing: Sequence[MissingRow]) -> views.SlotView:
    return views.SlotView(
        slot=row.slot,
        outcome=row.outcome.value,
        reason=row.reason,
        detail=row.detail,
        observed_at=row.observed_at,
        captured_at=row.captured_at,
        stored_at=row.stored_at,
        assets=row.assets,
        credits=row.credits,
        attempts=row.attempts,
        duration_ms=row.duration_ms,
        sha256=row.sha256,
        notes=notes_of(row),
        missing=[
            views.MissingView(
                what=one.what, reason=one.reason, detail=one.detail, asset_id=one.asset_id
            )
            for one in missing
            if one.slot == row.slot
        ],
    )
