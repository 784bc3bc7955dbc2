"""Reading the store for people: an asset, its quotes, the whole market's figures.

Every query is read-only, bounded in rows and time, and binds what the user typed as parameters.
The ledger is read in ``ledger.py``, the market of a slot in ``listing.py``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from coinlog.market import QUOTE_FIELDS, FearAndGreed, GlobalMetrics, Origin, Outcome, Quote
from coinlog.store import schema
from coinlog.store.engine import store_errors
from coinlog.store.limits import hurried, limit_statements
from coinlog.store.whole import held_still

STATEMENT_SECONDS = 5.0
NO_LIMIT = 2**62
HAS_QUOTES = (Outcome.STORED.value, Outcome.PARTIAL.value)

_LATEST_QUOTE = [schema.latest.c[name] for name in QUOTE_FIELDS]
_IDENTITY = [schema.asset.c[name] for name in ("id", "name", "symbol", "slug", "is_fiat")]

# Statements asked for with every answer are put together once.
_LAST = sa.select(*(schema.slot.c[name] for name in ("slot", "attempt", "stored_at")))
_LAST_ROW = _LAST.order_by(schema.slot.c.slot.desc()).limit(1).subquery()
_VERSION = sa.select(schema.store.c.version, schema.store.c.source, *_LAST_ROW.c).select_from(
    schema.store.outerjoin(_LAST_ROW, sa.true())
)
_STORED = sa.select(*_IDENTITY, schema.asset.c.first_slot, schema.latest.c.slot).select_from(
    schema.asset.join(schema.latest, schema.asset.c.id == schema.latest.c.asset_id)
)
_KNOWN = _STORED.where(schema.asset.c.id.in_(sa.bindparam("ids", expanding=True)))

_OBSERVED, _BACKFILLED = Origin.OBSERVED.value, Origin.BACKFILLED.value


class ListedAsset(msgspec.Struct, frozen=True):
    """An asset with its newest quote, and the slot that quote belongs to."""

    id: int
    name: str
    symbol: str
    slug: str
    is_fiat: bool
    slot: int
    quote: Quote


class StoredAsset(msgspec.Struct, frozen=True):
    """An asset as the store knows it: its name now, and its first and last recorded slot."""

    id: int
    name: str
    symbol: str
    slug: str
    is_fiat: bool
    first_slot: int
    last_slot: int


class AssetName(msgspec.Struct, frozen=True):
    """What an asset was called from a slot on."""

    from_slot: int
    name: str
    symbol: str
    slug: str


class Columns(msgspec.Struct, frozen=True):
    """An asset's quotes as equally long columns, oldest first; ``fields`` by name."""

    slots: list[int]
    origins: list[str]
    resolutions: list[int]
    fields: dict[str, list[Any]]


class Standing(NamedTuple):
    """Which store this is, and how far it has got.

    The version alone would not tell a store from an older one of the same version, put in its
    place: ``last`` is the newest row of the ledger, by slot, attempt and when it was stored.
    """

    version: int
    source: str | None
    last: tuple[int, str, int] | None


