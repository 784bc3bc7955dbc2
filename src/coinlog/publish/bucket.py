"""An edition in a bucket: every file with the headers that a host sends with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from coinlog.errors import ArchiveError, DamagedError, ExportError, UsageError
from coinlog.objects import open_objects
from coinlog.publish.headers import caching_of, type_of

NOTES = ".coinlog"
"""The folder of our own notes in an edition."""

_LOCK = f"{NOTES}/lock"
_LOCKED_SECONDS = 3600
"""A run that was killed leaves its lock behind; after so long it is taken over."""
_PATIENCE_SECONDS = 900
_LOOK_SECONDS = 2.0


class BucketSite:
    """``s3://bucket/prefix``. What the manifest names is taken to be there: nobody else writes."""

    def __init__(self, location: str) -> None:
        self.location = location
        self._objects = open_objects(location)

    def holds_anything(self) -> bool:
        """Return whether there is any object in it besides our own notes."""
        with self._explained():
            return any(not path.startswith(f"{NOTES}/") for path in self._objects.paths(""))

    def holds(self, path: str) -> bool:
        """Take it that a file which the manifest names is there."""
        return bool(path)

    def read(self, path: str) -> bytes | None:
        """Return an object; ``None`` where there is none."""
        with self._explained():
            try:
                return self._objects.read(path)
            except DamagedError:
                return None

    def paths(self, folder: str) -> list[str]:
        """Return the objects of a folder, in the order of their names."""
        with self._explained():
            return sorted(self._objects.paths(f"{folder}/"))

    def write(self, path: str, body: bytes, *, lasting: bool = False) -> None:  # noqa: ARG002  all last
        """Write an object, with its type and how long browsers keep it."""
        with self._explained():
            self._objects.put(
                path, body, {"Content-Type": type_of(path), "Cache-Control": caching_of(path)}
            )

    def remove(self, path: str) -> None:
        """Remove an object, where it is there."""
        with self._explained():
            self._objects.remove(path)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other run publishes here, and keep others waiting meanwhile.

        Raises:
            UsageError: another run has not ended within a quarter of an hour.
        """
        with self._explained():
            self._wait_for_lock(time.monotonic() + _PATIENCE_SECONDS)
        try:
            yield
        finally:
            self.remove(_LOCK)

    def _wait_for_lock(self, give_up: float) -> None:
        while not self._objects.create(_LOCK, b'{"since":%d}' % time.time()):
            if self._locked_seconds() > _LOCKED_SECONDS:
                # Removed first: of several that wait, one takes it.
                self._objects.remove(_LOCK)
            elif time.monotonic() > give_up:
                raise UsageError(
                    f"another `coinlog publish` is at work in {self.location}: run the same again "
                    "when it has ended; if it was killed, in an hour"
                )
            else:
                time.sleep(_LOOK_SECONDS)

    def _locked_seconds(self) -> float:
        """Return how long the lock has been there; one that cannot be read is of nobody."""
        body = self.read(_LOCK)
        if body is None:
            return 0
        try:
            since = msgspec.json.decode(body, type=dict[str, int])
        except msgspec.MsgspecError:
            return time.time()
        return time.time() - since.get("since", 0)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say that a bucket cannot be used, in words about publishing.

        Raises:
            ExportError: it cannot.
        """
        try:
            yield
        except ArchiveError as error:
            why = " ".join(str(error.__cause__ or error).split())[:300]
            raise ExportError(
                f"{self.location} cannot be used: {why}; check the bucket's name and your rights "
                "to read, write and remove objects in it"
            ) from error
