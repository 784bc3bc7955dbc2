"""What a reader of the store may use: no writes, and a few seconds for each statement."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.pool import ConnectionPoolEntry

_SQLITE_CACHE_KB = 512
_STEPS_BETWEEN_LOOKS = 50_000


def limit_statements(engine: sa.Engine, seconds: float) -> None:
    """Let the server end every statement of this engine's connections after ``seconds``.

    MariaDB and MySQL know the limit by different names; SQLite has none: see ``hurried``.
    """
    if engine.dialect.name == "sqlite":
        _fold_like_python(engine)
        return

    @event.listens_for(engine, "connect")
    def limit(connection: Any, _record: ConnectionPoolEntry) -> None:  # noqa: ANN401  the driver's own type
        with connection.cursor() as cursor:
            # MariaDB says so in its version; the two refuse each other's variable.
            cursor.execute("SELECT VERSION()")
            if "mariadb" in cursor.fetchone()[0].lower():
                cursor.execute("SET SESSION max_statement_time=%s", (seconds,))
            else:
                cursor.execute("SET SESSION MAX_EXECUTION_TIME=%s", (int(seconds * 1000),))


@contextmanager
def hurried(connection: sa.Connection, seconds: float) -> Iterator[sa.Connection]:
    """Interrupt SQLite when the statements inside have not ended after ``seconds``."""
    if connection.dialect.name != "sqlite":
        yield connection
        return
    driver: Any = connection.connection.driver_connection
    deadline = time.monotonic() + seconds
    driver.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_BETWEEN_LOOKS)
    try:
        yield connection
    finally:
        driver.set_progress_handler(None, 0)


def _fold_like_python(engine: sa.Engine) -> None:
    """Give SQLite a ``lower`` that knows letters beyond ASCII, as the other databases do."""

    @event.listens_for(engine, "connect")
    def register(connection: Any, _record: ConnectionPoolEntry) -> None:  # noqa: ANN401  the driver's own type
        connection.create_function("lower", 1, _lower, deterministic=True)
        # The system's own cache holds the file: a second copy for each thread helps nobody.
        connection.execute(f"PRAGMA cache_size=-{_SQLITE_CACHE_KB}")


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()
