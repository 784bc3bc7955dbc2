"""What the store lacks: for whom history is wanted, and which of it is there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import sqlalchemy as sa
from msgspec.structs import replace

from coinlog.backfill.kept import Request
from coinlog.backfill.plan import Known, Span, Stretch, requests
from coinlog.errors import UsageError
from coinlog.market import Asset, Origin, Outcome, SourceKind
from coinlog.slots import DAY, AssetSelection, Schedule
from coinlog.store import schema
from coinlog.store.backfilled import dropped_slots
from coinlog.store.engine import store_errors
from coinlog.store.targets import FEAR_AND_GREED, MARKET_TABLES, points_of, target_of
from coinlog.store.writer import known_schedules


def plan_requests(
    engine: sa.Engine,
    stretch: Stretch,
    interval_seconds: int,
    selection: AssetSelection | None,
    now: float,
) -> list[Request]:
    """Return the requests that a store needs: the leading assets first, then the whole market.

    ``interval_seconds`` lie between slots where the store remembers no schedule.

    Raises:
        UsageError: the store knows no asset yet, or not one of those asked for.
        StoreUnavailableError: the database is away.
    """
    with store_errors(), engine.connect() as connection:
        targets = [(target_of(one.id), one) for one in _assets(connection, selection)]
        whole_market = MARKET_TABLES if selection is None or selection.top else ()
        usual = Schedule(0, interval_seconds, "", SourceKind.COINMARKETCAP)
        schedules = known_schedules(connection) or [usual]
        asked, dropped = _asked(connection), dropped_slots(connection)
        return [
            request
            for target, asset in [*targets, *((target, None) for target in whole_market)]
            for span in _stretch_of(target, stretch).spans(schedules, now)
            for request in requests(
                target,
                asset,
                span,
                Known(
                    _observed(connection, target, span, dropped),
                    asked.get(target, ()),
                ),
            )
        ]


def _stretch_of(target: str, stretch: Stretch) -> Stretch:
    """Return a stretch as it can be asked for: fear and greed has one value a day."""
    return replace(stretch, resolution=DAY) if target == FEAR_AND_GREED else stretch


def _assets(connection: sa.Connection, selection: AssetSelection | None) -> list[Asset]:
    """Return the assets to ask for, by rank: those recorded, display currencies last."""
    asset, latest = schema.asset.c, schema.latest.c
    query = sa.select(asset.id, asset.name, asset.symbol, asset.slug, asset.is_fiat)
    query = query.outerjoin(schema.latest, latest.asset_id == asset.id)
    query = query.order_by(asset.is_fiat, latest.rank.is_(None), latest.rank, asset.id)
    known = [Asset(*row[:4], bool(row[4])) for row in connection.execute(query)]
    if not known:
        raise UsageError(
            "nothing is recorded yet, so there is nobody to ask about: run `coinlog record` first"
        )
    return known if selection is None else list(_selected(known, selection))


def _selected(known: Sequence[Asset], selection: AssetSelection) -> Iterator[Asset]:
    by_id = {asset.id: asset for asset in known}
    unknown = [asset_id for asset_id in selection.ids if asset_id not in by_id]
    if unknown:
        raise UsageError(
            f"asset {unknown[0]} is not in the store: record it first, for example "
            f"COINLOG_ASSETS=top:200+id:{unknown[0]}"
        )
    top = [asset for asset in known if not asset.is_fiat][: selection.top]
    yield from top
    yield from (by_id[asset_id] for asset_id in selection.ids if by_id[asset_id] not in top)


def _asked(connection: sa.Connection) -> dict[str, list[tuple[int, int, int]]]:
    """Return what was asked before and answered, by target: it is not asked again."""
    table = schema.backfill.c
    query = sa.select(table.target, table.from_time, table.to_time, table.resolution)
    found: dict[str, list[tuple[int, int, int]]] = {}
    for target, *span in connection.execute(query.where(table.outcome != Outcome.FAILED.value)):
        found.setdefault(target, []).append((span[0], span[1], span[2]))
    return found


def _observed(
    connection: sa.Connection,
    target: str,
    span: Span,
    dropped: Collection[int],
) -> list[int]:
    """Return when a target was observed, in order, about a span."""
    place = points_of(target)
    if place is None:
        return []
    table, mine = place
    near = table.c.slot.between(span.start - DAY, span.end + DAY)
    query = sa.select(table.c.slot).where(near, mine, table.c.origin == Origin.OBSERVED.value)
    seen = [*connection.execute(query.order_by(table.c.slot)).scalars()]
    # Nobody pays to have back what was recorded and then thinned.
    return sorted({*seen, *dropped}) if dropped and table is schema.quote else seen
