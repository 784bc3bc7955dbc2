"""The mark that an unfinished move leaves in its target, so that the next run goes on with it.

A table of one row beside the store's own. The ``store`` row is written last, in the one
transaction that takes the mark away, so a target is either a whole store or marked.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import sqlalchemy as sa

from coinlog.errors import UsageError
from coinlog.slots import iso
from coinlog.store import schema
from coinlog.store.engine import store_errors
from coinlog.store.pages import Line, column_names

MARK = sa.Table(
    "unfinished_move",
    sa.MetaData(),
    sa.Column("moved_from", sa.Text, nullable=False),
    sa.Column("began_at", sa.BigInteger, nullable=False),
    mysql_charset="utf8mb4",
    mariadb_charset="utf8mb4",
)

COPIED = tuple(table for table in schema.metadata.sorted_tables if table is not schema.store)
"""Every table but ``store``, whose one row makes the target a whole store."""


class _Mark(NamedTuple):
    """From where a move began, and when."""

    moved_from: str
    began_at: int


class _Held(NamedTuple):
    """What a target holds before a move: its kind of data, its filled tables, its slots."""

    source: str | None
    tables: list[str]
    slots: int


def begin(target: sa.Engine, moved_from: str) -> bool:
    """Mark a target, whose schema is up to date; ``True`` where the same move is under way.

    Raises:
        UsageError: the target holds something else.
    """
    with store_errors():
        mark, held = _read_mark(target), _what_is_held(target)
        if mark and mark.moved_from == moved_from and held.source is None:
            return True
        _refuse(target, mark, held)
        if mark:
            MARK.drop(target)
        MARK.create(target)
        with target.begin() as connection:
            row = {"moved_from": moved_from, "began_at": int(time.time())}
            connection.execute(MARK.insert(), row)
    return False


def finish(target: sa.Engine, store: list[Line]) -> None:
    """Make the target a whole store: give it its ``store`` row and take the mark away."""
    names = column_names(schema.store)
    with store_errors():
        with target.begin() as connection:
            connection.execute(schema.store.delete())
            for line in store:
                connection.execute(schema.store.insert(), dict(zip(names, line, strict=True)))
            connection.execute(MARK.delete())
        MARK.drop(target)


def _read_mark(target: sa.Engine) -> _Mark | None:
    """Return the mark; an empty table is left by a run that died as it began or was done."""
    if not sa.inspect(target).has_table(MARK.name):
        return None
    with target.connect() as connection:
        mark = connection.execute(sa.select(MARK.c.moved_from, MARK.c.began_at)).first()
    if mark is None:
        MARK.drop(target)
        return None
    return _Mark(*mark)


def _what_is_held(target: sa.Engine) -> _Held:
    one = sa.select(sa.literal(1)).limit(1)
    with target.connect() as connection:
        return _Held(
            connection.execute(sa.select(schema.store.c.source)).scalar(),
            [t.name for t in COPIED if connection.execute(one.select_from(t)).first()],
            connection.execute(sa.select(sa.func.count()).select_from(schema.slot)).scalar_one(),
        )


def _refuse(target: sa.Engine, mark: _Mark | None, held: _Held) -> None:
    if held.source is None and not held.tables:
        return
    if held.source is not None:
        what = f"{held.source} data of {held.slots:,} slots"
    elif mark:
        what = f"an unfinished move from {mark.moved_from}, begun {iso(mark.began_at)}"
    else:
        what = f"rows in {', '.join(held.tables)}"
    raise UsageError(
        f"{target.url.render_as_string()} cannot be moved to, because it is not empty: it holds "
        f"{what}; choose an empty database, or empty this one with `coinlog migrate --down`"
    )
