"""The command: its options, the bar while it runs, and what it prints."""

from __future__ import annotations

import argparse
import json
import random
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from weather.account import Account
from weather.catalogue import FAULTS, listed
from weather.docs import write_down
from weather.fault import MARIADB, SQLITE, Fault
from weather.sabotage import SABOTAGES
from weather.storm import storm
from weather.table import as_data, show

SEEDS = 10**6
# A table is read in logs too, where there is no terminal to ask for its width.
WIDTH = 160

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the storms that the command line asks for; return 1 where a promise was not kept."""
    wanted = _parser().parse_args(arguments)
    # A storm that is told to end takes its page, its database and its folder with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if wanted.list:
        sys.stdout.write(listed())
        return 0
    kinds = [SQLITE, MARIADB] if wanted.store == "both" else [wanted.store]
    faults = _chosen(wanted)
    again = _again(wanted, wanted.store)
    if not wanted.json:
        out.print(f"seed {wanted.seed}; the same again: [bold]{again}[/]", soft_wrap=True)
    accounts = {}
    for kind in kinds:
        begun = time.monotonic()
        accounts[kind] = _watched(faults, kind, wanted.faults, wanted.seed)
        took = time.monotonic() - begun
        if wanted.docs:
            same = _again(wanted, kind)
            write_down(wanted.docs, kind, accounts[kind], again=same, took=took)
        if not wanted.json:
            how = f"{_how_many(wanted, len(faults))}, seed {wanted.seed}, {took:.0f} s"
            title = f"{kind}: {how}"
            console = out if out.is_terminal else Console(highlight=False, width=WIDTH)
            show(console, title, accounts[kind])
    clean = all(account.clean for account in accounts.values())
    if wanted.json:
        told = {kind: as_data(account) for kind, account in accounts.items()}
        said = {"seed": wanted.seed, "again": again, "clean": clean, "stores": told}
        sys.stdout.write(json.dumps(said) + "\n")
    else:
        out.print(
            "[green]every promise was kept[/]" if clean else "[red]not every promise was kept[/]"
        )
        out.print(f"the same again: [bold]{again}[/]", soft_wrap=True)
    return 0 if clean else 1


def _how_many(wanted: argparse.Namespace, kinds: int) -> str:
    if wanted.faults:
        return f"{wanted.faults} faults"
    return "the one fault" if kinds == 1 else "every fault once"


def _again(wanted: argparse.Namespace, store: str) -> str:
    """Return the command that lets the same storm pass once more."""
    if wanted.only or wanted.sabotage:
        words = ["--sabotage"] if wanted.sabotage else ["--only", *wanted.only]
        further = shlex.join(map(str, ["--seed", wanted.seed, "--store", store, *words]))
        return f"PYTHONPATH=tests .venv/bin/python -m weather --faults {wanted.faults} {further}"
    return f"make weather FAULTS={wanted.faults} SEED={wanted.seed} STORE={store}"


def _chosen(wanted: argparse.Namespace) -> list[Fault]:
    if wanted.sabotage:
        return list(SABOTAGES)
    return [fault for fault in FAULTS if not wanted.only or fault.name in wanted.only]


def _watched(faults: Sequence[Fault], kind: str, count: int, seed: int) -> Account:
    with _bar(kind, count) as advance:
        return storm(faults, kind, count, seed, advance)


@contextmanager
def _bar(kind: str, count: int) -> Iterator[Callable[[str], object]]:
    """Show which fault strikes and how far the storm is; without a thread, as we fork."""
    columns = (
        TextColumn(kind),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.description}"),
    )
    quiet = not err.is_terminal
    with Progress(
        *columns, console=err, transient=True, disable=quiet, auto_refresh=False
    ) as progress:
        task = progress.add_task("", total=count)
        yield lambda name: progress.update(task, advance=1, description=name, refresh=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m weather",
        description="Let a storm of faults pass over coinlog, and account.",
    )
    parser.add_argument(
        "--faults", type=int, default=1000, help="how many, on each database; 0: each kind once"
    )
    parser.add_argument("--seed", type=int, help="the same seed, the same storm")
    parser.add_argument(
        "--store", choices=[SQLITE, MARIADB, "both"], default="both", help="on which database"
    )
    parser.add_argument("--json", action="store_true", help="print the account for programs")
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="FAULT",
        choices=[fault.name for fault in FAULTS],
        help="these alone, by their names in the list",
    )
    parser.add_argument(
        "--docs", type=Path, metavar="PAGE", help="put the tables into a page: docs/weather.md"
    )
    parser.add_argument("--list", action="store_true", help="print every fault, as in the docs")
    parser.add_argument(
        "--sabotage", action="store_true", help="break promises on purpose: all must be noticed"
    )
    parser.set_defaults(seed=random.SystemRandom().randrange(SEEDS))
    return parser
