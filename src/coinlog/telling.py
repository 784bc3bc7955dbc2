"""What is told of a slot in one line of a log: the same facts wherever it was recorded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from coinlog.attempts import Manifest
from coinlog.slots import iso
from coinlog.sources.texts import one_line

MOST_DETAIL = 300
SHORTEST = 6
FIXED = frozenset(
    ("time", "level", "event", "logger", "slot", "outcome", "reason", "source", "standing")
)


class Row(Protocol):
    """A row of the ledger; who only captures has no database, and none of its types."""

    @property
    def slot(self) -> int:
        """Its slot, in seconds UTC."""

    @property
    def outcome(self) -> str:
        """What became of it."""

    @property
    def reason(self) -> str | None:
        """Why it is not whole."""

    @property
    def detail(self) -> str | None:
        """The same in words."""

    @property
    def source(self) -> str | None:
        """Who was asked."""

    @property
    def credits(self) -> int:
        """What it cost."""

    @property
    def duration_ms(self) -> int | None:
        """How long asking took."""

    @property
    def assets(self) -> int:
        """How many assets it has."""

    @property
    def attempts(self) -> int:
        """After how many attempts."""


def captured_facts(manifest: Manifest) -> dict[str, Any]:
    """Return what came of asking the source; times are seconds.

    ``skew_seconds`` is by how much our clock is ahead of the source's.
    """
    return {
        "outcome": manifest.outcome,
        "reason": manifest.reason,
        "detail": one_line(manifest.detail, MOST_DETAIL),
        "source": manifest.source,
        "credits": manifest.credits,
        "attempt": one_line(manifest.attempt),
        "capture_seconds": round(manifest.captured_at - manifest.started_at, 3),
        "skew_seconds": skew_of(manifest),
    }


def loaded_facts(row: Row | None) -> dict[str, Any]:
    """Return what the ledger holds of a slot; ``None`` where it could not be asked."""
    return {
        "assets": row.assets if row else None,
        "attempts": row.attempts if row else None,
    }


def row_facts(row: Row) -> dict[str, Any]:
    """Return what the ledger says of a slot, for who has not captured it."""
    return {
        "slot": iso(row.slot),
        "outcome": row.outcome,
        "reason": row.reason,
        "detail": one_line(row.detail or "", MOST_DETAIL),
        "source": row.source,
        "credits": row.credits,
        "capture_seconds": None if row.duration_ms is None else row.duration_ms / 1000,
        **loaded_facts(row),
    }


def skew_of(manifest: Manifest) -> float | None:
    """Return by how many seconds our clock is ahead of the source's, where its answers tell."""
    first = next((one for one in manifest.answers if one.server_date is not None), None)
    if first is None or first.server_date is None:
        return None
    # The source's clock shows whole seconds: half of one is what it is off by on average.
    return round(first.received_at - first.server_date - 0.5, 1)


def without(secrets: Iterable[str], told: Any) -> Any:  # noqa: ANN401  whatever is told
    """Return what is told without any of the secrets in its free texts.

    Names and the words of our own that stand under ``FIXED`` are left alone, and a secret of
    fewer than ``SHORTEST`` characters is in too many words to be hidden: without the password
    ``e`` no line would tell the truth.
    """
    if isinstance(told, str):
        for secret in secrets:
            if len(secret) >= SHORTEST:
                told = told.replace(secret, "***")
        return told
    if isinstance(told, dict):
        return {
            name: value if name in FIXED else without(secrets, value)
            for name, value in told.items()
        }
    if isinstance(told, list | tuple):
        return [without(secrets, value) for value in told]
    return told
