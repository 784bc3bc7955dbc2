"""Restoring a backup: proven first, then the archive, then the store, and then the proof again.

The store is marked before anything is written and made whole by the last transaction, so what a
killed restore leaves is refused by everybody but the same restore, which goes on with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec
import sqlalchemy as sa

from coinlog.backups.manifest import Manifest, Objects
from coinlog.backups.reading import Backup, objects_in, prove, rows_of
from coinlog.backups.tables import tables_in
from coinlog.errors import ArchiveError, SchemaError, UsageError
from coinlog.market import SourceKind
from coinlog.move.archives import THREADS, is_manifest
from coinlog.move.digests import Difference, Digests, read_digests
from coinlog.move.lines import newest_key, write_lines
from coinlog.move.stores import Watch
from coinlog.move.unfinished import begin, finish, is_under_way
from coinlog.objects import Objects as Place
from coinlog.objects import open_objects
from coinlog.slots import iso
from coinlog.store.engine import open_engine, store_errors
from coinlog.store.existing import is_new
from coinlog.store.migrate import current_revision, migrate
from coinlog.store.pages import PAGE, Line, column_names, key_places
from coinlog.store.unfinished import RESTORED

_ANSWER_SECONDS = 600


class Restored(msgspec.Struct, kw_only=True):
    """What became of a restore: what the backup holds, and what of it was written now."""

    rows: int
    slots: int
    written: int = 0
    resumed: bool = False
    archive: Objects | None = None
    created: int = 0
    differences: tuple[Difference, ...] = ()


def restore_backup(backup: Backup, url: sa.URL, archive: str | None, watch: Watch) -> Restored:
    """Put a backup into an empty store, and into an empty archive where one is given.

    Raises:
        DamagedBackupError: the backup is not what was written; nothing has been changed.
        UsageError: the store or the archive is not empty; nothing has been changed.
        SchemaError: a newer coinlog made the backup; nothing has been changed.
        StoreError: the database is away; the same again goes on.
        ArchiveError: the archive cannot be used; the same again goes on.
    """
    here = prove(backup, watch)
    with _opened(url) as (target, reader):
        name = _origin(backup, archive)
        resumed = _refuse_filled(target, backup.manifest, name, archive)
        migrate(target, backup.manifest.revision, half_moved=True)
        begin(target, name)
        restored = Restored(rows=here.rows, slots=len(here.slots), resumed=resumed)
        if archive is not None and backup.manifest.archive:
            restored.archive = backup.manifest.archive
            place = open_objects(archive)
            restored.created = _restore_archive(backup, place, watch)
            _prove_archive(backup, place, watch)
        _restore_store(backup, target, reader, here, restored, watch)
    return restored


def _origin(backup: Backup, archive: str | None) -> str:
    """Return which backup this is and where its archive goes: only the same again goes on."""
    name = f"{RESTORED}{iso(backup.manifest.made_at)} ({backup.id[:16]})"
    if archive is None or not backup.manifest.archive:
        return name
    place = archive if "://" in archive else Path(archive).expanduser().resolve()
    return f"{name} with its archive in {place}"


@contextmanager
def _opened(url: sa.URL) -> Iterator[tuple[sa.Engine, sa.Engine]]:
    """Lend engines that write and read a store."""
    engines = (
        open_engine(url, answer_seconds=_ANSWER_SECONDS),
        open_engine(url, read_only=True, answer_seconds=_ANSWER_SECONDS),
    )
    try:
        yield engines
    finally:
        for engine in engines:
            engine.dispose()


def _refuse_filled(target: sa.Engine, manifest: Manifest, name: str, archive: str | None) -> bool:
    """Return whether this restore is under way, and refuse what holds anything else.

    A database is asked only where there is one: looking at a SQLite file would make it.
    """
    url = target.url
    revision = None if is_new(url) else current_revision(target)
    if revision not in {None, manifest.revision}:
        raise SchemaError(
            f"{url.render_as_string()} holds tables of schema {revision}, and the backup has "
            f"{manifest.revision}: choose an empty database, or empty this one with "
            "`coinlog migrate --down`"
        )
    if revision and is_under_way(target, name):
        return True
    if archive is not None and manifest.archive and not _is_empty(archive):
        made_up = manifest.source is SourceKind.SIMULATED
        setting = "COINLOG_DATA" if made_up else "COINLOG_ARCHIVE"
        raise UsageError(
            f"the archive {archive} is not empty: choose an empty place with {setting}, or "
            "restore the store alone with --without-archive"
        )
    return False


def _is_empty(archive: str) -> bool:
    if "://" not in archive and not Path(archive).is_dir():
        return True
    return open_objects(archive).inside() == ([], {})


def _restore_archive(backup: Backup, place: Place, watch: Watch) -> int:
    """Create every object that is not there, and return how many were."""
    created = 0
    wanted = [part for part in backup.manifest.parts if part.objects]
    with (
        watch("archive", sum(part.objects for part in wanted)) as advance,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        for part, raw in backup.parts(lambda part: part.objects):
            found = objects_in(part, raw)
            # Manifests make attempts of what is beside them, so they come after it.
            for last in (False, True):
                some = [one for one in found if is_manifest(one[0]) == last]
                created += sum(pool.map(partial(_create, place), some))
            advance(len(found))
    return created


def _create(place: Place, named: tuple[str, bytes]) -> bool:
    path, body = named
    if place.create(path, body):
        return True
    held = place.read(path)
    if held != body and not body.startswith(held):
        raise ArchiveError(
            f"{path} is in {place.location} already and is another one: something was recorded "
            "there meanwhile; move the archive away and restore again"
        )
    if held != body:
        # The beginning of it is what a power cut has left of an earlier run.
        place.put(path, body)
    return False


def _prove_archive(backup: Backup, place: Place, watch: Watch) -> None:
    """Read back every object, also those that an earlier run has written.

    Raises:
        ArchiveError: one is not what it is in the backup.
    """
    wanted = sum(part.objects for part in backup.manifest.parts)
    with watch("proving the archive", wanted) as advance, ThreadPoolExecutor(THREADS) as pool:
        for part, raw in backup.parts(lambda part: part.objects):
            found = objects_in(part, raw)
            equal = [*pool.map(lambda one: place.read(one[0]) == one[1], found)]
            if not all(equal):
                raise ArchiveError(
                    f"{found[equal.index(False)][0]} in {place.location} is not what was written "
                    "there: check its disk, move the archive away and restore again"
                )
            advance(len(found))


def _restore_store(  # noqa: PLR0913, PLR0917  both sides of it, and what is known by now
    backup: Backup,
    target: sa.Engine,
    reader: sa.Engine,
    here: Digests,
    restored: Restored,
    watch: Watch,
) -> None:
    tables = {table.name: table for table in tables_in(target, backup.manifest)}
    *copied, store = tables.values()
    last: list[Line] = []
    with watch("store", backup.manifest.rows) as advance:
        for table, lines in _lines(backup, tables):
            if table is store:
                last = lines
            else:
                restored.written += _write(target, table, lines)
            advance(len(lines))
    with watch("proving", here.rows) as advance:
        there = read_digests(reader, tables=copied, advance=advance)
    there.tables[store.name] = here.tables[store.name]
    restored.differences = tuple(here.differences(there))
    if not restored.differences:
        finish(target, last)
        migrate(target)


def _lines(backup: Backup, tables: dict[str, sa.Table]) -> Iterator[tuple[sa.Table, list[Line]]]:
    widths = {table.name: len(table.columns) for table in backup.manifest.tables}
    for part, raw in backup.parts(lambda part: part.table):
        if part.table:
            yield tables[part.table], rows_of(part, raw, widths[part.table])


def _write(target: sa.Engine, table: sa.Table, lines: list[Line]) -> int:
    """Write what comes after the newest key of a table; return how many rows that were."""
    places, newest = key_places(table, column_names(table)), newest_key(target, table)
    new = [
        line for line in lines if newest is None or tuple(line[place] for place in places) > newest
    ]
    for start in range(0, len(new), PAGE):
        with store_errors(), target.begin() as connection:
            write_lines(connection, table, new[start : start + PAGE])
    return len(new)
