"""Opening the store: one set of promises on SQLite, MariaDB and MySQL.

SQLite: write-ahead log, every commit on disk, waits for a lock instead of failing. MySQL and
MariaDB: UTC, strict mode, whole Unicode, and verified TLS unless the host is this machine.
"""

from __future__ import annotations

import sqlite3
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ExceptionContext, event
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry
from tenacity import retry, retry_if_exception, stop_after_delay, wait_random

from coinlog.errors import (
    SchemaError,
    StoreError,
    StoreRefusedError,
    StoreUnavailableError,
)
from coinlog.loopback import is_loopback
from coinlog.store.same_file import leave_once_another, open_there_alone
from coinlog.store.signin import sign_in_by_token

BUSY_TIMEOUT_MS = 15_000
ANSWER_SECONDS = 60
_STATEMENTS = 40
"""How many prepared statements a connection to SQLite keeps. Some name a thousand assets, so that
the usual 128 would take many megabytes, and days to have them all."""

_CONNECT_SECONDS = 10
_STRICT = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO"
WAIT = "recording goes on, and what is in the archive is loaded when the database is back"
_REMEDIES = {
    "Hostname mismatch": "name the server as its certificate does, in DB_HOST or the address",
    "IP address mismatch": "name the server as its certificate does, in DB_HOST or the address",
    "CERTIFICATE_VERIFY_FAILED": "set COINLOG_DATABASE_CA to the file of the CA that vouches for "
    "this server (rds for Amazon RDS); the connection is never used unverified",
    "SSL is required but": "let the server speak TLS; only one on this machine is used without",
    "(3159,": "this user may sign in through TLS alone: name the server by its own name",
    "(1524,": "switch on IAM authentication of this database, which brings the plugin",
    "(1045,": "check DB_USER and DB_PASSWORD (or the user and password in COINLOG_DATABASE_URL); "
    "with a token, that the role may rds-db:connect as this user",
    "(1142,": "this user may not do that: the tables are made by `coinlog migrate`, or on AWS by "
    "the prepare step, as a user who may",
    "(1044,": "give this user rights on the database: GRANT ALL ON name.* TO user",
    "(1049,": "make it first: CREATE DATABASE name CHARACTER SET utf8mb4",
    "unable to open database file": "check that its folder exists and may be written",
    "readonly database": "check that the file and its folder may be written",
    "not a database": "the file is something else or damaged: move it away and run `coinlog load`",
    "malformed": "the file is damaged: move it away and run `coinlog load`",
    "disk is full": "make room on the disk; what is in the archive is loaded when there is some",
    "(1114,": "make room on the disk of the database; what is in the archive is loaded then",
    "(1021,": "make room on the disk of the database; what is in the archive is loaded then",
    "No space left": "make room on the disk of the database; what is in the archive is loaded then",
    "(1040,": f"raise max_connections of the server or end other programs; {WAIT}",
    "(1290,": f"the server takes no writes: name the one that does, or end read_only; {WAIT}",
    "(1836,": f"the server takes no writes: name the one that does, or end read_only; {WAIT}",
    "is locked": f"another program writes to the file and does not end; {WAIT}",
    "disk I/O error": "check the disk and the files beside the database (-wal, -shm); what is in "
    "the archive is loaded when it can be",
}
# Of MySQL's, MariaDB's and PyMySQL's numbers, those of what passes by itself: too many
# connections, a server that ends, starts, moves or is out of reach, another's lock, a deadlock.
_ELSEWHERE = frozenset({1290, 1836})
_ENDED = frozenset({1053, 1927, 3169, *_ELSEWHERE})
_PASSING = frozenset({0, 1040, 1203, 1205, 1213, 2002, 2003, 2006, 2013, 2014, 2055, 4031, *_ENDED})
_FILE_ENDED = ("readonly database", "disk I/O error", "malformed", "not a database")
NO_TABLES = "has no tables yet: `coinlog load` makes them and fills them from the archive"
OLDER_TABLES = "has the tables of an older coinlog: run `coinlog migrate`"
_MISSING_TABLE = ("no such table", "(1146,", "doesn't exist")
_MISSING_COLUMN = ("no such column", "(1054,")


def open_engine(
    url: sa.URL | str,
    *,
    read_only: bool = False,
    there: bool = False,
    answer_seconds: int = ANSWER_SECONDS,
) -> sa.Engine:
    """Return an engine for the store; ``read_only`` refuses every write, for the page.

    Where SQLite has no file yet, the first use makes one, unless it must be ``there``: who only
    reads makes none.

    A server that is silent for ``answer_seconds`` is taken for dead. Nothing is connected yet,
    so an absent database shows at first use.
    """
    url = sa.make_url(url)
    if url.get_backend_name() == "sqlite":
        return _open_sqlite(url, read_only=read_only, there=there or read_only)
    return _open_mysql(url, read_only=read_only, answer_seconds=answer_seconds)


