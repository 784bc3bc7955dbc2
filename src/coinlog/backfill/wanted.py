"""What the store lacks: for whom history is wanted, and which of it is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import sqlalchemy as sa

from coinlog.backfill.kept import Request
from coinlog.backfill.plan import MARKET_TARGETS, Known, Span, requests, spans, target_of
from coinlog.errors import UsageError
from coinlog.market import Asset, Origin, Outcome
from coinlog.slots import AssetSelection
from coinlog.store import schema
from coinlog.store.engine import store_errors

_MARKET_TABLES = dict(
    zip(MARKET_TARGETS, (schema.global_metrics, schema.fear_and_greed), strict=True)
)


class Stretch(msgspec.Struct, frozen=True):
    """From when to when history is wanted (seconds UTC), and how fine where not as usual."""

    start: int
    end: int
    resolution: int | None = None

    def spans(self, interval_seconds: int, now: float) -> list[Span]:
        """Return the spans to ask for."""
        if self.resolution:
            step = self.resolution
            return [Span(-(-self.start // step) * step, self.end // step * step, step)]
        return spans(self.start, self.end, interval_seconds, now)


def plan_requests(
    engine: sa.Engine,
    stretch: Stretch,
    interval_seconds: int,
    selection: AssetSelection | None,
    now: float,
) -> list[Request]:
    """Return the requests that a store needs: the leading assets first, then the whole market.

    Raises:
        UsageError: the store knows no asset yet, or not one of those asked for.
        StoreUnavailableError: the database is away.
    """
    with store_errors(), engine.connect() as connection:
        assets = _assets(connection, selection)
        targets: list[tuple[str, Asset | None]] = [(target_of(asset), asset) for asset in assets]
        if selection is None:
            targets += [(target, None) for target in MARKET_TARGETS]
        asked = _asked(connection)
        wanted = stretch.spans(interval_seconds, now)
        return [
            request
            for target, asset in targets
            for request in _for_target(connection, target, asset, wanted, asked.get(target, []))
        ]


def _for_target(
    connection: sa.Connection,
    target: str,
    asset: Asset | None,
    wanted: Sequence[Span],
    asked: Sequence[Span],
) -> Iterator[Request]:
    for span in wanted:
        observed = _observed(connection, target, asset, span)
        yield from requests(target, asset, span, Known(observed, asked))


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


def _asked(connection: sa.Connection) -> dict[str, list[Span]]:
    """Return what was asked before and answered, by target: it is not asked again."""
    table = schema.backfill.c
    query = sa.select(table.target, table.from_time, table.to_time, table.resolution)
    found: dict[str, list[Span]] = {}
    for target, *span in connection.execute(query.where(table.outcome != Outcome.FAILED.value)):
        found.setdefault(target, []).append(Span(*span))
    return found


def _observed(connection: sa.Connection, target: str, asset: Asset | None, span: Span) -> list[int]:
    """Return when a target was observed, in order, about a span."""
    table = _MARKET_TABLES.get(target, schema.quote)
    near = table.c.slot.between(span.start - span.resolution, span.end + span.resolution)
    query = sa.select(table.c.slot).where(near, table.c.origin == Origin.OBSERVED.value)
    if asset:
        query = query.where(table.c.asset_id == asset.id)
    return list(connection.execute(query.order_by(table.c.slot)).scalars())
