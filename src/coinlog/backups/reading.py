"""Reading a backup: nothing of it is believed before its hash is right.

Hashes find faults and mishaps. Against somebody who makes up a backup with right hashes there
are rules besides: no name leads out of the archive, no column is unknown, no part is too large,
and every row is of the kinds that its columns are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from coinlog.backups.manifest import (
    ARCHIVE,
    MANIFEST,
    README,
    SEAL,
    SEAL_BYTES,
    Manifest,
    Objects,
    Part,
    Seal,
    read_manifest,
    read_seal,
)
from coinlog.backups.packing import unpacked
from coinlog.backups.tables import TABLES, total_of
from coinlog.backups.tape import BLOCK, header, is_safe, last_name, members, padding
from coinlog.errors import BackupError, DamagedBackupError, UsageError
from coinlog.move.digests import Digests, rows_in
from coinlog.move.stores import Watch
from coinlog.store import schema
from coinlog.store.pages import Line

_LAST = schema.store.name

AGAIN = "use an older one"


class Backup:
    """An open backup, whose manifest is the one that was sealed."""

    def __init__(self, path: Path, file: BinaryIO, manifest: Manifest, sealed: Seal) -> None:
        self.path = path
        self.manifest = manifest
        self.id = sealed.manifest_sha256
        self._file = file

    def parts(
        self, wanted: Callable[[Part], object] = lambda _: True
    ) -> Iterator[tuple[Part, bytes]]:
        """Yield the parts wanted with their bytes, whose hash is right.

        Raises:
            DamagedBackupError: one's is not; the error names it.
        """
        place = 0
        for part in self.manifest.parts:
            if wanted(part):
                yield part, self._read(place, part)
            place += part.bytes

    def _read(self, place: int, part: Part) -> bytes:
        with naming(self.path, part.name):
            self._file.seek(place)
            raw = self._file.read(part.bytes)
            if hashlib.sha256(raw).hexdigest() != part.sha256:
                raise DamagedBackupError("its SHA-256 is not the one that was written")
            return raw


@contextmanager
def open_backup(path: Path) -> Iterator[Backup]:
    """Open a backup and read what it says of itself.

    Raises:
        UsageError: there is no such file, or it is something else.
        DamagedBackupError: it is cut off, or its end is damaged.
        BackupError: a newer coinlog made it, or it cannot be read.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {path}: expected a backup that `coinlog backup` made")
    with naming(path):
        file = path.open("rb")
    with file:
        with naming(path):
            found = _manifest(path, file, path.stat().st_size)
        yield Backup(path, file, *found)


def _manifest(path: Path, file: BinaryIO, size: int) -> tuple[Manifest, Seal]:
    file.seek(max(0, size - SEAL_BYTES))
    try:
        seal = read_seal(file.read())
    except DamagedBackupError as error:
        where = last_name(file)
        if where is None:
            raise UsageError(
                f"{path} is no backup of coinlog: expected what `coinlog backup` makes"
            ) from error
        where = str(error) if where == SEAL else f"it is cut off, or damaged, in {where}"
        raise DamagedBackupError(where) from error
    begin = size - SEAL_BYTES - BLOCK - seal.manifest_bytes - len(padding(seal.manifest_bytes))
    return _read_at(file, begin, seal), seal


def _read_at(file: BinaryIO, begin: int, seal: Seal) -> Manifest:
    file.seek(max(0, begin))
    whole = file.read(BLOCK + seal.manifest_bytes + len(padding(seal.manifest_bytes)))
    body = whole[BLOCK : BLOCK + seal.manifest_bytes]
    found = read_manifest(body, seal)
    expected = b"".join((header(MANIFEST, len(body)), body, padding(len(body))))
    if whole != expected or begin != sum(part.bytes for part in found.parts):
        raise DamagedBackupError(f"what is around {MANIFEST} is damaged")
    return found


@contextmanager
def naming(path: Path, name: str | None = None) -> Iterator[None]:
    """Say of which backup and which part it is that something is wrong."""
    what = f"{name} in {path}" if name else str(path)
    try:
        yield
    except BackupError as error:
        raise type(error)(f"{what} cannot be used: {error}; {AGAIN}") from error
    except OSError as error:
        why = error.strerror or error
        raise BackupError(f"{what} cannot be read ({why}); {AGAIN}") from error


