"""Recording from the command line: exit codes, JSON, six at once, and what goes wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cmc_server import CMCServer, Reply, error_reply
from market import LISTINGS, answer_all
from program import run, run_here, run_json, run_json_here, start
from samples import listings_body

CANARY = "canary-1111-2222-3333"


@pytest.fixture
def source() -> Iterator[CMCServer]:
    with CMCServer() as server:
        answer_all(server, at=time.time())
        yield server


def test_asking_how_things_stand_makes_nothing(tmp_path: Path) -> None:
    done = run("status", COINLOG_DATA=str(tmp_path / "none"))

    assert done.returncode == 1
    assert "there is no database at" in done.stderr
    assert "`coinlog up` or `coinlog record` makes one" in done.stderr
    assert not (tmp_path / "none").exists()


def test_six_at_once_leave_one_stored_slot_and_one_of_them_asks(source: CMCServer) -> None:
    recorders = [start("record", "--json", COINLOG_CMC_URL=source.url) for _ in range(6)]
    said = [json.loads(recorder.communicate(timeout=60)[0]) for recorder in recorders]

    assert [recorder.returncode for recorder in recorders] == [0] * 6
    assert sum(facts["ours"] for facts in said) == 1
    assert len(source.asked(LISTINGS)) == 1
    status = run_json("status")
    assert status["last_30_days"] == {"stored": 1, "partial": 0, "failed": 0, "missed": 0}


def test_recording_twice_says_so_and_asks_once(source: CMCServer) -> None:
    first = run("record", COINLOG_CMC_URL=source.url)
    again = run("record", COINLOG_CMC_URL=source.url)

    assert (first.returncode, again.returncode) == (0, 0)
    assert "stored already" in again.stdout
    assert len(source.asked(LISTINGS)) == 1


def test_the_halves_do_what_the_whole_does(source: CMCServer) -> None:
    captured = run_json_here("capture", COINLOG_CMC_URL=source.url)
    loaded = run_json_here("load")

    assert (captured["outcome"], captured["settled_attempts"]) == ("stored", 0)
    assert loaded["slots"] == [captured["slot"]]
    assert run_json_here("load")["settled_attempts"] == 0


def test_a_slot_that_is_not_the_current_one_is_refused(source: CMCServer) -> None:
    done = run_here("record", "--slot", "2026-01-26T18:00:00Z", COINLOG_CMC_URL=source.url)

    assert done.returncode == 2
    assert "backfill" in done.stderr
    assert source.requests == []


def test_a_failure_is_said_with_its_cause_and_is_in_the_ledger(source: CMCServer) -> None:
    source.on(LISTINGS, error_reply(401, 1001, "This API Key is invalid."))
    done = run_here("record", COINLOG_CMC_URL=source.url, COINLOG_API_KEY=CANARY)

    assert done.returncode == 1
    assert "key" in done.stdout
    assert run_json_here("status")["last_30_days"]["failed"] == 1


def test_no_secret_is_printed_or_kept_whatever_fails(source: CMCServer, own_world: Path) -> None:
    source.on(LISTINGS, error_reply(401, 1001, f"The key {CANARY} is invalid."))
    secrets = {"COINLOG_API_KEY": CANARY, "COINLOG_LOG_LEVEL": "debug"}
    said = [run("record", COINLOG_CMC_URL=source.url, **secrets)]
    said.append(run("doctor", COINLOG_CMC_URL=source.url, **secrets))
    source.on(LISTINGS, error_reply(500, 500))
    away = {"DB_HOST": "127.0.0.1", "DB_PORT": "9", "DB_USER": "u", "DB_PASSWORD": CANARY}
    away |= {"COINLOG_PATIENCE_SECONDS": "0"}
    said.extend(run(name, COINLOG_CMC_URL=source.url, **away) for name in ("record", "status"))

    assert all(CANARY not in done.stdout + done.stderr for done in said)
    kept = [path for path in own_world.rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if CANARY.encode() in path.read_bytes()]
    assert source.requests[0].headers["x-cmc_pro_api_key"] == CANARY


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("COINLOG_INTERVAL", "7m", "for example"),
        ("COINLOG_ASSETS", "bitcoin", "top:200"),
        ("COINLOG_CMC_URL", "ftp://example.org", "https://"),
        ("COINLOG_ARCHIVE", "gopher://example.org", "s3://"),
    ],
)
def test_a_wrong_setting_is_explained_with_exit_code_2(
    name: str, value: str, expected: str
) -> None:
    done = run_here("record", **{name: value})

    assert done.returncode == 2
    assert value in done.stderr
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_simulated_and_real_answers_never_meet_in_one_store(source: CMCServer) -> None:
    run_here("record", COINLOG_CMC_URL=source.url)
    body = listings_body([1, 1027], time.time())
    source.on(LISTINGS, Reply(body.replace(b'"error_code"', b'"simulated":true,"error_code"')))
    done = run_here("record", COINLOG_CMC_URL=source.url, COINLOG_INTERVAL="1m")

    assert done.returncode == 1
    assert "never share a store" in " ".join(done.stdout.split())


def test_a_store_that_is_away_keeps_the_answer_for_later(source: CMCServer) -> None:
    away = {"DB_HOST": "127.0.0.1", "DB_PORT": "9", "DB_USER": "u", "DB_NAME": "n"}
    away |= {"COINLOG_PATIENCE_SECONDS": "0"}
    done = run_here("record", COINLOG_CMC_URL=source.url, **away)

    assert done.returncode == 1
    assert "kept in the archive" in done.stdout
    assert run_json_here("load")["settled_attempts"] == 1


def test_the_simulated_market_is_never_looked_for_at_coinmarketcap() -> None:
    said = run("record", "--simulated").stdout

    assert "coinmarketcap.com" not in said
    assert run_json("status", "--simulated")["source"] in {None, "simulated"}


def test_doctor_tells_what_is_wrong_and_what_to_do() -> None:
    done = run_here("doctor", COINLOG_CMC_URL="http://127.0.0.1:9")

    assert done.returncode == 1
    assert "→ coinlog up" in done.stdout
    assert "could not be reached" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
