"""What verifying finds: how many differences, and the first of them in words."""

from __future__ import annotations

import msgspec

KEPT = 1_000


class Findings(msgspec.Struct):
    """Differences so far. The first ``KEPT`` are there in words, in the order of their slots."""

    differences: int = 0
    unsettled: int = 0
    slots: int = 0
    quotes: int = 0
    thinned: int = 0
    uncompared: int = 0
    texts: list[str] = msgspec.field(default_factory=list)

    def add(self, text: str) -> None:
        """Note a difference."""
        self.differences += 1
        if len(self.texts) < KEPT:
            self.texts.append(text)
