"""What a rule is: at each slot it says whether something is so, is over, or that it cannot tell.

A rule keeps nothing between two slots: it looks at what is recorded. What has been told already
is in the archive (``left.py``), so the same rule says the same of the past (a dry run) and of now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

import msgspec

if TYPE_CHECKING:
    from coinlog.alerts.history import History


class Sign(msgspec.Struct, frozen=True):
    """What a rule says of a slot: ``holds`` is ``None`` where it changes nothing.

    ``headline`` and ``text`` are the message, should there be one; ``cause`` is a code whose
    change is told.
    """

    slot: int
    holds: bool | None
    value: str = ""
    headline: str = ""
    text: str = ""
    cause: str = ""


def so(slot: int, value: str, headline: str, text: str, cause: str = "") -> Sign:
    """Return the sign that something is so at a slot."""
    return Sign(slot, holds=True, value=value, headline=headline, text=text, cause=cause)


def over(slot: int, value: str, headline: str, text: str) -> Sign:
    """Return the sign that it is over."""
    return Sign(slot, holds=False, value=value, headline=headline, text=text)


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be told about: once when it begins, and once when it is over."""

    kind: ClassVar[str] = ""
    bounded: ClassVar[bool] = True
    """Whether what is older than two days is no news."""
    grave: ClassVar[bool] = False
    """Whether nothing is recorded or loaded while it is so."""

    @property
    def judges_past(self) -> bool:
        """Whether it can say what would have been: a full disk of old is not recorded."""
        return True

    @property
    def key(self) -> str:
        """What its alerts are called after in the archive."""
        return self.kind

    def watched(self) -> str:
        """Return in words what is watched."""
        raise NotImplementedError

    def flaw(self) -> str | None:
        """Return why it can never be over, if that is so: it would be told once and never again."""
        return None

    def lookback(self, interval_seconds: int) -> int:
        """Return the seconds before a slot that it needs to know."""
        del interval_seconds
        return 0

    def signs(self, history: History, slots: Sequence[int]) -> Iterator[Sign]:
        """Yield what it says of each of these slots, oldest first; it may leave some out."""
        raise NotImplementedError


def digest(*values: object) -> str:
    """Return a short name for the values that make a rule what it is."""
    return hashlib.sha256(repr(values).encode()).hexdigest()[:8]