def objects_in(part: Part, raw: bytes) -> list[tuple[str, bytes]]:
    """Return the paths and bodies of the objects in a part of the archive.

    Raises:
        DamagedBackupError: a name leads elsewhere, or they are not as many as was said.
    """
    found = []
    for name, body in members(raw):
        path = name.removeprefix(ARCHIVE)
        if path == name or not is_safe(path):
            raise DamagedBackupError(f"it holds {name[:200]!r}, which leads out of the archive")
        found.append((path, body))
    if len(found) != part.objects:
        raise DamagedBackupError(f"it holds {len(found)} objects, and {part.objects} were written")
    return found


def rows_of(part: Part, raw: bytes, width: int) -> list[Line]:
    """Return the rows in a part of the store, each of ``width`` values.

    Raises:
        DamagedBackupError: it holds something else.
    """
    found = [*members(raw)]
    if [name for name, _ in found] != [part.name]:
        raise DamagedBackupError("it is not one member of this name")
    lines = unpacked(found[0][1])
    if len(lines) != part.rows or {len(line) for line in lines} - {width}:
        raise DamagedBackupError("its rows are not as many, or not as wide, as was written")
    return lines


def prove(backup: Backup, watch: Watch) -> Digests:
    """Read all of a backup and compare it with what it says of itself; return the store's digests.

    Raises:
        DamagedBackupError: something differs; the error names the part.
    """
    manifest = backup.manifest
    with naming(backup.path):
        checked = _Check(manifest)
    with watch("proving", sum(part.bytes for part in manifest.parts)) as advance:
        for part, raw in backup.parts():
            with naming(backup.path, part.name):
                checked.look_at(part, raw)
            advance(part.bytes)
    with naming(backup.path):
        return checked.finish()


class _Check:
    """Holds the parts of a backup against its manifest."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._tables = {table.name: table for table in manifest.tables}
        self._found = {table.name: Digests() for table in manifest.tables}
        self._kept = Objects()
        self._refuse_others()

    def look_at(self, part: Part, raw: bytes) -> None:
        """Read a part."""
        if part.table:
            table = self._tables[part.table]
            lines = rows_of(part, raw, len(table.columns))
            self._found[part.table].add(schema.metadata.tables[part.table], table.columns, lines)
        elif part.objects:
            found = objects_in(part, raw)
            size = sum(len(body) for _, body in found)
            self._kept = Objects(self._kept.objects + len(found), self._kept.bytes + size)
        elif [name for name, _ in members(raw)] != [README]:
            raise DamagedBackupError("coinlog writes no such part")

    def finish(self) -> Digests:
        """Compare the sums, and return the digests of the store."""
        everything = Digests()
        for name, found in self._found.items():
            total, table = total_of(found), self._tables[name]
            if (rows_in(total), f"{total:x}") != (table.rows, table.digest):
                raise DamagedBackupError(f"the rows of table {name} are not those that were read")
            everything.slots |= found.slots
            everything.tables |= found.tables
        if self._kept != (self._manifest.archive or Objects()):
            raise DamagedBackupError("the archive in it is not as large as what was read")
        return everything

    def _refuse_others(self) -> None:
        """Refuse tables that this program would not have written, or not in this order."""
        names = [table.name for table in self._manifest.tables]
        known = [table.name for table in TABLES if table.name in self._tables]
        runs = groupby(part.table for part in self._manifest.parts if part.table)
        filled = [table.name for table in self._manifest.tables if table.rows]
        if names != known or [name for name, _ in runs] != filled or filled[-1:] != [_LAST]:
            raise DamagedBackupError("its tables are not those of coinlog, in their order")
        for table in self._manifest.tables:
            key = {column.name for column in schema.metadata.tables[table.name].primary_key}
            if not key <= set(table.columns) or len(set(table.columns)) < len(table.columns):
                raise DamagedBackupError(f"the columns of table {table.name} are not coinlog's")
