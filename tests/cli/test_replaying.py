"""``replay`` and ``verify`` as a user meets them: one line, JSON, exit codes, the status."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from coinlog.archive import open_archive
from coinlog.attempts import slot_name
from market import put_attempt
from program import run, run_here, run_json_here
from samples import SLOT, STEP


@pytest.fixture
def data(own_world: Path) -> Path:
    """Return a data folder with an archive of two slots and a store that has loaded them."""
    folder = own_world / "data"
    archive = open_archive(str(folder / "archive"))
    for slot in (SLOT, SLOT + STEP):
        put_attempt(archive, slot)
    assert run_here("load").returncode == 0
    return folder


def change_a_price(data: Path) -> None:
    with closing(sqlite3.connect(data / "coinlog.db")) as store, store:
        store.execute(f"UPDATE quote SET price = 7.0 WHERE asset_id = 1 AND slot = {SLOT}")  # noqa: S608


def test_a_difference_is_found_mended_by_a_replay_and_shown_in_the_status(data: Path) -> None:
    assert "never" in run("status").stdout
    change_a_price(data)

    verified = run("verify")
    assert verified.returncode == 1
    assert verified.stdout.splitlines()[0].startswith("✗ 1 difference in 2 slots with 4 quotes")
    told = "slot 2026-01-26T18:00:00Z, Asset 1 (1), price: store 7.0, archive 100.5"
    assert told in verified.stdout
    assert told in run("status").stdout

    replayed = run("replay")
    assert (replayed.returncode, replayed.stderr) == (0, "")
    assert replayed.stdout.startswith("✓ 2 attempts replayed: 2 slots, 4 quotes in")

    assert run("verify").stdout.startswith("✓ 2 slots with 4 quotes are equal in store and archive")
    assert "2 slots, 4 quotes, equal to the archive" in run("status").stdout


def test_programs_get_json(data: Path) -> None:
    assert run_json_here("status")["verification"] is None
    assert run_json_here("replay")["quotes"] == 4
    assert run_json_here("verify") | {"started_at": 0, "ended_at": 0} == {
        "started_at": 0,
        "ended_at": 0,
        "sampled": False,
        "slots": 2,
        "quotes": 4,
        "differences": 0,
        "unsettled": 0,
        "thinned": 0,
        "first": [],
        "from_slot": None,
        "to_slot": None,
        "uncompared": 0,
    }
    assert run_json_here("status")["verification"]["differences"] == 0
    assert run_json_here("verify", "--sample", "50%")["slots"] == 1
    assert data.is_dir()


def test_an_attempt_that_waits_is_told_with_the_remedy(data: Path) -> None:
    put_attempt(open_archive(str(data / "archive")), SLOT + 2 * STEP)

    verified = run_here("verify")

    assert verified.returncode == 1
    assert "1 attempt not loaded yet: `coinlog load` settles them" in verified.stdout
    assert "coinlog replay" not in verified.stdout


def test_a_replay_that_would_lose_something_says_so_in_one_sentence(data: Path) -> None:
    (data / "archive" / "captures" / slot_name(SLOT) / "1" / "manifest.json").unlink()

    refused = run_here("replay")

    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "lacks 1 attempts of 1 slots that the store holds" in refused.stderr
    assert run_json_here("replay", "--force")["slots"] == 1


@pytest.mark.parametrize("sample", ["0", "half", "101%", "1.5"])
def test_a_sample_that_means_nothing_is_wrong_use(sample: str, data: Path) -> None:
    wrong = run_here("verify", f"--sample={sample}")

    assert wrong.returncode == 2
    assert "for example 100 or 5%" in wrong.stderr
    assert data.is_dir()


def test_a_store_that_is_no_database_says_so_in_one_sentence(data: Path) -> None:
    (data / "coinlog.db").write_bytes(os.urandom(5_000))

    for command in ("replay", "verify"):
        failed = run(command)
        assert failed.returncode == 1
        assert "Traceback" not in failed.stderr
        assert "not a database" in failed.stderr
