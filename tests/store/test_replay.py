"""Replaying: equal rows, the live store whole at every moment, and nothing lost."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from threading import Thread

import pymysql
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

import cmc_server
from backfills import put_asset_history
from cmc_server import CMCServer
from coinlog.archive import Archive, open_archive
from coinlog.attempts import AttemptKey, slot_name
from coinlog.backfill.kept import BackfillKey, backfills
from coinlog.errors import LossError, StoreError, StoreUnavailableError
from coinlog.move.digests import Digests, read_digests
from coinlog.recorder import sweep
from coinlog.replay import Replayed, replay
from coinlog.store import schema
from coinlog.store.beside import beside
from coinlog.store.engine import open_engine
from coinlog.store.ledger import read_head
from coinlog.store.migrate import migrate
from coinlog.store.reader import Reader
from coinlog.store.writer import note_schedule
from coinlog.thinning import thin
from market import LISTINGS, Desk, answer_all, put_attempt
from recorded import Polls, poll_body, put_poll
from samples import HOUR, SLOT, STEP
from servers import MariaDB
from simulated_archive import Market, put_slots

DAY = 24 * HOUR
OUR_CLOCK = ("stored_at", "settled_at", "version")
NOT_KEPT = {"verification", "thinning"}


def watch(_what: str, _total: int | None) -> nullcontext[Callable[[int], None]]:
    return nullcontext(lambda _steps: None)


def replayed(desk: Desk, store_url: sa.URL, *, force: bool = False) -> Replayed:
    return replay(store_url, desk.archive, watch, force=force, clock=desk.clock)


def rows_of(desk: Desk) -> Digests:
    tables = [t for t in schema.metadata.sorted_tables if t.name not in NOT_KEPT]
    return read_digests(desk.engine, tables=tables, leave_out=OUR_CLOCK)


def record_some(desk: Desk, source: CMCServer) -> None:
    """Record a stored slot, one that failed and rose, a partial one, and one gone wrong."""
    desk.record()
    desk.now = SLOT + STEP + 5.0
    source.on(LISTINGS, cmc_server.html(503))
    desk.record(SLOT + STEP)
    answer_all(source, [1, 1027, 7], desk.now)
    desk.record(SLOT + STEP)
    source.on("/v3/fear-and-greed/latest", cmc_server.html(404))
    desk.now = SLOT + 2 * STEP + 5.0
    desk.record(SLOT + 2 * STEP)
    source.on(LISTINGS, cmc_server.html(200))
    desk.now = SLOT + 3 * STEP + 5.0
    desk.record(SLOT + 3 * STEP)
    note_schedule(desk.engine, SLOT + 3 * STEP + 77, 3600, "top:9")


@pytest.mark.shared
def test_ten_real_polls_replay_into_equal_rows(
    store_url: sa.URL, tmp_path: Path, source: CMCServer, real_polls: Polls
) -> None:
    desk = Desk(store_url, tmp_path, source.url)
    for at, rows in real_polls.items():
        put_poll(desk.archive, at, poll_body(at, rows))
        list(sweep(desk.engine, desk.archive, clock=desk.clock))
    recorded = rows_of(desk)

    done = replayed(desk, store_url)

    assert (done.attempts, done.slots, done.trouble) == (10, 10, None)
    assert recorded.rows > sum(map(len, real_polls.values())) > 4_900
    assert recorded.differences(rows_of(desk)) == []
    desk.engine.dispose()


def test_a_simulated_market_recorded_slot_by_slot_replays_into_equal_rows(
    store_url: sa.URL, tmp_path: Path
) -> None:
    desk = Desk(store_url, tmp_path, "")
    market = Market(300)
    for number in range(12):
        put_slots(desk.archive, market, [SLOT + number * STEP])
        list(sweep(desk.engine, desk.archive, clock=desk.clock))
    recorded = rows_of(desk)

    assert replayed(desk, store_url).quotes == 12 * 308
    assert recorded.differences(rows_of(desk)) == []
    desk.engine.dispose()


def test_outcomes_reasons_and_noted_schedules_replay_into_equal_rows(
    desk: Desk, store_url: sa.URL, source: CMCServer
) -> None:
    record_some(desk, source)
    recorded = rows_of(desk)

    assert replayed(desk, store_url).attempts == 5
    assert recorded.differences(rows_of(desk)) == []


def test_of_two_equal_attempts_the_one_settled_first_stands_after_a_replay_too(
    desk: Desk, store_url: sa.URL
) -> None:
    put_attempt(desk.archive, SLOT, "2")
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    put_attempt(desk.archive, SLOT, "1")
    desk.now += 60
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    recorded = rows_of(desk)

    replayed(desk, store_url)

    assert recorded.differences(rows_of(desk)) == []
    assert [row.attempt for row in desk.rows(schema.slot)] == ["2"]


def test_a_changed_row_is_put_right_and_readers_learn_that_all_is_new(
    desk: Desk, store_url: sa.URL, source: CMCServer
) -> None:
    record_some(desk, source)
    recorded, version = rows_of(desk), read_head(Reader(desk.engine)).version
    with desk.engine.begin() as connection:
        connection.execute(schema.quote.update().values(price=7.0))
        connection.execute(schema.missing.delete())

    replayed(desk, store_url)

    assert recorded.differences(rows_of(desk)) == []
    assert read_head(Reader(desk.engine)).version > version + 1
    # The recorder goes on with the connection that it had.
    desk.now = SLOT + 4 * STEP + 5.0
    answer_all(source, at=desk.now)
    assert desk.record(SLOT + 4 * STEP).done


def test_views_for_people_show_the_new_store(desk: Desk, store_url: sa.URL) -> None:
    put_attempt(desk.archive, SLOT)
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    replayed(desk, store_url)

    with desk.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM v_prices").scalar() == 2
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM v_latest").scalar() == 2


def test_what_is_recorded_meanwhile_is_there_in_the_end(
    desk: Desk, store_url: sa.URL, source: CMCServer
) -> None:
    desk.record()

    @contextmanager
    def recording(_what: str, _total: int | None) -> Iterator[Callable[[int], None]]:
        yield lambda _steps: None
        desk.now = SLOT + STEP + 5.0
        answer_all(source, at=desk.now)
        assert desk.record(SLOT + STEP).done

    replay(store_url, desk.archive, recording, clock=desk.clock)

    assert [row.slot for row in desk.rows(schema.slot)] == [SLOT, SLOT + STEP]


def test_what_ends_in_the_middle_leaves_the_store_as_it_was(
    desk: Desk, store_url: sa.URL, source: CMCServer
) -> None:
    record_some(desk, source)
    recorded = rows_of(desk)

    @contextmanager
    def stopped(_what: str, _total: int | None) -> Iterator[Callable[[int], None]]:
        def stop(_steps: int) -> None:
            raise KeyboardInterrupt

        yield stop

    with pytest.raises(KeyboardInterrupt):
        replay(store_url, desk.archive, stopped, clock=desk.clock)

    assert recorded.differences(rows_of(desk)) == []
    assert replayed(desk, store_url).attempts == 5
    assert recorded.differences(rows_of(desk)) == []


def test_what_a_killed_replay_has_left_is_dropped(desk: Desk, store_url: sa.URL) -> None:
    put_attempt(desk.archive, SLOT)
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    leave_half_a_replay(store_url)

    assert replayed(desk, store_url).slots == 1
    assert [row.slot for row in desk.rows(schema.slot)] == [SLOT]


def leave_half_a_replay(url: sa.URL) -> None:
    """Leave what a killed process leaves: half a store beside the live one."""
    with beside(url) as made:
        migrate(made.engine)
        if url.get_backend_name() == "sqlite":
            half = Path(f"{url.database}.replay").read_bytes()
    if url.get_backend_name() == "sqlite":
        Path(f"{url.database}.replay").write_bytes(half[:-100])
        return
    with administered(url) as cursor:
        cursor.execute(f"CREATE DATABASE {url.database}_replay")
        cursor.execute(f"CREATE TABLE {url.database}_replay.coinlog_replay (id INT)")
        cursor.execute(f"CREATE TABLE {url.database}_replay.old_quote (id INT)")


@contextmanager
def administered(url: sa.URL) -> Iterator[pymysql.cursors.Cursor]:
    connection = pymysql.connect(host="127.0.0.1", port=url.port or 0, user="root")
    with connection, connection.cursor() as cursor:
        yield cursor


def test_a_second_replay_at_once_is_refused(desk: Desk, store_url: sa.URL) -> None:
    put_attempt(desk.archive, SLOT)
    with beside(store_url), pytest.raises(StoreError, match="another replay is at work"):
        replayed(desk, store_url)

    assert replayed(desk, store_url).slots == 1


def test_an_archive_that_lacks_slots_is_refused_with_their_count(
    desk: Desk, store_url: sa.URL
) -> None:
    for number in range(3):
        put_attempt(desk.archive, SLOT + number * STEP)
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    for number in range(2):
        folder = Path(desk.archive.location) / "captures" / slot_name(SLOT + number * STEP)
        (folder / "1" / "manifest.json").unlink()

    with pytest.raises(LossError, match="lacks 2 attempts of 2 slots"):
        replayed(desk, store_url)
    assert len(desk.rows(schema.slot)) == 3

    assert replayed(desk, store_url, force=True).slots == 1


def test_an_empty_archive_is_refused(desk: Desk, store_url: sa.URL, tmp_path: Path) -> None:
    put_attempt(desk.archive, SLOT)
    list(sweep(desk.engine, desk.archive, clock=desk.clock))

    with pytest.raises(LossError, match="is empty"):
        replay(store_url, open_archive(str(tmp_path / "elsewhere")), watch)

    assert len(desk.rows(schema.slot)) == 1


def test_a_damaged_answer_does_not_take_the_place_of_good_rows(
    desk: Desk, store_url: sa.URL
) -> None:
    put_attempt(desk.archive, SLOT)
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    path = next(Path(desk.archive.location).rglob("listings-1.json.gz"))
    path.write_bytes(path.read_bytes()[:-9])

    with pytest.raises(LossError, match="1 slots would be worse"):
        replayed(desk, store_url)

    assert [row.outcome for row in desk.rows(schema.slot)] == ["stored"]


def test_quotes_that_no_attempt_explains_are_not_thrown_away(desk: Desk, store_url: sa.URL) -> None:
    put_attempt(desk.archive, SLOT)
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    by_hand = {"asset_id": 1, "slot": SLOT - 7, "price": 1.0, "origin": "observed"}
    with desk.engine.begin() as connection:
        connection.execute(schema.quote.insert(), {**by_hand, "resolution": 1})

    with pytest.raises(LossError, match="1 quotes that nothing in the archive accounts for"):
        replayed(desk, store_url)


def test_what_was_thinned_does_not_make_up_for_quotes_that_would_be_lost(
    desk: Desk, store_url: sa.URL
) -> None:
    for number in range(8):
        put_attempt(desk.archive, SLOT + number * STEP)
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    assert sum(thin(desk.engine, SLOT + 6 * STEP, DAY, desk.now)) > 2
    by_hand = {"slot": SLOT + 7, "price": 1.0, "origin": "observed", "resolution": 1}
    with desk.engine.begin() as connection:
        connection.execute(
            schema.quote.insert(), [{**by_hand, "asset_id": one} for one in (1, 1027)]
        )

    with pytest.raises(LossError, match="2 quotes that nothing in the archive accounts for"):
        replayed(desk, store_url)

    assert replayed(desk, store_url, force=True).quotes == 16


def test_what_was_thinned_and_backfilled_then_is_no_loss(desk: Desk, store_url: sa.URL) -> None:
    for number in range(8):
        put_attempt(desk.archive, SLOT + number * STEP)
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    list(thin(desk.engine, SLOT + 6 * STEP, 0, desk.now))
    put_asset_history(desk.archive, 1, {SLOT + DAY + HOUR: 5.0}, DAY)
    desk.now = SLOT + 9 * STEP
    list(sweep(desk.engine, desk.archive, clock=desk.clock))

    assert replayed(desk, store_url).quotes == 16


def test_what_is_settled_while_the_archive_is_listed_is_not_taken_for_lost(
    desk: Desk, store_url: sa.URL, source: CMCServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.record()
    put_asset_history(desk.archive, 1, {SLOT - 9 * DAY: 3.0}, DAY)
    listed = Archive.attempts

    def attempts(archive: Archive, since_slot: int = 0) -> list[AttemptKey]:
        found = listed(archive, since_slot)
        monkeypatch.undo()
        desk.now = SLOT + STEP + 5.0
        answer_all(source, at=desk.now)
        assert desk.record(SLOT + STEP).done
        monkeypatch.setattr("coinlog.replay.backfills", history)
        return found

    def history(archive: Archive) -> list[BackfillKey]:
        found = backfills(archive)
        monkeypatch.undo()
        put_asset_history(desk.archive, 1027, {SLOT - 9 * DAY: 3.0}, DAY)
        list(sweep(desk.engine, desk.archive, clock=desk.clock))
        return found

    monkeypatch.setattr(Archive, "attempts", attempts)
    assert replayed(desk, store_url).attempts == 2
    assert len(desk.rows(schema.backfill)) == 2


def test_data_of_the_other_kind_is_named_and_the_rest_is_replayed(
    desk: Desk, store_url: sa.URL
) -> None:
    put_attempt(desk.archive, SLOT)
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    put_attempt(desk.archive, SLOT - STEP, simulated=True)

    done = replayed(desk, store_url)

    assert done.slots == 1
    assert done.trouble is not None
    assert "refuses simulated data" in done.trouble


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
