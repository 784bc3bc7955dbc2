"""The endpoints about single assets: listings, quotes, their history, the map of ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from coinlog.simulated.fiat import CURRENCIES
from coinlog.simulated.history import Span, asset_history, fiat_prices
from coinlog.simulated.market import market_minute
from coinlog.simulated.parameters import BadParameterError, Parameters
from coinlog.simulated.positions import generation
from coinlog.simulated.profiles import holder
from coinlog.simulated.rows import fiat_row, row
from coinlog.simulated.shapes import Row, Style, milliseconds
from coinlog.simulated.world import Reply, World, credits_for, reply
from coinlog.slots import DAY

_MOST_POINTS = 40_000
_SORTS = (
    "market_cap",
    "market_cap_strict",
    "name",
    "symbol",
    "date_added",
    "price",
    "circulating_supply",
    "total_supply",
    "num_market_pairs",
    "volume_24h",
    "percent_change_1h",
    "percent_change_24h",
    "percent_change_7d",
)


def listings(world: World, version: int, query: Parameters, now: int) -> Reply:
    """Answer ``cryptocurrency/listings/latest``: a page of the assets by market cap."""
    at, market = market_minute(now), world.market
    start, limit = query.integer("start", 1, 1, 10**6), query.integer("limit", 100, 1, 5000)
    sort = query.choice("sort", _SORTS)
    usual = ("asc", "desc") if sort in ("name", "symbol") else ("desc", "asc")
    downwards = query.choice("sort_dir", usual) == "desc"
    query.choice("cryptocurrency_type", ("all",))
    style = Style(version, full=False, currency_key=query.currency_key)
    ranking = market.ranking(at)
    page = slice(start - 1, start - 1 + limit)
    if sort.startswith("market_cap"):
        step = 1 if downwards else -1
        ranks = range(1, len(ranking) + 1)[::step][page]
        rows = _rows(world, ranking[::step][page], at, style, ranks)
    else:
        every = _rows(world, ranking, at, style)
        every.sort(key=_sort_key(sort), reverse=downwards)
        rows = every[page]
    return reply(rows, credits_for(len(rows), 200), market.assets)


def _rows(
    world: World, positions: list[int], at: int, style: Style, ranks: Iterable[int] | None = None
) -> list[Row]:
    """Return the rows of some positions; ``ranks`` are theirs if the caller knows them."""
    if ranks is None:
        every = world.market.ranks(at)
        ranks = [every[position] for position in positions]
    total = world.market.totals(at).cap
    figures = world.market.figures(positions, at)
    return [
        row(numbers, rank, total, at, style) for numbers, rank in zip(figures, ranks, strict=True)
    ]


def quotes(world: World, version: int, query: Parameters, now: int) -> Reply:
    """Answer ``cryptocurrency/quotes/latest`` for ids, those of fiat currencies included."""
    at, ids = market_minute(now), query.ids()
    style = Style(version, full=True, currency_key=query.currency_key)
    listed = [i for i in ids if i in CURRENCIES or _position(world, i, at) is not None]
    if len(listed) < len(ids) and not query.skip_invalid:
        wrong = next(i for i in ids if i not in listed)
        raise BadParameterError(f'Invalid value for "id": "{wrong}"')
    places = [p for i in listed if (p := _position(world, i, at)) is not None]
    rows = {r.id: r for r in (_rows(world, places, at, style) if places else [])}
    for identity in listed:
        if identity in CURRENCIES:
            prices = fiat_prices(world.rates, identity, at)
            rows[identity] = fiat_row(CURRENCIES[identity], prices, at, style)
    ordered = [rows[identity] for identity in listed]
    data: Any = ordered if version > 1 else {str(r.id): r for r in ordered}
    return reply(data, credits_for(len(ids), 100))


def _position(world: World, identity: int, at: int) -> int | None:
    """Return the position of the asset with an id if it is listed at a market time."""
    held = holder(identity)
    if held is None or held[0] >= world.market.assets:
        return None
    return held[0] if generation(held[0], at // DAY) == held[1] else None


def quotes_history(world: World, version: int, query: Parameters, now: int) -> Reply:
    """Answer ``cryptocurrency/quotes/historical`` for ids: points in time order."""
    ids = query.ids()
    span = Span(query.marks(now), now, query.currency_key)
    if len(ids) * len(span.marks) > _MOST_POINTS:
        raise BadParameterError(f"at most {_MOST_POINTS} points are answered at once")
    found = {
        str(identity): asset for identity in ids if (asset := asset_history(world, identity, span))
    }
    points = sum(len(asset["quotes"]) for asset in found.values())
    if not found and not query.skip_invalid:
        raise BadParameterError(f'Invalid value for "id": "{ids[0]}"')
    flat = version == 1 and len(ids) == 1
    data = next(iter(found.values()), {}) if flat else found
    return reply(data, credits_for(points, 100))


def asset_map(world: World, _version: int, query: Parameters, now: int) -> Reply:
    """Answer ``cryptocurrency/map``: the ids of all listed assets."""
    at = market_minute(now)
    start, limit = query.integer("start", 1, 1, 10**6), query.integer("limit", 10_000, 1, 10_000)
    query.choice("listing_status", ("active",))
    by_rank = query.choice("sort", ("id", "cmc_rank")) == "cmc_rank"
    style = Style(1, full=False)
    entries = [_map_entry(r, at) for r in _rows(world, world.market.ranking(at), at, style)]
    if not by_rank:
        entries.sort(key=lambda entry: entry["id"])
    return reply(entries[start - 1 : start - 1 + limit], 0)


def _map_entry(asset: Row, at: int) -> dict[str, Any]:
    return {
        "id": asset.id,
        "rank": asset.cmc_rank,
        "name": asset.name,
        "symbol": asset.symbol,
        "slug": asset.slug,
        "is_active": 1,
        "first_historical_data": asset.date_added,
        "last_historical_data": milliseconds(at),
        "platform": asset.platform,
    }


def _sort_key(name: str) -> Callable[[Row], Any]:
    def key(asset: Row) -> Any:  # noqa: ANN401
        quote = (
            asset.quote[0] if isinstance(asset.quote, list) else next(iter(asset.quote.values()))
        )
        return getattr(asset if hasattr(asset, name) else quote, name)

    return key
