"""The market as a table: a page of the assets of any recorded slot, as asked for.

The newest slot is read from ``latest``. An older one is read from ``quote`` by its primary key,
asset by asset: SQLite takes 30 ms for 5,000 of them in a year of 7.3 million quotes. An index on
the slot would take 9 % more room and lead to the same quotes one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from coinlog.market import QUOTE_FIELDS, Origin, Quote
from coinlog.store import schema
from coinlog.store.narrowing import Names, matching, narrowed, natural_sort, ordering
from coinlog.store.reader import HAS_QUOTES, ListedAsset, Reader

_ASSET, _LATEST, _QUOTE = schema.asset, schema.latest, schema.quote
_THEN = schema.asset_name.alias("then")
_OLDER = schema.asset_name.alias("older")
_ALL = sa.func.count().over()
_NAMES = ("name", "symbol", "slug")
_NOW_CALLED: Names = {name: _ASSET.c[name] for name in _NAMES}
# A slot that was loaded late can be older than the first name that is known.
_THEN_CALLED: Names = {name: sa.func.coalesce(_THEN.c[name], _ASSET.c[name]) for name in _NAMES}


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What of a market is asked for: words, a filter, a band of caps, ids, an order, a page.

    ``only`` and ``cap`` are names of ``narrowing``, or empty; ``sort`` is one of ``SORTS`` with
    ``-`` in front for descending, or empty for the order that suits ``only``.
    """

    limit: int
    offset: int = 0
    sort: str = ""
    q: str = ""
    only: str = ""
    cap: str = ""
    ids: tuple[int, ...] | None = None

    @property
    def order(self) -> str:
        """The order asked for, or the one that suits what is asked for."""
        return self.sort or natural_sort(self.only)


class Listed(msgspec.Struct, frozen=True):
    """An asset of a slot, called as it was then, and what is known of it since.

    ``last_slot`` is its newest recorded slot, ``rank_now`` its rank there.
    """

    asset: ListedAsset
    last_slot: int
    rank_now: int | None


def read_listing(
    reader: Reader, slot: int, newest: int, wanted: Wanted
) -> tuple[int, list[Listed]]:
    """Return how many assets of a slot match, and the page of them that is asked for."""
    query = _of_newest(slot, wanted) if slot == newest else _of_past(slot, wanted)
    page = query.limit(wanted.limit).offset(wanted.offset)
    with reader.connected() as connection:
        rows = connection.execute(page).fetchall()
        if rows or not wanted.offset:
            return (rows[0][-1] if rows else 0), [_listed(row) for row in rows]
        counted = sa.select(sa.func.count()).select_from(query.order_by(None).subquery())
        return connection.execute(counted).scalar_one(), []


def read_leading(reader: Reader, newest: int, limit: int) -> list[ListedAsset]:
    """Return the first assets of the newest slot by rank."""
    return [one.asset for one in read_listing(reader, newest, newest, Wanted(limit=limit))[1]]


def _of_newest(slot: int, wanted: Wanted) -> sa.Select[Any]:
    source = _LATEST.join(_ASSET, _ASSET.c.id == _LATEST.c.asset_id)
    query = sa.select(*_columns(_LATEST, _NOW_CALLED)).select_from(source)
    query = query.where(_LATEST.c.slot == slot, sa.not_(_ASSET.c.is_fiat), *matching(wanted.q))
    return _ordered(query, _LATEST, _NOW_CALLED, wanted)


def _of_past(slot: int, wanted: Wanted) -> sa.Select[Any]:
    """Return the query for a slot that is not the newest.

    The ids stand in the condition so that SQLite goes to each quote instead of through all.
    """
    named = sa.select(sa.func.max(_OLDER.c.from_slot)).where(
        _OLDER.c.asset_id == _QUOTE.c.asset_id, _OLDER.c.from_slot <= slot
    )
    then = (_THEN.c.asset_id == _QUOTE.c.asset_id) & (_THEN.c.from_slot == named.scalar_subquery())
    source = (
        _QUOTE.join(_LATEST, _LATEST.c.asset_id == _QUOTE.c.asset_id)
        .join(_ASSET, _ASSET.c.id == _QUOTE.c.asset_id)
        .outerjoin(_THEN, then)
    )
    ids = sa.select(_ASSET.c.id).where(sa.not_(_ASSET.c.is_fiat)).correlate(None)
    query = sa.select(*_columns(_QUOTE, _THEN_CALLED)).select_from(source)
    query = query.where(
        _QUOTE.c.asset_id.in_(ids),
        _QUOTE.c.slot == slot,
        # Only who was in the answer: what was fetched later was no member of it.
        _QUOTE.c.origin == Origin.OBSERVED.value,
        *matching(wanted.q, (_THEN_CALLED, _NOW_CALLED)),
    )
    return _ordered(query, _QUOTE, _THEN_CALLED, wanted)


