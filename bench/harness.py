"""What all benchmarks share: rounds in turn, medians, ratios, targets, and where results go."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "bench" / "out"

# The tests' MariaDB serves here too. Whoever imports from the tests imports this module first.
sys.path.append(str(ROOT / "tests"))

ROUNDS, QUICK_ROUNDS = 7, 2
_QUIET_SHARE = 12.0
_QUIET_SECONDS = 60.0
_WIDTH = 132

out = Console(width=_WIDTH if not sys.stdout.isatty() else None, highlight=False)


@dataclass(frozen=True)
class Result:
    """One measured figure. ``median``, ``low`` and ``high`` are over the rounds.

    ``target`` is the least that ``median`` should be, or the most where ``at_most`` is set;
    ``None`` where the figure is only for information.
    """

    what: str
    against: str
    unit: str
    median: float
    low: float
    high: float
    target: float | None = None
    at_most: bool = False
    detail: str = ""

    @property
    def reached(self) -> bool:
        """Whether the target is reached."""
        if self.target is None:
            return True
        return self.median <= self.target if self.at_most else self.median >= self.target


class Rounds:
    """What each contender reached in each round."""

    def __init__(self, values: dict[str, list[float]]) -> None:
        self.values = values

    def median(self, name: str) -> float:
        """Return a contender's median."""
        return statistics.median(self.values[name])

    def ratio(self, over: str, under: str) -> tuple[float, float, float]:
        """Return median, lowest and highest of one contender over another, round by round.

        Neighbours in time are compared, so that a machine that slows down slows down both.
        """
        return spread([a / b for a, b in zip(self.values[over], self.values[under], strict=True)])

    def said(self, name: str, unit: str) -> str:
        """Return a contender's own figures in words."""
        median, low, high = spread(self.values[name])
        return f"{median:,.4g} {unit} ({low:,.4g}..{high:,.4g})"


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """Return median, lowest and highest."""
    return statistics.median(values), min(values), max(values)


def in_turn(contenders: dict[str, Callable[[], float]], rounds: int) -> Rounds:
    """Let contenders run one after the other, round after round, each round in another order."""
    names = list(contenders)
    values: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            wait_for_quiet()
            values[name].append(contenders[name]())
    return Rounds(values)


def wait_for_quiet() -> None:
    """Wait until the machine has little else to do, a minute at most; say so where it has not."""
    give_up = time.monotonic() + _QUIET_SECONDS
    while (busy := psutil.cpu_percent(interval=0.3)) > _QUIET_SHARE:
        if time.monotonic() > give_up:
            out.print(f"  [yellow]the machine is busy ({busy:.0f} %): measured all the same[/]")
            return


def timed(task: Callable[[], object]) -> float:
    """Return the seconds that a task takes."""
    started = time.perf_counter()
    task()
    return time.perf_counter() - started


def check(*, equal: bool, what: str) -> None:
    """Stop where a result that was read back is wrong: a wrong answer has no speed.

    Raises:
        AssertionError: it is.
    """
    if not equal:
        raise AssertionError(f"read back and found wrong: {what}")


def say(text: str) -> None:
    """Tell what is going on."""
    out.print(f"  [dim]{text}[/]")


def main(name: str, measure: Callable[[bool], list[Result]]) -> None:
    """Run one benchmark as a program: measure, print, and keep the results in ``bench/out``."""
    parser = argparse.ArgumentParser(prog=f"bench/{name}.py")
    parser.add_argument("--quick", action="store_true", help="smaller, fewer rounds: a rehearsal")
    quick: bool = parser.parse_args().quick
    OUT.mkdir(parents=True, exist_ok=True)
    load = os.getloadavg()
    results = measure(quick)
    show(name, results)
    document = {
        "benchmark": name,
        "quick": quick,
        "measured_at": int(time.time()),
        "load_average": {"before": load, "after": os.getloadavg()},
        "cores": os.cpu_count(),
        "results": [{**asdict(result), "reached": result.reached} for result in results],
    }
    (OUT / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")


def show(name: str, results: Sequence[Result]) -> None:
    """Print results as a table."""
    table = Table(title=name, title_justify="left")
    for column in ("what", "against", "median", "min..max", "target", "detail"):
        table.add_column(column, justify="right" if column == "median" else "left")
    for result in results:
        target = target_words(result)
        colour = "dim" if result.target is None else "green" if result.reached else "bold red"
        table.add_row(
            result.what,
            result.against,
            f"[{colour}]{number(result.median)}{result.unit}[/]",
            f"{number(result.low)}..{number(result.high)}",
            target,
            result.detail,
        )
    out.print(table)


def target_words(result: Result) -> str:
    """Return a result's target in words."""
    if result.target is None:
        return ""
    return f"{'at most' if result.at_most else 'at least'} {number(result.target)}"


def number(value: float) -> str:
    """Return a number with three significant digits or all of its whole ones."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
