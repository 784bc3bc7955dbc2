"""``coinlog up`` as a whole: it records, serves, goes on, and ends when told to."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

import disks
from cmc_server import CMCServer, Exchange, error_reply
from coinlog.cli.running import _Recorder, _tell_turn
from coinlog.parts import Parts
from coinlog.scheduler import Turn
from coinlog.settings import load_settings
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from coinlog.store.schema import REVISION
from market import LISTINGS, answer_all, put_attempt
from program import get, read_until, run, run_json, running, start
from servers import free_port

PORT_WORD = "taken by another program"
_SET_REVISION = sa.text("UPDATE alembic_version SET version_num = :revision")


@pytest.fixture
def source() -> Iterator[CMCServer]:
    with CMCServer() as server:
        answer_all(server, at=time.time())
        yield server


def hang(exchange: Exchange) -> None:
    exchange.wait()


def test_up_records_and_serves_what_it_recorded(source: CMCServer) -> None:
    port = free_port()
    with running("up", COINLOG_CMC_URL=source.url, COINLOG_PORT=str(port)) as process:
        read_until(process, "stored")
        page = get(port)
        assets = get(port, "/api/v1/assets").json()

    assert page.status_code == 200
    assert "Asset 1" in page.text
    assert {asset["id"] for asset in assets["assets"]} == {1, 1027}
    assert assets["assets"][0]["quote"]["price"] == 100.5
    assert process.returncode == 0


def test_up_without_a_page_records_and_leaves_the_port_to_others(source: CMCServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with running("up", "--no-page", COINLOG_CMC_URL=source.url, COINLOG_PORT=port) as process:
            said = read_until(process, "stored")
            read_until(process, "next slot")
            family = psutil.Process(process.pid).children(recursive=True)

    assert any("coinlog serve" in line for line in said)
    assert family == []
    assert process.returncode == 0
    assert run_json("status")["newest"]["outcome"] == "stored"


def test_up_on_the_schema_of_a_newer_coinlog_records_into_the_archive(
    source: CMCServer, own_world: Path
) -> None:
    engine = open_engine(f"sqlite:///{own_world}/data/coinlog.db")
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(_SET_REVISION, {"revision": "9999"})

    with running("up", "--no-page", COINLOG_CMC_URL=source.url) as process:
        said = " ".join(read_until(process, "trying again"))
    with engine.begin() as connection:
        connection.execute(_SET_REVISION, {"revision": REVISION})
    engine.dispose()

    assert "recording into the archive alone: the database is at revision '9999'" in said
    assert "kept in the archive, not yet loaded" in said
    assert run_json("load")["settled_attempts"] == 1
    assert run_json("status")["newest"]["outcome"] == "stored"


def test_up_out_of_reach_says_so_serves_the_reason_and_keeps_trying() -> None:
    port = free_port()
    away = {"COINLOG_CMC_URL": "http://127.0.0.1:9", "COINLOG_PORT": str(port)}
    with running("up", **away, COINLOG_DEADLINE_SECONDS="2") as process:
        said = read_until(process, "trying again")
        page = get(port)

    assert any("could not be reached" in line for line in said)
    assert any("SIMULATED=1" in line for line in said)
    assert page.status_code == 200
    assert "could not be reached" in page.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_up_ends_cleanly_in_the_middle_of_a_request(source: CMCServer, number: int) -> None:
    source.on(LISTINGS, hang)
    port = free_port()
    process = start("up", COINLOG_CMC_URL=source.url, COINLOG_PORT=str(port))
    get(port, "/live")
    while not source.requests:
        assert process.poll() is None
        get(port, "/live")
    process.send_signal(number)

    said, _ = process.communicate(timeout=5)
    assert process.returncode == 0
    assert "Traceback" not in said
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_nothing_of_up_survives_its_death(source: CMCServer) -> None:
    port = free_port()
    process = start("up", COINLOG_CMC_URL=source.url, COINLOG_PORT=str(port))
    get(port, "/live")
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()

    _, alive = psutil.wait_procs(family, timeout=5)
    assert family
    assert alive == []


def test_a_taken_port_is_explained_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = [run(command, COINLOG_PORT=str(port)) for command in ("up", "serve")]

    for done in said:
        assert done.returncode == 2
        assert PORT_WORD in done.stderr
        assert "COINLOG_PORT=" in done.stderr


def test_simulated_up_says_simulated_everywhere_and_keeps_its_own_folder() -> None:
    port = free_port()
    fast = {"COINLOG_INTERVAL": "24h", "COINLOG_ASSETS": "top:5", "COINLOG_PORT": str(port)}
    with running("up", "--simulated", **fast) as process:
        said = read_until(process, "next slot")
        page = get(port)
        series = get(port, "/api/v1/assets/1/series?range=1y").json()

    assert any("SIMULATED" in line for line in said)
    assert "SIMULATED" in page.text
    assert series["simulated"] is True
    assert len(series["slots"]) >= 365
    assert series["gaps"] == []
    status = run("status", "--simulated")
    assert "simulated data" in status.stdout
    assert "nothing" in run("load").stdout or "0 attempts" in run("load").stdout


def test_a_past_that_cannot_be_filled_in_keeps_nobody_from_recording(own_world: Path) -> None:
    (own_world / "data" / "simulated").mkdir(parents=True)
    (own_world / "data" / "simulated" / "coinlog.db").write_bytes(b"nothing of the kind" * 1000)
    fast = {"COINLOG_INTERVAL": "24h", "COINLOG_ASSETS": "top:5"}
    with running("up", "--simulated", "--no-page", **fast) as process:
        said = " ".join(" ".join(read_until(process, "trying again")).split())

    assert "history not whole: the database could not be used" in said
    assert "kept in the archive, not yet loaded" in said


@pytest.mark.parametrize("made", ["moved away", "made anew by another"])
def test_a_store_that_is_another_one_is_told_and_filled_from_the_archive(
    own_world: Path, source: CMCServer, made: str, capsys: pytest.CaptureFixture[str]
) -> None:
    now = int(time.time())
    step = 21_600
    slots = [now // step * step - number * step for number in range(8, -1, -1)]
    parts = Parts(replace(load_settings(), cmc_url=source.url))
    for slot in slots[:-1]:
        put_attempt(parts.archive, slot)
    recorder = _Recorder(parts)
    first = recorder(slots[-1])
    (own_world / "data" / "coinlog.db").rename(own_world / "elsewhere.db")
    if made == "made anew by another":
        engine = open_engine(f"sqlite:///{own_world}/data/coinlog.db")
        migrate(engine)
        engine.dispose()

    again = recorder(slots[-1])
    once_more = recorder(slots[-1])
    _tell_turn(parts, Turn(again, slots[-1] + step, slots[-1] + step))
    told = " ".join(capsys.readouterr().out.split())

    assert [len(one.settled) for one in (first, again, once_more)] == [9, 9, 0]
    assert [one.anew for one in (first, again, once_more)] == [False, True, False]
    assert "a new one is in its place, and is filled from the archive" in told
    parts.engine.dispose()


def test_what_was_captured_after_a_clock_was_ahead_is_settled_at_once(source: CMCServer) -> None:
    step = 21_600
    slot = int(time.time()) // step * step
    parts = Parts(replace(load_settings(), cmc_url=source.url))
    recorder = _Recorder(parts)
    source.on(LISTINGS, error_reply(401, 1001, "This API Key is invalid."))
    ahead = recorder(slot + 3 * step)
    answer_all(source, at=time.time())
    right = recorder(slot)

    assert (ahead.trouble, right.trouble) == (None, None)
    assert [key.slot for key in right.settled] == [slot]
    parts.engine.dispose()


@pytest.mark.parametrize("away", [False, True])
def test_a_lost_slot_that_is_noted_late_is_settled_at_once_or_when_the_database_is_back(
    own_world: Path, source: CMCServer, *, away: bool
) -> None:
    step = 21_600
    lost = int(time.time()) // step * step - 4 * step
    store, aside = own_world / "data" / "coinlog.db", own_world / "elsewhere.db"
    parts = Parts(replace(load_settings(), cmc_url=source.url))
    recorder = _Recorder(parts)
    recorder(lost - step)
    with disks.read_only(Path(parts.archive.location)):
        recorder(lost)
    # Another one records the next two.
    for number in (1, 2):
        put_attempt(parts.archive, lost + number * step)
        assert recorder(lost + number * step).trouble is None
    if away:
        parts.engine.dispose()
        store.rename(aside)
        store.mkdir()
        assert recorder(lost + 3 * step).trouble
        store.rmdir()
        aside.rename(store)
    last = recorder(lost + (4 if away else 3) * step)

    assert last.trouble is None
    assert lost in {key.slot for key in last.settled}
    parts.engine.dispose()
