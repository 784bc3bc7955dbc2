"""From the store to what an asset's page tells below its chart: its record and its supply."""

from __future__ import annotations

from coinlog.market import Quote
from coinlog.sampling import count_gaps
from coinlog.store.extremes import Extreme, Extremes, left_after, read_extremes
from coinlog.timeline import Window, shortened, window_of
from coinlog.web import charts
from coinlog.web.asset_record import ExtremeView, RankView, RecordView, SupplyView
from coinlog.web.watch import Moment, Watch


def record_view(
    watch: Watch, moment: Moment, asset_id: int, price: float, last_slot: int
) -> RecordView | None:
    """Return an asset's record; ``price`` is the newest, at ``last_slot``."""
    known = (asset_id, price, last_slot)
    return watch.once(moment, ("record", *known), lambda: _record(watch, moment, *known))


def _record(
    watch: Watch, moment: Moment, asset_id: int, price: float, last_slot: int
) -> RecordView | None:
    window = record_window(moment)
    found = read_extremes(watch.reader, asset_id, window.start)
    if found is None:
        return None
    newest = moment.head.newest
    gone = newest is not None and newest.slot > last_slot
    return RecordView(
        quotes=found.quotes,
        backfilled=found.backfilled,
        gaps=count_gaps(watch.reading(moment, window), asset_id),
        high=_extreme(found.high, price),
        low=_extreme(found.low, price),
        best_rank=_rank(found.best_rank),
        worst_rank=_rank(found.worst_rank) if _ranges(found) else None,
        left=left_after(watch.reader, last_slot) if gone else None,
        since=window.start or None,
    )


def record_window(moment: Moment) -> Window:
    """Return the time that records are told of: all of it, or the newest slots of a long one."""
    return shortened(moment.head, window_of(moment.head, moment.now, "all"), charts.MOST_READ)


def _extreme(one: Extreme, price: float) -> ExtremeView:
    change = (price / one.value - 1) * 100 if one.value else None
    return ExtremeView(value=one.value, slot=one.slot, change=change)


def _rank(one: Extreme | None) -> RankView | None:
    return RankView(rank=int(one.value), slot=one.slot) if one else None


def _ranges(found: Extremes) -> bool:
    """Return whether the rank has ever changed."""
    best, worst = found.best_rank, found.worst_rank
    return best is not None and worst is not None and best.value != worst.value


def supply_view(quote: Quote) -> SupplyView | None:
    """Return how much of an asset circulates, where that and what it is a part of are known."""
    whole = quote.max_supply or quote.total_supply
    circulating = quote.circulating_supply
    if not whole or circulating is None:
        return None
    share = circulating / whole * 100
    total = (quote.total_supply or 0) / whole * 100
    return SupplyView(
        capped=bool(quote.max_supply),
        circulating=share,
        circulating_bar=min(share, 100.0),
        total_bar=min(max(total, share), 100.0),
    )
