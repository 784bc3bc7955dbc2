"""What ``import coinlog`` offers: the record as pandas data frames, read-only.

All times are UTC, all money is USD. A value that the source does not know is NaN; a slot without
a quote has no row, and ``frame.attrs["gaps"]`` says where and why.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from coinlog.asked import one_asset, parse_fields, parse_window
from coinlog.errors import UsageError
from coinlog.export import tables
from coinlog.export.columns import KINDS, Kind
from coinlog.export.notes import notes_of
from coinlog.export.opening import opened
from coinlog.export.tables import Book, Table
from coinlog.extras import load
from coinlog.market import QUOTE_FIELDS
from coinlog.series import Series, read_series
from coinlog.settings import databases, load_settings
from coinlog.slots import iso
from coinlog.store.candles import INTERVALS, Candle, candle_start, read_candles
from coinlog.store.finding import all_ids
from coinlog.store.points import ends
from coinlog.store.reader import StoredAsset
from coinlog.timeline import Window, read_timeline

if TYPE_CHECKING:
    import pandas as pd

STATEMENT_SECONDS = 600.0
USUAL_FIELDS = ("price", "market_cap", "volume_24h")

Wanted = int | str
"""An asset: its CoinMarketCap id, its slug, or a name or symbol that it alone carries."""

When = str | int | datetime | None
"""A time: ISO 8601, seconds since 1970 or a datetime; UTC where no zone is given."""


def open_logbook(url: str | None, *, simulated: bool) -> Logbook:
    """Return the logbook of the settings or of an address; see ``coinlog.open``."""
    if url is not None:
        if simulated:
            raise UsageError("open() takes an address or simulated=True: expected one of them")
        return Logbook(_address(url))
    settings = load_settings()
    for note in settings.notes:
        warnings.warn(note, stacklevel=3)
    if simulated:
        settings = settings.for_simulated_market("")
    return Logbook(settings.database_url)


class Logbook:
    """The record, for reading. Every call reads one moment of the store, and closes it again."""

    def __init__(self, url: sa.URL) -> None:
        self._url = url
        with self._opened():
            pass  # what is wrong with the store shows here, and not at the first question

    def __repr__(self) -> str:
        return f"<coinlog {self._url.render_as_string()}>"

    def series(
        self,
        asset: Wanted,
        range: str | None = None,  # noqa: A002  the word that the page and the API use
        *,
        fields: str | Sequence[str] = USUAL_FIELDS,
        start: When = None,
        end: When = None,
    ) -> pd.DataFrame:
        """Return an asset's history: a row for each quote, by slot, oldest first.

        ``range`` is 1d, 7d, 30d, 90d, 1y or all; or give ``start``, ``end`` or both. The columns
        are the fields, ``observed_at`` and ``origin``; ``attrs`` holds the asset, its gaps, the
        currency and whose data it is.

        Raises:
            coinlog.errors.UsageError: there is no such asset, or several; or a wrong value.
        """
        chosen = parse_fields(fields if isinstance(fields, str) else ",".join(fields))
        with self._opened() as book:
            found = one_asset(book.reader, asset)
            window = _window(book, range, start, end)
            timeline = read_timeline(book.reader, book.head, window, book.now)
            series = read_series(book.reader, timeline, book.now, found.id, chosen)
        return _series_frame(book, found, series)

    def candles(
        self,
        asset: Wanted,
        range: str | None = None,  # noqa: A002  the word that the page and the API use
        interval: str = "1d",
        *,
        start: When = None,
        end: When = None,
    ) -> pd.DataFrame:
        """Return an asset's price as candles, by their start: open, high, low, close, points.

        ``interval`` is 1h to 12h, 1d, 1w or 1mo (UTC). ``complete`` is false for one that the
        range cuts off; an interval without a quote has no row.

        Raises:
            coinlog.errors.UsageError: there is no such asset, or several; or a wrong value.
        """
        if interval not in INTERVALS:
            raise UsageError(
                f"interval={interval[:40]!r} cannot be used: expected one of {', '.join(INTERVALS)}"
            )
        with self._opened() as book:
            found = one_asset(book.reader, asset)
            window = _window(book, range, start, end)
            span = ends(book.reader, found.id, window.start, window.end)
            first = candle_start(span[0], interval) if span else window.start
            candles = read_candles(book.reader, found.id, first, window.end, interval)
        return _candles_frame(book, found, candles, interval)

    def latest(self, fields: str | Sequence[str] = QUOTE_FIELDS) -> pd.DataFrame:
        """Return the newest quote of every asset ever recorded, by its id."""
        chosen = parse_fields(fields if isinstance(fields, str) else ",".join(fields))
        with self._opened() as book:
            return _frame(book, tables.latest(book, all_ids(book.reader), chosen), "asset_id")

    def assets(self) -> pd.DataFrame:
        """Return every asset ever recorded, by its id: names, rank, first and last slot."""
        with self._opened() as book:
            return _frame(book, tables.assets(book, all_ids(book.reader)), "asset_id")

    def log(
        self,
        range: str | None = None,  # noqa: A002  the word that the page and the API use
        *,
        start: When = None,
        end: When = None,
    ) -> pd.DataFrame:
        """Return the ledger, by slot, oldest first: what became of each, missed ones included."""
        with self._opened() as book:
            return _frame(book, tables.log(book, _window(book, range, start, end)), "slot")

    def global_metrics(
        self,
        range: str | None = None,  # noqa: A002  the word that the page and the API use
        *,
        start: When = None,
        end: When = None,
    ) -> pd.DataFrame:
        """Return the whole market's figures and the fear and greed index, by slot."""
        with self._opened() as book:
            table = tables.global_metrics(book, _window(book, range, start, end))
            return _frame(book, table, "slot")

    @contextmanager
    def _opened(self) -> Iterator[Book]:
        with opened(self._url, time.time(), STATEMENT_SECONDS) as book:
            yield book


