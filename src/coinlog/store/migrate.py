"""Bringing the store's schema to this program's, forwards and backwards, by Alembic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import sqlalchemy as sa

from coinlog.errors import NewerSchemaError, SchemaError, StoreUnavailableError
from coinlog.store.engine import store_errors
from coinlog.store.schema import REVISION
from coinlog.store.unfinished import MARK, forget, refuse_unfinished
from coinlog.watching import Watch, unwatched

# Alembic's context is one for the whole process.
_one_at_a_time = Lock()

TURN_SECONDS = 60
"""How long another upgrade of the same database is waited for."""

LOCK_SECONDS = 2
"""How long a statement of ours may stand in a queue: whoever comes later stands behind it."""


def migrate(
    engine: sa.Engine,
    revision: str = "head",
    *,
    half_moved: bool = False,
    watch: Watch = unwatched,
) -> list[str]:
    """Bring the schema to a revision (``base`` removes it) and return the steps taken.

    Doing it again is a no-op, and one that was interrupted is gone on with. Others read and
    write meanwhile. Only a move, which goes on with it, takes a ``half_moved`` store.

    Raises:
        StoreUnavailableError: the database is away, or others use its tables all the time.
        NewerSchemaError: the database is at a revision that this program does not know.
        UnfinishedMoveError: the database is half filled by a move.
    """
    if revision != "base" and not half_moved:
        with store_errors(), engine.connect() as connection:
            refuse_unfinished(connection)
    before = current_revision(engine)
    if revision == "head" and before == REVISION:
        return []
    with _one_at_a_time, store_errors(), engine.connect() as connection, _alone(connection):
        # Another process may have been faster while we waited.
        if revision == "base" or current_revision(engine) != REVISION:
            _step(connection, before, revision, watch)
        if revision == "base":
            MARK.drop(connection, checkfirst=True)
            forget(engine)
        connection.commit()
    after = current_revision(engine)
    return [] if before == after else [f"{before or 'nothing'} -> {after or 'nothing'}"]


@contextmanager
def _alone(connection: sa.Connection) -> Iterator[None]:
    """Keep other processes from migrating: MySQL and MariaDB commit at every CREATE.

    SQLite needs no lock of ours: every step is a transaction, and looks where the others are.
    """
    if connection.dialect.name == "sqlite":
        yield
        return
    # What this session is told is not for whoever would get its connection next.
    connection.detach()
    for limit in ("lock_wait_timeout", "innodb_lock_wait_timeout"):
        connection.exec_driver_sql(f"SET SESSION {limit} = {LOCK_SECONDS}")
    name = {"name": f"coinlog_{connection.engine.url.database}"[:64]}
    ask = sa.text(f"SELECT GET_LOCK(:name, {TURN_SECONDS})")
    ours = connection.execute(ask, name).scalar() == 1
    connection.commit()
    if not ours:
        raise StoreUnavailableError(
            f"another coinlog has been upgrading this database for {TURN_SECONDS} s: wait until "
            "it is done, or end it, and try again"
        )
    try:
        yield
    finally:
        connection.execute(sa.text("SELECT RELEASE_LOCK(:name)"), name)


def current_revision(engine: sa.Engine) -> str | None:
    """Return the schema's revision, ``None`` where there is none yet."""
    table = sa.table("alembic_version", sa.column("version_num"))
    with store_errors(), engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.select(table.c.version_num)).scalar()


def _step(connection: sa.Connection, before: str | None, revision: str, watch: Watch) -> None:
    # Alembic takes a third of a second to import, and most runs have nothing to migrate.
    from coinlog.store.upgrading import Upgrade  # noqa: PLC0415

    upgrade = Upgrade(connection)
    if revision not in {"base", "head", *upgrade.known}:
        raise SchemaError(
            f"this version of coinlog does not know schema {revision!r}: a newer coinlog made it, "
            "so use that one"
        )
    if before is not None and before not in upgrade.known:
        raise NewerSchemaError(
            f"the database is at revision {before!r}, which this version of coinlog does not "
            "know: a newer coinlog made it, so use that one"
        )
    if revision == "base":
        upgrade.remove()
    else:
        upgrade.run(before, revision, watch)
