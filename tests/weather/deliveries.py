"""What a recorder is handed, and what it says of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

DEADLINE_SECONDS = 19.0
"""Long enough for a machine with much else to do, and shorter than the 20 s for which a rate limit
that names no time is waited out."""


@dataclass(frozen=True)
class Delivery:
    """One waking of a recorder.

    Its clock stands at ``now``. ``work`` is ``record`` as ``coinlog up`` does it, or one of its
    halves, ``capture`` and ``load``. Where there is a moment ``scheduled``, an event of that moment
    wakes it, and it records as on AWS. It is delivered ``copies`` times at once, each to a thread.
    Waits between tries take no time; the deadline does.
    """

    now: float
    source_url: str
    store_url: sa.URL
    archive: Path
    scheduled: float | None = None
    work: str = "record"
    copies: int = 1
    deadline_seconds: float = DEADLINE_SECONDS
    patience_seconds: float = 0.0


@dataclass(frozen=True)
class Told:
    """What a recorder says of one delivery; ``error`` is an exception that it raised."""

    slot: int | None = None
    standing: str | None = None
    outcome: str | None = None
    reason: str | None = None
    attempt: str | None = None
    settled: int = 0
    trouble: str | None = None
    anew: bool = False
    error: str | None = None
    expected_error: bool = True
    """Whether the exception is one that coinlog raises on purpose."""

    stopped: tuple[str, ...] = ()
    """What it said of each try that the database stopped, and that it made again."""

    @property
    def as_ever(self) -> bool:
        """Whether it says what it says in fair weather."""
        strange = self.trouble or self.error or self.reason or self.stopped or self.anew
        return self.standing == "OURS" and not strange
