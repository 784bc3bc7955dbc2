"""Answers that others saved as files: a folder or a zip of them, or a single one."""

from __future__ import annotations

import gzip
import hashlib
import io
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Protocol

import msgspec

from coinlog.errors import BrokenAnswerError, SourceError, UsageError
from coinlog.imports.assets import Seen
from coinlog.imports.csv_file import GZIP_MAGIC
from coinlog.imports.found import FILE, Captured, Refusals
from coinlog.imports.times import Clock
from coinlog.market import SourceKind
from coinlog.slots import MINUTE, floor_slot
from coinlog.sources.answers import Answer
from coinlog.sources.imported import Kind, Saved, look_at
from coinlog.sources.labels import Label
from coinlog.sources.texts import counted

ZIP_MAGIC = b"PK\x03\x04"
_ENDINGS = (".json", ".json.gz")
# Pages of one listing are asked for one after the other.
_PAGES_SECONDS = 2 * MINUTE


class Files(Protocol):
    """Files by name, wherever they are."""

    name: str

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""

    def read(self, name: str, limit: int) -> bytes:
        """Return at most ``limit`` bytes of a file."""


class Folder:
    """The files somewhere inside a folder, or one file alone."""

    def __init__(self, path: Path) -> None:
        self.name = path.resolve().name
        self._path = path

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""
        if self._path.is_file():
            return [self._path.name]
        found = (path for path in self._path.rglob("*") if path.is_file())
        return sorted(path.relative_to(self._path).as_posix() for path in found)

    def read(self, name: str, limit: int) -> bytes:
        """Return at most ``limit`` bytes of a file."""
        path = self._path if self._path.is_file() else self._path / name
        with path.open("rb") as file:
            return file.read(limit)


