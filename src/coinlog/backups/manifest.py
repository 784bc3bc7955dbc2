"""What a backup says of itself: its manifest, and the seal at its end that proves the manifest.

The file is a row of parts, then the manifest, which has the SHA-256 of each part's bytes, then
the seal, which has that of the manifest. Every byte of the file is in one of them.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, TypeVar

import msgspec

from coinlog.backups.tape import BLOCK, END, header, member
from coinlog.errors import BackupError, DamagedBackupError
from coinlog.market import SourceKind
from coinlog.slots import YEAR_2101

FORMAT = 1
"""Raised when an older coinlog could not read what a newer one writes."""

MOST_BYTES = 2**30
"""The largest part, packed or unpacked, that anybody takes into memory."""

README, MANIFEST, SEAL = "README.txt", "manifest.json", "seal.json"
STORE, ARCHIVE = "store/", "archive/"

SEAL_BYTES = 2 * BLOCK + len(END)
"""The seal, its header, and the end of the tar: always as long."""

T = TypeVar("T")

Count = Annotated[int, msgspec.Meta(ge=0)]
Bytes = Annotated[int, msgspec.Meta(ge=BLOCK, le=MOST_BYTES)]
Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Word = Annotated[str, msgspec.Meta(pattern="^[a-z_0-9]{1,64}$")]
Time = Annotated[int, msgspec.Meta(ge=0, le=YEAR_2101)]


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stretch of the file: one member with rows of a table, or members with objects.

    ``bytes`` and ``sha256`` are of the stretch with its headers. A part of objects is called
    after its first one.
    """

    name: str
    bytes: Bytes
    sha256: Hash
    table: Word | None = None
    rows: Count = 0
    objects: Count = 0


class Table(msgspec.Struct, frozen=True):
    """A table of the store: its columns in the order of the rows, and the digest of all rows."""

    name: Word
    columns: tuple[Word, ...]
    rows: Count
    digest: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{1,128}$")]


class Objects(msgspec.Struct, frozen=True):
    """The archive: how many objects, and their bytes."""

    objects: Count = 0
    bytes: Count = 0


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds. ``made_at`` is the moment of the store, in seconds UTC.

    ``revision`` is that of the store's schema; ``source`` is ``None`` where nothing was recorded;
    ``archive`` is ``None`` where it was left out.
    """

    format: int = FORMAT
    program: str
    revision: Word
    made_at: Time
    source: SourceKind | None
    slots: Count
    newest_slot: Time | None
    tables: tuple[Table, ...]
    archive: Objects | None
    parts: tuple[Part, ...]

    @property
    def rows(self) -> int:
        """The rows of all tables."""
        return sum(table.rows for table in self.tables)


class Seal(msgspec.Struct, frozen=True):
    """The last word of a backup: how long its manifest is, and its hash."""

    manifest_bytes: Annotated[int, msgspec.Meta(ge=2, le=MOST_BYTES)]
    manifest_sha256: Hash


class _Format(msgspec.Struct):
    format: int


def sealed(manifest: Manifest) -> bytes:
    """Return what a file ends with: manifest, seal, end of the tar."""
    body = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    seal = msgspec.json.encode(Seal(len(body), hashlib.sha256(body).hexdigest()))
    return member(MANIFEST, body) + member(SEAL, seal.ljust(BLOCK - 1) + b"\n") + END


def read_seal(tail: bytes) -> Seal:
    """Return the seal from the last bytes of a file.

    Raises:
        DamagedBackupError: they are none.
    """
    body, end = tail[BLOCK : 2 * BLOCK], tail[2 * BLOCK :]
    if tail[:BLOCK] != header(SEAL, BLOCK) or end != END:
        raise DamagedBackupError(f"{SEAL} is damaged")
    return _read(body, Seal, SEAL)


def read_manifest(body: bytes, seal: Seal) -> Manifest:
    """Return the manifest.

    Raises:
        DamagedBackupError: it is not the one that was sealed, or makes no sense.
        BackupError: a newer coinlog wrote it.
    """
    if hashlib.sha256(body).hexdigest() != seal.manifest_sha256:
        raise DamagedBackupError(
            f"{MANIFEST} or {SEAL} is damaged: the one has not the other's hash"
        )
    found = _read(body, _Format, MANIFEST).format
    if found > FORMAT:
        raise BackupError(
            f"it has format {found}, and this version of coinlog knows none after {FORMAT}: a "
            "newer coinlog made it, so use that one"
        )
    return _read(body, Manifest, MANIFEST)


def _read(body: bytes, kind: type[T], name: str) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedBackupError(f"{name} is damaged or made up: {error}") from error
