"""A failover as long as real ones: a database that is gone for minutes and comes back elsewhere.

A recorder that goes on from slot to slot meets it in the middle of one, and stores that slot by
itself; one that has less patience says why not, and stores it with the next. Run it with::

    .venv/bin/python tests/failover_storm.py --seconds 150
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from cmc_server import CMCServer
from coinlog.recorder import Recording
from coinlog.store import schema
from market import Desk, answer_all
from samples import SLOT, STEP
from servers import MariaDB
from tcp_proxy import proxied
from troubles import Troubles

MARGIN_SECONDS = 30.0


def fail_over(seconds: float, place: Path) -> list[str]:
    """Let a database be gone for so long, once within patience and once beyond it."""
    with MariaDB() as server, proxied(server.port) as proxy, CMCServer() as source:
        database = server.make_database()
        desk = Desk(server.url(database).set(port=proxy.port), place / "archive", source.url)
        troubles = Troubles(server, proxy, database)
        said = []
        for number, patience in enumerate((seconds + MARGIN_SECONDS, seconds / 3)):
            answer_all(source, at=SLOT + number * STEP + 12)
            begun = time.monotonic()
            with ThreadPoolExecutor(1) as pool, troubles.moved():
                recording = pool.submit(_record, desk, number, patience)
                threading.Event().wait(seconds)
            told = recording.result()
            took = time.monotonic() - begun
            said.append(
                f"gone for {seconds:g} s, patience {patience:g} s: "
                f"{told.trouble or 'stored'} ({took:.0f} s)"
            )
        answer_all(source, at=SLOT + 2 * STEP + 12)
        _record(desk, 2, patience)
        rows = desk.rows(schema.slot)
        desk.engine.dispose()
        return [*said, *(f"slot {row.slot}: {row.outcome}" for row in rows)]


def _record(desk: Desk, number: int, patience: float) -> Recording:
    slot = SLOT + number * STEP
    desk.now = slot + 5.0
    desk.plan = msgspec.structs.replace(desk.plan, patience_seconds=patience)
    return desk.record(slot)


def main() -> int:
    """Run it as the command line says, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=150)
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as place:
        lines = fail_over(parser.parse_args().seconds, Path(place))
    print("\n".join(lines))
    stored = sum(line.endswith(": stored") for line in lines)
    return 0 if ": stored (" in lines[0] and "could not be used" in lines[1] and stored == 3 else 1


if __name__ == "__main__":
    sys.exit(main())
