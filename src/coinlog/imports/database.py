"""A table in somebody's own database, read as it stands: nothing there is changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.engine.interfaces import ReflectedColumn
from sqlalchemy.exc import SQLAlchemyError

from coinlog.errors import StoreUnavailableError, UsageError
from coinlog.imports.columns import can_map, map_columns
from coinlog.imports.rows import Line, Sheet
from coinlog.sources.numbers import POINT
from coinlog.sources.texts import one_line
from coinlog.store import schema
from coinlog.store.engine import open_engine

SQLITE_MAGIC = b"SQLite format 3\0"
# What the well-known tutorials call theirs.
_USUAL = ("monedas", "cryptos")
_OURS = {*schema.metadata.tables, "alembic_version"}
_ROWS_AT_ONCE = 5_000
_NAMED = 10


@contextmanager
def open_table(url: sa.URL, table: str | None, given: dict[str, str]) -> Iterator[Opened]:
    """Open a table of a database as a sheet; without a name, the one that holds prices.

    Raises:
        UsageError: there is no such table, several, or its columns are not those of a price list.
        StoreUnavailableError: the database cannot be used.
    """
    engine = _open(url)
    try:
        with _errors(), engine.connect() as connection:
            yield _open_table(connection, url, table, given)
    finally:
        engine.dispose()


class Opened:
    """A table that was opened; ``in_utc`` where its times are instants, whatever zone is said."""

    def __init__(self, sheet: Sheet, *, in_utc: bool) -> None:
        self.sheet = sheet
        self.in_utc = in_utc


def _open(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() != "sqlite":
        return open_engine(url, read_only=True)
    path = Path(url.database or "").expanduser()
    if not path.is_file():
        raise UsageError(f"there is no file {str(path)[:200]!r}: expected a SQLite database")

    def connect() -> sqlite3.Connection:
        # Only ever read, and in whatever mode its owner chose.
        address = f"file:{quote(str(path.resolve()))}?mode=ro"
        connection = sqlite3.connect(address, uri=True, check_same_thread=False)
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        return connection

    return sa.create_engine("sqlite://", creator=connect)


@contextmanager
def _errors() -> Iterator[None]:
    """Turn the driver's errors into ours: its texts hold host and user at most."""
    try:
        yield
    except SQLAlchemyError as error:
        text = one_line(str(getattr(error, "orig", None) or error), 300)
        raise StoreUnavailableError(
            f"the database to import from could not be used: {text}; check the address, and the "
            "user's rights to read it"
        ) from error


def _open_table(
    connection: sa.Connection, url: sa.URL, table: str | None, given: dict[str, str]
) -> Opened:
    inspector = sa.inspect(connection)
    name = table or _find(inspector, given)
    if name not in {*inspector.get_table_names(), *inspector.get_view_names()}:
        raise UsageError(f"there is no table {name[:60]!r}: {_tables(inspector)}")
    found = inspector.get_columns(name)
    header = tuple(column["name"] for column in found)
    columns = map_columns(header, given)
    kinds = {column["name"]: column["type"] for column in found}
    where = Path(url.database or "").name if url.get_backend_name() == "sqlite" else url.database
    sheet = Sheet(
        imported=f"table {name} of {where}",
        unit="row",
        header=header,
        columns=columns,
        lines=_rows(connection, name, found),
        decimal=None if _has_texts(kinds[columns["price"]]) else POINT,
    )
    return Opened(sheet, in_utc=isinstance(kinds[columns["time"]], mysql.TIMESTAMP))


def _find(inspector: sa.Inspector, given: dict[str, str]) -> str:
    """Return the one table that holds prices, by its columns; the usual names go first."""
    names = [name for name in inspector.get_table_names() if name not in _OURS]
    fitting = [
        name for name in names if can_map([c["name"] for c in inspector.get_columns(name)], given)
    ]
    usual = [name for name in fitting if name.lower() in _USUAL]
    chosen = usual or fitting
    if len(chosen) != 1:
        what = f"several could be it: {_named(chosen)}" if chosen else _tables(inspector)
        raise UsageError(
            f"which table holds the prices cannot be told: {what}; name it with --table, and its "
            "columns with --columns price=COLUMN,time=COLUMN if they are called otherwise"
        )
    return chosen[0]


def _tables(inspector: sa.Inspector) -> str:
    names = [name for name in inspector.get_table_names() if name not in _OURS]
    return (
        f"the tables are {_named(names)}" if names else "the database has no tables but coinlog's"
    )


def _named(names: Sequence[str]) -> str:
    return ", ".join(one_line(name, 60) for name in names[:_NAMED])


def _has_texts(kind: Any) -> bool:  # noqa: ANN401  whatever the database calls it
    """Return whether numbers in such a column are as people wrote them."""
    return not isinstance(kind, sa.types.Numeric | sa.types.Integer | sa.types.Float)


def _rows(connection: sa.Connection, name: str, found: Sequence[ReflectedColumn]) -> Iterator[Line]:
    """Yield every row as the texts that it holds, numbered as they come."""
    table = sa.table(name, *(sa.column(column["name"]) for column in found))
    query = sa.select(*(_exactly(table.c[c["name"]], c["type"]) for c in found))
    with connection.execution_options(stream_results=True, yield_per=_ROWS_AT_ONCE).execute(
        query
    ) as rows:
        for number, row in enumerate(rows, 1):
            yield number, [_text(value) for value in row]


def _exactly(column: sa.ColumnClause[Any], kind: Any) -> sa.ColumnElement[Any]:  # noqa: ANN401
    """Return what to select, so that a FLOAT comes whole: MySQL shows six of its digits."""
    if isinstance(kind, mysql.FLOAT):
        return (column + sa.literal_column("0E0")).label(column.name)
    return column


def _text(value: object) -> str | None:
    """Return a value as the text that says it exactly."""
    match value:
        case None | str():
            return value
        case bytes():
            return value.decode("utf-8", "replace")
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.isoformat(" ")
        case _:
            return str(value)