def _columns(quotes: sa.FromClause, names: Names) -> list[sa.ColumnElement[Any]]:
    return [
        quotes.c.asset_id,
        *(names[name] for name in _NAMES),
        *(quotes.c[field] for field in QUOTE_FIELDS),
        *(quotes.c.slot, _LATEST.c.slot.label("last_slot"), _LATEST.c.rank.label("rank_now")),
        _ALL.label("total"),
    ]


def _ordered(
    query: sa.Select[Any], quotes: sa.FromClause, names: Names, wanted: Wanted
) -> sa.Select[Any]:
    conditions = narrowed(quotes, wanted.only, wanted.cap, wanted.ids)
    return query.where(*conditions).order_by(*ordering(wanted.order, quotes, names))


def _listed(row: sa.Row[Any]) -> Listed:
    asset_id, name, symbol, slug, *values, slot, last_slot, rank_now, _ = tuple(row)
    quote = Quote(asset_id, *values)
    return Listed(
        ListedAsset(asset_id, name, symbol, slug, is_fiat=False, slot=slot, quote=quote),
        last_slot,
        rank_now,
    )


def recorded_before(reader: Reader, time: int) -> int | None:
    """Return the newest slot with quotes that is not after ``time``."""
    table = schema.slot.c
    query = sa.select(table.slot).where(table.slot <= time, table.outcome.in_(HAS_QUOTES))
    return _one(reader, query.order_by(table.slot.desc()))


def recorded_after(reader: Reader, time: int) -> int | None:
    """Return the oldest slot with quotes that is after ``time``."""
    table = schema.slot.c
    query = sa.select(table.slot).where(table.slot > time, table.outcome.in_(HAS_QUOTES))
    return _one(reader, query.order_by(table.slot))


def kept_before(reader: Reader, asset_id: int, time: int) -> int | None:
    """Return the newest slot not after ``time`` at which an asset's observed quote is still there.

    Where slots were thinned, that of an asset that every slot has tells which ones are left.
    """
    return _one(reader, _kept(asset_id, _QUOTE.c.slot <= time).order_by(_QUOTE.c.slot.desc()))


def kept_after(reader: Reader, asset_id: int, time: int) -> int | None:
    """Return the oldest such slot after ``time``."""
    return _one(reader, _kept(asset_id, _QUOTE.c.slot > time).order_by(_QUOTE.c.slot))


def _kept(asset_id: int, when: sa.ColumnElement[bool]) -> sa.Select[Any]:
    table = _QUOTE.c
    observed = table.origin == Origin.OBSERVED.value
    return sa.select(table.slot).where(table.asset_id == asset_id, when, observed)


def _one(reader: Reader, query: sa.Select[Any]) -> int | None:
    with reader.connected() as connection:
        found: int | None = connection.execute(query.limit(1)).scalar()
        return found


class Total(msgspec.Struct, frozen=True):
    """The whole market's cap and volume (USD) at a slot; a line of them breaks by resolution."""

    slot: int
    resolution: int
    total_market_cap: float | None
    total_volume_24h: float | None


def read_totals(reader: Reader, start: int, end: int) -> Sequence[Total]:
    """Return the whole market's figures from ``start`` to ``end`` (both included), oldest first."""
    table = schema.global_metrics.c
    query = sa.select(
        table.slot, table.resolution, table.total_market_cap, table.total_volume_24h
    ).where(table.slot.between(start, end))
    with reader.connected() as connection:
        cursor = connection.execute(query.order_by(table.slot)).cursor
        return [Total(*row) for row in cursor.fetchall()] if cursor else []
