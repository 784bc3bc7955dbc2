"""Writing a backup: the store as of one moment, then the archive, which has all of that and more.

An attempt is in the archive before the store settles it, and nothing in the archive ever changes.
So while recording goes on, an archive that is read after the store lacks nothing of it; what it
has besides is settled by the next look after a restore.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import BinaryIO

import sqlalchemy as sa

from coinlog import __version__
from coinlog.backups.manifest import (
    ARCHIVE,
    MOST_BYTES,
    README,
    STORE,
    Manifest,
    Objects,
    Part,
    Table,
    sealed,
)
from coinlog.backups.packing import encoded, packed
from coinlog.backups.readme import readme
from coinlog.backups.tables import TABLES, total_of
from coinlog.backups.tape import BLOCK, is_safe, member
from coinlog.errors import BackupError
from coinlog.market import SourceKind
from coinlog.move.archives import THREADS, Unit, is_manifest, sizes_in, units_of
from coinlog.move.digests import Digests, rows_in
from coinlog.move.stores import Watch
from coinlog.objects import Objects as Place
from coinlog.store import schema
from coinlog.store.engine import store_errors
from coinlog.store.pages import column_names, pages
from coinlog.store.whole import held_still

_TEXT_BYTES = 8 * 2**20
_OBJECT_BYTES = 16 * 2**20
_CHECK = "check"
"""What ``doctor`` creates and removes again, to see whether it can."""


class Tape:
    """The file as it grows, and the parts that it has so far."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.parts: list[Part] = []

    def add(
        self, name: str, raw: bytes, *, table: str | None = None, rows: int = 0, objects: int = 0
    ) -> None:
        """Write a part."""
        digest = hashlib.sha256(raw).hexdigest()
        facts = (len(raw), digest, table, rows, objects)
        self.parts.append(Part(name, *facts))
        self._file.write(raw)


class _Stored:
    """What a backup says about the store that it is of."""

    def __init__(self, connection: sa.Connection) -> None:
        table = schema.slot.c
        self.made_at = int(time.time())
        self.source = connection.execute(sa.select(schema.store.c.source)).scalar()
        self.newest = connection.execute(sa.select(sa.func.max(table.slot))).scalar()
        self.tables: list[Table] = []
        self.slots = 0


def write_backup(
    file: BinaryIO, engine: sa.Engine, archive: Place | None, watch: Watch
) -> Manifest:
    """Write a backup of a store, and of an archive where one is given.

    Raises:
        StoreError: the store is away, half moved or has no tables.
        ArchiveError: the archive cannot be read.
        BackupError: an object in it has a name that fits into no tar.
        OSError: the file cannot be written.
    """
    tape = Tape(file)
    stored = _write_store(tape, engine, watch)
    kept = _write_archive(tape, archive, watch) if archive else None
    manifest = Manifest(
        program=f"coinlog {__version__}",
        revision=schema.REVISION,
        made_at=stored.made_at,
        source=SourceKind(stored.source) if stored.source else None,
        slots=stored.slots,
        newest_slot=stored.newest,
        tables=tuple(stored.tables),
        archive=kept,
        parts=tuple(tape.parts),
    )
    file.write(sealed(manifest))
    return manifest


def _write_store(tape: Tape, engine: sa.Engine, watch: Watch) -> _Stored:
    with _moment(engine) as connection:
        stored = _Stored(connection)
        simulated = stored.source == SourceKind.SIMULATED
        tape.add(README, member(README, readme(stored.made_at, simulated=simulated)))
        with watch("store", _count(connection)) as advance:
            for table in TABLES:
                for rows in _write_table(tape, connection, table, stored):
                    advance(rows)
    return stored


@contextmanager
def _moment(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Connect to one moment of a store, whatever others write meanwhile."""
    if engine.dialect.name != "sqlite":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with store_errors(), held_still(engine) as connection:
        yield connection


def _count(connection: sa.Connection) -> int:
    counts = (sa.select(sa.func.count()).select_from(table) for table in TABLES)
    return sum(connection.execute(count).scalar_one() for count in counts)


def _write_table(
    tape: Tape, connection: sa.Connection, table: sa.Table, stored: _Stored
) -> Iterator[int]:
    """Write a table in parts of some megabytes; yield how many more rows have been read."""
    found, names = Digests(), column_names(table)
    found.add(table, names, ())
    texts, waiting = list[bytes](), 0
    for lines in pages(connection, table):
        found.add(table, names, lines)
        texts.append(encoded(lines))
        waiting += len(lines)
        if sum(map(len, texts)) >= _TEXT_BYTES:
            _add_rows(tape, str(table.name), texts, waiting)
            texts, waiting = [], 0
        yield len(lines)
    if waiting:
        _add_rows(tape, str(table.name), texts, waiting)
    stored.slots = max(stored.slots, len(found.slots))
    total = total_of(found)
    # SQLAlchemy has names of a kind of its own.
    words = str(table.name), tuple(map(str, names))
    stored.tables.append(Table(*words, rows_in(total), f"{total:x}"))


def _add_rows(tape: Tape, table: str, texts: Sequence[bytes], rows: int) -> None:
    number = 1 + sum(part.table == table for part in tape.parts)
    name = f"{STORE}{table}-{number:06}.jsonl.gz"
    tape.add(name, member(name, packed(b"".join(texts))), table=table, rows=rows)


def _write_archive(tape: Tape, place: Place, watch: Watch) -> Objects:
    units = units_of(place)
    objects = total = 0
    waiting = list[bytes]()
    first = ""
    with watch("archive", len(units)) as advance:
        for found in _read_ahead(place, units):
            for path, body in found:
                first = first or f"{ARCHIVE}{path}"
                waiting.append(member(f"{ARCHIVE}{path}", body))
                objects, total = objects + 1, total + len(body)
                if sum(map(len, waiting)) >= _OBJECT_BYTES:
                    tape.add(first, b"".join(waiting), objects=len(waiting))
                    waiting, first = [], ""
            advance(1)
    if waiting:
        tape.add(first, b"".join(waiting), objects=len(waiting))
    return Objects(objects, total)


Found = list[tuple[str, bytes]]


def _read_ahead(place: Place, units: Sequence[Unit]) -> Iterator[Found]:
    """Yield what is in each folder, while threads read the next few."""
    with ThreadPoolExecutor(THREADS) as pool:
        ahead: deque[Future[Found]] = deque()
        for unit in units:
            ahead.append(pool.submit(_read, place, unit))
            if len(ahead) > THREADS:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _read(place: Place, unit: Unit) -> Found:
    """Read a folder, its manifests last, as they were written."""
    paths = sizes_in(place, unit)
    if any(map(is_manifest, paths)):
        # A folder may be listed as an answer and then the manifest are written into it. What was
        # there before the manifest is there when it is listed again.
        paths = sizes_in(place, unit)
    paths.pop(_CHECK, None)
    for path, size in paths.items():
        if not is_safe(path) or size > MOST_BYTES - 2 * BLOCK:
            raise BackupError(
                f"{path!r} with {size:,} bytes is nothing that coinlog keeps: move it out of the "
                "archive"
            )
    return [(path, place.read(path)) for path in sorted(paths, key=_last_manifests)]


def _last_manifests(path: str) -> tuple[bool, str]:
    return is_manifest(path), path
