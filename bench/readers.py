"""Sixteen readers and one writer: is anybody refused, and what does the writer cost the readers?

A store of 5,000 assets; 16 readers ask pages and the API for changing targets at a steady pace. In
turn with nobody writing, and with a writer that stores a slot of 5,000 assets every five seconds,
twelve times as often as the shortest schedule does. On SQLite and on MariaDB.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import sqlalchemy as sa

from coinlog.slots import floor_slot
from coinlog.store.engine import open_engine
from harness import ROOT, Result, check, main, say
from processes import coinlog_serving, fetch
from reading import DATA, PAGES, Met, read_for
from servers import MariaDB
from slot_writer import STEP
from year_store import MadeUpYear, fill

ASSETS, HISTORY = 5_000, 288
TURNS, TURN_SECONDS = 5, 60.0
WARM_SECONDS = 20.0
MOST = 2.0
"""The most that the writer may cost: p99 of the pages against p99 without it."""


@dataclass
class Writing:
    """What a writer did."""

    seconds: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


class Writer:
    """The writer, in a process of its own; each turn goes on where the one before ended."""

    def __init__(self, url: sa.URL, newest: int, assets: int, slots: int) -> None:
        self._told = [url.render_as_string(hide_password=False), newest, assets, slots]
        self._next = 0
        self.done = Writing()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Write until the block ends."""
        told = [*map(str, self._told), str(self._next)]
        command = [sys.executable, str(ROOT / "bench" / "slot_writer.py"), *told]
        with tempfile.TemporaryFile("w+") as said:
            process = subprocess.Popen(command, stdout=said, stderr=said, cwd=ROOT)
            self._wait_until_ready(process, said.fileno())
            try:
                yield
            finally:
                process.kill()
                process.wait()
                said.seek(0)
                self._learn(said.read().splitlines())

    def _wait_until_ready(self, process: subprocess.Popen[bytes], said: int) -> None:
        give_up = time.monotonic() + 120
        while not Path(f"/proc/self/fd/{said}").stat().st_size:
            check(equal=process.poll() is None and time.monotonic() < give_up, what="the writer")
            # It writes into a file, which nobody can wait for.
            time.sleep(0.1)

    def _learn(self, lines: list[str]) -> None:
        for line in lines:
            word, _, rest = line.partition(" ")
            if word == "stored":
                self.done.seconds.append(float(rest))
            elif word != "ready":
                self.done.failed.append(line)
        self._next = len(self.done.seconds) + len(self.done.failed)


def measure(quick: bool) -> list[Result]:  # noqa: FBT001
    """Measure both databases."""
    results = []
    with tempfile.TemporaryDirectory(prefix="coinlog-readers-") as folder:
        url = sa.URL.create("sqlite", database=f"{folder}/coinlog.db")
        results += on_store("SQLite", url, quick=quick)
    with MariaDB() as server, server.database() as url:
        results += on_store("MariaDB", url, quick=quick)
    return results


def on_store(name: str, url: sa.URL, *, quick: bool) -> list[Result]:
    """Fill a store and read it, in turn without a writer and with one."""
    assets, turns, seconds = (500, 2, 8.0) if quick else (ASSETS, TURNS, TURN_SECONDS)
    most = int(turns * (seconds + 10) * 2)
    newest = floor_slot(time.time(), STEP)
    history = MadeUpYear(assets, HISTORY, newest - most * STEP, step=STEP)
    engine = open_engine(url)
    fill(engine, history)
    engine.dispose()
    ids = [base.asset_id for base in history.bases]
    writer = Writer(url, newest, assets, most)
    alone, beside = [], []
    with coinlog_serving(url) as (port, pid):
        read_for(3 if quick else WARM_SECONDS, port, ids, 99)
        for turn in range(turns):
            say(f"{name}: turn {turn + 1} of {turns}")
            alone.append(read_for(seconds, port, ids, turn))
            with writer.at_work():
                beside.append(read_for(seconds, port, ids, turn + 50))
        busy = "database is locked" in fetch(port, "/metrics").text
        check(equal=not busy and psutil.pid_exists(pid), what="the server")
    return _results(name, alone, beside, writer.done)


def _results(name: str, alone: list[Met], beside: list[Met], written: Writing) -> list[Result]:
    before, during = Met(), Met()
    for one, other in zip(alone, beside, strict=True):
        before.add(one)
        during.add(other)
    for met in (before, during):
        for error in met.errors[:5]:
            say(f"[red]{error}[/]")
    for line in written.failed[:5]:
        say(f"[red]{line}[/]")
    wrong = float(before.wrong + during.wrong + len(written.failed))
    slots = sorted(written.seconds)
    detail = f"{sum(during.statuses.values()):,} answers, {len(slots)} slots stored meanwhile, "
    detail += f"in {slots[len(slots) // 2] * 1000:.0f} ms (median)" if slots else "none"
    return [
        Result(f"{name}: errors", "none", "", wrong, wrong, wrong, 0, at_most=True, detail=detail),
        *(
            _compared(name, kind, share, alone, beside, before, during)
            for kind in (PAGES, DATA)
            for share in (0.5, 0.99)
        ),
    ]


def _compared(  # noqa: PLR0913, PLR0917  both sides, in turns and together
    name: str,
    kind: str,
    share: float,
    alone: list[Met],
    beside: list[Met],
    before: Met,
    during: Met,
) -> Result:
    ratios = [
        other.percentile(kind, share) / one.percentile(kind, share)
        for one, other in zip(alone, beside, strict=True)
    ]
    first, second = before.percentile(kind, share), during.percentile(kind, share)
    return Result(
        f"{name}: {kind}, p{share * 100:.0f}",
        "without a writer",
        "x",
        second / first,
        min(ratios),
        max(ratios),
        MOST if (kind, share) == (PAGES, 0.99) else None,
        at_most=True,
        detail=f"{second:.1f} ms against {first:.1f} ms",
    )


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main("readers", measure)
