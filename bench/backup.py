"""How long a backup and a restore of 10 million rows take, on SQLite and on MariaDB.

Each store is backed up and restored into an empty one of its own kind by the program itself; both
are proven by digest on the way, and that is part of the time. ``--quick`` takes 200,000 rows.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from coinlog.slots import floor_slot
from harness import OUT, Result, check, main, say
from scale_stores import fill, start
from servers import MariaDB
from year_store import STEP, MadeUpYear

ASSETS, SLOTS = 6_850, 1_460
QUICK_ASSETS = 137
BUDGET_MINUTES = 15


def measure(quick: bool) -> list[Result]:  # noqa: FBT001
    """Fill, back up, restore and compare, on one database after the other."""
    year = MadeUpYear(QUICK_ASSETS if quick else ASSETS, SLOTS, floor_slot(time.time(), STEP))
    results = []
    with tempfile.TemporaryDirectory(prefix="backup-", dir=OUT) as name:
        for kind, stores in (("SQLite", sqlite_stores), ("MariaDB", mariadb_stores)):
            with stores(Path(name)) as (origin, target):
                say(f"filling {kind}")
                fill(origin, year)
                results += round_trip(kind, origin, target, Path(name) / f"{kind}.tar")
    return results


def round_trip(kind: str, origin: sa.URL, target: sa.URL, path: Path) -> list[Result]:
    """Back a store up and restore it, each by a process of its own."""
    made = Run(origin, "backup", str(path), "--without-archive")
    size = f"{made.told['rows'] / 1e6:.2f} M rows, {path.stat().st_size / 1e6:,.0f} MB"
    say(f"{kind}: {size}; {made.detail}")
    back = Run(target, "restore", str(path))
    check(equal=bool(back.told["equal"]) and back.told["rows"] == made.told["rows"], what=kind)
    path.unlink()
    return [
        minutes(f"{kind}: backup, proven", made.seconds, f"{size}; {made.detail}"),
        minutes(f"{kind}: restore, proven", back.seconds, back.detail),
    ]


class Run:
    """A command that was run: what it told, and the seconds and the memory that it took."""

    def __init__(self, url: sa.URL, *arguments: str) -> None:
        address = url.render_as_string(hide_password=False)
        started = time.perf_counter()
        done = subprocess.run(
            (sys.executable, "-c", _MEASURED, *arguments, "--json"),
            env={
                "PATH": "/usr/bin:/bin",
                "COINLOG_DATABASE_URL": address,
                "COINLOG_DATA": str(OUT),
            },
            capture_output=True,
            check=False,
        )
        self.seconds = time.perf_counter() - started
        check(equal=done.returncode == 0, what=done.stderr.decode())
        self.told = msgspec.json.decode(done.stdout, type=dict[str, Any])
        peak_kb, processor_seconds = map(float, done.stderr.split()[-2:])
        # On a busy machine the processor's time says more than the clock's.
        self.detail = f"{processor_seconds / 60:.1f} min of a processor, {peak_kb / 1000:,.0f} MB"


_MEASURED = """
import resource, subprocess, sys
code = subprocess.call([sys.executable, "-m", "coinlog", *sys.argv[1:]])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_maxrss, used.ru_utime + used.ru_stime, file=sys.stderr)
sys.exit(code)
"""


def minutes(what: str, seconds: float, detail: str) -> Result:
    """Return one measured stretch of time."""
    found = seconds / 60
    budget = BUDGET_MINUTES
    return Result(
        what, "a budget", " min", found, found, found, target=budget, at_most=True, detail=detail
    )


@contextmanager
def sqlite_stores(folder: Path) -> Iterator[tuple[sa.URL, sa.URL]]:
    """Lend two files."""
    names = (folder / "origin.db", folder / "target.db")
    origin, target = (sa.URL.create("sqlite", database=str(name)) for name in names)
    yield origin, target
    for path in folder.glob("*.db*"):
        path.unlink()


@contextmanager
def mariadb_stores(_folder: Path) -> Iterator[tuple[sa.URL, sa.URL]]:
    """Lend two databases of one server, with a small machine's memory."""
    server = MariaDB()
    try:
        start(server)
        with server.database() as origin, server.database() as target:
            yield origin, target
    finally:
        server.remove()


if __name__ == "__main__":
    main("backup", measure)
