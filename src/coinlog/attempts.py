"""What an attempt is, in the archive: its key, its claim, its manifest.

All times are seconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from coinlog.errors import UsageError
from coinlog.market import Outcome, Reason, SourceKind
from coinlog.slots import (
    DAY,
    MINUTE,
    YEAR_2101,
    format_interval,
    parse_assets,
    parse_interval,
)

_SLOT_FORMAT = "%Y%m%dT%H%M%SZ"

MAX_CREDITS = 2**31 - 1
"""What the ledger's column holds; no plan has that many."""

Moment = Annotated[float, msgspec.Meta(ge=0, le=YEAR_2101)]
Interval = Annotated[int, msgspec.Meta(ge=MINUTE, le=DAY)]
Credits = Annotated[int, msgspec.Meta(ge=0, le=MAX_CREDITS)]


class AttemptKey(msgspec.Struct, frozen=True):
    """Which attempt: its slot and its name within the slot. Keys sort oldest first."""

    slot: int
    attempt: str

    def __lt__(self, other: AttemptKey) -> bool:
        return self._age < other._age

    @property
    def folder(self) -> str:
        """Where it is in the archive."""
        return f"captures/{slot_name(self.slot)}/{self.attempt}"

    @property
    def _age(self) -> tuple[int, int, str]:
        """Claims are numbered, and the tenth is younger than the second."""
        number = int(self.attempt) if self.attempt.isdecimal() else MAX_CREDITS
        return self.slot, number, self.attempt


def is_imported(attempt: str) -> bool:
    """Return whether an attempt is called as those are that others captured and we adopted."""
    return attempt.startswith("import-")


class SinceBoot(msgspec.Struct, frozen=True):
    """When a claim was made and its process began, by a clock that nobody sets.

    ``boot`` names the start of the machine from which it counts: seconds, and the kernel's ticks.
    """

    boot: str
    claimed_at: float
    process_started_at: int


class Claim(msgspec.Struct, frozen=True, omit_defaults=True):
    """A recorder's word that it is at work on a slot, and how to see whether it lives."""

    number: int
    claimed_at: float
    machine: str
    process: int
    process_started_at: float
    since_boot: SinceBoot | None = None


class KeptAnswer(msgspec.Struct, frozen=True):
    """What the manifest says of one answer; ``sha256`` is of the body as received.

    ``file_sha256`` is of the file as kept; manifests written before there was one have none.
    """

    file: str
    endpoint: str
    params: dict[str, str]
    status: int
    sha256: str
    body_bytes: int
    received_at: float
    elapsed_seconds: float
    tries: int = 1
    server_date: int | None = None
    reason: Reason | None = None
    detail: str = ""
    file_sha256: str | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an attempt is: when, of what, by which schedule, and what came of it.

    ``outcome``, ``reason`` and ``detail`` are the verdict at capture, for people who read the
    archive; the store judges the answers again, so that a mended parser mends history. Times
    are seconds UTC. ``imported`` says from where, for what others captured and we adopted.
    """

    format: int = 1
    slot: str
    attempt: str
    outcome: Outcome
    reason: Reason | None
    detail: str
    source: SourceKind
    interval_seconds: Interval
    assets: str
    started_at: Moment
    captured_at: Moment
    credits: Credits
    answers: tuple[KeptAnswer, ...]
    program: str
    imported: str | None = None


def slot_name(slot: int) -> str:
    """Return a slot as its folder is called: ``20260126T180000Z``."""
    return datetime.fromtimestamp(slot, UTC).strftime(_SLOT_FORMAT)


def parse_slot(name: str) -> int | None:
    """Return the slot that a folder is called after, ``None`` where it is none."""
    try:
        return int(datetime.strptime(name, _SLOT_FORMAT).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None


def check_manifest(manifest: Manifest, key: AttemptKey) -> None:
    """Refuse a manifest that is not this attempt's or names no schedule.

    Raises:
        UsageError: something in it cannot be used.
    """
    if (manifest.slot, manifest.attempt) != (slot_name(key.slot), key.attempt):
        raise UsageError(f"it says that it is {manifest.slot}/{manifest.attempt}")
    if parse_interval(format_interval(manifest.interval_seconds)) != manifest.interval_seconds:
        raise UsageError(f"an interval of {manifest.interval_seconds} s does not divide an hour")
    parse_assets(manifest.assets)


def total_bytes(answers: Sequence[KeptAnswer]) -> int:
    """Return the bytes received in an attempt, inflated."""
    return sum(answer.body_bytes for answer in answers)
