"""The archive: every raw answer, kept as it came, in a folder, a bucket or memory alike.

An attempt is ``captures/<slot>/<attempt>/``: the answers, one ``*.json.gz`` a request, and
``manifest.json``, written last. Beside the attempts lie the slot's claims. Manifests and claims
are create-only: whoever comes second is told so, and nothing is ever overwritten. That replaces
every lock, in a folder and on S3 alike.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec
import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import LocalStore, MemoryStore, ObjectStore, S3Store

from coinlog.attempts import (
    AttemptKey,
    Claim,
    KeptAnswer,
    Manifest,
    check_manifest,
    parse_slot,
    slot_name,
)
from coinlog.errors import ArchiveError, DamagedError, UsageError
from coinlog.sources.answers import Answer

MANIFEST = "manifest.json"
_IN_MEMORY = "memory://"
_SLOT_NAME = r"[0-9]{8}T[0-9]{6}Z"
_MANIFEST_PATH = re.compile(rf"captures/({_SLOT_NAME})/([A-Za-z0-9][\w.-]{{0,63}})/manifest\.json")
_CLAIM_PATH = re.compile(rf"captures/{_SLOT_NAME}/claim-([0-9]{{1,9}})")


def open_archive(location: str) -> Archive:
    """Open the archive at a folder, ``s3://bucket/prefix`` or ``memory://``.

    Raises:
        UsageError: the address is of another kind.
        ArchiveError: the folder cannot be made.
    """
    if location.startswith("s3://"):
        return Archive(S3Store.from_url(location), location)
    if location == _IN_MEMORY:
        return Archive(MemoryStore(), location)
    if "://" in location:
        raise UsageError(
            f"archive {location!r} cannot be used: expected a folder or s3://bucket/prefix"
        )
    folder = Path(location).expanduser().resolve()
    with _archive_errors(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        return Archive(LocalStore(prefix=folder), str(folder), folder)


class Kept(Protocol):
    """Whatever has a folder of its own in the archive: an attempt, a backfilled answer."""

    @property
    def folder(self) -> str:
        """Where it is."""


class Keeps(Protocol):
    """A manifest of either."""

    @property
    def answers(self) -> tuple[KeptAnswer, ...]:
        """What it holds."""


class Archive:
    """The raw answers of every attempt, and the claims on slots."""

    def __init__(self, objects: ObjectStore, location: str, folder: Path | None = None) -> None:
        self._objects = objects
        self._disk = folder
        self.location = location

    def __reduce__(self) -> tuple[Callable[[str], Archive], tuple[str]]:
        """Let another process open the same archive."""
        return open_archive, (self.location,)

    @property
    def shared(self) -> bool:
        """Whether another process finds the same in it: one in memory is this process's own."""
        return self.location != _IN_MEMORY

    def claims(self, slot: int) -> list[Claim]:
        """Return the claims on a slot, oldest first; one that cannot be read counts as old."""
        paths = (path for path in self._paths(f"captures/{slot_name(slot)}/"))
        numbers = sorted(int(match[1]) for path in paths if (match := _CLAIM_PATH.fullmatch(path)))
        return [self._read_claim(slot, number) for number in numbers]

    def claim(self, slot: int, claim: Claim) -> bool:
        """Claim a slot; ``False`` means that another recorder got there first."""
        path = f"captures/{slot_name(slot)}/claim-{claim.number}"
        return self._create(path, msgspec.json.encode(claim))

    def keep(self, key: Kept, answer: Answer) -> KeptAnswer:
        """Keep one answer of an attempt and return what its manifest must say of it."""
        packed = gzip.compress(answer.body, 6, mtime=0)
        kept = KeptAnswer(
            file=f"{answer.name}.json.gz",
            endpoint=answer.endpoint,
            params=answer.params,
            status=answer.status,
            sha256=hashlib.sha256(answer.body).hexdigest(),
            body_bytes=len(answer.body),
            received_at=answer.received_at,
            elapsed_seconds=answer.elapsed_seconds,
            tries=answer.tries,
            server_date=answer.server_date,
            reason=answer.reason,
            detail=answer.detail,
            file_sha256=hashlib.sha256(packed).hexdigest(),
        )
        path = f"{key.folder}/{kept.file}"
        with _archive_errors(path):
            obstore.put(self._objects, path, packed)
            self._flush(path)
        return kept

    def finish(self, manifest: Manifest) -> bool:
        """Write the manifest, which makes the attempt one; ``False`` if there is one already."""
        path = f"captures/{manifest.slot}/{manifest.attempt}/{MANIFEST}"
        pretty = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        return self._create(path, pretty)

    def attempts(self, since_slot: int = 0) -> list[AttemptKey]:
        """Return the attempts of all slots from ``since_slot`` on, oldest first."""
        offset = f"captures/{slot_name(since_slot)}" if since_slot else None
        return sorted(self._keys(self._paths("captures/", offset)))

    def slot_attempts(self, slot: int) -> list[AttemptKey]:
        """Return the attempts of one slot."""
        return sorted(self._keys(self._paths(f"captures/{slot_name(slot)}/")))

    def manifest(self, key: AttemptKey) -> tuple[Manifest, str]:
        """Return an attempt's manifest and the SHA-256 of its bytes.

        Raises:
            DamagedError: it cannot be read as a manifest.
        """
        body = self._get(f"{key.folder}/{MANIFEST}")
        digest = hashlib.sha256(body).hexdigest()
        try:
            manifest = msgspec.json.decode(body, type=Manifest)
            check_manifest(manifest, key)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, UsageError) as error:
            raise DamagedError(f"the manifest of {key.folder} cannot be read: {error}") from error
        return manifest, digest

    def answers(self, key: Kept, manifest: Keeps, altered: list[str] | None = None) -> list[Answer]:
        """Return an attempt's answers, each body checked against its hash.

        A file that is not as it was kept, though its body is, is noted in ``altered``.

        Raises:
            DamagedError: a body is gone or is not what was received.
        """
        return [self._answer(key, kept, altered) for kept in manifest.answers]

    def check_writable(self) -> None:
        """Write and remove a small object.

        Raises:
            ArchiveError: that is not possible.
        """
        with _archive_errors(self.location):
            obstore.put(self._objects, "check", b"coinlog doctor was here")
            obstore.delete(self._objects, "check")

    def inside(self, folder: str = "") -> tuple[list[str], dict[str, int]]:
        """Return the folders right inside a folder, and the objects there with their bytes."""
        with _archive_errors(folder or self.location):
            found = obstore.list_with_delimiter(self._objects, folder or None)
        sizes = {entry["path"]: entry["size"] for entry in found["objects"]}
        return [*found["common_prefixes"]], sizes

    def objects(self, folder: str) -> dict[str, int]:
        """Return every object somewhere inside a folder, and its size in bytes."""
        with _archive_errors(folder):
            chunks = obstore.list(self._objects, folder)
            return {entry["path"]: entry["size"] for chunk in chunks for entry in chunk}

    def read(self, path: str) -> bytes:
        """Return an object as it is.

        Raises:
            DamagedError: it is not there.
        """
        return self._get(path)

    def create(self, path: str, body: bytes) -> bool:
        """Write an object as it is; ``False`` if there is one already, which stays."""
        return self._create(path, body)

    def _answer(self, key: Kept, kept: KeptAnswer, altered: list[str] | None) -> Answer:
        path = f"{key.folder}/{kept.file}"
        packed = self._get(path)
        if altered is not None and not _as_kept(packed, kept):
            altered.append(f"{path} has changed since it was kept, though what it holds is whole")
        try:
            body = gzip.decompress(packed)
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise DamagedError(f"{path} cannot be unpacked: {error}") from error
        if (found := hashlib.sha256(body).hexdigest()) != kept.sha256:
            raise DamagedError(f"{path} has SHA-256 {found}, but {kept.sha256} was received")
        fields = {name: getattr(kept, name) for name in Answer.__struct_fields__ if name in _SAME}
        return Answer(name=kept.file.removesuffix(".json.gz"), body=body, **fields)

    def _keys(self, paths: Iterable[str]) -> Iterator[AttemptKey]:
        """Yield the attempts among paths; a folder that is no slot is passed over."""
        for match in map(_MANIFEST_PATH.fullmatch, paths):
            if match and (slot := parse_slot(match[1])) is not None:
                yield AttemptKey(slot, match[2])

    def _read_claim(self, slot: int, number: int) -> Claim:
        try:
            body = self._get(f"captures/{slot_name(slot)}/claim-{number}")
            return msgspec.json.decode(body, type=Claim)
        except (DamagedError, msgspec.DecodeError, UnicodeDecodeError):
            # A claim torn by a crash is a dead one: the next recorder may claim after it.
            return Claim(number, 0.0, "", 0, 0.0)

    def _paths(self, prefix: str, offset: str | None = None) -> Iterator[str]:
        with _archive_errors(prefix):
            for chunk in obstore.list(self._objects, prefix, offset=offset):
                for entry in chunk:
                    yield entry["path"]

    def _get(self, path: str) -> bytes:
        with _archive_errors(path):
            return bytes(obstore.get(self._objects, path).bytes())

    def _create(self, path: str, body: bytes) -> bool:
        try:
            with _archive_errors(path):
                obstore.put(self._objects, path, body, mode="create")
                self._flush(path)
        except _TakenError:
            return False
        return True

    def _flush(self, path: str) -> None:
        """Make a file and its name outlast a power cut; a bucket does that by itself."""
        if self._disk is None or os.name == "nt":
            return
        for place in (self._disk / path, (self._disk / path).parent):
            descriptor = os.open(place, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


_SAME = frozenset(KeptAnswer.__struct_fields__) & frozenset(Answer.__struct_fields__)


def _as_kept(packed: bytes, kept: KeptAnswer) -> bool:
    """Return whether a file is as it was kept; without a hash of it, its header tells."""
    if kept.file_sha256:
        return hashlib.sha256(packed).hexdigest() == kept.file_sha256
    return packed[: len(_HEADER)] == _HEADER and packed[9:10] in _SYSTEMS


# What zlib writes for any body: gzip, deflate, no name, no time, the usual level. Then comes the
# system: this one, Linux, or none told.
_EMPTY = gzip.compress(b"", 6, mtime=0)
_HEADER, _SYSTEMS = _EMPTY[:9], {_EMPTY[9:10], b"\x03", b"\xff"}


class _TakenError(ArchiveError):
    """A create-only object is there already."""


@contextmanager
def _archive_errors(what: str) -> Iterator[None]:
    """Turn the storage library's errors into ours, saying what could not be reached."""
    try:
        yield
    except AlreadyExistsError as error:
        raise _TakenError(f"{what} is there already") from error
    except (NotFoundError, FileNotFoundError) as error:
        raise DamagedError(f"{what} is not in the archive") from error
    except ValueError as error:
        raise DamagedError(f"{what[:200]!r} is no place in an archive") from error
    except (BaseError, OSError) as error:
        text = " ".join(str(error).split())[:300]
        raise ArchiveError(
            f"the archive could not be used at {what}: {text}; check that it exists, is writable "
            "and has room"
        ) from error
