"""What a move or a restore does first and last: it marks its target, for the next run to go on.

The ``store`` row is written last, in the one transaction that takes the mark away, so a target is
either a whole store or marked.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import sqlalchemy as sa

from coinlog.errors import UsageError
from coinlog.store import schema
from coinlog.store.engine import store_errors
from coinlog.store.pages import Line, column_names
from coinlog.store.unfinished import MARK, Mark, read_mark

_LAST = (schema.attempt, schema.backfill)

COPIED = (
    *(table for table in schema.metadata.sorted_tables if table not in (*_LAST, schema.store)),
    *_LAST,
)
"""Every table but ``store``, whose one row makes the target a whole store.

What tells that an answer is settled comes last, so that no answer is told to be settled whose
numbers have not come over.
"""


class _Held(NamedTuple):
    """What a target holds before a move: its kind of data, its filled tables, its slots."""

    source: str | None
    tables: list[str]
    slots: int


def is_under_way(target: sa.Engine, moved_from: str) -> bool:
    """Return whether a target with tables is half filled from there, and by nobody else since."""
    with store_errors(), target.connect() as connection:
        mark = read_mark(connection)
        source = connection.execute(sa.select(schema.store.c.source)).scalar()
    return mark is not None and mark.moved_from == moved_from and source is None


def begin(target: sa.Engine, moved_from: str) -> bool:
    """Mark a target, whose schema is up to date; ``True`` where the same move is under way.

    Raises:
        UsageError: the target holds something else.
    """
    with store_errors():
        if is_under_way(target, moved_from):
            return True
        mark, held = _mark_of(target), _what_is_held(target)
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


def _mark_of(target: sa.Engine) -> Mark | None:
    with target.connect() as connection:
        mark = read_mark(connection)
    if mark is None:
        MARK.drop(target, checkfirst=True)
    return mark


def _what_is_held(target: sa.Engine) -> _Held:
    one = sa.select(sa.literal(1)).limit(1)
    with target.connect() as connection:
        names = sa.inspect(connection).get_table_names()
        return _Held(
            connection.execute(sa.select(schema.store.c.source)).scalar(),
            [
                table.name
                for table in COPIED
                # An older schema has not all of them.
                if table.name in names and connection.execute(one.select_from(table)).first()
            ],
            connection.execute(sa.select(sa.func.count()).select_from(schema.slot)).scalar_one(),
        )


def _refuse(target: sa.Engine, mark: Mark | None, held: _Held) -> None:
    if held.source is None and not held.tables:
        return
    if held.source is not None:
        what = f"{held.source} data of {held.slots:,} slots"
    elif mark:
        what = f"an unfinished {mark}"
    else:
        what = f"rows in {', '.join(held.tables)}"
    raise UsageError(
        f"{target.url.render_as_string()} cannot be filled, because it is not empty: it holds "
        f"{what}; choose an empty database, or empty this one with `coinlog migrate --down`"
    )
