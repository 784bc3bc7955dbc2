"""Doctor among other programs: whose recorder runs, who has the port, whose market is asked."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cmc_server import CMCServer
from coinlog.archive import open_archive
from coinlog.slots import floor_slot
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from coinlog.store.writer import note_schedule, settle
from market import answer_all, put_attempt
from program import get, read_until, run_here, running
from samples import SLOT, STEP, settlement, snapshot
from servers import free_port


@pytest.fixture(autouse=True)
def source(own_world: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CMCServer]:
    assert own_world
    with CMCServer() as server:
        answer_all(server, at=time.time())
        monkeypatch.setenv("COINLOG_CMC_URL", server.url)
        yield server


def found(*arguments: str, **settings: str) -> dict[str, dict[str, Any]]:
    done = run_here("doctor", "--json", *arguments, **settings)
    return {one["code"]: one for one in json.loads(done.stdout)}


def fall_behind(data: Path) -> None:
    """Leave a store that has recorded nothing for days."""
    engine = open_engine(f"sqlite:///{data}/coinlog.db")
    migrate(engine)
    slot = floor_slot(time.time(), STEP) - 20 * STEP
    settle(engine, settlement(slot, found=snapshot()), slot + 14)
    note_schedule(engine, slot, STEP, "top:200")
    engine.dispose()


def test_a_recorder_and_a_page_of_another_folder_are_not_ours(own_world: Path) -> None:
    fall_behind(own_world / "other")
    port = str(free_port())
    with running("up", COINLOG_PORT=port) as process:
        read_until(process, "next slot")
        get(int(port), "/live")
        told = found(COINLOG_DATA=str(own_world / "other"), COINLOG_PORT=port)

    assert "no `coinlog up` runs" in told["recorder_not_running"]["text"]
    assert "of another store: one of the real market" in told["port_taken"]["text"]
    assert told["port_taken"]["do"] == f"COINLOG_PORT={int(port) + 1} coinlog up"


def test_a_made_up_year_that_is_being_recorded_is_no_illness() -> None:
    with running("up", "--simulated", "--no-page", COINLOG_INTERVAL="1h") as process:
        read_until(process, "archive")
        until = time.monotonic() + 30
        while "history_being_made" not in (told := found("--simulated", COINLOG_INTERVAL="1h")):
            assert time.monotonic() < until, told

    assert "of 8,760 slots" in told["history_being_made"]["text"]
    assert "recorder_not_running" not in told
    assert "slots_missed" not in told


def test_where_nobody_makes_a_market_up_that_is_said_and_not_the_network(own_world: Path) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    settings = {"COINLOG_CMC_URL": nowhere, "COINLOG_DEADLINE_SECONDS": "1"}
    fall_behind(own_world / "data" / "simulated")
    done = run_here("record", "--simulated", **settings)
    real = run_here("record", **settings)
    told = found("--simulated", **settings)

    assert f"no `coinlog simulate` runs at {nowhere}" in done.stdout
    assert "`coinlog up --simulated`" in done.stdout
    assert "coinlog simulate" not in real.stdout
    assert told["slots_missed"]["do"] == "coinlog up --simulated (started again)"


@pytest.mark.parametrize("command", ["up", "serve"])
def test_a_port_that_is_taken_is_told_before_anything_is_said_or_made(
    own_world: Path, command: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = run_here(command, COINLOG_PORT=str(other.getsockname()[1]))

    assert done.returncode == 2
    assert "or by coinlog with other settings" in done.stderr
    assert not done.stdout
    assert not list(own_world.rglob("*.db"))


def test_a_database_file_that_is_gone_is_told_once_with_ways_back(own_world: Path) -> None:
    archive = open_archive(str(own_world / "data" / "archive"))
    for number in range(3):
        put_attempt(archive, SLOT + number * STEP)

    told = found()

    assert "3 attempts are in the archive" in told["database_gone"]["text"]
    assert "put it back" in told["database_gone"]["text"]
    assert told["database_gone"]["do"] == "coinlog load"
    assert [one["what"] for one in told.values() if not one["fine"]] == ["database"]


@pytest.mark.parametrize("away", [True, False])
def test_a_database_that_cannot_be_used_is_told_once_in_words(
    own_world: Path, *, away: bool
) -> None:
    port = str(free_port())
    server = {"DB_HOST": "127.0.0.1", "DB_PORT": port, "DB_USER": "u", "DB_NAME": "n"}
    (own_world / "data").mkdir()
    (own_world / "data" / "coinlog.db").write_bytes(b"a letter to my aunt " * 400)

    told = found(**server if away else {})

    ill = [one for one in told.values() if not one["fine"]]
    assert [one["what"] for one in ill] == ["database"]
    if away:
        assert f"127.0.0.1:{port}" in ill[0]["text"]
        assert "start the server, or correct DB_HOST and DB_PORT" in ill[0]["text"]
        assert "recording goes on" not in ill[0]["text"]
        assert '(2003, "' not in ill[0]["text"]


def test_alerts_that_would_reach_nobody_are_told(own_world: Path) -> None:
    rules = own_world / "a.toml"
    none = found()
    rules.write_text("[missed]\nslotz = 2\n")
    misspelt = found(COINLOG_ALERTS=str(rules))
    run_here("alerts", "init")
    nowhere = found()
    there = found(COINLOG_ALERT_URLS="json://127.0.0.1:9/a-secret-path")

    assert none["alerts_fine"]["text"].startswith("none")
    assert misspelt["alerts_unusable"]["level"] == "wrong"
    assert "nobody is told anything" in misspelt["alerts_unusable"]["text"]
    assert nowhere["alerts_nowhere"]["level"] == "look"
    assert "told to 1 place" in there["alerts_fine"]["text"]
    assert "a-secret-path" not in json.dumps(there)


def test_ages_are_in_days_and_a_refusal_names_the_setting_that_helps(
    own_world: Path, tmp_path: Path
) -> None:
    archive = open_archive(str(own_world / "data" / "simulated" / "archive"))
    put_attempt(archive, SLOT, simulated=True)
    run_here("load", "--simulated")
    run_here("backup", "--simulated", str(tmp_path))
    status = run_here("status", "--simulated").stdout
    (own_world / "data" / "simulated" / "coinlog.db").unlink()

    refused = run_here("restore", "--simulated", str(tmp_path)).stderr

    assert " days " in status
    assert "choose an empty place with COINLOG_DATA" in refused
