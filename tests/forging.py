"""Backups made by hand, with right hashes and whatever else in them."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from coinlog.backups import manifest as words
from coinlog.backups.manifest import Manifest, Part
from coinlog.backups.reading import open_backup
from coinlog.backups.tape import END, member


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
