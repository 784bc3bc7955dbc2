"""What the commands print: one line a step, on standard output; trouble in one sentence."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console
from rich.markup import escape

from coinlog.cli.report import duration, errors_explained
from coinlog.errors import UsageError
from coinlog_infra.aws import refusals_explained

out = Console(highlight=False, soft_wrap=True)

WIDTH = 46
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a job that is ended, a window that is closed."""


def say(line: str = "") -> None:
    """Print a line that may hold markup."""
    out.print(line)


def plain(line: str) -> None:
    """Print a line as it is, whatever is in it."""
    out.print(line, markup=False)


class Step:
    """A step that is going on; one that did not come to its end says ``done = False``."""

    done = True


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Show that a step is going on, and then whether it is done and how long it took."""
    started, it = time.monotonic(), Step()
    with out.status(f"{escape(title)} …"), refusals_explained(title):
        yield it
    took = duration(time.monotonic() - started)
    mark = "[green]✓[/]" if it.done else "[yellow]![/]"
    say(f"  {mark} {escape(f'{title:{WIDTH}}')} [dim]{took}[/]")


def note(text: str) -> None:
    """Print what is worth knowing and keeps nothing from going on."""
    say(f"  [yellow]![/] {escape(text)}")


def ask(question: str, wanted: str, otherwise: str) -> None:
    """Ask a person and go on only if the answer is what is wanted.

    ``otherwise`` is how to say the same in the command, where nobody is there to answer.

    Raises:
        UsageError: it is not, or nobody is there to answer.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"{question} Nobody is here to answer: say {otherwise} in the command")
    answer = out.input(f"  {escape(question)} ").strip()
    if answer != wanted:
        raise UsageError(f"{answer[:40]!r} was answered and {wanted} expected: nothing was changed")


def end_once(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  Python hands them over
    """Begin to end at the first signal, and let no further one keep us from putting things away."""
    for one in ENDING:
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt


def run(command: Callable[[], int | None]) -> None:
    """Carry out a command as a program: its errors as sentences, its exit code as it says."""
    for number in ENDING:
        signal.signal(number, end_once)
    with errors_explained(), refusals_explained():
        try:
            code = command()
        except KeyboardInterrupt:
            say("\n[dim]stopped[/]")
            code = 130
    sys.exit(code or 0)
