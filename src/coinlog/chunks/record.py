"""The record at one moment, as files are made from it; and when a month of it is over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import msgspec

from coinlog.chunks.names import Month, month_of
from coinlog.slots import DAY, floor_slot, schedule_at
from coinlog.store.ledger import Head, past_grace
from coinlog.store.reader import Reader
from coinlog.timeline import Timeline, Window

FEW = 4
"""A day of so many points at most keeps them all, also where a long range is asked for."""


class Record(msgspec.Struct, frozen=True):
    """A store at a moment; ``timeline`` tells what its ledger says of a window."""

    reader: Reader
    head: Head
    now: float
    timeline: Callable[[Window], Timeline]

    @property
    def end(self) -> int:
        """The newest time of which there is anything to show."""
        return self.head.current_slot(self.now) or int(self.now)

    @property
    def whole_month(self) -> Month | None:
        """The newest month, where its file has its days in it and there is none of days alone.

        That is so while slots are so rare that nothing would be left out: with every slot one file
        an asset changes instead of two.
        """
        newest, schedule = self.head.newest, self.head.schedule(self.now)
        if newest is None or schedule is None or FEW * schedule.interval_seconds < DAY:
            return None
        return month_of(newest.slot)


def is_complete(head: Head, month: Month, now: float) -> bool:
    """Return whether a month is over: its last slot's grace has passed.

    Its files can still change: by backfill, by an import, or by loading what came late.
    """
    schedule = schedule_at(head.schedules, month.end - 1)
    if schedule is None:
        return now >= month.end
    last = floor_slot(month.end - 1, schedule.interval_seconds)
    return now >= last and past_grace(head.schedules, last, now)


def deltas(times: Sequence[int]) -> list[int]:
    """Return times as the first one and the steps from each to the next."""
    return [*times[:1], *(after - before for before, after in pairwise(times))]
