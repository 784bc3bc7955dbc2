"""The account as a table for people and as JSON for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from weather.account import OURS, Account, Line

_COUNTED = ("times", "met", "slots", "stored", "partial", "missed")
COLUMNS = ("fault", *_COUNTED, "failed, with reasons", *OURS)
FAULTS_SHOWN = 40


def as_table(title: str, account: Account) -> Table:
    """Return an account as a table: fair weather last but one, then the sum of all."""
    lines = list(account.lines.values())
    table = Table(title=title, title_justify="left", title_style="bold", show_footer=True)
    for name, cell in zip(COLUMNS, _cells(_sum(lines)), strict=True):
        table.add_column(name, footer=cell, justify="left" if name[0] == "f" else "right")
    for line in lines:
        wrong = any(getattr(line, kind) for kind in OURS)
        table.add_row(*map(escape, _cells(line)), style="bold red" if wrong else None)
    return table


def show(console: Console, title: str, account: Account) -> None:
    """Print an account, each fault of ours in words, and what this machine could not suffer."""
    console.print(as_table(title, account))
    for words in account.faults[:FAULTS_SHOWN]:
        console.print(f"[red]✗[/] {escape(words)}")
    if (more := len(account.faults) - FAULTS_SHOWN) > 0:
        console.print(f"[red]✗[/] and {more} more")
    if account.left_out:
        console.print(f"not struck, as this takes root here: {escape(', '.join(account.left_out))}")


def as_data(account: Account) -> dict[str, Any]:
    """Return an account as plain values."""
    lines = [*account.lines.values()]
    return {
        "lines": [*map(vars, lines)],
        "sum": vars(_sum(lines)),
        "faults": account.faults,
        "left_out": list(account.left_out),
    }


def _sum(lines: Sequence[Line]) -> Line:
    total = Line("all")
    for line in lines:
        for name in (*_COUNTED, *OURS):
            setattr(total, name, getattr(total, name) + getattr(line, name))
        total.failed += line.failed
    return total


def _cells(line: Line) -> list[str]:
    before, after = ([str(getattr(line, name)) for name in names] for names in (_COUNTED, OURS))
    return [line.fault, *before, _reasons(line.failed), *after]


def _reasons(failed: Counter[str]) -> str:
    """Return how many failed and why: ``3: timeout 2, plan 1``."""
    if not failed:
        return "0"
    named = ", ".join(f"{reason} {count}" for reason, count in sorted(failed.items()))
    return f"{failed.total()}: {named}"


def as_markdown(account: Account) -> str:
    """Return an account as a table of Markdown, with the sum of all in its last line."""
    lines = list(account.lines.values())
    rows = [*map(_cells, lines), [f"**{cell}**" for cell in _cells(_sum(lines))]]
    marks = ["---" if name[0] == "f" else "--:" for name in COLUMNS]
    text = "\n".join(f"| {' | '.join(cells)} |" for cells in ([*COLUMNS], *rows))
    head, _, rest = text.partition("\n")
    return f"{head}\n|{'|'.join(marks)}|\n{rest}\n"
