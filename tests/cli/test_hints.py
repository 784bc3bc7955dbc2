"""Hints of what to type: of the made-up market where that is the one asked about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from coinlog.archive import open_archive
from coinlog.cli import main
from coinlog.cli.hints import OF_BOTH
from market import put_attempt
from program import run_here
from samples import SLOT


def of_both(group: click.Group, before: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from of_both(command, f"{before}{name} ")
        elif any(option.name == "simulated" for option in command.params):
            yield before + name


def test_no_line_of_the_help_is_cut_off() -> None:
    assert "..." not in run_here("--help").stdout.partition("Recording:")[2]


def test_every_command_of_both_markets_is_known() -> None:
    assert OF_BOTH.split("|") == sorted(of_both(main))


def test_hints_are_of_the_market_asked_about(own_world: Path) -> None:
    put_attempt(open_archive(str(own_world / "data" / "simulated" / "archive")), SLOT)
    put_attempt(open_archive(str(own_world / "data" / "archive")), SLOT)
    absent = run_here("status", "--simulated").stderr
    run_here("migrate", "--simulated")
    run_here("migrate")
    made_up, real = run_here("status", "--simulated").stdout, run_here("status").stdout
    (own_world / "data" / "simulated" / "coinlog.db").write_bytes(b"a letter " * 900)
    broken = run_here("status", "--simulated").stderr
    told = json.loads(run_here("doctor", "--simulated", "--json").stdout)
    damaged = next(one for one in told if one["code"] == "database_damaged")

    assert "`coinlog load --simulated` one of what the archive holds" in absent
    assert "`coinlog load --simulated` settles" in made_up
    assert "`coinlog verify --simulated` compares" in made_up
    assert "`coinlog load` settles" in real
    assert "run `coinlog load --simulated`" in broken
    assert "run `coinlog load --simulated`" in damaged["text"]
    assert "--simulated --simulated" not in absent + made_up + broken + json.dumps(told)
