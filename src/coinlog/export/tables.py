"""What can be exported: each a table of rows that are read part by part, never all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
import sqlalchemy as sa

from coinlog.export.columns import Column, columns
from coinlog.market import FearAndGreed, GlobalMetrics, Origin, SourceKind
from coinlog.notice import SIMULATED
from coinlog.store import schema
from coinlog.store.ledger import Head, LedgerRow, read_page
from coinlog.store.reader import Reader
from coinlog.store.stretches import ASSETS, Names, Part, Row, Stretch, ends_of, read_stretch
from coinlog.timeline import ALWAYS, Window

PAGE = 1_000
NOTHING = Window(0, -1)
_METRICS = tuple(name for name in GlobalMetrics.__struct_fields__ if name != "last_updated")
_FEAR = ("fear_and_greed", "fear_and_greed_label", "fear_and_greed_updated_at")


class Table(msgspec.Struct, frozen=True):
    """Rows to export: ``read`` yields those of a window, ``steps`` is how many assets they have.

    ``window`` is as narrow as the data; ``None`` where time does not matter.
    """

    what: str
    columns: tuple[Column, ...]
    read: Callable[[Window], Iterator[Part]]
    window: Window | None = None
    steps: int | None = None
    by_month: bool = False

    def parts(self) -> Iterator[Part]:
        """Yield all rows."""
        return self.read(self.window or ALWAYS)


class Book(msgspec.Struct, frozen=True):
    """An open store to export from: every read sees the same moment of it."""

    reader: Reader
    head: Head
    now: float

    @property
    def source(self) -> str:
        """What the column ``source`` says; a made-up market says it aloud."""
        return SIMULATED if self.head.simulated else SourceKind.COINMARKETCAP.value


def quotes(book: Book, ids: Sequence[int], window: Window, fields: Sequence[str]) -> Table:
    """Return the history of assets, in the order of asset and slot."""
    ends = ends_of(book.reader, ids)
    inside = Window(max(window.start, ends[0]), min(window.end, ends[1])) if ends else NOTHING
    return Table(
        what="quotes",
        columns=_quote_columns(fields),
        read=partial(_read_quotes, book, schema.quote, ids, fields, Names(book.reader)),
        window=inside,
        steps=len(ids),
        by_month=True,
    )


def latest(book: Book, ids: Sequence[int], fields: Sequence[str]) -> Table:
    """Return the newest quote of assets, in the order of their ids."""
    return Table(
        what="latest",
        columns=_quote_columns(fields),
        read=partial(_read_quotes, book, schema.latest, ids, fields, Names(book.reader)),
        steps=len(ids),
    )


def assets(book: Book, ids: Sequence[int]) -> Table:
    """Return what assets are called now, and since when and until when they are recorded."""
    names = ("asset_id", "symbol", "name", "slug", "is_fiat", "rank", "first_slot", "last_slot")
    return Table("assets", columns(*names, "source"), partial(_read_assets, book, ids))


def log(book: Book, window: Window) -> Table:
    """Return the ledger, newest first, missed slots included."""
    names = [name for name in LedgerRow.__struct_fields__ if name != "source"]
    return Table("log", columns(*names, "source"), partial(_read_log, book, names), window)


def global_metrics(book: Book, window: Window) -> Table:
    """Return the whole market's figures with the fear and greed index, oldest first."""
    names = ("slot", "observed_at", *_METRICS, "last_updated", *_FEAR, "origin", "resolution")
    return Table("global-metrics", columns(*names, "source"), partial(_read_metrics, book), window)


def months(window: Window) -> Iterator[tuple[str, Window]]:
    """Yield each month (UTC) that a window touches, as ``2026-01``, and its part of the window."""
    start = window.start
    while start <= window.end:
        first = datetime.fromtimestamp(start, UTC)
        following = datetime(first.year + first.month // 12, first.month % 12 + 1, 1, tzinfo=UTC)
        end = int(following.timestamp())
        yield f"{first:%Y-%m}", Window(start, min(end - 1, window.end))
        start = end


def _quote_columns(fields: Sequence[str]) -> tuple[Column, ...]:
    names = ("slot", "observed_at", "asset_id", "symbol", "name", "slug")
    return columns(*names, *fields, "origin", "resolution", "source")


def _read_quotes(  # noqa: PLR0913, PLR0917  all but the window is given beforehand
    book: Book,
    table: sa.Table,
    ids: Sequence[int],
    fields: Sequence[str],
    names: Names,
    window: Window,
) -> Iterator[Part]:
    stretch = Stretch(ids, window.start, window.end, fields)
    source = book.source
    for part in read_stretch(book.reader, table, stretch):
        rows = [
            (slot, observed_at, asset_id, *names.at(asset_id, slot), *rest, source)
            for slot, observed_at, asset_id, *rest in part.rows
        ]
        yield Part(rows, part.assets_done)


def _read_assets(book: Book, ids: Sequence[int], _window: Window) -> Iterator[Part]:
    for number in range(0, len(ids), ASSETS):
        some = ids[number : number + ASSETS]
        ranks = {one.id: one.quote.rank for one in book.reader.newest(some)}
        rows = [
            (
                *(one.id, one.symbol, one.name, one.slug, bool(one.is_fiat), ranks.get(one.id)),
                *(one.first_slot, one.last_slot, book.source),
            )
            for one in book.reader.assets(some)
        ]
        yield Part(rows, len(some))


def _read_log(book: Book, names: Sequence[str], window: Window) -> Iterator[Part]:
    before: int | None = min(window.end, int(book.now)) + 1
    while before is not None:
        found = read_page(book.reader, book.head, book.now, limit=PAGE, before=before)
        rows = [
            (*(getattr(row, name) for name in names), book.source)
            for row in found
            if row.slot >= window.start
        ]
        yield Part(rows, 0)
        before = rows[-1][0] if len(rows) == PAGE else None


def _read_metrics(book: Book, window: Window) -> Iterator[Part]:
    start = window.start
    with book.reader.connected() as connection:
        while True:
            asked = {"start": start, "end": window.end}
            rows: list[Row] = [
                (*row, book.source) for row in connection.execute(_METRICS_QUERY, asked)
            ]
            yield Part(rows, 0)
            if len(rows) < PAGE:
                return
            start = rows[-1][0] + 1


def _metrics_query() -> sa.Select[Any]:
    metrics, fear, ledger = schema.global_metrics, schema.fear_and_greed, schema.slot
    within = [
        sa.select(table.c.slot).where(
            table.c.slot.between(sa.bindparam("start"), sa.bindparam("end"))
        )
        for table in (metrics, fear)
    ]
    slots = sa.union(*within).subquery()
    slot = slots.c.slot
    origin = sa.func.coalesce(metrics.c.origin, fear.c.origin)
    own_time = sa.func.coalesce(metrics.c.last_updated, fear.c.updated_at, slot)
    observed_at = sa.case(
        (origin == Origin.BACKFILLED.value, own_time),
        else_=sa.func.coalesce(ledger.c.observed_at, slot),
    )
    joined = slots
    for table in (metrics, fear, ledger):
        joined = joined.outerjoin(table, table.c.slot == slot)  # type: ignore[assignment]
    query = sa.select(
        slot,
        observed_at,
        *(metrics.c[name] for name in _METRICS),
        metrics.c.last_updated,
        *(fear.c[name] for name in FearAndGreed.__struct_fields__),
        origin,
        sa.func.coalesce(metrics.c.resolution, fear.c.resolution),
    )
    return query.select_from(joined).order_by(slot).limit(PAGE)


_METRICS_QUERY = _metrics_query()
