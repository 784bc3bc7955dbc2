"""A connection for one moment of a whole store, which no replay can take away in between.

On MariaDB and MySQL a replay exchanges all tables in one statement, which waits for whoever reads
one of them. A reader that then wanted another table would wait for the replay, and the server
would end the reader. So a reader takes hold of all of them at once, before it has read anything:
if that cannot be had, it is simply asked for again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from coinlog.store import schema
from coinlog.store.unfinished import refuse_unfinished

_TRIES = 5
_EXCHANGED = {1213, 1412}
"""The server's numbers for a deadlock, and for a table that is another one by now."""

# No row is looked for, so the moment that is read begins with the first statement after this one.
_HOLD = " UNION ALL ".join(f"SELECT 1 FROM {name} WHERE 0" for name in schema.metadata.tables)  # noqa: S608


@contextmanager
def held_still(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Lend a connection to a whole store that stays the same one until the block ends.

    Raises:
        UnfinishedMoveError: the store is half filled by a move.
    """
    with engine.connect() as connection:
        refuse_unfinished(connection)
        if engine.dialect.name != "sqlite":
            connection.rollback()
            _hold(connection)
        yield connection


def _hold(connection: sa.Connection) -> None:
    for tries_left in reversed(range(_TRIES)):
        try:
            connection.exec_driver_sql(_HOLD)
        except OperationalError as error:
            if not tries_left or not error.orig or error.orig.args[0] not in _EXCHANGED:
                raise
            connection.rollback()
        else:
            return
