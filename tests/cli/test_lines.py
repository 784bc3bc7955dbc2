"""What recording tells programs: one line of JSON for each slot, and nothing else."""

from __future__ import annotations

import json
import logging
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cmc_server import CMCServer, error_reply
from coinlog.attempts import KeptAnswer, Manifest
from coinlog.cli.lines import OneLine, lines
from coinlog.market import Outcome, SourceKind
from coinlog.settings import load_settings
from coinlog.store.engine import open_engine
from coinlog.telling import captured_facts
from market import LISTINGS, answer_all
from program import read_until, run, run_here, running
from samples import SLOT, STEP

CANARY = "canary-1111-2222-3333"
HOSTILE = f'no\nsuch "key": {CANARY}\r\n{{"event":"slot"}}\x1b[31m\u202e'
AS_JSON = {"COINLOG_LOG": "json"}


@pytest.fixture
def source() -> Iterator[CMCServer]:
    with CMCServer() as server:
        answer_all(server, at=time.time())
        yield server


@pytest.fixture(autouse=True)
def told_as_before() -> Iterator[None]:
    """Leave the form of this process as it was."""
    yield
    lines.follow(load_settings({}, None))


def events(said: str) -> list[dict[str, Any]]:
    """Return each line as JSON; fails where one is something else."""
    return [json.loads(line) for line in said.splitlines()]


def test_a_recorded_slot_is_one_line_with_all_that_matters(source: CMCServer) -> None:
    done = run_here("record", COINLOG_CMC_URL=source.url, **AS_JSON)

    (told,) = events(done.stdout)
    assert done.stderr == ""
    assert {name: told[name] for name in ("level", "event", "outcome", "reason", "source")} == {
        "level": "info",
        "event": "slot",
        "outcome": "stored",
        "reason": None,
        "source": "coinmarketcap",
    }
    assert (told["assets"], told["attempts"], told["attempt"], told["ours"]) == (2, 1, "1", True)
    assert told["credits"] > 0
    assert 0 <= told["capture_seconds"] < 60
    assert 0 <= told["load_seconds"] < 60
    # This source does not say what time it is there.
    assert told["skew_seconds"] is None
    assert (told["trouble"], told["detail"]) == (None, "")


def test_the_clocks_are_told_apart_by_the_sources_own_date() -> None:
    answer = KeptAnswer("x", "x", {}, 200, "", 0, SLOT + 3.7, 0.1, server_date=SLOT + 1)
    manifest = Manifest(
        slot="x",
        attempt="1",
        outcome=Outcome.STORED,
        reason=None,
        detail="",
        source=SourceKind.COINMARKETCAP,
        interval_seconds=STEP,
        assets="top:2",
        started_at=SLOT,
        captured_at=SLOT + 4.25,
        credits=1,
        answers=(answer,),
        program="x",
    )

    told = captured_facts(manifest)

    assert (told["skew_seconds"], told["capture_seconds"]) == (2.2, 4.25)


def test_up_tells_its_start_and_each_slot_and_nothing_else(source: CMCServer) -> None:
    with running("up", "--no-page", COINLOG_CMC_URL=source.url, **AS_JSON) as process:
        said = read_until(process, '"event":"slot"')
        process.terminate()
        rest, _ = process.communicate(timeout=20)

    start, slot, stop = events("".join(said) + rest)
    assert (start["event"], slot["event"], stop["event"]) == ("start", "slot", "stop")
    assert start["page"] is None
    assert slot["outcome"] == "stored"
    assert slot["next_look_at"] > slot["slot"]


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_text_of_the_source_begins_a_line_and_no_secret_is_in_one(
    source: CMCServer, form: str
) -> None:
    source.on(LISTINGS, error_reply(401, 1001, HOSTILE))

    done = run("record", COINLOG_CMC_URL=source.url, COINLOG_LOG=form, COINLOG_API_KEY=CANARY)

    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert CANARY not in said
    assert not any(char in said for char in "\x1b\u202e\r")
    if form == "json":
        (told,) = events(done.stdout)
        assert (told["level"], told["outcome"], told["reason"]) == (
            "warning",
            "failed",
            "wrong_key",
        )
        events(done.stderr)
    else:
        assert len([line for line in said.splitlines() if "slot 2" in line]) == 1
        assert not any(line.startswith(('such "key"', "{")) for line in said.splitlines())


