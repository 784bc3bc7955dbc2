"""What looking at one part finds: in order, worth a look, or wrong; and what to do."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from coinlog.errors import CoinlogError


class Level(StrEnum):
    """How bad a finding is; only what is wrong makes ``doctor`` end with 1."""

    FINE = "fine"
    LOOK = "look"
    WRONG = "wrong"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at.

    ``code`` names the finding for programs and stays the same when the text is written better;
    ``do`` is the very command that helps, where one does.
    """

    what: str
    level: Level
    code: str
    text: str
    do: str | None = None

    @property
    def fine(self) -> bool:
        """Whether nothing is wrong."""
        return self.level is not Level.WRONG


def fine(what: str, text: str, code: str | None = None) -> Finding:
    """Return that something is in order."""
    return Finding(what=what, level=Level.FINE, code=code or f"{what}_fine", text=text)


def look(what: str, code: str, text: str, do: str | None = None) -> Finding:
    """Return that somebody should look at something, though all works."""
    return Finding(what=what, level=Level.LOOK, code=code, text=text, do=do)


def wrong(what: str, code: str, text: str, do: str | None = None) -> Finding:
    """Return that something is wrong."""
    return Finding(what=what, level=Level.WRONG, code=code, text=text, do=do)


PROBLEMS = (CoinlogError, OSError)
"""What a look may raise: each becomes a finding, so that the others are still told."""
