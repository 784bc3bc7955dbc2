"""Opening a store to export from, and finding in it what was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import sqlalchemy as sa

from coinlog.asked import parse_fields, parse_selection, parse_window, selected_ids
from coinlog.errors import UsageError
from coinlog.export import tables
from coinlog.export.tables import Book, Table
from coinlog.market import QUOTE_FIELDS
from coinlog.slots import DAY
from coinlog.store.engine import open_engine
from coinlog.store.existing import refuse_absent
from coinlog.store.ledger import read_head
from coinlog.store.reader import Reader

TAKES = {
    "quotes": ("assets", "range", "from", "to", "fields"),
    "latest": ("assets", "fields"),
    "log": ("range", "from", "to"),
    "global-metrics": ("range", "from", "to"),
    "assets": ("assets",),
}
"""What can be exported, and which of its rows and columns can be asked for."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What to export, as it was asked for; ``None`` is all of it."""

    what: str = "quotes"
    assets: str | None = None
    range: str | None = None
    start: str | None = None
    end: str | None = None
    fields: str | None = None

    @property
    def given(self) -> dict[str, str]:
        """What was asked for beyond all of it, by the option's name."""
        options = {
            "assets": self.assets,
            "range": self.range,
            "from": self.start,
            "to": self.end,
            "fields": self.fields,
        }
        return {name: value for name, value in options.items() if value is not None}


@contextmanager
def opened(url: sa.URL, now: float, seconds: float = DAY) -> Iterator[Book]:
    """Open a store for reading; everything read sees the same moment of it.

    A long export takes its time: what limits the page's statements would end it.

    Raises:
        StoreUnavailableError: the database is away, or not there.
        SchemaError: coinlog's tables are not there.
    """
    refuse_absent(url)
    engine = open_engine(url, read_only=True)
    reader = Reader(engine, seconds)
    try:
        with reader.snapshot():
            yield Book(reader, read_head(reader), now)
    finally:
        engine.dispose()


def table_of(book: Book, request: Request) -> Table:
    """Return what was asked for, checked.

    Raises:
        UsageError: an option cannot be used, or not for this.
    """
    for option in request.given:
        if option not in TAKES[request.what]:
            raise UsageError(
                f"--{option} cannot be used with --what {request.what}: expected "
                + (", ".join(f"--{name}" for name in TAKES[request.what]))
            )
    window = parse_window(
        book.head, book.now, request.range, request.start, request.end, usual="all"
    )
    if request.what == "log":
        return tables.log(book, window)
    if request.what == "global-metrics":
        return tables.global_metrics(book, window)
    ids = selected_ids(book.reader, book.head, parse_selection(request.assets or "all"))
    if request.what == "assets":
        return tables.assets(book, ids)
    fields = QUOTE_FIELDS if request.fields is None else parse_fields(request.fields)
    if request.what == "latest":
        return tables.latest(book, ids, fields)
    return tables.quotes(book, ids, window, fields)
