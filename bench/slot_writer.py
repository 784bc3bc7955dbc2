"""A recorder's transaction again and again: a slot of 5,000 assets every 5 s, until it is killed.

    bench/slot_writer.py DATABASE_URL NEWEST ASSETS SLOTS FROM

It prints each slot that it has stored, or what went wrong.
"""

from __future__ import annotations

import sys
import time

from coinlog.errors import StoreError
from coinlog.store.engine import open_engine
from coinlog.store.writer import settle
from year_store import MadeUpYear

EVERY_SECONDS = 5.0
"""Twelve times as often as the shortest schedule. A slot each second takes more than half of one of
two cores from the readers on MariaDB: that measures the machine, not whether they get in each
other's way."""
STEP = 300


def main() -> int:
    """Write slots, one every few seconds, as far as that goes."""
    url, newest, assets, slots, first = sys.argv[1], *map(int, sys.argv[2:6])
    year = MadeUpYear(assets, slots, newest, step=STEP)
    engine = open_engine(url)
    print("ready", flush=True)
    for index in range(first, slots):
        started = time.monotonic()
        settlement = year.settlement(index)
        begun = time.monotonic()
        try:
            settle(engine, settlement, settlement.slot + 14)
        except StoreError as error:
            print(f"failed {error}", flush=True)
        else:
            print(f"stored {time.monotonic() - begun:.3f}", flush=True)
        # At a steady pace, however long one took to store: the load must not depend on the speed.
        time.sleep(max(0.0, started + EVERY_SECONDS - time.monotonic()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
