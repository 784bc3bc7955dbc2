"""Stores for those who use what is there: they make no database, no table and no other schema.

An empty store in the place of one that was moved away would pass for a record of nothing.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from coinlog.errors import NewerSchemaError, SchemaError, StoreUnavailableError
from coinlog.store.engine import NO_TABLES, store_errors
from coinlog.store.migrate import current_revision
from coinlog.store.schema import REVISION
from coinlog.store.unfinished import refuse_unfinished


def is_new(url: sa.URL) -> bool:
    """Return whether nothing is at a SQLite file's path, so that opening it would make it."""
    return url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists()


def refuse_absent(url: sa.URL) -> None:
    """Refuse a SQLite file that is not there: opening it would make an empty one.

    Raises:
        StoreUnavailableError: there is no such file.
    """
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return
    if not Path(url.database).expanduser().is_file():
        raise StoreUnavailableError(
            f"there is no database at {url.database}: `coinlog up` or `coinlog record` makes one, "
            "`coinlog load` one of what the archive holds, or COINLOG_DATABASE_URL names another"
        )


def refuse_unready(engine: sa.Engine) -> None:
    """Refuse a store whose schema is not this program's, and one that is half filled.

    Raises:
        SchemaError: it has no tables yet, or those of an older coinlog.
        NewerSchemaError: a newer coinlog made them.
        StoreUnavailableError: the database is away, or not there.
        UnfinishedMoveError: a move or a restore has not been finished.
    """
    refuse_absent(engine.url)
    with store_errors(), engine.connect() as connection:
        refuse_unfinished(connection)
    found = current_revision(engine)
    if found is None:
        raise SchemaError(f"the database {NO_TABLES}")
    if found > REVISION:
        raise NewerSchemaError(
            f"the database is at revision {found!r} and this coinlog knows {REVISION!r}: a newer "
            "coinlog made it, so use that one"
        )
    if found != REVISION:
        raise SchemaError(
            f"the database is at revision {found!r} and this coinlog needs {REVISION!r}: run "
            "`coinlog migrate` first"
        )