class Reader:
    """Read-only access to the store.

    All methods raise ``StoreUnavailableError`` when the database is away or takes too long and
    ``SchemaError`` when the tables are not there. ``seconds`` ends a statement, or a snapshot.
    """

    def __init__(self, engine: sa.Engine, seconds: float | None = None) -> None:
        self.engine = engine
        self._open = threading.local()
        self._seconds = seconds or STATEMENT_SECONDS
        limit_statements(engine, self._seconds)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let all reads inside see one moment of the store, over one connection.

        Without it, a slot stored between two queries would show in one and not in the other.
        """
        with (
            store_errors(),
            held_still(self.engine) as connection,
            hurried(connection, self._seconds),
        ):
            self._open.connection = connection
            try:
                yield
            finally:
                self._open.connection = None

    @contextmanager
    def connected(self) -> Iterator[sa.Connection]:
        """Lend the snapshot's connection, or one for this read alone."""
        if getattr(self._open, "connection", None) is None:
            with self.snapshot():
                yield self._open.connection
        else:
            yield self._open.connection

    def standing(self) -> Standing:
        """Return the store's version, which rises with every transaction, and whose it is."""
        with self.connected() as connection:
            row = connection.execute(_VERSION).first()
        if not row:
            return Standing(0, None, None)
        last = None if row.slot is None else (row.slot, row.attempt, row.stored_at)
        return Standing(row.version, row.source, last)

    def version(self) -> tuple[int, str | None]:
        """Return the store's version and its source."""
        return self.standing()[:2]

    def newest(self, ids: Sequence[int]) -> list[ListedAsset]:
        """Return assets with their newest quotes, fiat included, in the order of ``ids``."""
        query = _listed().where(schema.asset.c.id.in_(ids))
        with self.connected() as connection:
            found = {row.id: _listed_asset(row) for row in connection.execute(query)}
        return [found[asset_id] for asset_id in ids if asset_id in found]

    def assets(self, ids: Sequence[int]) -> list[StoredAsset]:
        """Return what is known of assets, in the order of ``ids``; unknown ids are left out."""
        with self.connected() as connection:
            rows = connection.execute(_KNOWN, {"ids": list(ids)})
            found = {row.id: StoredAsset(*tuple(row)) for row in rows}
        return [found[asset_id] for asset_id in ids if asset_id in found]

    def names(self, asset_id: int) -> list[AssetName]:
        """Return what an asset has been called, oldest first."""
        table = schema.asset_name.c
        query = sa.select(table.from_slot, table.name, table.symbol, table.slug)
        query = query.where(table.asset_id == asset_id).order_by(table.from_slot)
        with self.connected() as connection:
            return [AssetName(*row) for row in connection.execute(query)]

    def sharing_symbols(self, symbols: Sequence[str]) -> list[StoredAsset]:
        """Return the assets that carry one of ``symbols``: symbols are no identity."""
        query = _STORED.where(schema.asset.c.symbol.in_(symbols))
        query = query.order_by(schema.asset.c.id).limit(1000)
        with self.connected() as connection:
            return [StoredAsset(*tuple(row)) for row in connection.execute(query)]

    def quotes(
        self, asset_id: int, start: int, end: int, fields: Sequence[str], limit: int = NO_LIMIT
    ) -> Columns:
        """Return ``limit`` quotes of an asset at most, from ``start`` to ``end``, oldest first."""
        asked = {"asset_id": asset_id, "start": start, "end": end, "limit": limit}
        with self.connected() as connection:
            # Straight from the driver: its tuples hold floats and integers already, and a year
            # of them would take as long again to be wrapped as to be read.
            cursor = connection.execute(_quotes(tuple(fields)), asked).cursor
            rows = cursor.fetchall() if cursor else ()
        return columns_from(rows, fields)

    def own_times(self, asset_id: int, start: int, end: int) -> dict[int, int]:
        """Return the times of an asset's backfilled quotes, by slot: the source's own."""
        table = schema.quote.c
        query = sa.select(table.slot, sa.func.coalesce(table.last_updated, table.slot))
        mine = (table.asset_id == asset_id) & (table.origin == _BACKFILLED)
        with self.connected() as connection:
            rows = connection.execute(query.where(mine, table.slot.between(start, end)))
            return {row[0]: row[1] for row in rows}

    def prices_at(
        self, ids: Sequence[int], slots: Sequence[int]
    ) -> dict[int, list[tuple[int, float]]]:
        """Return ``(slot, price)`` of several assets at given slots, oldest first, in one query."""
        table = schema.quote.c
        query = sa.select(table.asset_id, table.slot, table.price)
        query = query.where(table.asset_id.in_(ids), table.slot.in_(slots))
        found: dict[int, list[tuple[int, float]]] = {asset_id: [] for asset_id in ids}
        with self.connected() as connection:
            for asset_id, slot, price in connection.execute(query.order_by(table.slot)):
                found[asset_id].append((slot, price))
        return found

    def whole_market(self, slot: int) -> tuple[GlobalMetrics | None, FearAndGreed | None]:
        """Return the global metrics and the fear and greed index of a slot, where recorded."""
        metrics, fear = (
            sa.select(*(table.c[name] for name in kind.__struct_fields__)).where(
                table.c.slot == slot
            )
            for table, kind in (
                (schema.global_metrics, GlobalMetrics),
                (schema.fear_and_greed, FearAndGreed),
            )
        )
        with self.connected() as connection:
            metrics_row = connection.execute(metrics).first()
            fear_row = connection.execute(fear).first()
        return (
            GlobalMetrics(*metrics_row) if metrics_row else None,
            FearAndGreed(*fear_row) if fear_row else None,
        )


@cache
def _quotes(fields: tuple[str, ...]) -> sa.Select[Any]:
    table = schema.quote.c
    mine = table.asset_id == sa.bindparam("asset_id")
    within = table.slot.between(sa.bindparam("start"), sa.bindparam("end"))
    query = sa.select(*quote_columns(fields)).where(mine, within).order_by(table.slot)
    return query.limit(sa.bindparam("limit", type_=sa.Integer))


def quote_columns(fields: Sequence[str]) -> list[sa.ColumnElement[Any]]:
    """Return what is read of every quote: see ``columns_from``."""
    table = schema.quote.c
    # Two columns in one, negative for backfilled points: every column of a year costs time.
    signed = sa.case((table.origin == _OBSERVED, table.resolution), else_=-table.resolution)
    return [table.slot, signed, *(table[field] for field in fields)]


def columns_from(rows: Sequence[Sequence[Any]], fields: Sequence[str]) -> Columns:
    """Return rows of ``quote_columns`` as columns."""
    slots, signed, *values = _turned(rows, 2 + len(fields))
    return Columns(slots, *_origins(signed), dict(zip(fields, values, strict=True)))


def _origins(signed: list[int]) -> tuple[list[str], list[int]]:
    """Return origins and resolutions from resolutions that are negative where backfilled."""
    if min(signed, default=0) >= 0:
        return [_OBSERVED] * len(signed), signed
    origins = [_BACKFILLED if resolution < 0 else _OBSERVED for resolution in signed]
    return origins, [abs(resolution) for resolution in signed]


def _turned(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Return rows as columns; ``zip`` of no rows would give no columns at all."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


def _listed() -> sa.Select[Any]:
    joined = schema.latest.join(schema.asset, schema.asset.c.id == schema.latest.c.asset_id)
    return sa.select(*_IDENTITY, schema.latest.c.slot, *_LATEST_QUOTE).select_from(joined)


def _listed_asset(row: sa.Row[Any]) -> ListedAsset:
    asset_id, name, symbol, slug, is_fiat, slot, *values = tuple(row)
    return ListedAsset(asset_id, name, symbol, slug, bool(is_fiat), slot, Quote(asset_id, *values))
