"""How long writers and readers wait while ten million quotes are upgraded to the newest schema.

Two shapes of ten million: many assets with a year of slots, and few with ten years of a slot
every five minutes, where a million rows of the ledger get new columns. ``coinlog migrate`` runs as
a program; beside it a slot is written every second and a year read all the time. Then the upgrade
is undone and done again, killed five times on its way. ``--quick`` takes a fiftieth of the rows.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa
from alembic import command

from backup import mariadb_stores, sqlite_stores
from coinlog.store.engine import open_engine
from coinlog.store.migrate import current_revision
from coinlog.store.schema import REVISION
from coinlog.store.upgrading import Upgrade
from harness import OUT, Result, check, main, say
from upgrade_stores import Beside, fill

SHAPES = {"6,850 assets x 1,460 slots": (6_850, 1_460), "10 assets x 1 M slots": (10, 1_000_000)}
QUICK_SHAPES = {"137 assets x 1,460 slots": (137, 1_460), "10 assets x 20,000": (10, 20_000)}
MOST_SECONDS = 5.0
KILLS = 5
QUIET_SECONDS = 10.0


def measure(quick: bool) -> list[Result]:  # noqa: FBT001
    """Upgrade every shape on every database."""
    results = []
    OUT.mkdir(parents=True, exist_ok=True)
    for shape, (assets, slots) in (QUICK_SHAPES if quick else SHAPES).items():
        for kind, stores in (("SQLite", sqlite_stores), ("MariaDB", mariadb_stores)):
            with (
                tempfile.TemporaryDirectory(prefix="upgrade-", dir=OUT) as name,
                stores(Path(name)) as (url, _),
            ):
                say(f"filling {kind}: {shape}")
                fill(url, assets, slots)
                results += upgrade(f"{kind}, {shape}", url, slots)
    return results


def upgrade(what: str, url: sa.URL, slots: int) -> list[Result]:
    """Upgrade one store while it is used, and once more with kills."""
    with Beside(url, slots).at_work() as quiet:
        # What a wait is compared with: the same work, for a while, with no upgrade beside it.
        time.sleep(QUIET_SECONDS)
    with Beside(url, slots + quiet.written).at_work() as beside:
        seconds = finished(url)
        # The next slot is written by who waited for it.
        wait_for_a_slot(beside, beside.written)
    # What the first schema's writer wrote after the upgrade is filled as well by the next one.
    undo(url, "0001")
    finished(url)
    before = told(url)
    undo(url, "0001")
    killed = kill_on_the_way(url, seconds)
    check(equal=told(url) == before, what=f"{what}: after {killed} kills")
    undo(url, "0002")
    second = finished(url)
    detail = f"from 0001 in {seconds:.1f} s, from 0002 in {second:.1f} s; {killed} kills, equal"
    return [
        Result(
            f"{what}: longest wait of a {who}",
            f"{quiet.longest[who]:.2g} s without",
            " s",
            *(beside.longest[who],) * 3,
            target=MOST_SECONDS,
            at_most=True,
            detail=detail if who == "writer" else f"{beside.read} readings",
        )
        for who in ("writer", "reader")
    ]


def wait_for_a_slot(beside: Beside, written: int) -> None:
    """Return when one more slot is written."""
    give_up = time.monotonic() + 60
    while beside.written == written and not beside.wrong and time.monotonic() < give_up:
        # The writer counts what it has written, and tells nobody besides.
        time.sleep(0.05)


def program(url: sa.URL) -> subprocess.Popen[bytes]:
    """Start ``coinlog migrate``."""
    address = url.render_as_string(hide_password=False)
    return subprocess.Popen(
        (sys.executable, "-m", "coinlog", "migrate"),
        env={
            "PATH": "/usr/bin:/bin",
            "COINLOG_DATABASE_URL": address,
            "COINLOG_DATA": str(OUT),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finished(url: sa.URL) -> float:
    """Upgrade to the end and return the seconds."""
    started = time.perf_counter()
    process = program(url)
    said = b"".join(process.communicate())
    seconds = time.perf_counter() - started
    check(equal=process.returncode == 0, what=said.decode())
    return seconds


def kill_on_the_way(url: sa.URL, seconds: float) -> int:
    """Kill the upgrade at some moments before its end, then let it go on to it."""
    chance, killed = random.Random(20), 0  # noqa: S311  chance, no secret
    for _ in range(KILLS):
        process = program(url)
        try:
            # The program has begun its work by then; what is left of it fits into some rounds.
            process.communicate(timeout=0.4 + chance.random() * max(0.3, (seconds - 0.4) / 3))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            killed += 1
    finished(url)
    return killed


def undo(url: sa.URL, revision: str) -> None:
    """Take the schema back."""
    engine = open_engine(url)
    with engine.connect() as connection:
        command.downgrade(Upgrade(connection).config, revision)
        connection.commit()
    check(equal=current_revision(engine) == revision, what=revision)
    engine.dispose()


def told(url: sa.URL) -> list[tuple[object, ...]]:
    """Return what an upgrade may have changed: rows, values of new columns, views, revision."""
    engine = open_engine(url, read_only=True, answer_seconds=600)
    with engine.connect() as connection:
        found: list[tuple[object, ...]] = [tuple(sa.inspect(connection).get_view_names())]
        found += [
            tuple(connection.exec_driver_sql(query).one())
            for query in (
                "SELECT COUNT(*), SUM(price) FROM quote",
                *(
                    f"SELECT COUNT(*), SUM(resolution), MIN(origin), MAX(origin) FROM {table}"  # noqa: S608
                    for table in ("global_metrics", "fear_and_greed")
                ),
                "SELECT COUNT(*), MAX(from_slot) FROM verification",
            )
        ]
    check(equal=current_revision(engine) == REVISION, what="the newest revision")
    engine.dispose()
    return found


if __name__ == "__main__":
    main("upgrade", measure)
