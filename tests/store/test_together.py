"""Many readers beside one writer: nobody is told that the database is locked."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from coinlog.store.engine import open_engine
from coinlog.store.ledger import read_head, read_rows
from coinlog.store.listing import read_leading
from coinlog.store.reader import Reader
from coinlog.store.writer import settle
from samples import SLOT, STEP, settlement, snapshot
from stores import opened

READERS = 16
SLOTS = 8
ASSETS = range(1, 60)


def test_sixteen_readers_and_a_writer_never_stand_in_each_others_way(store_url: sa.URL) -> None:
    done = threading.Event()

    with opened(store_url) as engine:
        store_slot(engine, 0)
        with ThreadPoolExecutor(READERS) as pool:
            reading = [pool.submit(read_until, store_url, done) for _ in range(READERS)]
            try:
                for number in range(1, SLOTS):
                    store_slot(engine, number)
            finally:
                done.set()
            counts = [one.result() for one in reading]

        assert len(read_rows(Reader(engine), [SLOT + n * STEP for n in range(SLOTS)])) == SLOTS
    assert min(counts) > 0


def store_slot(engine: sa.Engine, number: int) -> None:
    slot = SLOT + number * STEP
    found = snapshot(ASSETS, price=float(number), observed_at=slot + 12)
    settle(engine, settlement(slot, found=found), slot + 20)


def read_until(url: sa.URL, done: threading.Event) -> int:
    """Read one moment after another, each whole: all its quotes are of its newest slot."""
    reader, count = Reader(open_engine(url, read_only=True)), 0
    while not done.is_set() or not count:
        with reader.snapshot():
            newest = read_head(reader).newest
            assert newest is not None
            leading = read_leading(reader, newest.slot, len(ASSETS))
            quotes = reader.newest([one.id for one in leading])
        number = (newest.slot - SLOT) // STEP
        assert len(quotes) == len(ASSETS)
        assert {one.quote.price for one in quotes} == {float(number)}
        count += 1
    reader.engine.dispose()
    return count
