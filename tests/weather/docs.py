"""The tables in docs/weather.md, written from the storms themselves."""

from __future__ import annotations

import os
import re
from pathlib import Path

from weather.account import Account
from weather.fault import MARIADB, SQLITE
from weather.table import as_markdown

NAMES = {SQLITE: "SQLite", MARIADB: "MariaDB"}


def write_down(page: Path, kind: str, account: Account, *, again: str, took: float) -> None:
    """Put a storm's account in the place of the one that a page has of that kind of store.

    Raises:
        ValueError: the page has no place for it.
    """
    text = page.read_text(encoding="utf-8")
    place = re.compile(rf"^### {NAMES[kind]}: .*?(?=^##|\Z)", re.MULTILINE | re.DOTALL)
    section = _section(kind, account, again, took)
    written, places = place.subn(lambda found: section + _gap(found), text)
    if places != 1:
        raise ValueError(f"{page} has {places} sections that begin with '### {NAMES[kind]}: '")
    page.write_text(written, encoding="utf-8")


def _section(kind: str, account: Account, again: str, took: float) -> str:
    times = sum(line.times for line in account.lines.values())
    verdict = "Every promise was kept." if account.clean else "Not every promise was kept."
    lasted = f"{took / 60:.0f} minutes on a machine of {os.cpu_count()} cores"
    return (
        f"### {NAMES[kind]}: {times} faults\n\n`{again}`; it took {lasted}. **{verdict}**\n\n"
        f"{as_markdown(account)}"
    )


def _gap(found: re.Match[str]) -> str:
    """Return the empty line before what follows; at a page's end there is none."""
    return "\n" if found.end() < len(found.string) else ""
