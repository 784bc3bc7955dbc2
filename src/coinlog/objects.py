"""Where the archive lies: objects in a folder, a bucket or memory, used alike.

What is created is never overwritten: whoever comes second is told so. That replaces every lock,
in a folder and on S3 alike.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import LocalStore, MemoryStore, ObjectStore, S3Store

from coinlog.errors import ArchiveError, DamagedError, UsageError

_BUCKET, _IN_MEMORY = "s3://", "memory://"


def is_bucket(location: str) -> bool:
    """Return whether an address is that of a bucket: ``s3://bucket/prefix``."""
    return location.startswith(_BUCKET)


def open_objects(location: str) -> Objects:
    """Open a folder, ``s3://bucket/prefix`` or ``memory://``.

    Raises:
        UsageError: the address is of another kind.
        ArchiveError: the folder cannot be made.
    """
    if is_bucket(location):
        return Objects(S3Store.from_url(location), location)
    if location == _IN_MEMORY:
        return Objects(MemoryStore(), location)
    if "://" in location:
        raise UsageError(
            f"archive {location!r} cannot be used: expected a folder or s3://bucket/prefix"
        )
    folder = Path(location).expanduser().resolve()
    with _archive_errors(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        return Objects(LocalStore(prefix=folder), str(folder), folder)


class Objects:
    """Bytes by path. Every method raises ``ArchiveError`` where the place cannot be used."""

    def __init__(self, store: ObjectStore, location: str, folder: Path | None = None) -> None:
        self._store = store
        self._disk = folder
        self.location = location
        self.seen: set[str] = set()
        """The folders right inside a folder on disk that have been there so far."""

    @property
    def shared(self) -> bool:
        """Whether another process finds the same in it: what is in memory is this process's own."""
        return self.location != _IN_MEMORY

    def paths(self, prefix: str, offset: str | None = None) -> Iterator[str]:
        """Yield the paths inside a folder, those after ``offset`` where it is given."""
        self._refuse_emptied(prefix)
        with _archive_errors(prefix):
            for chunk in obstore.list(self._store, prefix, offset=offset):
                for entry in chunk:
                    yield entry["path"]

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Return every object somewhere inside a folder, and its size in bytes."""
        self._refuse_emptied(f"{folder}/")
        with _archive_errors(folder):
            chunks = obstore.list(self._store, folder)
            return {entry["path"]: entry["size"] for chunk in chunks for entry in chunk}

    def inside(self, folder: str = "") -> tuple[list[str], dict[str, int]]:
        """Return the folders right inside a folder, and the objects there with their bytes."""
        with _archive_errors(folder or self.location):
            found = obstore.list_with_delimiter(self._store, folder or None)
        sizes = {entry["path"]: entry["size"] for entry in found["objects"]}
        return [*found["common_prefixes"]], sizes

    def check_there(self) -> None:
        """Look whether the place itself can be used, where an object of it could not be."""
        for folder in tuple(self.seen):
            self._refuse_emptied(f"{folder}/")
        self.inside()

    def changed(self, folder: str) -> dict[str, float]:
        """Return the objects right inside a folder, and when each was written (seconds UTC)."""
        with _archive_errors(folder):
            found = obstore.list_with_delimiter(self._store, folder)
        return {entry["path"]: entry["last_modified"].timestamp() for entry in found["objects"]}

    def read(self, path: str) -> bytes:
        """Return an object as it is.

        Raises:
            DamagedError: it is not there.
        """
        try:
            with _archive_errors(path):
                return bytes(obstore.get(self._store, path).bytes())
        except DamagedError:
            self._refuse_emptied(path)
            raise

    def put(self, path: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Write an object, whatever is there; a bucket serves it with ``headers``."""
        self._refuse_emptied(path)
        with _archive_errors(path):
            obstore.put(self._store, path, body, attributes=headers)
            self._flush(path)

    def remove(self, path: str) -> None:
        """Remove an object, where it is there."""
        with _archive_errors(path), suppress(NotFoundError, FileNotFoundError):
            obstore.delete(self._store, path)

    def create(self, path: str, body: bytes) -> bool:
        """Write an object as it is; ``False`` if there is one already, which stays."""
        self._refuse_emptied(path)
        try:
            with _archive_errors(path):
                obstore.put(self._store, path, body, mode="create")
                self._flush(path)
        except _TakenError:
            return False
        return True

    def check_writable(self) -> None:
        """Write and remove a small object."""
        with _archive_errors(self.location):
            obstore.put(self._store, "check", b"coinlog doctor was here")
            obstore.delete(self._store, "check")

    def _refuse_emptied(self, path: str) -> None:
        """Refuse a place that has become empty: its disk is not mounted, and would hide what we do.

        One object that is gone is damage; all of them at once is a place that is away.
        """
        top, slash, _ = path.partition("/")
        if self._disk is None or not (top and slash):
            return
        with _archive_errors(path):
            there = (self._disk / top).is_dir()
        if there:
            self.seen.add(top)
        elif top in self.seen:
            raise ArchiveError(
                f"{self._disk / top} was in the archive a moment ago and is gone with all that it "
                "holds: mount its disk again, or put it back; who wants to begin a new archive "
                "there starts coinlog again"
            )

    def _flush(self, path: str) -> None:
        """Make a file and its name outlast a power cut; a bucket does that by itself."""
        if self._disk is None or os.name == "nt":
            return
        for place in (self._disk / path, (self._disk / path).parent):
            descriptor = os.open(place, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


class _TakenError(ArchiveError):
    """A create-only object is there already."""


@contextmanager
def _archive_errors(what: str) -> Iterator[None]:
    """Turn the storage library's errors into ours, saying what could not be reached."""
    try:
        yield
    except AlreadyExistsError as error:
        raise _TakenError(f"{what} is there already") from error
    except (NotFoundError, FileNotFoundError) as error:
        if "NoSuchBucket" in str(error):
            raise ArchiveError(f"{what} cannot be read: its bucket is not there") from error
        raise DamagedError(f"{what} is not in the archive") from error
    except ValueError as error:
        raise DamagedError(f"{what[:200]!r} is no place in an archive") from error
    except (BaseError, OSError) as error:
        # What follows is the same once more, for programmers of that library.
        text = " ".join(str(error).partition("Debug source:")[0].split())[:300]
        raise ArchiveError(
            f"the archive could not be used at {what}: {text}; check that it exists, is writable "
            "and has room"
        ) from error
