"""Bringing the store's schema to this program's, forwards and backwards, by Alembic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import sqlalchemy as sa

from coinlog.errors import SchemaError
from coinlog.store.engine import store_errors
from coinlog.store.schema import REVISION
from coinlog.store.unfinished import MARK, forget, refuse_unfinished

# Alembic's context is one for the whole process.
_one_at_a_time = Lock()
_SCRIPTS = Path(__file__).parent / "migrations"


def migrate(engine: sa.Engine, revision: str = "head", *, half_moved: bool = False) -> list[str]:
    """Bring the schema to a revision (``base`` removes it) and return the steps taken.

    Doing it again is a no-op. Only a move, which goes on with it, takes a ``half_moved`` store.

    Raises:
        StoreUnavailableError: the database is away.
        SchemaError: the database is at a revision that this program does not know.
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
            _step(connection, before, revision)
        if revision == "base":
            MARK.drop(connection, checkfirst=True)
            forget(engine)
        connection.commit()
    after = current_revision(engine)
    return [] if before == after else [f"{before or 'nothing'} -> {after or 'nothing'}"]


@contextmanager
def _alone(connection: sa.Connection) -> Iterator[None]:
    """Keep other processes from migrating: MySQL and MariaDB commit at every CREATE.

    SQLite needs no lock of ours: there the whole step is one transaction.
    """
    if connection.dialect.name == "sqlite":
        yield
        return
    name = {"name": f"coinlog_{connection.engine.url.database}"[:64]}
    connection.execute(sa.text("SELECT GET_LOCK(:name, 60)"), name)
    connection.commit()
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


def _step(connection: sa.Connection, before: str | None, revision: str) -> None:
    # Alembic takes a third of a second to import, and most runs have nothing to migrate.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    if revision not in {"base", "head", *known}:
        raise SchemaError(
            f"this version of coinlog does not know schema {revision!r}: a newer coinlog made it, "
            "so use that one"
        )
    if before is not None and before not in known:
        raise SchemaError(
            f"the database is at revision {before!r}, which this version of coinlog does not "
            "know: a newer coinlog made it, so use that one"
        )
    (command.downgrade if revision == "base" else command.upgrade)(config, revision)
