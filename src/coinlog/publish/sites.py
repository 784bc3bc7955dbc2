"""Where an edition lies: a folder of this machine, or a bucket that serves it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from coinlog.errors import UsageError
from coinlog.export.delivery import errors_explained
from coinlog.objects import is_bucket
from coinlog.publish.bucket import NOTES, BucketSite


class Site(Protocol):
    """A place that files are written to: each appears whole, by whatever thread it is written."""

    @property
    def location(self) -> str:
        """How a person names it."""

    @property
    def hands(self) -> int:
        """How many files to write at once: while one is waited for, others are on their way."""

    def holds_anything(self) -> bool:
        """Return whether there is anything in it besides our own notes."""

    def holds(self, path: str) -> bool:
        """Return whether a file is there that we know to have written."""

    def read(self, path: str) -> bytes | None:
        """Return a file; ``None`` where there is none."""

    def paths(self, folder: str) -> list[str]:
        """Return the files of a folder, in the order of their names."""

    def write(self, path: str, body: bytes, *, lasting: bool = False) -> None:
        """Write a file; a ``lasting`` one outlives a power cut from now on."""

    def remove(self, path: str) -> None:
        """Remove a file, where it is there."""

    def alone(self) -> AbstractContextManager[None]:
        """Keep others from publishing here meanwhile."""


def open_site(location: str) -> Site:
    """Return the folder or ``s3://bucket/prefix`` at an address."""
    if is_bucket(location):
        return BucketSite(location)
    return FolderSite(Path(location))


class FolderSite:
    """A folder. Everything raises ``ExportError`` where it cannot be used."""

    # Replacing a file takes a disk a millisecond of waiting; more threads wait for each other.
    hands = 3

    def __init__(self, root: Path) -> None:
        self._root = root
        self.location = str(root)
        self._made: set[Path] = set()

    def holds_anything(self) -> bool:
        """Return whether there is anything in it besides our own notes, or it is no folder."""
        if not self._root.is_dir():
            return self._root.exists()
        return any(path.name != NOTES for path in self._root.iterdir())

    def holds(self, path: str) -> bool:
        """Return whether a file is there."""
        return (self._root / path).exists()

    def read(self, path: str) -> bytes | None:
        """Return a file; ``None`` where there is none."""
        with errors_explained(self._root / path):
            try:
                return (self._root / path).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None

    def paths(self, folder: str) -> list[str]:
        """Return the files of a folder, in the order of their names."""
        found = sorted((self._root / folder).glob("[!.]*"))
        return [path.relative_to(self._root).as_posix() for path in found]

    def write(self, path: str, body: bytes, *, lasting: bool = False) -> None:
        """Write a file beside its place and rename it: who reads it meanwhile reads the old one."""
        target = self._root / path
        with errors_explained(target):
            self._make(target.parent)
            beside = target.with_name(f".{target.name}.part")
            with beside.open("wb") as file:
                file.write(body)
                if lasting:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(beside, target)  # noqa: PTH105  a third of the time of pathlib's, 100,000 times

    def _make(self, folder: Path) -> None:
        if folder not in self._made:
            folder.mkdir(parents=True, exist_ok=True)
            self._made.add(folder)

    def remove(self, path: str) -> None:
        """Remove a file, and its folder where that is empty."""
        target = self._root / path
        with errors_explained(target):
            target.unlink(missing_ok=True)
        with suppress(OSError):  # it is not empty: others live there
            for folder in target.relative_to(self._root).parents[:-1]:
                (self._root / folder).rmdir()
                self._made.discard(self._root / folder)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep others from publishing into the folder meanwhile.

        Raises:
            UsageError: another run is at work there.
        """
        try:
            import fcntl  # noqa: PLC0415  not on every system
        except ImportError:
            yield
            return
        place = self._root / NOTES
        with errors_explained(place):
            place.mkdir(parents=True, exist_ok=True)
        with (place / "lock").open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise UsageError(f"another `coinlog publish` is at work in {self._root}") from None
            yield
