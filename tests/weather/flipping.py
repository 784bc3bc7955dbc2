"""Bits of copies of the database that flip, and whether verifying tells of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from coinlog.archive import open_archive
from coinlog.errors import StoreError
from coinlog.store import schema
from coinlog.verify.flow import verify
from weather.damage import unwatched

TOLD = (
    *(schema.slot, schema.attempt, schema.missing, schema.quote, schema.latest),
    *(schema.global_metrics, schema.fear_and_greed),
)
"""What is compared with the archive slot by slot, whatever else verifying finds."""

UNTOLD = frozenset({"settled_at", "stored_at"})
"""When something was settled, the archive cannot tell."""

Look = Callable[[sa.URL], frozenset[str]]
"""What verifying finds in a store, in words."""


@dataclass(frozen=True)
class Flip:
    """A bit that flips: in which byte, as a share of all of them, and which of its eight."""

    place: float
    bit: int


def unnoticed(
    url: sa.URL, place: Path, flips: Sequence[Flip], damaged: Collection[int], look: Look
) -> list[str]:
    """Flip bits, each in a copy of its own; return which rows changed and nobody tells of it.

    Nobody can tell of slots whose files are ``damaged``.
    """
    whole, copy = place / "whole.db", place / "copy.db"
    try:
        _copy(url, whole)
        body, found = whole.read_bytes(), []
        for flip in flips:
            _forget(copy)
            copy.write_bytes(_flipped(body, flip))
            changed = _changed(whole, copy, damaged)
            if changed and not _told(whole, copy, look):
                found.append(f"{flip}: {changed}, and nobody tells of it")
        return found
    finally:
        _forget(whole)
        _forget(copy)


def differences(archive: Path, url: sa.URL) -> frozenset[str]:
    """Return what verifying finds in a store."""
    return frozenset(verify(url, open_archive(str(archive)), unwatched).first)


def _copy(url: sa.URL, whole: Path) -> None:
    with (
        closing(sqlite3.connect(str(url.database))) as held,
        closing(sqlite3.connect(str(whole))) as other,
    ):
        held.backup(other)


def _flipped(body: bytes, flip: Flip) -> bytes:
    changed = bytearray(body)
    changed[int(flip.place * len(body))] ^= 1 << flip.bit
    return bytes(changed)


def _changed(whole: Path, copy: Path, damaged: Collection[int]) -> str | None:
    """Return in words what can be told of a copy and is not as it was.

    ``None`` too where the database itself finds that it is broken.
    """
    try:
        with closing(sqlite3.connect(str(copy))) as connection:
            if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                return None
            connection.execute("ATTACH ? AS whole", (str(whole),))
            for table in TOLD:
                for one, other in (("main", "whole"), ("whole", "main")):
                    query = _only_in(one, other, table, damaged)
                    if row := connection.execute(query).fetchone():
                        return f"{table.name} has {row} in {one} alone"
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        # What it says of a broken table can hold bytes that are no text.
        pass
    return None


def _only_in(one: str, other: str, table: sa.Table, damaged: Collection[int]) -> str:
    names = ", ".join(f"`{column.name}`" for column in table.c if column.name not in UNTOLD)
    slots = ", ".join(map(str, damaged))
    return (
        f"SELECT {names} FROM {one}.`{table.name}` WHERE slot NOT IN ({slots}) "  # noqa: S608  our own names
        f"EXCEPT SELECT {names} FROM {other}.`{table.name}`"
    )


def _told(whole: Path, copy: Path, look: Look) -> bool:
    """Return whether a look at a copy finds anything that was not found before."""
    before = look(_url(whole))
    try:
        return bool(look(_url(copy)) - before)
    except (sqlite3.DatabaseError, StoreError):
        return True


def _url(path: Path) -> sa.URL:
    return sa.URL.create("sqlite", database=str(path))


def _forget(path: Path) -> None:
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
