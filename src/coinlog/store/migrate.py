"""Bringing the store's schema to this program's, forwards and backwards, by Alembic."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from threading import Lock

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from coinlog.errors import SchemaError
from coinlog.store.engine import store_errors

# Alembic's context is one for the whole process.
_one_at_a_time = Lock()
_SCRIPTS = Path(__file__).parent / "migrations"


def migrate(engine: sa.Engine, revision: str = "head") -> list[str]:
    """Bring the schema to a revision (``base`` removes it) and return the steps taken.

    Doing it again is a no-op.

    Raises:
        StoreUnavailableError: the database is away.
        SchemaError: the database is at a revision that this program does not know.
    """
    before = current_revision(engine)
    if revision == "head" and before == newest_revision():
        return []
    _refuse_unknown(before)
    with _one_at_a_time, store_errors(), engine.connect() as connection:
        config = _config()
        config.attributes["connection"] = connection
        (command.downgrade if revision == "base" else command.upgrade)(config, revision)
        connection.commit()
    after = current_revision(engine)
    return [] if before == after else [f"{before or 'nothing'} -> {after or 'nothing'}"]


def current_revision(engine: sa.Engine) -> str | None:
    """Return the schema's revision, ``None`` where there is none yet."""
    with store_errors(), engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


@cache
def newest_revision() -> str | None:
    """Return the revision that this program works with."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _refuse_unknown(revision: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision is not None and revision not in known:
        raise SchemaError(
            f"the database is at revision {revision!r}, which this version of coinlog does not "
            "know: a newer coinlog made it, so use that one"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config
