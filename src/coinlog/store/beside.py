"""A second store beside the live one: filled in peace, then put in its place at once.

Readers and a recorder use the live store all the while. They see all of the old one or all of
the new one, and whatever ends in the middle leaves the live store as it was. What a run before
has left behind is dropped.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NoReturn

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from coinlog.errors import StoreError, StoreUnavailableError
from coinlog.store import schema
from coinlog.store.engine import BUSY_TIMEOUT_MS, open_engine, store_errors
from coinlog.store.lost import Key, select_alone

_SUFFIX = "replay"
_SIDE_FILES = ("", "-wal", "-shm", "-journal")
_MARK = "coinlog_replay"
_LOCK_SECONDS = 30
# The most that servers on all systems take, some 24 days.
_SILENT_SECONDS = 2_147_483
_ANSWER_SECONDS = 600
_DENIED = {1044, 1142, 1045, 1227}
_LOCK_LOST = (
    "the replay lost its lock, so another one may be at work by now: the live store is as it was; "
    "replay again"
)
_BUSY = (
    "another replay is at work on this store: wait until it has ended; two at once would undo "
    "each other"
)


class Beside(msgspec.Struct, frozen=True):
    """The store beside the live one, and how it takes its place.

    ``lacking`` tells which quotes it lacks that the live one has, of backfilled ones from a slot
    on: see ``select_alone``.
    """

    engine: sa.Engine
    take_place: Callable[[], None]
    lacking: Callable[[int], list[Key]]


@contextmanager
def beside(url: sa.URL) -> Iterator[Beside]:
    """Make an empty database beside the one at ``url``; it is gone when the block ends.

    Raises:
        StoreError: it cannot be made, or another replay is at work.
        StoreUnavailableError: the database is away.
    """
    make = _beside_file if url.get_backend_name() == "sqlite" else _beside_database
    with make(url) as made:
        yield made


@contextmanager
def _beside_file(url: sa.URL) -> Iterator[Beside]:
    live = Path(url.database or "")
    path = live.with_name(f"{live.name}.{_SUFFIX}")
    with _file_errors(path), _alone(live.with_name(f"{live.name}.{_SUFFIX}-lock")):
        _remove(path)
        _prepare(path, live)
        engine = open_engine(url.set(database=str(path)))
        try:
            yield Beside(engine, lambda: _copy_over(path, live), partial(_lacking, path, live))
        finally:
            engine.dispose()
            _remove(path)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock that the system releases when this process dies, on every system."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            raise StoreError(_BUSY) from error
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _remove(path: Path) -> None:
    for suffix in _SIDE_FILES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _prepare(path: Path, live: Path) -> None:
    """Give the new file the live one's page size: SQLite copies page by page."""
    with closing(sqlite3.connect(live)) as held, closing(sqlite3.connect(path)) as made:
        (size,) = held.execute("PRAGMA page_size").fetchone()
        made.execute(f"PRAGMA page_size={size}")
        made.execute("PRAGMA journal_mode=WAL")


def _copy_over(path: Path, live: Path) -> None:
    """Copy one file over the other in a single transaction of SQLite's own backup."""
    with (
        closing(sqlite3.connect(path)) as made,
        closing(sqlite3.connect(live, timeout=BUSY_TIMEOUT_MS / 1000)) as held,
    ):
        held.execute("PRAGMA synchronous=FULL")
        made.backup(held)
        # The log is as long as the store by now; where a reader is at work, it shrinks later.
        held.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _lacking(path: Path, live: Path, since: int) -> list[Key]:
    with closing(sqlite3.connect(path)) as made:
        made.execute("ATTACH ? AS live", (str(live),))
        return [Key(*row) for row in made.execute(select_alone("live", "main", since))]


@contextmanager
def _file_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreUnavailableError(
            f"the store cannot be built beside the live one, at {path} ({error}): the live store "
            "is as it was; make room and check that its folder may be written"
        ) from error


@contextmanager
def _beside_database(url: sa.URL) -> Iterator[Beside]:
    engine = open_engine(url, answer_seconds=_ANSWER_SECONDS)
    other = f"{url.database}_{_SUFFIX}"
    try:
        with store_errors(), engine.connect() as connection, _alone_on(connection, other):
            _make_database(connection, other)
            connection.commit()
            made = open_engine(url.set(database=other))
            try:
                yield _beside_on(connection, made, str(url.database), other)
            except BaseException:
                # Why it ended is what one wants to know; the next run drops what is left.
                with suppress(DBAPIError):
                    _clean_up(connection, made, other)
                raise
            _clean_up(connection, made, other)
    finally:
        engine.dispose()


