"""How fast the whole store is built anew from the archive, and how much memory that takes.

The program's own ``coinlog replay`` reads the archive of a simulated year of 1,000 assets, and of
slots of 5,000, and puts a new store in place of the live one: reading, unpacking, hashing and
judging included, every commit on disk. Beside it runs what disk and database can do at the most:
rows that lie ready in memory, into a table without a key. After each replay the rows are compared
with those that were there before. ``coinlog verify`` is timed as well.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa

from coinlog.archive import open_archive
from coinlog.move.digests import Digests, read_digests
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.pages import pages, snapshot
from coinlog.store.rows import COLUMNS
from harness import OUT, Result, check, in_turn, main, say, spread, timed
from processes import pss_bytes
from servers import MariaDB
from simulated_archive import Market, put_slots
from store_slot import connect
from year_store import STEP, YEAR

TARGET = 25_000
BUDGET_MB = 500
ROUNDS, QUICK_ROUNDS = 3, 1
SIZES = {1_000: YEAR, 5_000: 200}
QUICK_SIZES = {1_000: 120, 5_000: 20}
SAMPLE = 200_000
FIRST = 1_735_689_600
_LOOK_SECONDS = 0.2
_POOL_BYTES = 3 * 1024**3
_OUR_CLOCK = ("stored_at", "settled_at", "version")
_MARKS = ", ".join("?" * len(COLUMNS))
_NAMES = ", ".join(f"`{name}`" for name in COLUMNS)


@dataclass
class Program:
    """The real command, with a store and an archive; remembers the most memory it took."""

    url: sa.URL
    archive: Path
    most_bytes: dict[str, int] = field(default_factory=dict)

    def __call__(self, command: str) -> dict[str, Any]:
        """Run a command to its end and return the JSON it prints."""
        environment = {
            **os.environ,
            "COINLOG_DATABASE_URL": self.url.render_as_string(hide_password=False),
            "COINLOG_ARCHIVE": str(self.archive),
        }
        arguments = (sys.executable, "-m", "coinlog", command, "--json")
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(arguments, env=environment, stdout=output)
            self._watch_memory(command, process)
            check(equal=process.returncode == 0, what=f"coinlog {command}")
            output.seek(0)
            told: dict[str, Any] = json.load(output)
        return told

    def _watch_memory(self, command: str, process: subprocess.Popen[bytes]) -> None:
        """Remember the most that all processes of a command have had together, until it ends."""
        while process.poll() is None:
            with suppress(psutil.Error, OSError):
                most, _ = pss_bytes(process.pid)
                self.most_bytes[command] = max(self.most_bytes.get(command, 0), most)
            # The system tells how much memory a process has only to who asks, now and then.
            time.sleep(_LOOK_SECONDS)

    def digests(self) -> Digests:
        """Return what the store holds, less what our own clock has written."""
        engine = open_engine(self.url, read_only=True)
        try:
            return read_digests(engine, leave_out=_OUR_CLOCK)
        finally:
            engine.dispose()


def archive_of(assets: int, slots: int) -> Path:
    """Return an archive of the simulated market, made once."""
    folder = OUT / f"archive-{assets}-{slots}"
    archive = open_archive(str(folder))
    there = len(archive.attempts())
    if there < slots:
        say(f"keeping {slots:,} slots of {assets:,} simulated assets in {folder.name}")
        times = range(FIRST + there * STEP, FIRST + slots * STEP, STEP)
        put_slots(archive, Market(assets), times)
    return folder


def replaying(program: Program, wanted: Digests) -> float:
    """Replay, compare the rows with what was there, and return quotes a second."""
    told = program("replay")
    check(equal=wanted.differences(program.digests()) == [], what="the rows after a replay")
    return float(told["quotes"] / told["seconds"])


def verifying(program: Program) -> float:
    """Verify and return quotes a second."""
    told: dict[str, Any] = {}
    seconds = timed(lambda: told.update(program("verify")))
    check(equal=told["differences"] == 0, what="what verify finds")
    return float(told["quotes"] / seconds)


def sample_of(url: sa.URL) -> list[tuple[Any, ...]]:
    """Return some quotes as they are, in memory."""
    engine = open_engine(url, read_only=True)
    with snapshot(engine) as connection:
        rows = list(islice(chain.from_iterable(pages(connection, schema.quote)), SAMPLE))
    engine.dispose()
    return rows


def appended(rows: list[tuple[Any, ...]], path: Path) -> float:
    """Append rows to a SQLite table without a key, on disk; return rows a second."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(f"CREATE TABLE plain ({_NAMES})")

        def insert() -> None:
            with connection:
                connection.executemany(f"INSERT INTO plain VALUES ({_MARKS})", rows)  # noqa: S608

        return len(rows) / timed(insert)


