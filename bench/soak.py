"""Half an hour of serving and recording under load: do files, threads and memory stay as they are?

`coinlog serve` with two workers, and `coinlog up --no-page` that records a made-up market of 1,000
assets every minute, with all their captures, loads and renewals. Sixteen readers ask for changing
pages. Every ten seconds each process is looked at. After a warm-up of ten minutes, in which caches
fill, the figures have to be flat.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import psutil
import sqlalchemy as sa
from rich.table import Table

from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from harness import OUT, out, say
from processes import environment, running
from reading import Met, read_for
from servers import MariaDB, free_port

MINUTES = 30.0
WARM_SHARE = 1 / 3
LOOK_SECONDS = 10.0
PAUSE_SECONDS = 0.35
ASSETS = 1_000
WORKERS = 2

FLAT_FILES = 4.0
"""What a count may differ by between the first and the last third after the warm-up: idle
connections come and go."""

FLAT_BYTES = 6_000_000
FLAT_SHARE = 0.05
"""What memory may have grown by after the warm-up, in bytes or as a share of it."""


@dataclass
class Course:
    """What a process had at each look: seconds since the start, files, threads, bytes."""

    times: list[float] = field(default_factory=list)
    values: dict[str, list[float]] = field(
        default_factory=lambda: {"files": [], "threads": [], "memory": []}
    )

    def look(self, process: psutil.Process, at: float) -> None:
        """Note what the process has."""
        with process.oneshot():
            found = (process.num_fds(), process.num_threads(), process.memory_info().rss)
        self.times.append(at)
        for name, value in zip(self.values, found, strict=True):
            self.values[name].append(float(value))

    def after(self, warm: float, name: str) -> list[tuple[float, float]]:
        """Return times and values after the warm-up."""
        pairs = zip(self.times, self.values[name], strict=True)
        return [pair for pair in pairs if pair[0] >= warm]


def slope_an_hour(pairs: list[tuple[float, float]]) -> float:
    """Return by how much the values grow in an hour: the least squares' line through them."""
    times, values = zip(*pairs, strict=True)
    return statistics.linear_regression(times, values).slope * 3600


