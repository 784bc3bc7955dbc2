"""Writing whole rows as they were read, into any table, as fast as the database takes them."""

from __future__ import annotations

from collections.abc import Sequence
from types import GenericAlias
from typing import Annotated, Any, Literal

import msgspec
import sqlalchemy as sa

from coinlog.errors import StoreError
from coinlog.market import Origin
from coinlog.slots import YEAR_2101
from coinlog.store import rows, schema
from coinlog.store.engine import store_errors
from coinlog.store.pages import Line, column_names


def write_lines(connection: sa.Connection, table: sa.Table, lines: Sequence[Line]) -> None:
    """Insert rows of a table, given in the order of ``column_names``.

    Raises:
        StoreError: a quote holds a value that no store of coinlog has.
    """
    if not lines:
        return
    if table is schema.quote:
        rows.insert_lines(connection, checked(lines))
        return
    names = column_names(table)
    connection.execute(table.insert(), [dict(zip(names, line, strict=True)) for line in lines])


def newest_key(engine: sa.Engine, table: sa.Table) -> Line | None:
    """Return the greatest key that a table holds, ``None`` where it is empty."""
    key = list(table.primary_key)
    query = sa.select(*key).order_by(*(column.desc() for column in key)).limit(1)
    with store_errors(), engine.connect() as connection:
        newest = connection.execute(query).first()
    return tuple(newest) if newest else None


def checked(lines: Sequence[Line]) -> list[Line]:
    """Return quotes as they are, if every value is of its column's kind.

    SQLite keeps any text in any column, and quotes are written out into SQL.

    Raises:
        StoreError: a value is something else.
    """
    try:
        quotes: list[Line] = msgspec.convert(lines, _QUOTES)
    except msgspec.ValidationError as error:
        raise StoreError(
            f"FROM holds a quote that coinlog has not written ({error}): fill an empty store "
            "from the archive instead, with `coinlog load`"
        ) from error
    return quotes


def _kind(column: sa.Column[Any]) -> Any:  # noqa: ANN401  a type, made at run time
    kind: Any = float
    if isinstance(column.type, sa.String):
        kind = Literal[tuple(origin.value for origin in Origin)]
    elif column.name == "slot":
        kind = Annotated[int, msgspec.Meta(ge=0, lt=YEAR_2101)]
    elif isinstance(column.type, sa.Integer):
        kind = int
    return kind | None if column.nullable else kind


_QUOTE = GenericAlias(tuple, tuple(_kind(schema.quote.c[name]) for name in rows.COLUMNS))
_QUOTES: Any = GenericAlias(list, _QUOTE)
