"""How long the static edition takes: a year of 5,000 assets, and one more slot.

The store is that of ``year_store.py``, in SQLite. Each run is a process of its own, from its
start to its end, with as many workers as the machine has cores; the clock is that of the store's
newest slot. After the update the files of some assets are read back.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import sqlalchemy as sa

from coinlog.publish.carrying_out import Published, publish
from coinlog.slots import HOUR
from coinlog.store.engine import open_engine
from coinlog.store.writer import settle
from coinlog.watching import Advance
from harness import OUT, Result, check, main, say, timed, wait_for_quiet
from year_store import STEP, MadeUpYear, year_in_sqlite

FIRST_SECONDS, UPDATE_SECONDS = 120, 5
UPDATES = 3
SAMPLE = 50


@contextmanager
def unwatched(_what: str, _total: int | None) -> Iterator[Advance]:
    """Let nobody watch."""
    yield lambda _: None


def published(url: sa.URL, folder: Path, now: float) -> tuple[float, Published]:
    """Publish in a process of its own; return its seconds and what it told."""
    command = (sys.executable, __file__, "once", str(url), str(folder), str(now))
    # A program that has run before finds its modules compiled.
    usual = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    wait_for_quiet()
    told: list[str] = []

    def run() -> None:
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=usual)
        told.append(done.stdout)

    seconds = timed(run)
    return seconds, msgspec.json.decode(told[0], type=Published)


def once(url: str, folder: str, now: float) -> None:
    """Publish here, and tell what was done."""
    done = publish(
        sa.make_url(url), Path(folder), unwatched, consent=lambda _: True, clock=lambda: now
    )
    sys.stdout.write(msgspec.json.encode(done).decode())


def add_slot(url: sa.URL, year: MadeUpYear, slot: int) -> None:
    """Store one more slot, with the numbers of the newest."""
    newest = year.settlement(len(year.slots) - 1)
    snapshot = newest.snapshot and msgspec.structs.replace(newest.snapshot, observed_at=slot + 12)
    later = msgspec.structs.replace(newest, slot=slot, captured_at=slot + 13, snapshot=snapshot)
    engine = open_engine(url)
    settle(engine, later, slot + 14)
    engine.dispose()


def check_files(folder: Path, year: MadeUpYear, newest: int) -> None:
    """Read some assets' newest month back: its last slot and price."""
    chance = random.Random(1)  # noqa: S311  a sample needs chance, not secrecy
    month = time.strftime("%Y-%m", time.gmtime(newest))
    for base in chance.sample(year.bases, SAMPLE):
        path = folder / f"data/assets/{base.asset_id}/{month}.json"
        file = json.loads(path.read_bytes())
        price = year.quote(base, len(year.slots) - 1).price
        found = sum(file["slots"]), file["price"][-1]
        check(equal=found == (newest, price), what=f"{path}: {found}")


def measure(quick: bool) -> list[Result]:  # noqa: FBT001
    """Measure the first publishing once, and some updates."""
    made, year = year_in_sqlite(quick)
    with tempfile.TemporaryDirectory(prefix="coinlog-bench-", dir=OUT) as folder:
        url = made.set(database=f"{folder}/coinlog.db")
        shutil.copyfile(str(made.database), str(url.database))
        site, newest = Path(folder) / "site", year.slots[-1]
        first, told = published(url, site, newest + HOUR)
        say(f"{told.written:,} files, {told.bytes / 1e6:,.0f} MB in {first:.0f} s")
        updates = []
        for _ in range(UPDATES):
            newest += STEP
            add_slot(url, year, newest)
            seconds, told = published(url, site, newest + HOUR)
            updates.append(seconds)
            say(f"one more slot: {told.written:,} files written in {seconds:.1f} s")
            check_files(site, year, newest)
    assets = f"{len(year.bases):,} assets x {len(year.slots):,} slots"
    middle = sorted(updates)[len(updates) // 2]
    return [
        Result(
            f"publish of {assets}",
            "a budget",
            " s",
            *(first, first, first),
            target=FIRST_SECONDS,
            at_most=True,
        ),
        Result(
            f"publish after one more slot of {assets}",
            "a budget",
            " s",
            *(middle, min(updates), max(updates)),
            target=UPDATE_SECONDS,
            at_most=True,
        ),
    ]


if __name__ == "__main__":
    if sys.argv[1:2] == ["once"]:
        once(sys.argv[2], sys.argv[3], float(sys.argv[4]))
    else:
        main("publish", measure)
