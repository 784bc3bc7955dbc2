"""Whether two stores hold the same rows: a digest for each slot and for each table.

A row's digest is 128 bits of BLAKE2 over its values, and that of a slot or a table is the sum of
its rows'. A sum does not depend on order, so one pass in any order does, with memory for the
digests alone, and equal digests mean equal rows on SQLite, MariaDB and MySQL alike. They find
faults and mishaps; somebody who makes up rows to fit a sum is not what they are for.

Every value counts to its last bit and None is none of them, with one exception: the two zeros of
floating point are one here. MariaDB and MySQL keep no sign of a zero, and no figure means
anything else with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec
import sqlalchemy as sa

from coinlog.slots import YEAR_2101, iso
from coinlog.sources.texts import counted
from coinlog.store import schema
from coinlog.store.pages import Line, column_names, pages, snapshot

_ROWS = 160
"""A digest is one whole number: the count of rows above this bit, the sum of hashes below it."""

_ONE_ROW = 1 << _ROWS
_NEGATIVE_ZERO = b"\xcb\x80" + bytes(7)

Key = TypeVar("Key", int, str)

_pack = msgspec.msgpack.Encoder().encode


class Digests(msgspec.Struct):
    """What a store holds: a digest for each slot's quotes, and one for each other table."""

    slots: dict[int, int] = msgspec.field(default_factory=dict)
    tables: dict[str, int] = msgspec.field(default_factory=dict)

    @property
    def rows(self) -> int:
        """The count of all rows."""
        return sum(map(rows_in, (*self.slots.values(), *self.tables.values())))

    def add(self, table: sa.Table, names: Sequence[str], lines: Iterable[Line]) -> None:
        """Add rows of a table, of which ``names`` are the columns."""
        if table.name != schema.quote.name:
            self.tables[table.name] = self.tables.get(table.name, 0) + sum(map(_digest, lines))
            return
        place, slots = names.index("slot"), self.slots
        for line in lines:
            slot = line[place]
            slots[slot] = slots.get(slot, 0) + _digest(line)

    def differences(self, there: Digests) -> list[Difference]:
        """Return where two stores are not equal, tables first, then slots, oldest first."""
        tables = [
            Difference(name, rows_in(here), rows_in(others))
            for name, here, others in _unequal(self.tables, there.tables)
        ]
        return tables + [
            Difference(schema.quote.name, rows_in(here), rows_in(others), slot)
            for slot, here, others in _unequal(self.slots, there.slots)
        ]


class Difference(msgspec.Struct, frozen=True):
    """Where two stores are not equal: a slot's quotes, or another table; and the rows of both."""

    table: str
    here: int
    there: int
    slot: int | None = None

    def __str__(self) -> str:
        what = f"table {self.table}" if self.slot is None else f"slot {_in_words(self.slot)}"
        if self.here == self.there:
            return f"{what}: {self._count(self.here)} on both sides, but not the same"
        return f"{what}: {self._count(self.here)} here, {self.there:,} there"

    def _count(self, rows: int) -> str:
        return counted(rows, "row" if self.slot is None else "quote")


def read_digests(
    engine: sa.Engine,
    *,
    tables: Sequence[sa.Table] = tuple(schema.metadata.sorted_tables),
    leave_out: Collection[str] = (),
    advance: Callable[[int], object] = lambda _: None,
) -> Digests:
    """Return the digests of a store, read in one pass from one state of it.

    ``leave_out`` names columns that need not be equal, such as ``stored_at``; ``advance`` is told
    how many more rows have been read.

    Raises:
        StoreUnavailableError: the database is away.
    """
    with snapshot(engine) as connection:
        return digest(connection, tables, leave_out=leave_out, advance=advance)


def digest(
    connection: sa.Connection,
    tables: Iterable[sa.Table],
    *,
    leave_out: Collection[str] = (),
    advance: Callable[[int], object] = lambda _: None,
) -> Digests:
    """Return the digests of tables, read over a connection."""
    found = Digests()
    for table in tables:
        names = column_names(table, leave_out)
        found.add(table, names, ())
        for lines in pages(connection, table, leave_out=leave_out):
            found.add(table, names, lines)
            advance(len(lines))
    return found


def _in_words(slot: int) -> str:
    """Return a slot as a time, or as it is where somebody else has written what is no slot."""
    return iso(slot) if isinstance(slot, int) and 0 <= slot < YEAR_2101 else repr(slot)


def rows_in(digest: int) -> int:
    """Return how many rows a digest is of."""
    return digest >> _ROWS


def _digest(line: Line) -> int:
    packed = _pack(line)
    if _NEGATIVE_ZERO in packed:
        packed = _pack(
            tuple(0.0 if value == 0.0 and isinstance(value, float) else value for value in line)
        )
    return _ONE_ROW + int.from_bytes(hashlib.blake2b(packed, digest_size=16).digest(), "big")


def _unequal(here: Mapping[Key, int], there: Mapping[Key, int]) -> Iterator[tuple[Key, int, int]]:
    # As texts, slots sort as they do as numbers; so can be told what is none.
    for key in sorted(here.keys() | there.keys(), key=str):
        if here.get(key, 0) != there.get(key, 0):
            yield key, here.get(key, 0), there.get(key, 0)
