"""A SQLite file that is gone, or another one in its place, is noticed by all who have it open.

An open connection goes on reading and writing a file that was removed, which nobody finds any
more. And opening one that is not there would make an empty one, which is no reader's business.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry


def open_there_alone(engine: sa.Engine) -> None:
    """Let an engine open its file only where it is, and make none."""
    path = _file_of(engine)
    if path is None:
        return

    @event.listens_for(engine, "do_connect")
    def open_there(
        _dialect: sa.Dialect, _record: object, arguments: list[Any], named: dict[str, Any]
    ) -> None:
        # For reading and writing, which a write-ahead log needs of its readers too.
        arguments[:] = [f"file:{quote(str(path))}?mode=rw"]
        named["uri"] = True


def leave_once_another(engine: sa.Engine) -> None:
    """Let an engine open its file anew once it is another one."""
    path = _file_of(engine)
    if path is None:
        return

    @event.listens_for(engine, "connect")
    def note(_connection: Any, record: ConnectionPoolEntry) -> None:  # noqa: ANN401  the driver's own type
        record.info["file"] = _identity(path)

    @event.listens_for(engine, "checkout")
    def compare(_connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:  # noqa: ANN401  the driver's own type
        if record.info["file"] != _identity(path):
            raise DisconnectionError(f"{path} is not the file that was opened")


def _file_of(engine: sa.Engine) -> Path | None:
    """Return the file of a SQLite store, ``None`` where it is in memory or named otherwise."""
    name = engine.url.database
    if not name or name == ":memory:" or name.startswith("file:"):
        return None
    return Path(name).expanduser().absolute()


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another one in its place; ``None`` where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
