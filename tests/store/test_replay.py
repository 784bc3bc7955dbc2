"""Replaying: equal rows, and the live store whole at every moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

import cmc_server
from cmc_server import CMCServer
from coinlog.errors import StoreError
from coinlog.loading import sweep
from coinlog.replay import replay
from coinlog.store import schema
from coinlog.store.beside import beside
from coinlog.store.ledger import read_head
from coinlog.store.migrate import migrate
from coinlog.store.reader import Reader
from coinlog.store.writer import note_schedule
from market import LISTINGS, Desk, answer_all, put_attempt
from recorded import Polls, poll_body, put_poll
from replays import administered, replayed, rows_of
from samples import SLOT, STEP
from simulated_archive import Market, put_slots


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


def test_a_second_replay_at_once_is_refused(desk: Desk, store_url: sa.URL) -> None:
    put_attempt(desk.archive, SLOT)
    with beside(store_url), pytest.raises(StoreError, match="another replay is at work"):
        replayed(desk, store_url)

    assert replayed(desk, store_url).slots == 1
