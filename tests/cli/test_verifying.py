"""Verifying by and by: from cron by ``--next``, and by ``coinlog up`` itself."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from cmc_server import CMCServer
from coinlog.archive import open_archive
from coinlog.cli.rounds import Rounds, pause_after
from coinlog.parts import Parts
from coinlog.settings import load_settings
from coinlog.store.engine import open_engine
from coinlog.store.schema import REVISION
from market import answer_all, put_attempt
from program import read_until, run_here, run_json, run_json_here, running
from samples import SLOT, STEP


@pytest.fixture
def source() -> Iterator[CMCServer]:
    with CMCServer() as server:
        answer_all(server, at=time.time())
        yield server


def execute(world: Path, statement: str, **values: object) -> None:
    engine = open_engine(f"sqlite:///{world}/data/coinlog.db")
    with engine.begin() as connection:
        connection.execute(sa.text(statement), values)
    engine.dispose()


def words(text: str) -> str:
    return " ".join(text.split())


def test_share_by_share_everything_is_seen_and_what_was_found_stands(own_world: Path) -> None:
    archive = open_archive(str(own_world / "data" / "archive"))
    for number in range(4):
        put_attempt(archive, SLOT + number * STEP)
    run_json_here("load")
    execute(own_world, "UPDATE quote SET price = 7 WHERE slot = :slot", slot=SLOT)

    first = run_here("verify", "--next", "50%")
    second = run_json_here("verify", "--next", "50%")
    told, status = run_json_here("status"), run_here("status")
    execute(own_world, "UPDATE quote SET price = 100.5 WHERE slot = :slot", slot=SLOT)
    third = run_json_here("verify", "--next", "2")

    assert first.returncode == 1
    assert "in a share of 2 slots with" in words(first.stdout)
    assert (second["slots"], second["differences"]) == (2, 0)
    assert (second["from_slot"] > SLOT, second["sampled"]) == (True, True)
    assert (told["verification"]["differences"], told["unlike"]) == (0, 2)
    assert "✗ differences: 2 in 2 slots, not looked at since: slot 2026-01-26T18:00:00Z" in words(
        status.stdout
    )
    assert (third["from_slot"], third["differences"]) == (0, 0)
    assert run_json_here("status")["unlike"] == 0


@pytest.mark.parametrize(
    "asked", [("--next", "0%"), ("--next", "x"), ("--next", "5", "--sample", "5")]
)
def test_shares_that_make_no_sense_are_refused(asked: tuple[str, ...]) -> None:
    done = run_here("verify", *asked)

    assert done.returncode == 2
    assert "expected" in done.stderr


def test_up_verifies_beside_recording_and_remembers_where_it_was(
    source: CMCServer, own_world: Path
) -> None:
    wanted = {"COINLOG_CMC_URL": source.url, "COINLOG_VERIFY": "12h"}
    with running("up", "--no-page", **wanted) as process:
        said = words(" ".join(read_until(process, "verified")))
    execute(own_world, "UPDATE quote SET price = 7 WHERE asset_id = 1")
    execute(own_world, "UPDATE verification SET started_at = started_at - 46800")
    with running("up", "--no-page", **wanted) as process:
        again = words(" ".join(read_until(process, "doctor")))

    assert "verified ✓ the next 10%: 1 slot with" in said
    assert "verified ✗" in again
    assert "price: store 7.0, archive 100.5" in again
    assert run_json("status")["unlike"] >= 1


@pytest.mark.parametrize("asked", [(), ("--next", "10%")])
def test_a_store_that_is_not_there_is_told_and_never_made(
    own_world: Path, asked: tuple[str, ...]
) -> None:
    put_attempt(open_archive(str(own_world / "data" / "archive")), SLOT)

    done = run_here("verify", *asked)

    assert done.returncode == 1
    assert "there is no database at" in words(done.stderr)
    assert not list(own_world.rglob("*.db*"))


def test_a_store_of_another_schema_is_told_and_left_as_it_is(own_world: Path) -> None:
    run_json_here("migrate")
    said = {}
    for revision in ("0003", "9999"):
        execute(own_world, "UPDATE alembic_version SET version_num = :it", it=revision)
        said[revision] = words(run_here("verify").stderr)
    execute(own_world, "UPDATE alembic_version SET version_num = :it", it=REVISION)
    run_json_here("migrate", "--down")
    said["none"] = words(run_here("verify").stderr)

    assert "run `coinlog migrate` first" in said["0003"]
    assert "a newer coinlog made it" in said["9999"]
    assert "has no tables yet: `coinlog load` makes them" in said["none"]


def test_what_looks_whether_a_share_is_due_makes_no_store(own_world: Path) -> None:
    rounds = Rounds(Parts(load_settings()), 60, simulated=False)

    assert not rounds.is_due()
    assert not list(own_world.rglob("*.db*"))
    run_json_here("migrate")
    assert rounds.is_due()


def test_what_fails_again_and_again_is_told_once_and_tried_ever_later(
    own_world: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    put_attempt(open_archive(str(own_world / "data" / "archive")), SLOT)
    run_json_here("load")
    (own_world / "data" / "archive").rename(own_world / "elsewhere")
    (own_world / "data" / "archive").write_text("in the way")
    monkeypatch.setattr("coinlog.cli.rounds._LOOK_SECONDS", 0)
    started = []

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  whatever it takes
            started.append(args)
            super().__init__(*args, **kwargs)

    monkeypatch.setattr("coinlog.cli.rounds.subprocess.Popen", Noted)
    rounds = Rounds(Parts(load_settings()), 60, simulated=False)
    rounds.begin()
    until = time.monotonic() + 60
    while len(started) < 3:
        assert time.monotonic() < until
    rounds.stop()

    assert capfd.readouterr().out.count("not this time") == 1


def test_pauses_grow_up_to_the_interval() -> None:
    assert [pause_after(number, 43_200) for number in (0, 1, 4, 12, 10**6)] == [
        60,
        120,
        960,
        43_200,
        43_200,
    ]
    assert pause_after(0, 5) == 5
