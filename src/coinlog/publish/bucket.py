"""An edition in a bucket: every file with the headers that a host sends with it."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

from coinlog.errors import ArchiveError, DamagedError, ExportError, UsageError
from coinlog.objects import open_objects
from coinlog.publish.headers import caching_of
from coinlog.web.static_files import type_of

NOTES = ".coinlog"
"""The folder of our own notes in an edition."""

_LOCK = f"{NOTES}/lock-"
_LOCKED_SECONDS = 3600
"""A run that was killed leaves its lock behind; after so long it is nobody's."""
_PATIENCE_SECONDS = 900
_LOOK_SECONDS = 2.0


class BucketSite:
    """``s3://bucket/prefix``. What the manifest names is taken to be there: nobody else writes."""

    # An object takes some thirty milliseconds, nearly all of it waiting.
    hands = 16

    def __init__(self, location: str) -> None:
        self.location = location
        self._objects = open_objects(location)

    def holds_anything(self) -> bool:
        """Return whether there is any object in it besides our own notes."""
        with self._explained():
            return any(not path.startswith(f"{NOTES}/") for path in self._objects.paths(""))

    def holds(self, path: str) -> bool:  # noqa: ARG002  the manifest's word is taken
        """Take it that a file which the manifest names is there."""
        return True

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
            lock = self._locked(time.monotonic() + _PATIENCE_SECONDS)
        try:
            yield
        finally:
            self.remove(lock)

    def _locked(self, give_up: float) -> str:
        """Return our lock, when there is no other."""
        while True:
            if not self._others(""):
                lock = f"{_LOCK}{int(time.time())}-{secrets.token_hex(8)}"
                self._objects.create(lock, b"")
                # Of two at once the one that looks last sees the other: perhaps both withdraw.
                if not self._others(lock):
                    return lock
                self._objects.remove(lock)
            if time.monotonic() > give_up:
                raise UsageError(
                    f"another `coinlog publish` is at work in {self.location}: run the same again "
                    "when it has ended; if it was killed, in an hour"
                )
            time.sleep(random.uniform(0.5, 1.5) * _LOOK_SECONDS)  # noqa: S311  for fairness

    def _others(self, lock: str) -> bool:
        """Return whether somebody else's lock is there; one that was left behind is removed."""
        alive = False
        for path in self.paths(NOTES):
            if path == lock or not path.startswith(_LOCK):
                continue
            since = path.removeprefix(_LOCK).partition("-")[0]
            if since.isdecimal() and time.time() - int(since) < _LOCKED_SECONDS:
                alive = True
            else:
                self._objects.remove(path)
        return alive

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