def bulk_loaded(rows: list[tuple[Any, ...]], url: sa.URL, path: Path) -> float:
    """Write rows to a file and LOAD DATA it into a table without a key; return rows a second."""
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS plain")
        cursor.execute("CREATE TABLE plain AS SELECT * FROM quote LIMIT 0")

        def load() -> None:
            lines = (
                "\t".join(["\\N" if value is None else str(value) for value in row]) for row in rows
            )
            path.write_text("\n".join(lines) + "\n")
            cursor.execute(f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE plain ({_NAMES})")
            connection.commit()

        seconds = timed(load)
        cursor.execute("SELECT COUNT(*) FROM plain")
        check(equal=cursor.fetchone() == (len(rows),), what="LOAD DATA")
        cursor.execute("DROP TABLE plain")
    return len(rows) / seconds


@contextmanager
def mariadb() -> Iterator[sa.URL]:
    """Run a server with full durability and a pool that a small machine can give."""
    with ExitStack() as stack:
        server = MariaDB()
        stack.callback(server.remove)
        server.start()
        pool = f"SET GLOBAL innodb_buffer_pool_size = {_POOL_BYTES}"
        server.execute(pool, "SET GLOBAL local_infile = 1")
        yield stack.enter_context(server.database())


@contextmanager
def sqlite() -> Iterator[sa.URL]:
    """Give a file in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="coinlog-bench-", dir=OUT) as folder:
        yield sa.URL.create("sqlite", database=f"{folder}/coinlog.db")


def compare(name: str, url: sa.URL, assets: int, slots: int, rounds: int) -> Iterator[Result]:
    """Replay one archive into one store, round after round, beside the baseline."""
    program = Program(url, archive_of(assets, slots))
    say(f"loading {slots:,} slots of {assets:,} assets into {name}")
    program("load")
    wanted, rows = program.digests(), sample_of(url)
    with tempfile.TemporaryDirectory(prefix="coinlog-bench-", dir=OUT) as folder:
        plain: Callable[[], float] = partial(appended, rows, Path(folder) / "plain.db")
        baseline = "executemany into a table without a key"
        if name == "MariaDB":
            plain = partial(bulk_loaded, rows, url, Path(folder) / "plain.tsv")
            baseline = "LOAD DATA into a table without a key"
        contenders: dict[str, Callable[[], float]] = {
            "replay": partial(replaying, program, wanted),
            "plain": plain,
            "verify": partial(verifying, program),
        }
        found = in_turn(contenders, rounds)
    what = f"replay of {slots:,} slots of {assets:,} assets into {name}"
    figures = found.values
    told = f"{found.said('replay', 'quotes/s')}; baseline: {found.said('plain', 'rows/s')}"
    yield Result(
        what,
        "quotes a second",
        " /s",
        *spread(figures["replay"]),
        target=TARGET,
        detail=told,
    )
    yield Result(what, baseline, "x", *found.ratio("replay", "plain"), detail="archive included")
    yield Result(
        f"verify of {slots:,} slots of {assets:,} assets in {name}",
        "quotes a second",
        " /s",
        *spread(figures["verify"]),
    )
    for command in ("replay", "verify"):
        most = program.most_bytes[command] / 1_000_000
        yield Result(
            f"memory of {command}, {slots:,} slots of {assets:,} assets, {name}",
            "a budget",
            " MB",
            *(most, most, most),
            target=BUDGET_MB,
            at_most=True,
        )


def measure(quick: bool) -> list[Result]:  # noqa: FBT001
    """Measure both databases with both sizes."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    results: list[Result] = []
    for assets, slots in (QUICK_SIZES if quick else SIZES).items():
        for name, made in (("SQLite", sqlite), ("MariaDB", mariadb)):
            with made() as url:
                results += compare(name, url, assets, slots, rounds)
    return results


if __name__ == "__main__":
    main("replay", measure)
