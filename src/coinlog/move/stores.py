"""Moving a store: every table, from one state of it, in asset order, and then the proof.

Rows go over in the order of their keys, in transactions of some thousands, so what a killed run
has left is the beginning of each table, and the next run goes on after it. That run sees a later
state of the store, so what differs in the end is copied anew. Where one run did it all, a
difference is a fault, and is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from coinlog.errors import SchemaError, UsageError
from coinlog.move.digests import Difference, Digests, digest, read_digests
from coinlog.move.lines import newest_key, write_lines
from coinlog.move.unfinished import COPIED, begin, finish
from coinlog.store import schema
from coinlog.store.engine import open_engine, store_errors
from coinlog.store.migrate import current_revision, migrate
from coinlog.store.names import chunks
from coinlog.store.pages import column_names, key_places, pages, snapshot
from coinlog.store.unfinished import refuse_unfinished

# Counting or clearing the rows of years can take a server minutes.
_ANSWER_SECONDS = 600

Advance = Callable[[int], None]
Watch = Callable[[str, int], AbstractContextManager[Advance]]
"""Given what is done and how many steps it has, returns whom to tell of each step."""


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a move: ``rows`` and ``slots`` that FROM holds, and rows ``written`` now.

    ``mended`` counts what differed after an earlier run and was copied anew. ``changed`` tells
    that FROM was written to meanwhile, so that the copy is of what it held at the start.
    """

    rows: int
    slots: int
    written: int = 0
    mended: int = 0
    resumed: bool = False
    changed: bool = False
    differences: tuple[Difference, ...] = ()


class _Stores(NamedTuple):
    """The two stores; TO is read and written by engines of their own."""

    origin: sa.Engine
    target: sa.Engine
    target_reader: sa.Engine


def move_store(origin: sa.URL, target: sa.URL, watch: Watch) -> Moved:
    """Copy a store into an empty database, or go on with it, and prove the two equal.

    Raises:
        UsageError: FROM is not there, or TO is FROM or holds something else.
        SchemaError: FROM has another schema than this program.
        UnfinishedMoveError: FROM is half a store itself.
        StoreUnavailableError: a database is away; the same again goes on.
    """
    with _opened(origin, target) as stores:
        migrate(stores.target, half_moved=True)
        resumed = begin(stores.target, origin.render_as_string())
        with snapshot(stores.origin) as connection:
            return _move(connection, stores, watch, resumed=resumed)


def compare_stores(origin: sa.URL, target: sa.URL, watch: Watch) -> Moved:
    """Compare two stores by their digests and change nothing.

    Raises:
        UsageError: one of them is not there, or the two are one.
        SchemaError: one has another schema than this program.
        StoreUnavailableError: a database is away.
    """
    with _opened(origin, target) as stores:
        check_schema(stores.target_reader)
        tables = tuple(schema.metadata.sorted_tables)
        with snapshot(stores.origin) as connection:
            total = _count(connection, tables)
            with watch("reading FROM", total) as advance:
                here = digest(connection, tables, advance=advance)
        with watch("reading TO", total) as advance:
            there = read_digests(stores.target_reader, tables=tables, advance=advance)
    differences = tuple(here.differences(there))
    return Moved(rows=here.rows, slots=len(here.slots), differences=differences)


def _move(connection: sa.Connection, stores: _Stores, watch: Watch, *, resumed: bool) -> Moved:
    version, store = _version(connection), next(pages(connection, schema.store), [])
    total = _count(connection, COPIED)
    with watch("copying", total) as advance:
        here, written = _copy(connection, stores.target, advance)
    found = _differences(here, stores.target_reader, watch, total)
    mended = len(found) if resumed else 0
    if mended:
        _copy_anew(connection, stores.target, found)
        found = _differences(here, stores.target_reader, watch, total)
    if not found:
        finish(stores.target, store)
    return Moved(
        rows=here.rows,
        slots=len(here.slots),
        written=written,
        mended=mended,
        resumed=resumed,
        changed=_version_now(stores.origin) != version,
        differences=tuple(found),
    )


