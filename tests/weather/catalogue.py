"""Every fault there is."""

from __future__ import annotations

from weather import (
    archive_faults,
    clock_faults,
    corruption_faults,
    database_faults,
    delivery_faults,
    kill_faults,
    reach_faults,
    row_faults,
    source_faults,
    up_faults,
)
from weather.fault import Fault

FAULTS: tuple[Fault, ...] = (
    *kill_faults.FAULTS,
    *up_faults.FAULTS,
    *source_faults.FAULTS,
    *row_faults.FAULTS,
    *reach_faults.FAULTS,
    *clock_faults.FAULTS,
    *delivery_faults.FAULTS,
    *database_faults.FAULTS,
    *archive_faults.FAULTS,
    *corruption_faults.FAULTS,
)


def listed() -> str:
    """Return every fault and what it is as a table of Markdown: the one in docs/weather.md."""
    lines = ["| fault | what happens | databases |", "|---|---|---|"]
    for fault in FAULTS:
        where = (
            "both"
            if len(fault.stores) > 1
            else {"sqlite": "SQLite", "mariadb": "MariaDB"}[next(iter(fault.stores))]
        )
        lines.append(f"| {fault.name} | {fault.in_words} | {where} |")
    return "\n".join(lines) + "\n"
