"""The market table: one page of the assets of a slot, with the controls that lead to others."""

from __future__ import annotations

from coinlog.store.listing import Listed, Wanted, read_listing
from coinlog.store.narrowing import BANDS, natural_sort
from coinlog.web import market_views, views
from coinlog.web.charts import sparklines
from coinlog.web.columns import COLUMNS, NAME, SPARKLINE, shown_columns
from coinlog.web.labels import labels
from coinlog.web.query import parse_ids
from coinlog.web.shell import FAVOURITES, ONLY, Address, Ask, PageQuery
from coinlog.web.watch import Moment, Watch

_ASCENDING_FIRST = ("rank", "name")


def market_view(
    watch: Watch, moment: Moment, ask: Ask, slot: int | None = None
) -> market_views.MarketView:
    """Return one page of the market table with its sparklines; of the newest slot unless given."""
    newest = moment.head.newest.slot if moment.head.newest else None
    slot = newest if slot is None else slot
    wanted = wanted_of(ask.query)
    total, found = 0, list[Listed]()
    if slot is not None and newest is not None:
        total, found = read_listing(watch.reader, slot, newest, wanted)
    columns = shown_columns(ask.query.show)
    at, query = ask.at, ask.query
    before, after = wanted.offset - wanted.limit, wanted.offset + wanted.limit
    return market_views.MarketView(
        slot=slot,
        at=None if slot == newest else slot,
        path=at.prefix + at.path,
        q=query.q,
        only=query.only,
        cap=query.cap,
        ids=query.ids,
        offset=wanted.offset,
        total=total,
        rows=_rows(watch, moment, found, newest, sparks=SPARKLINE in columns),
        columns=[_column(code, wanted, at) for code in columns],
        chosen=bool(query.show),
        choices=[
            market_views.ChoiceView(code=code, chosen=code in columns)
            for code in COLUMNS
            if code != NAME
        ],
        filters=[
            _choice(at, "only", code, query.only, sort=None, ids=None) for code in ("", *ONLY)
        ],
        caps=[_choice(at, "cap", code, query.cap) for code in ("", *BANDS)],
        kept=at.kept,
        all_href=at.href(q=None, only=None, cap=None, ids=None, offset=None),
        previous_href=at.href(offset=max(before, 0) or None) if wanted.offset > 0 else None,
        next_href=at.href(offset=after) if after < total else None,
    )


def wanted_of(query: PageQuery) -> Wanted:
    """Return what of the market a page is asked for.

    Favourites are known to the browser alone, which sends their ids; without, there are none.
    """
    ids = tuple(parse_ids(query.ids)[0]) if query.only == FAVOURITES else None
    return Wanted(
        limit=query.limit,
        offset=query.offset,
        sort=query.sort,
        q=query.q,
        only="" if query.only == FAVOURITES else query.only,
        cap=query.cap,
        ids=ids,
    )


def _rows(
    watch: Watch, moment: Moment, found: list[Listed], newest: int | None, *, sparks: bool
) -> list[market_views.MarketRow]:
    slot = found[0].asset.slot if found else None
    ids = [one.asset.id for one in found] if sparks else []
    lines = sparklines(watch, moment, ids, slot)
    called = labels(watch, [one.asset for one in found])
    return [
        market_views.MarketRow(
            asset=label,
            quote=one.asset.quote,
            sparkline=lines.get(label.id, []),
            left=one.last_slot if one.last_slot != newest else None,
            rank_now=one.rank_now,
        )
        for one, label in zip(found, called, strict=True)
    ]


def _choice(
    at: Address, name: str, code: str, chosen: str, **dropped: str | int | None
) -> views.Link:
    href = at.href(**{name: code or None, "offset": None, **dropped})
    return views.Link(code=code, href=href, current=code == chosen)


def _column(code: str, wanted: Wanted, at: Address) -> market_views.ColumnView:
    """Return a heading. Names and ranks are first sorted upwards, numbers downwards."""
    if code == SPARKLINE:
        return market_views.ColumnView(code=code)
    rising, falling = code, f"-{code}"
    first, second = (rising, falling) if code in _ASCENDING_FIRST else (falling, rising)
    following = second if wanted.order == first else first
    link = at.href(sort=None if following == natural_sort(wanted.only) else following, offset=None)
    if wanted.order == rising:
        return market_views.ColumnView(code=code, href=link, sorted="ascending")
    if wanted.order == falling:
        return market_views.ColumnView(code=code, href=link, sorted="descending")
    return market_views.ColumnView(code=code, href=link)


def global_view(watch: Watch, slot: int | None) -> views.GlobalView:
    """Return the whole market's figures at a slot; unknown where not recorded."""
    if slot is None:
        return views.GlobalView()
    metrics, fear = watch.reader.whole_market(slot)
    return views.GlobalView(
        total_market_cap=metrics.total_market_cap if metrics else None,
        total_volume_24h=metrics.total_volume_24h if metrics else None,
        bitcoin_dominance=metrics.bitcoin_dominance if metrics else None,
        ethereum_dominance=metrics.ethereum_dominance if metrics else None,
        active_cryptocurrencies=metrics.active_cryptocurrencies if metrics else None,
        fear_and_greed=fear.value if fear else None,
        fear_and_greed_label=fear.classification if fear else None,
    )