def growth(pairs: list[tuple[float, float]]) -> float:
    """Return the median of the last third less that of the first."""
    values = [value for _, value in pairs]
    third = max(1, len(values) // 3)
    return statistics.median(values[-third:]) - statistics.median(values[:third])


def flat(name: str, pairs: list[tuple[float, float]]) -> bool:
    """Return whether values that were to stay have stayed."""
    grown = growth(pairs)
    if name != "memory":
        return grown <= FLAT_FILES
    return grown <= max(FLAT_BYTES, FLAT_SHARE * pairs[0][1])


@contextmanager
def site_under(url: sa.URL) -> Iterator[tuple[int, dict[str, psutil.Process]]]:
    """Serve and record into a store; yield the page's port and all processes by name."""
    store = url.render_as_string(hide_password=False)
    market, page = free_port(), free_port()
    coinlog = (sys.executable, "-m", "coinlog")
    with ExitStack() as stack:
        options = ("simulate", "--port", str(market), "--assets", str(ASSETS))
        stack.enter_context(running(*coinlog, *options, port=market))
        settings = {"COINLOG_DATABASE_URL": store, "COINLOG_PORT": str(page)}
        served = stack.enter_context(
            running(*coinlog, "serve", port=page, COINLOG_WORKERS=str(WORKERS), **settings)
        )
        settings |= {
            "COINLOG_CMC_URL": f"http://127.0.0.1:{market}",
            "COINLOG_INTERVAL": "1m",
            "COINLOG_ASSETS": f"top:{ASSETS}",
        }
        recorder = stack.enter_context(_recording(settings))
        workers = _workers_of(served.pid)
        yield (
            page,
            {
                "recorder": psutil.Process(recorder.pid),
                "supervisor": psutil.Process(served.pid),
                **{f"worker {number}": one for number, one in enumerate(workers, 1)},
            },
        )


def _workers_of(pid: int) -> list[psutil.Process]:
    give_up = time.monotonic() + 60
    while len(found := psutil.Process(pid).children()) < WORKERS:
        if time.monotonic() > give_up:
            raise RuntimeError("the workers did not start within a minute")
        # A worker tells nobody when it is there: it is looked for.
        time.sleep(0.1)
    return found


@contextmanager
def _recording(settings: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run the recorder; what it says goes nowhere, and its store tells the rest."""
    with tempfile.TemporaryDirectory(prefix="coinlog-soak-") as folder:
        process = subprocess.Popen(
            (sys.executable, "-m", "coinlog", "up", "--no-page", "--backfill", "none"),
            env=environment(COINLOG_DATA=folder, **settings),
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(20)


def soak(url: sa.URL, seconds: float) -> tuple[dict[str, Course], Met, int]:
    """Serve, record and read for so long; return each process's course, and what readers met."""
    engine = open_engine(url)
    migrate(engine)
    with site_under(url) as (port, processes):
        _wait_for_slot(engine)
        courses = {name: Course() for name in processes}
        ids, met, started = _asset_ids(engine), Met(), time.monotonic()
        reading = threading.Thread(target=_read, args=(seconds, port, ids, met), daemon=True)
        reading.start()
        while (at := time.monotonic() - started) < seconds:
            for name, process in processes.items():
                courses[name].look(process, at)
            # A course is what is seen at a steady pace.
            time.sleep(LOOK_SECONDS)
        reading.join()
    with engine.connect() as connection:
        slots = connection.execute(sa.text("SELECT COUNT(*) FROM slot WHERE outcome = 'stored'"))
        stored = int(slots.scalar_one())
    engine.dispose()
    return courses, met, stored


def _wait_for_slot(engine: sa.Engine) -> None:
    give_up = time.monotonic() + 180
    while not _asset_ids(engine):
        if time.monotonic() > give_up:
            raise RuntimeError("no slot was recorded within three minutes")
        # The recorder is another process, which is told of by its rows alone.
        time.sleep(1)


def _asset_ids(engine: sa.Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.execute(sa.text("SELECT asset_id FROM latest")).scalars())


def _read(seconds: float, port: int, ids: list[int], met: Met) -> None:
    until, number = time.monotonic() + seconds, 0
    while (left := until - time.monotonic()) > 0:
        found = read_for(min(60.0, left), port, ids, number, PAUSE_SECONDS)
        number += 1
        # Only how many there were is kept: this process is not the one that is looked at.
        met.statuses += found.statuses
        met.errors += found.errors


def show(name: str, courses: dict[str, Course], warm: float) -> bool:
    """Print the table, and return whether all is flat."""
    table = Table(title=f"soak: {name}", title_justify="left")
    for column in ("process", "what", "after the warm-up", "at the end", "a hour", "verdict"):
        table.add_column(column, justify="left" if column in ("process", "what") else "right")
    all_flat = True
    for process, course in courses.items():
        for what in course.values:
            pairs = course.after(warm, what)
            unit = 1_000_000 if what == "memory" else 1
            good = flat(what, pairs)
            all_flat &= good
            table.add_row(
                process,
                f"{what}, MB" if what == "memory" else what,
                f"{pairs[0][1] / unit:,.1f}",
                f"{pairs[-1][1] / unit:,.1f}",
                f"{slope_an_hour(pairs) / unit:+,.2f}",
                "[green]flat[/]" if good else "[bold red]grows[/]",
            )
    out.print(table)
    return all_flat


def on_store(name: str, url: sa.URL, minutes: float) -> bool:
    """Soak one kind of store, and tell how it went."""
    say(f"{name}: {minutes:g} minutes, load average {psutil.getloadavg()[0]:.1f}")
    courses, met, stored = soak(url, minutes * 60)
    OUT.mkdir(parents=True, exist_ok=True)
    kept = {process: {"seconds": one.times, **one.values} for process, one in courses.items()}
    (OUT / f"soak-{name.lower()}.json").write_text(json.dumps(kept))
    good = show(name, courses, minutes * 60 * WARM_SHARE)
    for error in met.errors[:5]:
        say(f"[red]{error}[/]")
    answers = sum(met.statuses.values())
    say(f"{name}: {answers:,} answers, {met.wrong} errors, {stored} slots stored")
    say(f"load average {psutil.getloadavg()[0]:.1f}")
    return good and not met.wrong


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", choices=("sqlite", "mariadb"))
    parser.add_argument("--minutes", type=float, default=MINUTES)
    given = parser.parse_args()
    if given.store == "sqlite":
        with tempfile.TemporaryDirectory(prefix="coinlog-soak-") as folder:
            url = sa.URL.create("sqlite", database=f"{folder}/coinlog.db")
            return 0 if on_store("SQLite", url, given.minutes) else 1
    with MariaDB() as server, server.database() as url:
        return 0 if on_store("MariaDB", url, given.minutes) else 1


if __name__ == "__main__":
    sys.exit(main())
