"""Backfilled answers in the archive: ``backfill/<target>/<attempt>/``, manifests written last.

A request is claimed by a create-only object beside its attempts, so that nobody pays twice.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Annotated

import msgspec

from coinlog.archive import MANIFEST, Archive
from coinlog.attempts import (
    Claim,
    Credits,
    Interval,
    KeptAnswer,
    Moment,
    parse_slot,
    slot_name,
)
from coinlog.claims import at_work, our_claim
from coinlog.errors import DamagedError
from coinlog.market import Asset, Outcome, Reason, SourceKind
from coinlog.slots import YEAR_2101
from coinlog.store.targets import FEAR_AND_GREED, GLOBAL_METRICS, target_of

ROOT = "backfill"

Time = Annotated[int, msgspec.Meta(ge=0, le=YEAR_2101)]

_STAMP = r"[0-9]{8}T[0-9]{6}Z"
_NAME = rf"({_STAMP})-({_STAMP})-([0-9]{{1,7}})-([0-9]{{1,6}})"
_MANIFEST = re.compile(rf"{ROOT}/([a-z0-9-]{{1,64}})/({_NAME})/manifest\.json")


class Request(msgspec.Struct, frozen=True):
    """One request for history: of what, from when to when, both included, and how fine.

    Times are seconds UTC; ``asset`` is ``None`` for what concerns the whole market;
    ``interval_seconds`` lay between slots at that time.
    """

    target: str
    asset: Asset | None
    from_time: int
    to_time: int
    resolution: int
    interval_seconds: int

    @property
    def asset_id(self) -> int | None:
        """The asset's id, where it is about one."""
        return self.asset.id if self.asset else None

    @property
    def name(self) -> str:
        """What its attempts are called, less their number."""
        return f"{slot_name(self.from_time)}-{slot_name(self.to_time)}-{self.resolution}"

    @property
    def most_points(self) -> int:
        """How many points are asked for at most: one more than there are times to ask about."""
        return (self.to_time - self.from_time) // self.resolution + 2


class BackfillKey(msgspec.Struct, frozen=True, order=True):
    """Which backfilled answer: its target and its name there."""

    target: str
    attempt: str

    @property
    def folder(self) -> str:
        """Where it is in the archive."""
        return f"{ROOT}/{self.target}/{self.attempt}"


class BackfillManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backfilled answer is, in the archive: what was asked, and what came of it.

    ``interval_seconds`` lay between slots at that time: it says where points belong.
    """

    format: int = 1
    target: str
    attempt: str
    asset: Asset | None
    from_time: Time
    to_time: Time
    resolution: Interval
    interval_seconds: Interval
    outcome: Outcome
    reason: Reason | None
    detail: str
    source: SourceKind
    captured_at: Moment
    credits: Credits
    answers: tuple[KeptAnswer, ...]
    program: str


def backfills(archive: Archive) -> list[BackfillKey]:
    """Return every backfilled answer of an archive, by target and name."""
    found = map(_MANIFEST.fullmatch, archive.objects.sizes(ROOT))
    keys = [BackfillKey(match[1], match[2]) for match in found if match]
    return sorted(key for key in keys if _span_in(key.attempt))


def claim(archive: Archive, request: Request, deadline_seconds: float, now: float) -> str | None:
    """Claim a request; return its attempt's name, ``None`` where another has it in hand.

    Another is at work on it, or has had its answer by now.
    """
    folder = f"{ROOT}/{request.target}/"
    there = archive.objects.sizes(folder.rstrip("/"))
    claims = {n: path for path in there if (n := _claim_number(path, request)) is not None}
    newest = max(claims, default=0)
    held = _read_claim(archive, claims[newest]) if newest else None
    busy = held is not None and at_work(held, deadline_seconds, now)
    # Listed after the look at the process: one that is gone by then has written what it would.
    finished = set(_finished(archive.objects.sizes(folder.rstrip("/")), request))
    if (busy and newest not in finished) or any(_answered(archive, request, n) for n in finished):
        return None
    number = max(newest, *finished, 0) + 1
    body = msgspec.json.encode(our_claim(number, now))
    ours = archive.objects.create(f"{folder}{request.name}.claim-{number}", body)
    return f"{request.name}-{number}" if ours else None


def finish(archive: Archive, manifest: BackfillManifest) -> bool:
    """Write the manifest, which makes the answer count; ``False`` if there is one already."""
    path = f"{ROOT}/{manifest.target}/{manifest.attempt}/{MANIFEST}"
    return archive.objects.create(
        path, msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    )


def read_manifest(archive: Archive, key: BackfillKey) -> tuple[BackfillManifest, str]:
    """Return a manifest and the SHA-256 of its bytes.

    Raises:
        DamagedError: it cannot be read as one.
    """
    body = archive.objects.read(f"{key.folder}/{MANIFEST}")
    try:
        manifest = msgspec.json.decode(body, type=BackfillManifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedError(f"the manifest of {key.folder} cannot be read: {error}") from error
    told = f"{manifest.target}/{manifest.attempt}"
    asset_id = manifest.asset.id if manifest.asset else None
    asked = (manifest.from_time, manifest.to_time, manifest.resolution)
    if told != f"{key.target}/{key.attempt}" or asked != span_of(key) or not _is(key, asset_id):
        raise DamagedError(f"the manifest of {key.folder} is another's: it says {told}, {asked}")
    return manifest, hashlib.sha256(body).hexdigest()


def span_of(key: BackfillKey) -> tuple[int, int, int]:
    """Return from when to when an answer was asked for, and its resolution: its name tells.

    Raises:
        DamagedError: it is not called as an answer is.
    """
    span = _span_in(key.attempt)
    if span is None:
        raise DamagedError(f"{key.folder} is not called as a backfilled answer is")
    return span


def _span_in(name: str) -> tuple[int, int, int] | None:
    match = re.fullmatch(_NAME, name)
    start, end = (parse_slot(match[n]) if match else None for n in (1, 2))
    return (start, end, int(match[3])) if match and start is not None and end is not None else None


def _is(key: BackfillKey, asset_id: int | None) -> bool:
    if asset_id is None:
        return key.target in {GLOBAL_METRICS, FEAR_AND_GREED}
    return key.target == target_of(asset_id)


def _answered(archive: Archive, request: Request, number: int) -> bool:
    """Return whether an attempt at a request has had its answer."""
    key = BackfillKey(request.target, f"{request.name}-{number}")
    try:
        manifest, _ = read_manifest(archive, key)
        archive.answers(key, manifest)
    except DamagedError:
        return False
    return manifest.outcome is not Outcome.FAILED


def _claim_number(path: str, request: Request) -> int | None:
    text = path.removeprefix(f"{ROOT}/{request.target}/{request.name}.claim-")
    return int(text) if text.isdecimal() and len(text) < 7 else None  # noqa: PLR2004  as in names


def _finished(paths: dict[str, int], request: Request) -> Iterator[int]:
    for match in map(_MANIFEST.fullmatch, paths):
        if match and match[2].startswith(f"{request.name}-"):
            yield int(match[6])


def _read_claim(archive: Archive, path: str) -> Claim | None:
    try:
        return msgspec.json.decode(archive.objects.read(path), type=Claim)
    except (DamagedError, msgspec.DecodeError, UnicodeDecodeError):
        return None
