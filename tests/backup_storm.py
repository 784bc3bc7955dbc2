"""Back up a store and an archive while they are recorded into and recorders are killed.

A recorder records slot after slot as fast as it can and is killed with SIGKILL at random moments;
meanwhile backups are made. Then everything is lost, and each backup is restored, into SQLite and
into MariaDB in turn. Every slot must be there whole, and the last backup, made when all was quiet,
must come back equal by hash. Run the long form with::

    .venv/bin/python tests/backup_storm.py --backups 50 --store mariadb
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from coinlog.archive import open_archive
from coinlog.backups.making import make_backup
from coinlog.backups.reading import open_backup
from coinlog.backups.restoring import restore_backup
from coinlog.loading import sweep
from coinlog.move.digests import Digests, read_digests
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from kill_storm import fork, inspect, record_on, source, store_at

LONGEST_WAIT_SECONDS = 0.4


@dataclass
class Result:
    """What the backups held, once all else was lost."""

    backups: int = 0
    slots: int = 0
    torn: int = 0
    lost: int = 0
    unequal: int = 0

    @property
    def clean(self) -> bool:
        return self.slots > 0 and not (self.torn or self.lost or self.unequal)


@contextmanager
def unwatched(_phase: str, _total: int) -> Iterator[Callable[[int], None]]:
    yield lambda _: None


def storm(url: sa.URL, place: Path, backups: int, seed: int) -> None:
    """Make each backup while a recorder is at work, which is then killed; the last one in quiet."""
    chance, folder = random.Random(seed), place / "archive"
    with source() as (source_url, _):
        _do(record_on, url, folder, source_url, 2)
        for number in range(backups):
            recorder = fork.Process(target=record_on, args=(url, folder, source_url, None))
            recorder.start()
            recorder.join(chance.uniform(0.1, LONGEST_WAIT_SECONDS))
            _do(make_backup, place / f"{number}.tar", url, str(folder), unwatched)
            recorder.kill()
            recorder.join()
        _do(record_on, url, folder, source_url, 2)
        _do(make_backup, place / "last.tar", url, str(folder), unwatched)


def _do(work: Callable[..., object], *arguments: object) -> None:
    """Do something in a process of its own: who has opened an archive cannot be forked."""
    process = fork.Process(target=work, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{work.__name__} failed")


def look(path: Path, url: sa.URL, result: Result) -> None:
    """Restore a backup and count what is not as it must be."""
    place = path.with_suffix(".restored")
    with open_backup(path) as backup:
        restored = restore_backup(backup, url, str(place), unwatched)
    engine, archive = open_engine(url), open_archive(str(place))
    with engine.connect() as connection:
        settled = set(
            connection.execute(sa.select(schema.attempt.c.slot, schema.attempt.c.attempt))
        )
    kept = {(key.slot, key.attempt) for key in archive.attempts()}
    result.lost += len({tuple(one) for one in settled} - kept)
    # What the archive had beyond the moment of the store is settled now, and lacks nothing.
    list(sweep(engine, archive))
    engine.dispose()
    found = inspect(url, 0, 0)
    result.backups += 1
    result.slots += found.slots
    result.torn += found.torn + found.doubled
    result.lost += found.lost
    result.unequal += len(restored.differences)


def digests_of(url: sa.URL) -> Digests:
    engine = open_engine(url, read_only=True)
    try:
        return read_digests(engine)
    finally:
        engine.dispose()


def lose(url: sa.URL) -> None:
    """Lose the store: its file, or all of its tables."""
    if url.get_backend_name() == "sqlite":
        for path in Path(str(url.database)).parent.glob("coinlog.db*"):
            path.unlink()
        return
    engine = open_engine(url)
    migrate(engine, "base")
    engine.dispose()


def main() -> int:
    """Run a storm as the command line says, and print what came back."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backups", type=int, default=50)
    parser.add_argument("--store", choices=["sqlite", "mariadb"], default="sqlite")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    wanted = parser.parse_args()
    print(f"seed {wanted.seed}")
    result = Result()
    with tempfile.TemporaryDirectory() as name, store_at(wanted.store, Path(name) / "db") as url:
        place = Path(name)
        storm(url, place, wanted.backups, wanted.seed)
        before = digests_of(url)
        shutil.rmtree(place / "archive")
        lose(url)
        for path in sorted(place.glob("?*.tar"), key=lambda path: path.stat().st_mtime):
            fresh = sa.URL.create("sqlite", database=str(path.with_suffix(".db")))
            look(path, fresh, result)
        with open_backup(place / "last.tar") as backup:
            restore_backup(backup, url, str(place / "archive"), unwatched)
        result.unequal += len(before.differences(digests_of(url)))
    print(wanted.store, result)
    return 0 if result.clean else 1


if __name__ == "__main__":
    sys.exit(main())
