"""What a run writes into a published edition: files known by their digests, many at a time."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from coinlog.publish.sites import Site

_UNDER_WAY = 64


def digest_of(body: bytes) -> str:
    """Return what tells a file's content from any other."""
    return hashlib.blake2b(body, digest_size=8).hexdigest()


def part_path(path: str, part: str, name: str) -> str:
    """Return the file that a part of a page is in, beside the page."""
    return f"{path}/{part}{f'-{name}' if name else ''}.html".lstrip("/")


class Folder:
    """Writes files; counts what is written, and leaves alone what is there already."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.written = 0
        self.unchanged = 0
        self.removed = 0
        self.bytes = 0
        self._hands = ThreadPoolExecutor(site.hands, "coinlog-publish")

    def put(self, files: Iterable[tuple[str, bytes]], known: Mapping[str, str]) -> dict[str, str]:
        """Write files unless ``known`` says that they are there; return the digest of each.

        Raises:
            ExportError: one cannot be written.
        """
        found: dict[str, str] = {}
        for path, digest, size in self._done(files, known):
            found[path] = digest
            self.unchanged += not size
            self.written += bool(size)
            self.bytes += size
        return found

    def _done(
        self, files: Iterable[tuple[str, bytes]], known: Mapping[str, str]
    ) -> Iterator[tuple[str, str, int]]:
        """Yield each file's path, its digest and how much of it was written, oldest first."""
        under_way: deque[Future[tuple[str, str, int]]] = deque()
        try:
            for path, body in files:
                under_way.append(self._hands.submit(self._write, path, body, known.get(path)))
                if len(under_way) >= _UNDER_WAY:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for one in under_way:
                one.cancel()

    def _write(self, path: str, body: bytes, known: str | None) -> tuple[str, str, int]:
        digest = digest_of(body)
        if digest == known and self.site.holds(path):
            return path, digest, 0
        self.site.write(path, body)
        return path, digest, len(body)

    def remove(self, path: str) -> None:
        """Remove a file that is no longer part of the edition.

        Raises:
            ExportError: it cannot be removed.
        """
        self.site.remove(path)
        self.removed += 1

    def close(self) -> None:
        """Let the hands go."""
        self._hands.shutdown(cancel_futures=True)
