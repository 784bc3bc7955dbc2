"""Stores that are ready to be filled: their tables are made once, and lent to test after test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymysql
import sqlalchemy as sa

from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from servers import MariaDB

# What a database is, beyond its rows: its columns, keys, views and triggers.
_DEFINITION = {
    "columns": "table_name, column_name, column_type, is_nullable, column_default",
    "statistics": "table_name, index_name, seq_in_index, column_name, non_unique",
    "views": "table_name, view_definition",
    "triggers": "event_object_table, action_statement",
}
_FEW_ROWS = 2000

Rows = tuple[tuple[Any, ...], ...]


def make_tables(url: sa.URL) -> None:
    """Make the tables of a store."""
    engine = open_engine(url)
    migrate(engine)
    engine.dispose()


class ReadyFile:
    """A SQLite store without rows, made once and copied."""

    def __init__(self, folder: Path) -> None:
        self._made = folder / "coinlog.db"
        make_tables(sa.URL.create("sqlite", database=str(self._made)))

    def copy(self, path: Path) -> sa.URL:
        """Put a copy at a path and return its address."""
        shutil.copyfile(self._made, path)
        return sa.URL.create("sqlite", database=str(path))


class ReadyDatabases:
    """Databases with the tables of a store in them, emptied after each test.

    One whose tables a test has changed is not lent again.
    """

    def __init__(self, server: MariaDB) -> None:
        self._server = server
        self._free: list[str] = []
        self._definition: list[Rows] = []
        self._tables: list[str] = []
        self._first_rows: dict[str, Rows] = {}

    @contextmanager
    def lend(self) -> Iterator[sa.URL]:
        """Lend one, and give its address."""
        name = self._free.pop() if self._free else self._make()
        try:
            yield self._server.url(name)
        finally:
            self._take_back(name)

    def _make(self) -> str:
        name = self._server.make_database()
        make_tables(self._server.url(name))
        if not self._definition:
            with self._server.administrator() as cursor:
                self._learn(cursor, name)
        return name

    def _learn(self, cursor: pymysql.cursors.Cursor, name: str) -> None:
        self._definition = _definition(cursor, name)
        cursor.execute(f"SHOW FULL TABLES FROM {name} WHERE table_type = 'BASE TABLE'")
        self._tables = [row[0] for row in cursor.fetchall()]
        for table in self._tables:
            cursor.execute(f"SELECT * FROM {name}.{table}")  # noqa: S608  our own words
            if rows := cursor.fetchall():
                self._first_rows[table] = rows

    def _take_back(self, name: str) -> None:
        with self._server.administrator() as cursor:
            # A connection that was left open could hold rows or tables.
            cursor.execute(f"KILL HARD USER {name}@'%'")
            cursor.execute(f"DROP DATABASE IF EXISTS {name}_replay")
            if _definition(cursor, name) != self._definition:
                self._server.drop_database(name)
                return
            for statement in self._server.grants(name):
                cursor.execute(statement)
            self._empty(cursor, name)
        self._free.append(name)

    def _empty(self, cursor: pymysql.cursors.Cursor, name: str) -> None:
        count_in = "SELECT '{1}', COUNT(*) FROM {0}.{1}".format
        cursor.execute(" UNION ALL ".join(count_in(name, table) for table in self._tables))
        for table, count in cursor.fetchall():
            if count:
                way = "DELETE FROM" if count < _FEW_ROWS else "TRUNCATE"
                cursor.execute(f"{way} {name}.{table}")
        for table, rows in self._first_rows.items():
            places = ", ".join(["%s"] * len(rows[0]))
            put = f"INSERT INTO {name}.{table} VALUES ({places})"  # noqa: S608  our own words
            cursor.executemany(put, rows)


def _definition(cursor: pymysql.cursors.Cursor, name: str) -> list[Rows]:
    found = []
    for what, columns in _DEFINITION.items():
        owner = "trigger_schema" if what == "triggers" else "table_schema"
        # The words are ours.
        query = f"SELECT {columns} FROM information_schema.{what} WHERE {owner} = %s"  # noqa: S608
        cursor.execute(query, (name,))
        # A view's definition names its database.
        rows = [
            tuple(str(one).replace(f"`{name}`", "") for one in row) for row in cursor.fetchall()
        ]
        found.append(tuple(sorted(rows)))
    return found


def _unnamed(row: tuple[Any, ...], name: str) -> tuple[str, ...]:
    """Return a row as texts, without the name of its database, which a view's definition has."""
    return tuple(str(one).replace(f"`{name}`", "") for one in row)
