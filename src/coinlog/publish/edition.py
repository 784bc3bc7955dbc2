"""What a folder holds of us: which files, made from what. The manifest is written last.

It lies in ``.coinlog/`` in the folder. While a run is under way, a journal beside it notes what
has been written so far, so that a run that was stopped goes on where it was.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import msgspec

from coinlog.errors import UsageError
from coinlog.export.delivery import errors_explained

PLACE = ".coinlog"
FORMAT = 1

Files = dict[str, str]
"""Digests by path."""


class Marks(msgspec.Struct, frozen=True):
    """How far the store had come, as its own rows tell: newest times, and how many rows.

    ``older`` counts the slots stored before ``stored_at``.
    """

    stored_at: int = -1
    settled_at: int = -1
    backfilled_at: int = -1
    thinned_at: int = -1
    slots: int = 0
    attempts: int = 0
    backfills: int = 0
    older: int = 0


class Edition(msgspec.Struct):
    """A published edition. ``state`` and ``build`` tell whether anything can have changed since.

    ``assets`` holds the files of each asset, ``facts`` a digest of what its page says besides
    numbers, ``retired`` the scripts of the build before: pages that are open still ask for them.
    """

    source: str
    build: str = ""
    state: str = ""
    moment: float = 0.0
    finished: bool = False
    marks: Marks = Marks()
    files: Files = {}
    assets: dict[int, Files] = {}
    facts: dict[int, str] = {}
    retired: Files = {}
    format: int = FORMAT


class Line(msgspec.Struct):
    """A line of the journal: the assets that are done, and the files that there are now."""

    key: str
    assets: dict[int, Files] = {}
    files: Files = {}


def read_edition(root: Path) -> Edition | None:
    """Return what a folder holds of us; ``None`` where it is empty or not there.

    Raises:
        UsageError: there is something else in it, or an edition that this program cannot read.
    """
    path = root / PLACE / "edition.json"
    if not path.exists():
        if root.exists() and (not root.is_dir() or any(root.iterdir())):
            raise UsageError(
                f"{root} is not empty, and nothing in it says that coinlog has published there: "
                "choose an empty folder or a new name"
            )
        return None
    try:
        edition = msgspec.json.decode(path.read_bytes(), type=Edition)
    except (OSError, msgspec.MsgspecError) as error:
        raise UsageError(
            f"{path} cannot be read ({error}): remove the folder and publish anew"
        ) from error
    if edition.format != FORMAT:
        raise UsageError(f"{root} was published by another version: publish into a new folder")
    return edition


def write_edition(root: Path, edition: Edition) -> None:
    """Write the manifest, and let go of the journal.

    Raises:
        ExportError: it cannot be written.
    """
    place = root / PLACE
    with errors_explained(place):
        place.mkdir(parents=True, exist_ok=True)
        beside = place / "edition.json.part"
        with beside.open("wb") as file:
            file.write(msgspec.json.encode(edition))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(place / "edition.json")
        (place / "journal").unlink(missing_ok=True)


def read_journal(root: Path) -> Iterator[Line]:
    """Yield what a run that was stopped had written; a line that was cut off is left out."""
    path = root / PLACE / "journal"
    if not path.exists():
        return
    for line in path.read_bytes().splitlines():
        with suppress(msgspec.MsgspecError):
            yield msgspec.json.decode(line, type=Line)


class Journal:
    """Notes, line by line, what a run has written."""

    def __init__(self, root: Path) -> None:
        self._path = root / PLACE / "journal"

    def __enter__(self) -> Self:
        """Open it to add lines.

        Raises:
            ExportError: it cannot be written.
        """
        with errors_explained(self._path):
            self._file = self._path.open("ab")
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._file.close()

    def add(self, line: Line) -> None:
        """Add a line.

        Raises:
            ExportError: it cannot be written.
        """
        with errors_explained(self._path):
            self._file.write(msgspec.json.encode(line) + b"\n")
            self._file.flush()


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Keep others from publishing into the folder meanwhile.

    Raises:
        UsageError: another run is at work there.
    """
    try:
        import fcntl  # noqa: PLC0415  not on every system
    except ImportError:
        yield
        return
    with (root / PLACE / "lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"another `coinlog publish` is at work in {root}") from None
        yield