def _beside_on(connection: sa.Connection, made: sa.Engine, name: str, other: str) -> Beside:
    def lacking(since: int) -> list[Key]:
        query = select_alone(f"`{_quoted(name)}`", f"`{_quoted(other)}`", since)
        with store_errors():
            found = [Key(*row) for row in connection.exec_driver_sql(query)]
            connection.commit()
        return found

    return Beside(made, lambda: _exchange(connection, name, other), lacking)


def _clean_up(connection: sa.Connection, made: sa.Engine, other: str) -> None:
    """Drop the database, unless the connection was lost and another replay has begun since."""
    made.dispose()
    connection.rollback()
    if _is_alone(connection, other) or _lock(connection, other):
        _drop_database(connection, other)


@contextmanager
def _alone_on(connection: sa.Connection, other: str) -> Iterator[None]:
    # It says nothing for as long as the new store is filled, and the lock goes with it.
    connection.exec_driver_sql(f"SET SESSION wait_timeout={_SILENT_SECONDS}")
    if not _lock(connection, other):
        raise StoreError(_BUSY)
    connection.commit()
    try:
        yield
    finally:
        # A connection that is lost has lost the lock as well.
        with suppress(DBAPIError):
            connection.execute(sa.text("SELECT RELEASE_LOCK(:name)"), _lock_name(other))


def _lock(connection: sa.Connection, other: str) -> bool:
    query = sa.text("SELECT GET_LOCK(:name, 0)")
    return bool(connection.execute(query, _lock_name(other)).scalar())


def _is_alone(connection: sa.Connection, other: str) -> bool:
    query = sa.text("SELECT IS_USED_LOCK(:name) = CONNECTION_ID()")
    return bool(connection.execute(query, _lock_name(other)).scalar())


def _lock_name(other: str) -> dict[str, str]:
    # Migrations hold a lock of their own that is called after the database.
    return {"name": f"replaying_{other}"[:64]}


def _make_database(connection: sa.Connection, other: str) -> None:
    """Make the database anew, with a mark by which the next run knows that it may be dropped."""
    try:
        _refuse_foreign(connection, other)
        _drop_database(connection, other)
        connection.exec_driver_sql(f"CREATE DATABASE `{_quoted(other)}` CHARACTER SET utf8mb4")
        connection.exec_driver_sql(f"CREATE TABLE `{_quoted(other)}`.{_MARK} (id INT)")
    except DBAPIError as error:
        if not error.orig or error.orig.args[0] not in _DENIED:
            raise
        _ask_for_rights(connection, other, error)


def _refuse_foreign(connection: sa.Connection, other: str) -> None:
    held = (
        set(sa.inspect(connection).get_table_names(schema=other))
        if _exists(connection, other)
        else set()
    )
    if held and _MARK not in held:
        raise StoreError(
            f"there is a database {other} already, and no replay has made it: a replay would drop "
            "it, so rename it or remove it first"
        )


def _exists(connection: sa.Connection, other: str) -> bool:
    return other in sa.inspect(connection).get_schema_names()


def _ask_for_rights(connection: sa.Connection, other: str, error: DBAPIError) -> NoReturn:
    user, _, host = str(connection.exec_driver_sql("SELECT CURRENT_USER()").scalar()).rpartition(
        "@"
    )
    raise StoreError(
        f"this user may not make the database {other}, in which the store is built anew: an "
        f"administrator runs CREATE DATABASE `{_quoted(other)}` CHARACTER SET utf8mb4; and "
        f"GRANT ALL ON `{_pattern(other)}`.* TO '{user}'@'{host}'; once"
    ) from error


def _drop_database(connection: sa.Connection, other: str) -> None:
    connection.exec_driver_sql(f"DROP DATABASE IF EXISTS `{_quoted(other)}`")


def _exchange(connection: sa.Connection, name: str, other: str) -> None:
    """Let all tables change places in one statement, which the server does whole or not at all."""
    live, made = _quoted(name), _quoted(other)
    moves = [
        move
        for table in schema.metadata.tables
        for move in (
            f"`{live}`.`{table}` TO `{made}`.`old_{table}`",
            f"`{made}`.`{table}` TO `{live}`.`{table}`",
        )
    ]
    with store_errors():
        if not _is_alone(connection, other):
            raise StoreError(_LOCK_LOST)
        # Without a limit it would wait for a day where a reader has fallen asleep.
        connection.exec_driver_sql(f"SET SESSION lock_wait_timeout={_LOCK_SECONDS}")
        connection.exec_driver_sql(f"RENAME TABLE {', '.join(moves)}")


def _quoted(name: str) -> str:
    # The driver takes % for a placeholder only where parameters are given; there are none.
    return name.replace("`", "``")


def _pattern(name: str) -> str:
    """Return a name as GRANT takes it, where an underscore stands for any letter."""
    return _quoted(name).replace("_", r"\_")
