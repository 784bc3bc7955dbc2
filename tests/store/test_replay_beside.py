"""Replaying beside readers and on a server: rights, locks, and one store or the other."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

import pymysql
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from coinlog.errors import StoreError, StoreUnavailableError
from coinlog.loading import sweep
from coinlog.replay import replay
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.reader import Reader
from market import Desk, put_attempt
from replays import administered, replayed
from samples import SLOT
from servers import MariaDB
from simulated_archive import Market, put_slots


def test_a_reader_of_the_file_sees_one_store_or_the_other(own_world: Path, tmp_path: Path) -> None:
    url = sa.URL.create("sqlite", database=str(own_world / "coinlog.db"))
    desk = Desk(url, tmp_path, "")
    put_slots(desk.archive, Market(50), [SLOT])
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    with closing(sqlite3.connect(str(url.database))) as reader:
        reader.execute("BEGIN")
        before = reader.execute("SELECT version FROM store").fetchone()
        replayed(desk, url)
        assert reader.execute("SELECT version FROM store").fetchone() == before
        reader.execute("COMMIT")
        assert reader.execute("SELECT version FROM store").fetchone() > before
    assert not list(own_world.glob("*replay*"))
    desk.engine.dispose()


def test_without_the_right_to_make_a_database_it_says_what_an_administrator_runs(
    mariadb: MariaDB, mariadb_url: sa.URL, tmp_path: Path
) -> None:
    name = str(mariadb_url.database)
    mariadb.execute(rf"REVOKE ALL ON `{name}\_replay`.* FROM {name}@'%'")
    desk = Desk(mariadb_url, tmp_path, "")
    put_attempt(desk.archive, SLOT)

    with pytest.raises(StoreError) as caught:
        replayed(desk, mariadb_url)

    for statement in str(caught.value).partition("runs ")[2].removesuffix("; once").split("; and "):
        mariadb.execute(statement)
    assert replayed(desk, mariadb_url).slots == 1
    desk.engine.dispose()


def test_a_database_that_no_replay_has_made_is_left_alone(
    mariadb: MariaDB, mariadb_url: sa.URL, tmp_path: Path
) -> None:
    name = f"{mariadb_url.database}_replay"
    mariadb.execute(f"CREATE DATABASE {name}", f"CREATE TABLE {name}.precious (id INT)")
    desk = Desk(mariadb_url, tmp_path, "")
    put_attempt(desk.archive, SLOT)

    with pytest.raises(StoreError, match="no replay has made it"):
        replayed(desk, mariadb_url)

    mariadb.execute(f"ALTER TABLE {name}.precious ADD COLUMN still_here INT")
    desk.engine.dispose()


def test_who_reads_from_a_server_keeps_one_moment_while_a_replay_waits(
    mariadb_url: sa.URL, tmp_path: Path
) -> None:
    desk = Desk(mariadb_url, tmp_path, "")
    put_attempt(desk.archive, SLOT)
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    reader = Reader(open_engine(mariadb_url, read_only=True))
    replaying = Thread(target=replayed, args=(desk, mariadb_url))

    with reader.snapshot():
        version = reader.version()
        replaying.start()
        wait_until(mariadb_url, lambda lines: any("metadata lock" in x for x in lines))
        assert [asset.id for asset in reader.assets([1, 1027])] == [1, 1027]
        assert reader.quotes(1, 0, SLOT, ["price"]).slots == [SLOT]
        assert reader.version() == version
    replaying.join()

    assert reader.version()[0] > version[0] + 1
    reader.engine.dispose()
    desk.engine.dispose()


def wait_until(url: sa.URL, done: Callable[[list[str]], bool]) -> None:
    """Return when the lines of what a server is busy with are as wanted."""
    give_up = time.monotonic() + 60
    with administered(url) as cursor:
        while time.monotonic() < give_up:
            cursor.execute("SHOW PROCESSLIST")
            if done([str(row) for row in cursor.fetchall()]):
                return
    pytest.fail("it never came to that")


@pytest.mark.parametrize("number", [1213, 1412])
def test_who_reads_from_a_server_asks_again_where_a_replay_was_first(
    mariadb_url: sa.URL, tmp_path: Path, number: int
) -> None:
    desk = Desk(mariadb_url, tmp_path, "")
    reader, refusals = Reader(desk.engine), iter([number, number])

    @sa.event.listens_for(desk.engine, "before_cursor_execute")
    def refuse(_c: object, _k: object, statement: str, *_: object) -> None:
        if "WHERE 0" in statement and (refusal := next(refusals, None)):
            raise OperationalError(statement, None, pymysql.OperationalError(refusal, "taken"))

    assert reader.version()[1] is None
    assert next(refusals, None) is None
    desk.engine.dispose()


def test_a_server_that_hangs_up_on_the_silent_does_not_end_a_long_replay(
    mariadb: MariaDB, mariadb_url: sa.URL, tmp_path: Path
) -> None:
    desk = Desk(mariadb_url, tmp_path, "")
    put_attempt(desk.archive, SLOT)

    @contextmanager
    def long(_what: str, _total: int | None) -> Iterator[Callable[[int], None]]:
        yield lambda _steps: None
        with administered(mariadb_url) as silent:
            silent.execute("SELECT CONNECTION_ID()")
            number = next(iter(silent.fetchall()))[0]
            ended = f"({number}, "
            wait_until(mariadb_url, lambda lines: not any(x.startswith(ended) for x in lines))
        # Whoever connects from now on may be slow.
        mariadb.execute("SET GLOBAL wait_timeout=28800")

    mariadb.execute("SET GLOBAL wait_timeout=2")
    try:
        done = replay(mariadb_url, desk.archive, long, clock=desk.clock)
    finally:
        mariadb.execute("SET GLOBAL wait_timeout=28800")

    assert done.slots == 1
    assert databases(mariadb_url) == [mariadb_url.database]
    desk.engine.dispose()


def test_a_replay_that_has_lost_its_lock_takes_no_place_and_says_why(
    mariadb: MariaDB, mariadb_url: sa.URL, tmp_path: Path
) -> None:
    desk = Desk(mariadb_url, tmp_path, "")
    put_attempt(desk.archive, SLOT)
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    name = f"replaying_{mariadb_url.database}_replay"

    @contextmanager
    def hanging_up(_what: str, _total: int | None) -> Iterator[Callable[[int], None]]:
        yield lambda _steps: None
        with administered(mariadb_url) as cursor:
            cursor.execute("SELECT IS_USED_LOCK(%s)", (name,))
            mariadb.execute(f"KILL {next(iter(cursor.fetchall()))[0]}")

    with pytest.raises(StoreUnavailableError, match=r"gone away|Lost connection|killed"):
        replay(mariadb_url, desk.archive, hanging_up, clock=desk.clock)

    assert [row.slot for row in desk.rows(schema.slot)] == [SLOT]
    assert databases(mariadb_url) == [mariadb_url.database]
    assert replayed(desk, mariadb_url).slots == 1
    desk.engine.dispose()


def databases(url: sa.URL) -> list[str]:
    """Return the databases that are called like a store."""
    with administered(url) as cursor:
        cursor.execute("SHOW DATABASES")
        names = [str(row[0]) for row in cursor.fetchall()]
    return [name for name in names if name in {url.database, f"{url.database}_replay"}]
