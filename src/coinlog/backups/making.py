"""Making a backup: it is written beside its place, proven, and only then takes its name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import psutil
import sqlalchemy as sa

from coinlog.backups.reading import open_backup, prove
from coinlog.backups.writing import write_backup
from coinlog.errors import BackupError, UsageError
from coinlog.move.stores import Watch, check_schema, check_there
from coinlog.notice import SIMULATED
from coinlog.objects import open_objects
from coinlog.store.engine import open_engine

# Counting the rows of years can take a server minutes.
_ANSWER_SECONDS = 600
_NAME = re.compile(rf"({SIMULATED}-)?coinlog-[0-9]{{8}}T[0-9]{{6}}Z\.tar")
_UNFINISHED = re.compile(r"\.(.+)\.unfinished-([0-9]{1,9})")


def make_backup(path: Path, url: sa.URL, archive: str | None, watch: Watch) -> None:
    """Write a backup of a store, and of an archive where one is given, and prove it.

    Raises:
        UsageError: there is something at this path, or no store, or no archive.
        SchemaError: the store has another schema than this program.
        StoreError: the store is away or half moved.
        ArchiveError: the archive cannot be read.
        BackupError: the file cannot be written, or does not hold what was written.
    """
    _check_place(path)
    check_there(url)
    # Opening a folder makes it, and a mistyped one would look like an empty archive.
    if archive is not None and "://" not in archive and not Path(archive).is_dir():
        raise UsageError(f"there is no archive at {archive}: give --without-archive")
    engine = open_engine(url, read_only=True, answer_seconds=_ANSWER_SECONDS)
    try:
        check_schema(engine)
        with _beside(path) as (beside, file):
            with _writing(path):
                write_backup(file, engine, open_objects(archive) if archive else None, watch)
                _flush(file)
            with open_backup(beside) as backup:
                prove(backup, watch)
            with _writing(path):
                _put_in_place(beside, path)
    finally:
        engine.dispose()


def place_for(asked: str, now: float, *, simulated: bool) -> Path:
    """Return the file to write: the one asked for, or one called after now in a folder."""
    path = Path(asked).expanduser()
    if not path.is_dir() and not asked.endswith(("/", os.sep)):
        return path
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    return path / f"{SIMULATED + '-' if simulated else ''}coinlog-{stamp}.tar"


def newest_in(asked: str, *, simulated: bool) -> Path:
    """Return the file to read: the one asked for, or the newest backup in a folder.

    Raises:
        UsageError: there is none in the folder.
    """
    path = Path(asked).expanduser()
    if not path.is_dir():
        return path
    named = [(file, _NAME.fullmatch(file.name)) for file in sorted(path.iterdir())]
    found = [file for file, match in named if match and bool(match[1]) == simulated]
    if found:
        return found[-1]
    if any(match for _, match in named):
        others = (
            "only backups of the real market: leave --simulated out"
            if simulated
            else "only backups of the made-up market: add --simulated"
        )
        raise UsageError(f"{path} holds {others}")
    kind = f"{SIMULATED}-" if simulated else ""
    what = f"there is no {kind}coinlog-….tar in {path}"
    if any(file.suffix == ".tar" for file, _ in named):
        raise UsageError(f"{what}, only files of other names: name the file that you mean")
    raise UsageError(f"{what}: expected a backup")


def _check_place(path: Path) -> None:
    if path.exists():
        raise UsageError(
            f"{path} is there already: a backup never takes the place of another; give another "
            "name, or a folder"
        )
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}: make it first, or choose another")


@contextmanager
def _beside(path: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Open a file beside the place of another; it is gone when the block ends."""
    beside = path.with_name(f".{path.name}.unfinished-{os.getpid()}")
    try:
        with _writing(path):
            _remove_leftovers(path)
            file = beside.open("xb")
        with file:
            yield beside, file
    finally:
        beside.unlink(missing_ok=True)


def _remove_leftovers(path: Path) -> None:
    """Remove what backups to this place, or to this folder, have left that were killed."""
    for file in path.parent.iterdir():
        match = _UNFINISHED.fullmatch(file.name)
        ours = match and (match[1] == path.name or _NAME.fullmatch(match[1]))
        if match and ours and not psutil.pid_exists(int(match[2])):
            file.unlink(missing_ok=True)


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _put_in_place(beside: Path, path: Path) -> None:
    """Give a finished file its name, so that a power cut cannot take it away again."""
    _check_place(path)
    beside.rename(path)
    if os.name != "nt":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn the system's refusals to write into ours.

    Raises:
        BackupError: the file cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise BackupError(
            f"{path} cannot be written ({error.strerror or error}): make room, or choose another "
            "place; there is no backup there"
        ) from error
