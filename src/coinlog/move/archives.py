"""Moving an archive: every object, create-only, and then the proof that all are the same.

The work goes folder by folder (a slot's captures, say), in several threads. Inside a folder the
manifests come last, as in a capture, so that a half-copied attempt does not count. What is there
already is left as it is, which makes the next run go on where this one stopped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from coinlog.archive import MANIFEST
from coinlog.errors import UsageError
from coinlog.move.stores import Watch
from coinlog.objects import Objects, open_objects
from coinlog.store.names import chunks

THREADS = 8

Result = TypeVar("Result")


class Unit(NamedTuple):
    """What is copied as one: a folder with all that is in it, or what lies loose in it."""

    folder: str
    whole: bool


class MovedArchive(msgspec.Struct, kw_only=True):
    """What became of a move: ``objects`` and their ``bytes`` at FROM, and those ``copied`` now.

    ``others`` counts objects at TO that FROM has not, ``left`` the folders of slots that both have
    recorded; they are left alone.
    """

    objects: int = 0
    bytes: int = 0
    copied: int = 0
    others: int = 0
    left: int = 0
    differences: list[str] = msgspec.field(default_factory=list)


def move_archive(origin: str, target: str, watch: Watch, *, join: bool = False) -> MovedArchive:
    """Copy an archive to another place, or go on with it, and prove that all of it is there.

    With ``join`` that place may hold slots of its own: they stay, and where both have recorded a
    slot, so does what is there.

    Raises:
        UsageError: FROM holds nothing, or TO is FROM or another archive.
        ArchiveError: one of them cannot be used; the same again goes on.
    """
    here, there = _opened(origin, target)
    units, held = units_of(here), {unit for unit in units_of(there) if unit.whole}
    if held and not held & set(units) and not join:
        raise UsageError(
            f"{there.location} holds another archive: none of its {len(held):,} folders is in "
            f"{here.location}; choose an empty place, or --join to have both in one"
        )
    unlike = _unlike_units(here, there, [unit for unit in units if unit in held], watch)
    if unlike and not join:
        _refuse_another(here, there, unlike)
    units = [unit for unit in units if unit not in unlike]
    with watch("copying", len(units)) as advance:
        copied = sum(_each(partial(_copy, here, there), units, advance))
    moved = _compare(here, there, units, watch)
    moved.copied, moved.left = copied, len(unlike)
    return moved


def compare_archives(origin: str, target: str, watch: Watch) -> MovedArchive:
    """Compare each object at FROM with the one at TO and change nothing.

    Raises:
        UsageError: FROM holds nothing, or TO is FROM.
        ArchiveError: one of them cannot be used.
    """
    here, there = _opened(origin, target)
    return _compare(here, there, units_of(here), watch)


def _opened(origin: str, target: str) -> tuple[Objects, Objects]:
    for one, other in ((origin, target), (target, origin)):
        if f"{one}/".startswith(f"{other}/"):
            raise UsageError(f"FROM and TO are both in {other}: give two places apart")
    # Opening a folder makes it, and a mistyped one would look like an empty archive.
    if "://" not in origin and not Path(origin).is_dir():
        raise UsageError(f"there is no archive at {origin}: expected a folder or s3://bucket")
    here = open_objects(origin)
    if here.inside() == ([], {}):
        raise UsageError(f"there is nothing at {origin}: expected an archive")
    return here, open_objects(target)


def _unlike_units(
    here: Objects, there: Objects, shared: Sequence[Unit], watch: Watch
) -> dict[Unit, str]:
    """Return the folders in which an attempt of the same name is another one, with the first such.

    Folders are called after slots, and so alike in every archive.
    """
    if not shared:
        return {}
    with watch("comparing", len(shared)) as advance:
        found = list(_each(partial(_unlike, here, there), shared, advance))
    return {unit: path for unit, path in zip(shared, found, strict=True) if path}


def _refuse_another(here: Objects, there: Objects, unlike: dict[Unit, str]) -> None:
    raise UsageError(
        f"{there.location} holds another archive: {next(iter(unlike.values()))} is not the one in "
        f"{here.location}, nor are those of {len(unlike) - 1:,} more folders; nothing was "
        "copied: choose an empty place, or --join to have both in one"
    )


def _unlike(here: Objects, there: Objects, unit: Unit) -> str | None:
    """Return the first manifest of a folder that both have and that is not the same."""
    wanted, held = sizes_in(here, unit), sizes_in(there, unit)
    for path in sorted(path for path in wanted if path in held and is_manifest(path)):
        if wanted[path] != held[path] or here.read(path) != there.read(path):
            return path
    return None


def units_of(place: Objects) -> list[Unit]:
    """Return the folders of slots and of backfilled assets, and what lies loose above them."""
    tops = sorted(place.inside()[0])
    whole = [Unit(folder, whole=True) for top in tops for folder in sorted(place.inside(top)[0])]
    return [*whole, *(Unit(folder, whole=False) for folder in ("", *tops))]


def sizes_in(place: Objects, unit: Unit) -> dict[str, int]:
    """Return the objects of a unit and their bytes."""
    return place.sizes(unit.folder) if unit.whole else place.inside(unit.folder)[1]


def _copy(here: Objects, there: Objects, unit: Unit) -> int:
    """Copy what is not there, manifests last, and none for an attempt that differs there."""
    wanted, held = sizes_in(here, unit), sizes_in(there, unit)
    copied, unlike = 0, set[str]()
    for path in sorted(wanted, key=lambda path: (is_manifest(path), path)):
        attempt = path.rpartition("/")[0]
        if is_manifest(path) and attempt in unlike:
            continue
        if path not in held and there.create(path, here.read(path)):
            copied += 1
        elif held.get(path) != wanted[path]:
            unlike.add(attempt)
    return copied


def is_manifest(path: str) -> bool:
    """Return whether an object makes the ones beside it an attempt: it comes after them."""
    return path.endswith(f"/{MANIFEST}")


def _compare(here: Objects, there: Objects, units: list[Unit], watch: Watch) -> MovedArchive:
    total = MovedArchive()
    with watch("proving", len(units)) as advance:
        for found in _each(partial(_prove, here, there), units, advance):
            total.objects += found.objects
            total.bytes += found.bytes
            total.others += found.others
            total.differences += found.differences
    return total


def _prove(here: Objects, there: Objects, unit: Unit) -> MovedArchive:
    wanted, held = sizes_in(here, unit), sizes_in(there, unit)
    return MovedArchive(
        objects=len(wanted),
        bytes=sum(wanted.values()),
        others=len(held.keys() - wanted.keys()),
        differences=[
            difference
            for path in sorted(wanted)
            if (difference := _difference(here, there if path in held else None, path))
        ],
    )


def _difference(here: Objects, there: Objects | None, path: str) -> str | None:
    """Return how an object differs, in words."""
    if there is None:
        return f"{path}: it is not there"
    wanted, found = here.read(path), there.read(path)
    if len(wanted) != len(found):
        return f"{path}: {len(wanted):,} bytes here, {len(found):,} there"
    hashes = [hashlib.sha256(body).hexdigest() for body in (wanted, found)]
    return (
        None if hashes[0] == hashes[1] else f"{path}: SHA-256 {hashes[0]} here, {hashes[1]} there"
    )


def _each(
    work: Callable[[Unit], Result], units: Sequence[Unit], advance: Callable[[int], None]
) -> Iterator[Result]:
    """Do the work of each unit in threads, some hundred at a time, and yield what comes of it."""
    with ThreadPoolExecutor(THREADS) as pool:
        for some in chunks(units):
            for result in pool.map(work, some):
                yield result
                advance(1)