def _address(url: str) -> sa.URL:
    try:
        return databases.database_url(url)
    except ValueError as error:
        why = f": {error}" if str(error) else ""
        raise UsageError(
            f"this address cannot be used{why}; expected sqlite:///file.db or "
            "mysql://user:password@host/database"
        ) from None


def _window(book: Book, name: str | None, start: When, end: When) -> Window:
    return parse_window(book.head, book.now, name, _text(start), _text(end), usual="1y")


def _text(moment: When) -> str | None:
    if moment is None:
        return None
    return moment.isoformat() if isinstance(moment, datetime) else str(moment)


def _frame(book: Book, table: Table, index: str) -> pd.DataFrame:
    pandas = load("pandas")
    rows = [row for part in table.parts() for row in part.rows]
    values = list(zip(*rows, strict=True)) or [()] * len(table.columns)
    columns = {
        column.name: _column(pandas, column.kind, found)
        for column, found in zip(table.columns, values, strict=True)
    }
    frame = pandas.DataFrame(columns).set_index(index).sort_index()
    frame.attrs.update(_attributes(book))
    return frame  # type: ignore[no-any-return]


def _series_frame(book: Book, asset: StoredAsset, series: Series) -> pd.DataFrame:
    pandas = load("pandas")
    columns = {
        **{name: _column(pandas, KINDS[name], found) for name, found in series.fields.items()},
        "observed_at": _column(pandas, Kind.TIME, series.observed_at),
        "origin": series.origins,
        "slot": _column(pandas, Kind.TIME, series.slots),
    }
    frame = pandas.DataFrame(columns).set_index("slot")
    gaps = [
        {"from": iso(gap.start), "to": iso(gap.end), "reason": gap.reason} for gap in series.gaps
    ]
    frame.attrs.update(_attributes(book), asset=_called(asset), gaps=gaps)
    return frame  # type: ignore[no-any-return]


def _candles_frame(
    book: Book, asset: StoredAsset, candles: Sequence[Candle], interval: str
) -> pd.DataFrame:
    pandas = load("pandas")
    times = ("start", "end", "first_slot", "last_slot")
    columns = {name: [getattr(one, name) for one in candles] for name in Candle.__struct_fields__}
    for name in times:
        columns[name] = _column(pandas, Kind.TIME, columns[name])
    frame = pandas.DataFrame(columns).set_index("start")
    frame.attrs.update(_attributes(book), asset=_called(asset), interval=interval)
    return frame  # type: ignore[no-any-return]


def _column(pandas: Any, kind: Kind, values: Sequence[Any]) -> Any:  # noqa: ANN401  pandas' own types
    """Return values as pandas holds them: unknown is NaN, NaT or NA, whole numbers stay whole."""
    if kind is Kind.TIME:
        return pandas.to_datetime(pandas.Series(values, dtype="Int64"), unit="s", utc=True)
    kinds = {Kind.DOUBLE: "float64", Kind.INTEGER: "Int64", Kind.LONG: "Int64", Kind.FLAG: "bool"}
    return pandas.Series(values, dtype=kinds.get(kind))


def _called(asset: StoredAsset) -> dict[str, object]:
    return {"id": asset.id, "symbol": asset.symbol, "name": asset.name, "slug": asset.slug}


def _attributes(book: Book) -> dict[str, object]:
    """Return what goes with every frame; all of it can be written as JSON, as Parquet wants."""
    notes = notes_of(book)
    kept = ("currency", "attribution", "terms", "source")
    return {**{name: notes[name] for name in kept}, "simulated": book.head.simulated}
