"""Reading whole tables, page after page in the order of their keys, from one state of the store."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from coinlog.store import rows, schema
from coinlog.store.engine import store_errors

PAGE = 10_000

Line = tuple[Any, ...]
"""A row as the driver gives it: whole numbers, doubles, texts and None on every database."""


@contextmanager
def snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Connect to one state of the store: what others write meanwhile is not seen.

    Raises:
        StoreUnavailableError: the database is away.
    """
    with store_errors(), engine.connect() as connection:
        if connection.dialect.name != "sqlite":
            connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def column_names(table: sa.Table, leave_out: Collection[str] = ()) -> tuple[str, ...]:
    """Return a table's columns in the order in which its lines hold them."""
    names = rows.COLUMNS if table is schema.quote else table.c.keys()
    return tuple(name for name in names if name not in leave_out)


def key_places(table: sa.Table, names: Sequence[str]) -> tuple[int, ...]:
    """Return where in a line the columns of the table's key stand."""
    return tuple(names.index(column.name) for column in table.primary_key)


def pages(
    connection: sa.Connection,
    table: sa.Table,
    *,
    leave_out: Collection[str] = (),
    slots: Collection[int] | None = None,
    size: int = PAGE,
) -> Iterator[list[Line]]:
    """Yield a table's rows in the order of its key, ``size`` at a time; those of ``slots`` alone.

    Each page is a statement of its own, so no server waits with half an answer for a reader that
    is busy elsewhere, and stopping in the middle costs nothing.
    """
    names = column_names(table, leave_out)
    # Columns without a type: the values come as the driver reads them, and twice as fast.
    bare = sa.table(table.name, *map(sa.column, table.c.keys()))
    key = [bare.c[column.name] for column in table.primary_key]
    places = key_places(table, names)
    query = sa.select(*(bare.c[name] for name in names)).order_by(*key).limit(size)
    if slots is not None:
        query = query.where(bare.c.slot.in_(slots))
    page = query
    while lines := [tuple(row) for row in connection.execute(page)]:
        yield lines
        if len(lines) < size:
            return
        last = [lines[-1][place] for place in places]
        page = query.where(_after(connection.dialect.name, key, last))


def _after(dialect: str, key: Sequence[Any], last: Sequence[object]) -> sa.ColumnElement[bool]:
    """Return the condition for what comes after a key, so that the database goes straight there.

    SQLite finds its way by comparing rows, MariaDB and MySQL by naming each stretch.
    """
    if dialect == "sqlite":
        return sa.tuple_(*key) > sa.tuple_(*last)
    stretches = (
        sa.and_(*(key[before] == last[before] for before in range(place)), key[place] > value)
        for place, value in enumerate(last)
    )
    return sa.or_(*stretches)