class Zip:
    """The files in a zip."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._zip = zipfile.ZipFile(path)

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""
        return sorted(entry.filename for entry in self._zip.infolist() if not entry.is_dir())

    def read(self, name: str, limit: int) -> bytes:
        """Return at most ``limit`` bytes of a file."""
        with self._zip.open(name) as file:
            return file.read(limit)


def open_files(path: Path) -> Files:
    """Return the files at a path.

    Raises:
        UsageError: it is a zip that cannot be read.
    """
    try:
        with path.open("rb") if path.is_file() else io.BytesIO() as file:
            zipped = file.read(len(ZIP_MAGIC)) == ZIP_MAGIC
        return Zip(path) if zipped else Folder(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path.name} cannot be read: {error}") from error


class SavedOptions(msgspec.Struct, frozen=True):
    """How saved answers are read: a slot's seconds, the most bytes, and which market's they are.

    ``time_from_name`` takes a file's time from its name and not from the answer.
    """

    interval_seconds: int
    body_limit_bytes: int
    source: SourceKind
    time_from_name: bool = False


class Entry(msgspec.Struct, frozen=True):
    """A saved answer that can be imported."""

    name: str
    kind: Kind
    time: int
    sha256: str


class SavedAnswers:
    """The answers among some files, by slot; each is read again when it is needed."""

    unit = FILE

    def __init__(self, files: Files, clock: Clock, options: SavedOptions) -> None:
        self._files = files
        self._clock = clock
        self._options = options
        self._entries: dict[int, list[Entry]] = defaultdict(list)
        self.source = options.source
        self.imported = files.name
        self.count = 0
        self.refusals = Refusals()
        self.notes: list[str] = []
        self.seen: dict[Label, Seen] = {}

    def names(self) -> list[str]:
        """Return the files that may be answers, by their names; the rest is passed over."""
        names = self._files.names()
        ours = [name for name in names if name.lower().endswith(_ENDINGS)]
        others = len(names) - len(ours)
        if others:
            self.notes.append(
                f"{counted(others, 'file')} called neither .json nor .json.gz passed over"
            )
        return ours

    def read(self, names: Sequence[str], advance: Callable[[int], None]) -> None:
        """Look at each file; ``advance`` is told how many are done."""
        for name in names:
            try:
                self._add(name)
            except (SourceError, ValueError) as error:
                self.refusals.add(name, str(error))
            self.count += 1
            advance(1)
        for entries in self._entries.values():
            entries.sort(key=lambda entry: (entry.time, entry.name))

    def slots(self) -> Sequence[int]:
        """Return the slots that have answers, oldest first."""
        return sorted(self._entries)

    def span(self) -> tuple[int, int] | None:
        """Return the first and the last time told."""
        times = [entry.time for entries in self._entries.values() for entry in entries]
        return (min(times), max(times)) if times else None

    def captured(self, slot: int) -> Iterator[Captured]:
        """Yield the answers of a slot, the pages of one listing together.

        Raises:
            UsageError: a file has changed since it was looked at.
        """
        pages: list[tuple[Entry, bytes, Saved]] = []
        for entry in self._entries[slot]:
            body = self._body(entry.name)
            if hashlib.sha256(body).hexdigest() != entry.sha256:
                raise UsageError(f"{entry.name} was changed while it was read: import again")
            page = (entry, body, look_at(body))
            if pages and not _is_next_page(pages, page):
                yield _captured(pages)
                pages = []
            pages.append(page)
        yield _captured(pages)

    def _add(self, name: str) -> None:
        """Add a file.

        Raises:
            SourceError: it is no answer that can be imported.
            ValueError: its time cannot be.
        """
        body = self._body(name)
        saved = look_at(body)
        if saved.simulated is not (self.source is SourceKind.SIMULATED):
            other = "simulated" if saved.simulated else "real"
            raise BrokenAnswerError(f"it is {other}: real and simulated data never share a store")
        if not saved.ids and not saved.labels:
            why = saved.refused[0].why if saved.refused else "there is no row"
            raise BrokenAnswerError(f"no row of it can be used: {why}")
        time = self._time(name, saved)
        entry = Entry(name, saved.kind, time, hashlib.sha256(body).hexdigest())
        self._entries[floor_slot(time, self._options.interval_seconds)].append(entry)
        for label in saved.labels:
            known = self.seen.setdefault(label, Seen(0, time))
            known.rows, known.first = known.rows + 1, min(known.first, time)

    def _time(self, name: str, saved: Saved) -> int:
        if self._options.time_from_name:
            file = PurePosixPath(name).name
            return self._clock.read(file.removesuffix(".gz").removesuffix(".json"))
        if saved.observed_at is None:
            raise BrokenAnswerError(
                "it does not say when it was given; if its name does, say --time-from name"
            )
        return self._clock.check(saved.observed_at)

    def _body(self, name: str) -> bytes:
        """Return a saved answer as it was received."""
        limit = self._options.body_limit_bytes
        with _reading_errors():
            body = self._files.read(name, limit + 1)
            if body[:2] == GZIP_MAGIC:
                with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
                    body = file.read(limit + 1)
        if len(body) > limit:
            raise BrokenAnswerError(f"it has more than {limit:,} bytes")
        return body


@contextmanager
def _reading_errors() -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
        # A zip with a password raises RuntimeError.
        raise BrokenAnswerError(f"it cannot be read: {error}") from error


def _is_next_page(
    pages: Sequence[tuple[Entry, bytes, Saved]], page: tuple[Entry, bytes, Saved]
) -> bool:
    """Return whether an answer goes on where others ended: soon after, and about none of theirs."""
    first, (entry, _, saved) = pages[0][0], page
    if entry.kind is not first.kind or entry.time - first.time > _PAGES_SECONDS:
        return False
    labels = set(saved.labels)
    return all(
        saved.ids.isdisjoint(told.ids) and labels.isdisjoint(told.labels) for _, _, told in pages
    )


def _captured(pages: Sequence[tuple[Entry, bytes, Saved]]) -> Captured:
    answers = tuple(
        Answer(f"listings-{n}", entry.kind, {"file": entry.name}, 200, body, entry.time, 0.0)
        for n, (entry, body, _) in enumerate(pages, 1)
    )
    labels = dict.fromkeys(label for _, _, saved in pages for label in saved.labels)
    return Captured(answers, tuple(labels))