def _open_sqlite(url: sa.URL, *, read_only: bool, there: bool) -> sa.Engine:
    if url.database and not there:
        _make_folder(Path(url.database).expanduser().parent)
    arguments = {"timeout": BUSY_TIMEOUT_MS / 1000, "cached_statements": _STATEMENTS}
    engine = sa.create_engine(url, connect_args=arguments)
    if there:
        open_there_alone(engine)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: ConnectionPoolEntry) -> None:  # noqa: ANN401  the driver's own type
        # SQLAlchemy opens transactions below; the driver must not open its own.
        connection.isolation_level = None
        _use_wal(connection)
        for pragma in (
            "synchronous=FULL",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "foreign_keys=ON",
            f"query_only={'ON' if read_only else 'OFF'}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "handle_error", _leave_what_ended)
    leave_once_another(engine)

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A deferred transaction that turns into a write fails at once when another writes;
        # one that begins as a write waits for its turn.
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


@retry(
    retry=retry_if_exception(lambda error: "locked" in str(error)),
    wait=wait_random(max=0.05),
    stop=stop_after_delay(BUSY_TIMEOUT_MS / 1000),
    reraise=True,
)
def _use_wal(connection: Any) -> None:  # noqa: ANN401  the driver's own type
    """Let readers read while one writes; the file remembers it.

    Of several processes that are the first ones to open a file, SQLite lets one change its mode
    and does not let the others wait for that, whatever their time-out.
    """
    connection.execute("PRAGMA journal_mode=WAL")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailableError(
            f"the folder {folder} for the database cannot be made ({error.strerror or error}): "
            "choose another with COINLOG_DATA, for example COINLOG_DATA=./data"
        ) from error


def _open_mysql(url: sa.URL, *, read_only: bool, answer_seconds: int) -> sa.Engine:
    arguments: dict[str, object] = {
        "charset": "utf8mb4",
        "connect_timeout": _CONNECT_SECONDS,
        "read_timeout": answer_seconds,
        "write_timeout": answer_seconds,
        "init_command": f"SET time_zone='+00:00', sql_mode='{_STRICT}'",
    }
    options = dict(url.query)
    url = url.difference_update_query(["ssl_ca", "ssl_disabled", "signin", "region"])
    arguments |= _tls(url.host or "localhost", options)
    engine = sa.create_engine(url, connect_args=arguments, pool_pre_ping=True, pool_recycle=1800)
    event.listen(engine, "handle_error", _leave_what_ended)
    if "signin" in options:
        sign_in_by_token(engine, str(options["region"]))
    if read_only:

        @event.listens_for(engine, "connect")
        def refuse_writes(connection: Any, _record: ConnectionPoolEntry) -> None:  # noqa: ANN401  the driver's own type
            connection.cursor().execute("SET SESSION TRANSACTION READ ONLY")

    return engine


def _leave_what_ended(context: ExceptionContext) -> None:
    """Let no connection be used again that its server has ended, or that cannot write any more.

    After a failover the old server can live on, read-only: a connection to it answers every
    ping, and only a new one finds where the name leads to now. And SQLite remembers that a file
    could not be written when it was opened.
    """
    error = context.original_exception
    if _number(error) in _ENDED or any(sign in str(error) for sign in _FILE_ENDED):
        context.is_disconnect = True
        # SQLite closes no file, and lets none be opened otherwise, while a statement is open.
        if context.execution_context and context.execution_context.cursor:
            context.execution_context.cursor.close()


def _number(error: BaseException | None) -> int | None:
    """Return the number of a driver's error, ``None`` where it has none."""
    number = error.args[0] if error and error.args else None
    return number if isinstance(number, int) else None


def _tls(host: str, options: dict[str, Any]) -> dict[str, object]:
    """Return the driver's TLS arguments: verified, unless the host is this machine."""
    if options.get("ssl_disabled") == "true" or is_loopback(host):
        return {"ssl_disabled": True}
    context = ssl.create_default_context(cafile=options.get("ssl_ca"))
    # Newer Pythons refuse certificates with formal flaws, such as those that MySQL makes for
    # itself: who vouches for the server and its name are verified all the same.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return {"ssl": context}


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn the database's errors into ours: away, wrong schema, or simply refused.

    The texts name no password: the driver's messages hold host and user at most.
    """
    try:
        yield
    except (IntegrityError, DataError) as error:
        raise StoreRefusedError(f"the database refused a value: {_one_line(error.orig)}") from error
    except (DBAPIError, sqlite3.Error) as error:
        # SQLite makes rows as they are fetched, and many of them are fetched past SQLAlchemy.
        raise _translated(error) from error
    except SQLAlchemyError as error:
        raise StoreError(f"the database could not be used: {_one_line(error)}") from error


def _translated(error: DBAPIError | sqlite3.Error) -> StoreError:
    original = error.orig if isinstance(error, DBAPIError) else error
    text = _one_line(original or error)
    if any(sign in text for sign in _MISSING_TABLE):
        return SchemaError(f"the database {NO_TABLES} ({text})")
    if any(sign in text for sign in _MISSING_COLUMN):
        return SchemaError(f"the database {OLDER_TABLES} ({text})")
    remedy = next((remedy for sign, remedy in _REMEDIES.items() if sign in text), WAIT)
    passes = _number(original) in _PASSING or "database is locked" in text
    return StoreUnavailableError(f"the database could not be used: {text}; {remedy}", passes=passes)


def _one_line(error: object) -> str:
    return " ".join(str(error).split())[:300]
