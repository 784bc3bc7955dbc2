"""Filling in the made-up market's past, before ``coinlog up`` records its present."""

from __future__ import annotations

import time

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from coinlog.cli.lines import lines
from coinlog.cli.report import out, tell, warn
from coinlog.errors import StoreError
from coinlog.parts import Parts
from coinlog.simulated_history import history_slots, record_history


def try_to_fill_in(parts: Parts) -> None:
    """Fill in the made-up past; a database that goes away must not keep us from recording."""
    try:
        _fill_in(parts)
    except StoreError as error:
        warn(
            f"{error}; the next start fills in what is missing of the simulated year",
            "  history  [yellow]not whole:[/] ",
        )


def _fill_in(parts: Parts) -> None:
    slots = history_slots(parts, time.time())
    if not slots:
        return
    columns = (
        TextColumn("  history  {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    quiet = not out.is_terminal
    with Progress(*columns, console=out, transient=quiet, disable=lines.json) as progress:
        task = progress.add_task("a simulated year, slot by slot", total=len(slots))
        for _ in record_history(parts, slots):
            progress.advance(task)
    tell(f"  history  [green]✓[/] {len(slots):,} simulated slots recorded")
