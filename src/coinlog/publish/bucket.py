"""An edition in a bucket: every file with the headers that a host sends with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from coinlog.errors import ArchiveError, DamagedError, ExportError, UsageError
from coinlog.objects import open_objects
from coinlog.publish.headers import caching_of, type_of

_LOCK = ".coinlog/lock"
_LOCKED_SECONDS = 3600
"""A run that was killed leaves its lock behind; after so long it is taken over."""


class BucketSite:
    """``s3://bucket/prefix``. What the manifest names is taken to be there: nobody else writes."""

    def __init__(self, location: str) -> None:
        self.location = location
        self._objects = open_objects(location)

    def holds_anything(self) -> bool:
        """Return whether there is any object in it."""
        with self._explained():
            return next(self._objects.paths(""), None) is not None

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
        """Keep others from publishing here meanwhile.

        Raises:
            UsageError: another run is at work here.
        """
        with self._explained():
            body = msgspec.json.encode({"since": int(time.time())})
            if not self._objects.create(_LOCK, body):
                self._take_over(body)
        try:
            yield
        finally:
            self.remove(_LOCK)

    def _take_over(self, body: bytes) -> None:
        try:
            since = msgspec.json.decode(self.read(_LOCK) or b"{}", type=dict[str, int])
        except msgspec.MsgspecError:
            since = {}
        left = since.get("since", 0) + _LOCKED_SECONDS - time.time()
        if left > 0:
            raise UsageError(
                f"another `coinlog publish` is at work in {self.location}; if it was killed, it "
                f"can be run again in {left / 60:.0f} min"
            )
        self._objects.put(_LOCK, body)

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
