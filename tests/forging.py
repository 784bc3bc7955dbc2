"""Backups made by hand, with right hashes and whatever else in them."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import sqlalchemy as sa

from coinlog.backups import manifest as words
from coinlog.backups.manifest import Manifest, Part
from coinlog.backups.packing import encoded, packed
from coinlog.backups.reading import open_backup, rows_of
from coinlog.backups.tables import total_of
from coinlog.backups.tape import END, member
from coinlog.move.digests import Digests


@dataclasses.dataclass
class Forged:
    """What is in a backup, to be changed before it is sealed again."""

    manifest: Manifest
    raws: list[bytes]

    def replace(self, name: str, raw: bytes, **facts: int | str) -> None:
        """Put other bytes into the place of a part, and the right hash for them."""
        place = [part.name for part in self.manifest.parts].index(name)
        self.raws[place] = raw
        parts = list(self.manifest.parts)
        fresh = {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest(), **facts}
        parts[place] = msgspec.structs.replace(parts[place], **fresh)
        self.manifest = msgspec.structs.replace(self.manifest, parts=tuple(parts))

    def say(self, **facts: object) -> None:
        """Let the manifest say something else."""
        self.manifest = msgspec.structs.replace(self.manifest, **facts)

    def part(self, of: Callable[[Part], object]) -> Part:
        """Return the first part of a kind."""
        return next(part for part in self.manifest.parts if of(part))


def opened(path: Path) -> Forged:
    """Take a backup apart."""
    with open_backup(path) as backup:
        return Forged(backup.manifest, [raw for _, raw in backup.parts()])


def without_columns(forged: Forged, table: sa.Table, names: Sequence[str]) -> None:
    """Leave out the last columns of a table, which an older schema does not have."""
    part = forged.part(lambda one: one.table == table.name)
    place = [one.name for one in forged.manifest.tables].index(table.name)
    written = forged.manifest.tables[place]
    columns = written.columns[: -len(names)]
    assert written.columns == (*columns, *names)
    raw = forged.raws[forged.manifest.parts.index(part)]
    lines = [line[: len(columns)] for line in rows_of(part, raw, len(written.columns))]
    found = Digests()
    found.add(table, columns, lines)
    tables = list(forged.manifest.tables)
    digest = f"{total_of(found):x}"
    tables[place] = msgspec.structs.replace(written, columns=columns, digest=digest)
    forged.replace(part.name, member(part.name, packed(encoded(lines))))
    forged.say(tables=tuple(tables))


def sealed(forged: Forged, path: Path) -> Path:
    """Write a backup with right hashes all over."""
    path.write_bytes(b"".join(forged.raws) + words.sealed(forged.manifest))
    return path


def sealed_as(body: bytes, path: Path) -> Path:
    """Write a backup of nothing but a manifest of any shape."""
    seal = words.Seal(len(body), hashlib.sha256(body).hexdigest())
    raw = msgspec.json.encode(seal).ljust(511) + b"\n"
    path.write_bytes(member(words.MANIFEST, body) + member(words.SEAL, raw) + END)
    return path
