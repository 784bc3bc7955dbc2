"""What doctor and verify say helps: it is typed in here, and it helps."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from cmc_server import CMCServer
from coinlog.archive import open_archive
from coinlog.store.engine import open_engine
from market import answer_all, put_attempt
from program import run_here
from samples import SLOT, STEP


@pytest.fixture(autouse=True)
def data(own_world: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a data folder with three slots in archive and store, and a source that answers."""
    archive = open_archive(str(own_world / "data" / "archive"))
    for number in range(3):
        put_attempt(archive, SLOT + number * STEP)
    run_here("load")
    with CMCServer() as server:
        answer_all(server)
        monkeypatch.setenv("COINLOG_CMC_URL", server.url)
        yield own_world / "data"


def found() -> dict[str, dict[str, Any]]:
    done = run_here("doctor", "--json")
    return {one["code"]: one for one in json.loads(done.stdout)}


def words(text: str) -> str:
    return " ".join(text.split())


def listings(data: Path) -> list[Path]:
    return sorted((data / "archive" / "captures").rglob("listings*"))


def execute(data: Path, statement: str) -> None:
    engine = open_engine(f"sqlite:///{data}/coinlog.db")
    with engine.begin() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()


def test_an_archive_that_is_gone_is_told_and_not_made_anew(data: Path, tmp_path: Path) -> None:
    run_here("backup", str(tmp_path / "a b.tar"))
    (data / "archive").rename(tmp_path / "elsewhere")
    (tmp_path / "a b.tar").rename(tmp_path / "not here.tar")
    without = found()
    (tmp_path / "not here.tar").rename(tmp_path / "a b.tar")
    gone = found()
    there = (data / "archive").exists()
    subprocess.run(gone["archive_gone"]["do"], shell=True, check=True)  # noqa: S602  as typed in
    back = found()

    assert "the store has 3 attempts" in without["archive_gone"]["text"]
    assert without["archive_gone"]["level"] == "wrong"
    assert without["archive_gone"]["do"] is None
    assert "COINLOG_ARCHIVE" in gone["archive_gone"]["text"]
    assert not there
    assert back["archive_fine"]["text"].startswith("3 attempts")
    assert not run_here("verify").returncode


def test_an_attempt_that_is_gone_is_brought_back_from_the_backup(
    data: Path, tmp_path: Path
) -> None:
    run_here("backup", str(tmp_path / "b.tar"))
    shutil.rmtree(listings(data)[1].parent)

    lacks = found()["archive_lacks"]
    subprocess.run(lacks["do"], shell=True, check=True)  # noqa: S602  as typed in

    assert "1 attempt of the store not in the archive" in lacks["text"]
    assert "archive/captures/" in lacks["do"]
    assert not run_here("verify").returncode


@pytest.mark.parametrize("emptied", [True, False])
def test_damage_of_the_archive_is_not_cured_by_a_replay(
    data: Path, tmp_path: Path, *, emptied: bool
) -> None:
    run_here("backup", str(tmp_path / "b.tar"))
    broken = listings(data)[0]
    broken.write_bytes(b"" if emptied else broken.read_bytes()[:-9] + b"\0" * 9)
    seen = words(run_here("verify").stdout)
    told = found()
    do = told["unlike_archive"]["do"]
    refused = run_here("replay")
    subprocess.run(do, shell=True, check=True)  # noqa: S602  as typed in

    assert "the archive is damaged: bring it back from a copy" in seen
    assert f"→ {do}" in seen
    assert "replay" not in seen
    assert told["archive_damaged"]["do"] == do
    assert "bring it back from a copy" in told["unlike_archive"]["text"]
    assert "1 slot would be worse" in refused.stderr
    assert "bring damaged files back from a copy" in refused.stderr
    assert not run_here("verify").returncode
    assert found()["verified_fine"]["fine"]


def test_an_empty_archive_is_not_cured_by_a_replay_either(data: Path) -> None:
    shutil.rmtree(data / "archive")

    seen = words(run_here("verify").stdout)

    assert "the archive is empty" in seen
    assert "replay" not in seen


def test_a_database_that_differs_from_a_sound_archive_is_replayed_or_loaded(data: Path) -> None:
    execute(data, "UPDATE quote SET price = 7 WHERE asset_id = 1")
    seen = words(run_here("verify").stdout)
    replayed = found()["unlike_archive"]
    run_here("replay")
    put_attempt(open_archive(str(data / "archive")), SLOT + 4 * STEP)
    run_here("verify")

    assert "`coinlog replay`" in seen
    assert replayed["do"] == "coinlog replay"
    assert found()["unlike_archive"]["do"] == "coinlog load"


def test_hashes_are_short_for_people_and_whole_for_programs(data: Path) -> None:
    path = next((data / "archive").rglob("manifest.json"))
    path.write_bytes(path.read_bytes() + b"\n")
    run_here("verify")
    line = next(one for one in run_here("status").stdout.splitlines() if "verified" in one)
    told = json.loads(run_here("verify", "--json").stdout)["first"][0]

    assert "its manifest has SHA-256" in line
    assert re.search(r"\b[0-9a-f]{12}…", line)
    assert not re.search(r"[0-9a-f]{13}", line)
    assert re.search(r"\b[0-9a-f]{64}\b", told)
