"""How much to compare: all, some chosen by chance, or the share that comes next."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Sequence
from math import ceil
from typing import TypeVar

import msgspec

from coinlog.slots import MAX_TIME

Item = TypeVar("Item", int, str)


class Sample(msgspec.Struct, frozen=True):
    """So many slots, or such a share of them.

    By chance, or those that come next ``after`` a slot: each run takes up where the one before
    has ended, and after the last slot begins with the first, so that some runs see everything.
    """

    slots: int | None = None
    share: float | None = None
    after: int | None = None

    def of(self, every: Sequence[Item]) -> list[Item]:
        """Return some by chance, in order."""
        return sorted(random.sample(every, min(len(every), self._count(every))))

    def next_of(self, every: Sequence[int]) -> tuple[int, int]:
        """Return where in all slots the share that comes next begins and ends."""
        start = bisect_right(every, self.after if self.after is not None else -1)
        if start == len(every):
            start = 0
        return start, min(len(every), start + self._count(every))

    def chosen(self, every: Sequence[int]) -> list[int]:
        """Return the slots to compare, in order."""
        if self.after is None:
            return self.of(every)
        start, end = self.next_of(every)
        return list(every[start:end])

    def chosen_targets(self, targets: Sequence[str], every: Sequence[int]) -> list[str]:
        """Return of which targets to compare what was backfilled, next to all slots."""
        if self.after is None:
            return self.of(targets)
        if not every:
            return list(targets)
        start, end = self.next_of(every)
        # As far along as the slots are. More slots than last time move it back: none is left out.
        return list(
            targets[len(targets) * start // len(every) : ceil(len(targets) * end / len(every))]
        )

    def range(self, every: Sequence[int]) -> tuple[int, int] | None:
        """Return the stretch that a share is about, both ends included; ``None`` by chance.

        Stretches that follow each other leave nothing between them.
        """
        if self.after is None:
            return None
        start, end = self.next_of(every)
        return (
            every[start - 1] + 1 if start else 0,
            every[end - 1] if end < len(every) else MAX_TIME,
        )

    def _count(self, every: Sequence[Item]) -> int:
        share = len(every) * (self.share or 0)
        # One that must not leave any out takes rather one more.
        rounded = round(share) if self.after is None else ceil(share)
        return max(1, self.slots if self.slots is not None else rounded)