def test_the_halves_tell_a_line_each_and_load_one_for_each_slot(source: CMCServer) -> None:
    captured = run_here("capture", COINLOG_CMC_URL=source.url, **AS_JSON)
    loaded = run_here("load", **AS_JSON)
    again = run_here("load", **AS_JSON)

    (first,), (second,) = events(captured.stdout), events(loaded.stdout)
    assert (first["outcome"], first["assets"], first["load_seconds"]) == ("stored", None, None)
    assert (second["slot"], second["outcome"], second["assets"]) == (first["slot"], "stored", 2)
    assert again.stdout == ""


def test_what_was_used_wrongly_is_one_line_too() -> None:
    done = run_here("record", "--slot", "2020-01-01T00:00:00Z", **AS_JSON)

    (told,) = events(done.stderr)
    assert (told["level"], told["event"], told["exit_code"]) == ("error", "error", 2)
    assert "cannot be recorded" in told["message"]
    assert (done.returncode, done.stdout) == (2, "")


def test_a_trouble_in_the_program_is_one_line_with_its_trace() -> None:
    with pytest.raises(ValueError, match="such") as caught:
        int(HOSTILE)
    trouble = (caught.type, caught.value, caught.tb)
    record = logging.LogRecord("coinlog.web", 40, "x.py", 1, "an %s failed", ("a\nb",), trouble)
    settings = {**AS_JSON, "COINLOG_API_KEY": CANARY}
    lines.follow(load_settings(settings, None))

    told = OneLine().format(record)
    lines.follow(load_settings({"COINLOG_API_KEY": CANARY}, None))
    for_people = OneLine().format(record)

    (event,) = events(told)
    assert (event["level"], event["message"]) == ("error", "an a b failed")
    assert "ValueError" in event["trace"]
    assert for_people.startswith("ERROR coinlog.web: an a b failed\nTraceback")
    assert CANARY not in told + for_people


def test_other_commands_speak_to_people_all_the_same(source: CMCServer) -> None:
    run_here("record", COINLOG_CMC_URL=source.url)

    done: subprocess.CompletedProcess[str] = run_here("status", **AS_JSON)

    assert done.stdout.startswith("coinlog records top:200")


def test_a_short_password_falsifies_no_line_and_a_longer_one_no_word_of_ours() -> None:
    address = "mysql+pymysql://u:{}@127.0.0.1/d"
    lines.follow(load_settings({"COINLOG_DATABASE_URL": address.format("e")}, None))
    short = lines.line("slot", "info", {"outcome": "stored", "detail": "one here"})
    lines.follow(load_settings({"COINLOG_DATABASE_URL": address.format("stored")}, None))
    long = lines.line("slot", "info", {"outcome": "stored", "stored": 1, "detail": "not stored"})

    (first, second) = events(f"{short}\n{long}")
    assert (first["event"], first["outcome"], first["detail"]) == ("slot", "stored", "one here")
    assert (second["outcome"], second["stored"], second["detail"]) == ("stored", 1, "not ***")


def test_of_a_long_trouble_the_end_is_told_too_where_its_cause_is() -> None:
    lines.follow(load_settings({"COINLOG_API_KEY": CANARY}, None))
    # The middle begins in the midst of a secret.
    text = "Exception in x\n".ljust(190, "a") + CANARY + " frame\n" * 900 + "ValueError: the cause"

    told = OneLine().format(logging.LogRecord("x", 40, "x.py", 1, text, None, None))

    assert told.startswith("ERROR x: Exception in x ")
    assert " … " in told
    assert told.endswith("ValueError: the cause")
    assert len(told) < 2100
    assert "canary" not in told


def test_up_tells_programs_what_verifying_found(source: CMCServer, own_world: Path) -> None:
    wanted = {"COINLOG_CMC_URL": source.url, "COINLOG_VERIFY": "12h", **AS_JSON}
    with running("up", "--no-page", **wanted) as process:
        said = read_until(process, '"event":"verify"')
    engine = open_engine(f"sqlite:///{own_world}/data/coinlog.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE quote SET price = 7 WHERE asset_id = 1")
        connection.exec_driver_sql("UPDATE verification SET started_at = started_at - 46800")
    engine.dispose()
    with running("up", "--no-page", **wanted) as process:
        again = read_until(process, '"event":"verify"')

    equal, unlike = events("".join(said))[-1], events("".join(again))[-1]
    assert (equal["level"], equal["slots"], equal["differences"]) == ("info", 1, 0)
    assert unlike["level"] == "warning"
    assert "price: store 7.0, archive 100.5" in unlike["first"][0]
