"""What holds for every command: help with examples, JSON, progress at a terminal, quiet pipes."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
from itertools import chain
from pathlib import Path

import pytest

from coinlog.cli.main import SECTIONS
from program import COMMAND, run, run_here

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = [command.name or "" for command in chain.from_iterable(SECTIONS.values())]
PAGES = {"thin": "thinning", "restore": "backup"}
ABOUT_HISTORY = {
    "backfill": ("--dry-run",),
    "replay": (),
    "verify": (),
    "thin": ("--older-than", "1y", "--keep", "1d"),
    "export": ("SIMULATED.csv",),
    "backup": ("copy.tar",),
    "move": ("store", "sqlite:///copy.db"),
}


@pytest.fixture(scope="module")
def recorded(market: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder into which a slot was recorded: only to be copied."""
    folder = tmp_path_factory.mktemp("recorded")
    setting = {"COINLOG_CMC_URL": market, "COINLOG_ASSETS": "id:1,1027"}
    done = run("record", "--simulated", **setting, COINLOG_DATA=str(folder))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def setting(market: str, recorded: Path, own_world: Path) -> dict[str, str]:
    """Return the settings of a recorder that has recorded a slot."""
    shutil.copytree(recorded, own_world / "data")
    return {"COINLOG_CMC_URL": market, "COINLOG_ASSETS": "id:1,1027"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_examples(command: str) -> None:
    told = run_here(command, "--help")

    assert told.returncode == 0
    assert f"Usage: coinlog {command}" in told.stdout
    assert "Examples:" in told.stdout
    assert f"coinlog {command}" in told.stdout.partition("Examples:")[2]


@pytest.mark.parametrize("command", [*ABOUT_HISTORY, "import", "restore"])
def test_every_command_about_history_has_a_page(command: str) -> None:
    page = ROOT / "docs" / f"{PAGES.get(command, command)}.md"

    assert page.read_text().startswith("# ")
    assert f"(docs/{page.name})" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("command", ABOUT_HISTORY)
def test_in_a_pipe_there_is_json_and_no_progress(command: str, setting: dict[str, str]) -> None:
    told = run(command, *ABOUT_HISTORY[command], "--simulated", "--json", **setting)

    assert told.returncode == 0, told.stderr
    assert isinstance(json.loads(told.stdout), dict)
    assert not {"\x1b", "\r", "━"} & set(told.stdout + told.stderr)


def test_an_import_says_in_json_what_it_would_do(own_world: Path) -> None:
    (own_world / "prices.csv").write_text("time,symbol,price\n2024-01-01T00:00:00Z,BTC,42000.5\n")

    told = run("import", "prices.csv", "--map", "BTC=1", "--dry-run", "--json")

    assert told.returncode == 0, told.stderr
    assert isinstance(json.loads(told.stdout), dict)
    assert told.stderr == ""


@pytest.mark.parametrize(("command", "said"), [("verify", "verifying"), ("replay", "replaying")])
def test_at_a_terminal_there_is_progress(command: str, said: str, setting: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, **setting, "TERM": "xterm", "COLUMNS": "100"}
    told = subprocess.run(
        [*COMMAND, command, "--simulated"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=theirs,
        timeout=60,
        check=True,
    )
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)

    assert said in shown
    assert said not in told.stdout.decode()
