"""Whole stores for tests: one with rows in every table, one with many quotes, and how they read."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from coinlog.store.writer import settle
from samples import SLOT, STEP, settlement, snapshot

ODD = "Ünïcode 🪙 \\ ' \" % :x ?\n" + string.punctuation


@contextmanager
def opened(url: sa.URL) -> Iterator[sa.Engine]:
    """Open a store with its tables, and close it again."""
    engine = open_engine(url)
    migrate(engine)
    yield engine
    engine.dispose()


def look(url: sa.URL, query: str) -> list[tuple[object, ...]]:
    """Return the rows of a query."""
    engine = open_engine(url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(sa.text(query))]
    engine.dispose()
    return found


def fill_every_table(url: sa.URL, slots: int = 3) -> None:
    """Settle some slots; then put made-up rows into each table that is still empty."""
    with opened(url) as engine:
        for number in range(slots):
            slot = SLOT + number * STEP
            settle(engine, settlement(slot, found=snapshot([1, 1027, 4687])), slot + 20)
        with engine.begin() as connection:
            for table in schema.metadata.sorted_tables:
                if connection.execute(sa.select(table).limit(1)).first() is None:
                    rows = [made_up_row(table, number) for number in range(slots)]
                    connection.execute(table.insert(), rows)


def made_up_row(table: sa.Table, number: int) -> dict[str, Any]:
    """Return a row with a value in each column, another for each number."""
    return {column.name: _value(column, number) for column in table.c}


def _value(column: sa.Column[Any], number: int) -> Any:  # noqa: ANN401  whatever the column takes
    kinds: tuple[tuple[type, Callable[[], Any]], ...] = (
        (sa.Boolean, lambda: number % 2 == 1),
        (sa.Integer, lambda: SLOT + number),
        (sa.Double, lambda: (number + 0.1) / 3),
        (sa.Text, lambda: ODD * (number + 1)),
        (sa.String, lambda: f"word-{number}"),
    )
    if column.nullable and number == 1:
        return None
    return next(make() for kind, make in kinds if isinstance(column.type, kind))


def fill_with_quotes(url: sa.URL, assets: int, slots: int) -> None:
    """Put many quotes into a store, with a third for each price, in asset order."""
    with opened(url) as engine:
        settle(engine, settlement(found=snapshot([1])), SLOT + 20)
        columns = ("price", "asset_id", "slot", "market_cap", "rank", "origin", "resolution")
        lines = (
            (asset_id / 3 + number, asset_id, SLOT - number * STEP, 1e12 / asset_id, 7)
            for asset_id in range(2, assets + 2)
            for number in range(slots)
        )
        rows = [dict(zip(columns, (*line, "observed", STEP), strict=True)) for line in lines]
        with engine.begin() as connection:
            connection.execute(schema.quote.insert(), rows)


def read_everything(url: sa.URL) -> dict[str, list[dict[str, Any]]]:
    """Return every row of a store, by table, in the order of the keys."""
    engine = open_engine(url, read_only=True)
    with engine.connect() as connection:
        everything = {
            table.name: [
                dict(row)
                for row in connection.execute(
                    sa.select(table).order_by(*table.primary_key)
                ).mappings()
            ]
            for table in schema.metadata.sorted_tables
        }
    engine.dispose()
    return everything
