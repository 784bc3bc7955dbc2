"""Kill recorders at random moments, many times, and see that no slot is torn, lost or doubled.

A recorder records slot after slot as fast as it can until it is killed with SIGKILL; the next
one begins where that one died. Run the long form with::

    .venv/bin/python tests/kill_storm.py --kills 200 --store sqlite
    .venv/bin/python tests/kill_storm.py --kills 200 --store mariadb

The suite runs a shorter form. The seed is printed, so that a storm can be repeated.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import sqlalchemy as sa

from cmc_server import CMCServer
from coinlog.capturing import Standing
from coinlog.slots import iso
from coinlog.store import schema
from coinlog.store.engine import open_engine
from market import LISTINGS, Desk, answer_all
from samples import SLOT, STEP
from servers import MariaDB

ASSETS = 300
LONGEST_LIFE_SECONDS = 0.6

# Forked children share nothing with us but what was imported, so each is a recorder's whole life.
fork = multiprocessing.get_context("fork")


@dataclass
class Result:
    """What a storm left behind."""

    kills: int = 0
    slots: int = 0
    torn: int = 0
    lost: int = 0
    doubled: int = 0
    asked: int = 0

    @property
    def clean(self) -> bool:
        return self.slots > 0 and not (self.torn or self.lost or self.doubled)


def record_on(store_url: sa.URL, folder: Path, source_url: str, slots: int | None) -> None:
    """Record the slot that the last recorder was at, and on from there; for ever, or ``slots``."""
    desk = Desk(store_url, folder, source_url, assets=f"top:{ASSETS}")
    with desk.engine.connect() as connection:
        newest = connection.execute(sa.select(sa.func.max(schema.slot.c.slot))).scalar()
    slot = max(newest or SLOT, SLOT)
    while slots is None or slots > 0:
        desk.now = slot + 5.0
        recording = desk.record(slot)
        assert recording.done, recording
        assert recording.captured.standing is not Standing.BUSY, f"{iso(slot)} is held by the dead"
        slot += STEP
        slots = None if slots is None else slots - 1


def storm(store_url: sa.URL, folder: Path, kills: int, seed: int) -> Result:
    """Let a storm of ``kills`` pass over a store and an archive; return what it left."""
    chance = random.Random(seed)
    with source() as (source_url, count):
        for _ in range(kills):
            recorder = fork.Process(target=record_on, args=(store_url, folder, source_url, None))
            recorder.start()
            recorder.join(chance.uniform(0, LONGEST_LIFE_SECONDS))
            recorder.kill()
            recorder.join()
        last = fork.Process(target=record_on, args=(store_url, folder, source_url, 2))
        last.start()
        last.join()
        if last.exitcode:
            raise SystemExit("the recorder after the storm failed")
        return inspect(store_url, kills, count())


def inspect(store_url: sa.URL, kills: int, asked: int) -> Result:
    """Compare what is stored with what must be: every slot, whole, once."""
    engine = open_engine(store_url)
    whole = ASSETS + 8
    with engine.connect() as connection:
        quotes = sa.select(schema.quote.c.slot, sa.func.count()).group_by(schema.quote.c.slot)
        outcomes = sa.select(schema.slot.c.slot, schema.slot.c.outcome)
        counts: dict[int, int] = dict(connection.execute(quotes).fetchall())
        ledger = dict(connection.execute(outcomes).fetchall())
        if engine.dialect.name == "sqlite":
            assert connection.execute(sa.text("PRAGMA integrity_check")).scalar() == "ok"
    engine.dispose()
    due = range(SLOT, max(ledger) + 1, STEP)
    return Result(
        kills=kills,
        slots=len(due),
        torn=sum(count < whole for count in counts.values()) + len(counts.keys() ^ ledger.keys()),
        lost=sum(ledger.get(slot) != "stored" for slot in due),
        doubled=sum(count > whole for count in counts.values()),
        asked=asked,
    )


@contextmanager
def source() -> Iterator[tuple[str, Callable[[], int]]]:
    """Run the source in a process of its own, so that we can fork without its threads."""
    ours, theirs = fork.Pipe()
    server = fork.Process(target=_serve, args=(theirs,), daemon=True)
    server.start()
    url = ours.recv()

    def count() -> int:
        ours.send("count")
        return int(ours.recv())

    try:
        yield url, count
    finally:
        server.kill()
        server.join()


def _serve(pipe: Connection) -> None:
    with CMCServer() as server:
        answer_all(server, [1, 1027, *range(2000, 2000 + ASSETS - 2)])
        pipe.send(server.url)
        while pipe.recv():
            pipe.send(len(server.asked(LISTINGS)))


def main() -> int:
    """Run a storm as the command line says, and print what it left."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--store", choices=["sqlite", "mariadb"], default="sqlite")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    wanted = parser.parse_args()
    print(f"seed {wanted.seed}")
    with tempfile.TemporaryDirectory() as place, store_at(wanted.store, Path(place)) as url:
        result = storm(url, Path(place) / "archive", wanted.kills, wanted.seed)
    print(wanted.store, result)
    return 0 if result.clean else 1


@contextmanager
def store_at(kind: str, place: Path) -> Iterator[sa.URL]:
    if kind == "sqlite":
        yield sa.URL.create("sqlite", database=str(place / "coinlog.db"))
        return
    with MariaDB() as server, server.database() as url:
        yield url


if __name__ == "__main__":
    sys.exit(main())