def _copy(connection: sa.Connection, target: sa.Engine, advance: Advance) -> tuple[Digests, int]:
    """Copy what comes after the newest key of each table in TO; digest all of FROM on the way."""
    here, written = Digests(), 0
    for table in COPIED:
        names = column_names(table)
        places = key_places(table, names)
        here.add(table, names, ())
        newest = newest_key(target, table)
        for lines in pages(connection, table):
            here.add(table, names, lines)
            new = [
                line
                for line in lines
                if newest is None or tuple(line[place] for place in places) > newest
            ]
            with store_errors(), target.begin() as writing:
                write_lines(writing, table, new)
            written += len(new)
            advance(len(lines))
    return here, written


def _copy_anew(
    connection: sa.Connection, target: sa.Engine, differences: Sequence[Difference]
) -> None:
    """Write tables and slots again that are not what FROM holds, each in one transaction."""
    differing = {difference.table for difference in differences}
    for table in COPIED:
        if table is schema.quote or table.name not in differing:
            continue
        with store_errors(), target.begin() as writing:
            writing.execute(table.delete())
            for lines in pages(connection, table):
                write_lines(writing, table, lines)
    slots = [difference.slot for difference in differences if difference.slot is not None]
    for some in chunks(slots):
        with store_errors(), target.begin() as writing:
            writing.execute(schema.quote.delete().where(schema.quote.c.slot.in_(some)))
            for lines in pages(connection, schema.quote, slots=some):
                write_lines(writing, schema.quote, lines)


def _differences(here: Digests, target: sa.Engine, watch: Watch, total: int) -> list[Difference]:
    with watch("proving", total) as advance:
        return here.differences(read_digests(target, tables=COPIED, advance=advance))


def _count(connection: sa.Connection, tables: Sequence[sa.Table]) -> int:
    counts = (sa.select(sa.func.count()).select_from(table) for table in tables)
    return sum(connection.execute(count).scalar_one() for count in counts)


def _version(connection: sa.Connection) -> int:
    return int(connection.execute(sa.select(schema.store.c.version)).scalar_one())


def _version_now(engine: sa.Engine) -> int:
    with store_errors(), engine.connect() as connection:
        return _version(connection)


@contextmanager
def _opened(origin: sa.URL, target: sa.URL) -> Iterator[_Stores]:
    if origin == target:
        raise UsageError(f"FROM and TO are both {origin.render_as_string()}: give two stores")
    check_there(origin)
    stores = _Stores(
        open_engine(origin, read_only=True, answer_seconds=_ANSWER_SECONDS),
        open_engine(target, answer_seconds=_ANSWER_SECONDS),
        open_engine(target, read_only=True, answer_seconds=_ANSWER_SECONDS),
    )
    try:
        with store_errors(), stores.origin.connect() as connection:
            refuse_unfinished(connection)
        check_schema(stores.origin)
        yield stores
    finally:
        for engine in stores:
            engine.dispose()


def check_there(url: sa.URL) -> None:
    """Refuse a SQLite file that is not there, which opening it would make.

    Raises:
        UsageError: it is not.
    """
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).is_file():
        raise UsageError(f"there is no database at {url.database}: expected a store's file")


def check_schema(engine: sa.Engine) -> None:
    """Refuse a store that has another schema than this program.

    Raises:
        SchemaError: it has.
    """
    revision = current_revision(engine)
    if revision != schema.REVISION:
        raise SchemaError(
            f"{engine.url.render_as_string()} has {_in_words(revision)}, and this version of "
            f"coinlog needs revision {schema.REVISION}: make it the store in the settings and run "
            "`coinlog migrate` first"
        )


def _in_words(revision: str | None) -> str:
    return f"a schema of revision {revision}" if revision else "no tables of coinlog"
