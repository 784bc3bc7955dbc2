"""The archive: every raw answer, kept as it came, in a folder, a bucket or memory alike.

An attempt is ``captures/<slot>/<attempt>/``: the answers, one ``*.json.gz`` a request, and
``manifest.json``, written last. Beside the attempts lie the slot's claims. Manifests and claims
are create-only: whoever comes second is told so, and nothing is ever overwritten. That replaces
every lock, in a folder and on S3 alike.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import msgspec

from coinlog.attempts import (
    AttemptKey,
    Claim,
    KeptAnswer,
    Manifest,
    check_manifest,
    parse_slot,
    slot_name,
)
from coinlog.errors import DamagedError, UsageError
from coinlog.objects import Objects, open_objects
from coinlog.sources.answers import Answer

MANIFEST = "manifest.json"
_SLOT_NAME = r"[0-9]{8}T[0-9]{6}Z"
_MANIFEST_PATH = re.compile(rf"captures/({_SLOT_NAME})/([A-Za-z0-9][\w.-]{{0,63}})/manifest\.json")
_CLAIM_PATH = re.compile(rf"captures/{_SLOT_NAME}/claim-([0-9]{{1,9}})")


def open_archive(location: str) -> Archive:
    """Open the archive at a folder, ``s3://bucket/prefix`` or ``memory://``.

    Raises:
        UsageError: the address is of another kind.
        ArchiveError: the folder cannot be made.
    """
    return Archive(open_objects(location))


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

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self.location = objects.location

    def __reduce__(self) -> tuple[Callable[[str, set[str]], Archive], tuple[str, set[str]]]:
        """Let another process open the same archive, and know what was in it."""
        return _open_seen, (self.location, self.objects.seen)

    def claims(self, slot: int) -> list[Claim]:
        """Return the claims on a slot, oldest first; one that cannot be read counts as old."""
        paths = (path for path in self.objects.paths(f"captures/{slot_name(slot)}/"))
        numbers = sorted(int(match[1]) for path in paths if (match := _CLAIM_PATH.fullmatch(path)))
        return [self._read_claim(slot, number) for number in numbers]

    def claim(self, slot: int, claim: Claim) -> bool:
        """Claim a slot; ``False`` means that another recorder got there first."""
        path = f"captures/{slot_name(slot)}/claim-{claim.number}"
        return self.objects.create(path, msgspec.json.encode(claim))

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
        self.objects.put(f"{key.folder}/{kept.file}", packed)
        return kept

    def finish(self, manifest: Manifest) -> bool:
        """Write the manifest, which makes the attempt one; ``False`` if there is one already."""
        path = f"captures/{manifest.slot}/{manifest.attempt}/{MANIFEST}"
        pretty = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        return self.objects.create(path, pretty)

    def attempts(self, since_slot: int = 0) -> list[AttemptKey]:
        """Return the attempts of all slots from ``since_slot`` on, oldest first."""
        offset = f"captures/{slot_name(since_slot)}" if since_slot else None
        return sorted(self._keys(self.objects.paths("captures/", offset)))

    def slot_attempts(self, slot: int) -> list[AttemptKey]:
        """Return the attempts of one slot."""
        return sorted(self._keys(self.objects.paths(f"captures/{slot_name(slot)}/")))

    def manifest(self, key: AttemptKey) -> tuple[Manifest, str]:
        """Return an attempt's manifest and the SHA-256 of its bytes.

        Raises:
            DamagedError: it cannot be read as a manifest.
        """
        body = self.objects.read(f"{key.folder}/{MANIFEST}")
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

    def _answer(self, key: Kept, kept: KeptAnswer, altered: list[str] | None) -> Answer:
        path = f"{key.folder}/{kept.file}"
        packed = self.objects.read(path)
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
            body = self.objects.read(f"captures/{slot_name(slot)}/claim-{number}")
            return msgspec.json.decode(body, type=Claim)
        except (DamagedError, msgspec.DecodeError, UnicodeDecodeError):
            # A claim torn by a crash is a dead one: the next recorder may claim after it.
            return Claim(number, 0.0, "", 0, 0.0)


def _open_seen(location: str, seen: set[str]) -> Archive:
    archive = open_archive(location)
    archive.objects.seen |= seen
    return archive


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
