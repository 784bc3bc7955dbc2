"""Reliability test 5: a database that fails over, is full, locks, or cuts the line.

A recorder tries again within its time, with growing pauses, and stores one row; or it says why
not, and the next one stores it. The long form, with the minutes that a real failover takes:
``.venv/bin/python tests/failover_storm.py --seconds 150``.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from cmc_server import CMCServer
from coinlog.attempts import AttemptKey
from coinlog.errors import StoreUnavailableError
from coinlog.market import FIAT_IDS
from coinlog.recorder import Recording
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.ledger import read_head
from coinlog.store.patience import Patience, pause_seconds
from coinlog.store.reader import Reader
from market import LISTINGS, Desk
from ready import ReadyDatabases
from samples import SLOT
from servers import MariaDB
from tcp_proxy import Proxy, proxied
from troubles import AT_ONCE, MET, PASSING, Troubles
from waiting import until


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDB]:
    with MariaDB() as server:
        yield server


@pytest.fixture(scope="module")
def ready(server: MariaDB) -> ReadyDatabases:
    return ReadyDatabases(server)


@pytest.fixture
def proxy(server: MariaDB) -> Iterator[Proxy]:
    with proxied(server.port) as proxy:
        yield proxy


@pytest.fixture
def trouble(server: MariaDB, proxy: Proxy, ready: ReadyDatabases) -> Iterator[Troubles]:
    with ready.lend() as url:
        yield Troubles(server, proxy, str(url.database))


@pytest.fixture
def desk(trouble: Troubles, source: CMCServer, tmp_path: Path) -> Iterator[Desk]:
    """Return a recorder whose database is behind the proxy, with some patience."""
    url = trouble.server.url(trouble.database).set(port=trouble.proxy.port)
    desk = Desk(url, tmp_path / "archive", source.url)
    desk.plan = msgspec.structs.replace(desk.plan, patience_seconds=30.0)
    yield desk
    desk.engine.dispose()


def record_through(
    trouble: Troubles, name: str, desk: Desk, told: pytest.LogCaptureFixture
) -> Recording:
    """Record a slot in the middle of a trouble, which ends once the recorder has met it."""
    with ThreadPoolExecutor(1) as pool:
        with trouble.named(name):
            recording = pool.submit(desk.record)
            if name in AT_ONCE:
                recording.result()
            elif name not in MET:
                until(lambda: len(told.messages) >= 2, seconds=60)
        return recording.result()


@pytest.mark.parametrize("name", [name for name in PASSING if name != "behind_another"])
def test_a_trouble_that_passes_costs_some_tries_and_stores_one_row(
    trouble: Troubles,
    desk: Desk,
    source: CMCServer,
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    caplog.set_level(logging.WARNING, "coinlog.store")
    recording = record_through(trouble, name, desk, caplog)

    assert recording.trouble is None
    # Also where the answer to our commit was lost: who waits for it is to hear of it.
    assert recording.settled == (AttemptKey(SLOT, "1"),)
    assert caplog.messages
    assert all(re.search(PASSING[name], said) for said in caplog.messages[:1])
    assert len(source.asked(LISTINGS)) == 1
    (row,) = desk.rows(schema.slot)
    assert (row.outcome, row.attempts) == ("stored", 1)
    assert len(desk.rows(schema.quote)) == 2 + len(FIAT_IDS)
    assert len(desk.rows(schema.attempt)) == 1


def test_a_trouble_that_lasts_is_told_and_the_slot_waits_in_the_archive(
    trouble: Troubles, desk: Desk, source: CMCServer
) -> None:
    desk.plan = msgspec.structs.replace(desk.plan, patience_seconds=0.5)
    with trouble.refused():
        recording = desk.record()

        assert not recording.done
        assert "recording goes on" in str(recording.trouble)
        assert len(desk.archive.attempts()) == 1
    # The same recorder, without a restart; and the source is not asked again.
    assert desk.record().settled == (AttemptKey(SLOT, "1"),)
    assert len(source.asked(LISTINGS)) == 1


def test_a_server_that_says_nothing_is_taken_for_dead(trouble: Troubles, desk: Desk) -> None:
    desk.engine.dispose()
    desk.engine = open_engine(desk.engine.url, answer_seconds=1)
    desk.plan = msgspec.structs.replace(desk.plan, patience_seconds=0.0)
    with trouble.silent():
        assert "(2013," in str(desk.record().trouble)

    assert desk.record().done


def test_a_wrong_password_is_told_at_once(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.engine.dispose()
    desk.engine = open_engine(desk.engine.url.set(password="another"))

    assert "check DB_USER and DB_PASSWORD" in str(desk.record().trouble)
    assert caplog.messages == []


def test_a_writer_leaves_a_server_that_takes_no_writes_any_more(
    trouble: Troubles, desk: Desk
) -> None:
    desk.record()
    desk.plan = msgspec.structs.replace(desk.plan, patience_seconds=0.0)
    opened = trouble.proxy.facts()["opened"]
    with trouble.read_only():
        desk.now += 3600 * 6
        assert "takes no writes" in str(desk.record(SLOT + 3600 * 6).trouble)

    # A connection that answers pings would be used again, and lead to the old server for ever.
    assert desk.rows(schema.slot)
    assert trouble.proxy.facts()["opened"] > opened


@pytest.mark.parametrize("name", ["refused", "killed"])
def test_readers_come_back_without_a_restart(trouble: Troubles, desk: Desk, name: str) -> None:
    desk.record()
    engine = open_engine(desk.engine.url, read_only=True)
    read_head(Reader(engine))
    with trouble.named(name), pytest.raises(StoreUnavailableError):
        read_head(Reader(engine))

    assert read_head(Reader(engine)).newest
    engine.dispose()


def test_pauses_grow_and_are_never_in_step() -> None:
    pauses = [[pause_seconds(tries) for tries in range(1, 12)] for _ in range(50)]

    assert len({some[0] for some in pauses}) == 50
    assert all(some[5] > some[0] for some in pauses)
    assert max(map(max, pauses)) <= 10


def test_patience_ends_with_its_time() -> None:
    now = [0.0]
    patience = Patience(20, lambda: now[0], lambda pause: now.__setitem__(0, now[0] + pause))
    tries = []

    def work() -> None:
        tries.append(now[0])
        raise StoreUnavailableError("away", passes=True)

    with pytest.raises(StoreUnavailableError):
        patience.keep_trying(work)
    assert tries[-1] == pytest.approx(20)
    assert 5 < len(tries) < 20
