"""What the ledger says of a stretch of time: which slots were recorded, failed or only due."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import chain
from operator import sub

import msgspec

from coinlog.market import Outcome, Reason
from coinlog.slots import DAY, MAX_TIME, Schedule
from coinlog.store.lapses import due_in, read_lapses
from coinlog.store.ledger import (
    Head,
    due_range,
    read_outcomes,
)
from coinlog.store.reader import Reader
from coinlog.store.thinned import Thinning

RANGES: dict[str, int | None] = {
    "1d": DAY,
    "7d": 7 * DAY,
    "30d": 30 * DAY,
    "90d": 90 * DAY,
    "1y": 365 * DAY,
    "all": None,
}
"""The named ranges in seconds; ``all`` begins before anything was recorded."""

MAX_SLOTS = 110_000
"""How many slots a thinned series spans at most, so that no first answer takes 0.3 s of a quiet
machine: more than a year of five minutes, or twelve of hours."""

MAX_ROWS = 30_000
"""How many slots a series that is not thinned has at most."""

MANY_FIELDS = 4
"""So many fields are read as fast as said above; of more, fewer slots."""

MOST_PARTS = 60
"""So many parts of a window are looked at one by one; more of them, as one that spans them all."""

_UNSAID = Reason.BROKEN_ANSWER.value


class Window(msgspec.Struct, frozen=True):
    """A stretch of time, both ends included, in seconds UTC."""

    start: int
    end: int


ALWAYS = Window(0, MAX_TIME)


def window_of(head: Head, now: float, name: str) -> Window:
    """Return the stretch of a named range.

    It ends at the current slot, so that it is the same for all who ask within a slot.
    """
    end = head.current_slot(now) or int(now)
    span = RANGES[name]
    return Window(0 if span is None else end - span, end)


def shortened(head: Head, window: Window, most: int | None = None) -> Window:
    """Return a window with ``most`` slots, or ``MAX_SLOTS``: its newest ones."""
    left, start = most or MAX_SLOTS, window.end + 1
    for index in reversed(range(len(head.schedules))):
        due = due_range(head.schedules, index, window.start, window.end)
        if len(due) > left:
            return Window(due[-left] if left else start, window.end)
        left, start = left - len(due), due[0] if due else start
    return window


class Timeline(msgspec.Struct, frozen=True):
    """What the ledger says of a window: the same for every asset.

    ``observed_at`` and ``failed`` are by slot, and may know of slots around the window; ``over``
    lists the slots that should have quotes by now: due and past their grace, or in the ledger.
    ``over_observed_at`` and ``widest_step`` are for the usual asset, which has a quote at every
    one of them.
    """

    window: Window
    observed_at: dict[int, int]
    failed: dict[int, str]
    over: list[int]
    over_observed_at: list[int]
    widest_step: int
    schedules: tuple[Schedule, ...]
    thinnings: tuple[Thinning, ...] = ()


def read_timeline(reader: Reader, head: Head, window: Window, now: float) -> Timeline:
    """Return what the ledger says of a window."""
    rows = read_outcomes(reader, window.start, window.end)
    # Before the first recorded slot nothing was due that could be missed.
    start = max(window.start, head.first_slot or window.start)
    over = sorted({row.slot for row in rows}.union(*head.over_ranges(start, window.end, now)))
    observed_at = {row.slot: row.observed_at for row in rows if row.observed_at is not None}
    return Timeline(
        window=window,
        observed_at=observed_at,
        failed={row.slot: row.reason or _UNSAID for row in rows if row.outcome == Outcome.FAILED},
        over=over,
        over_observed_at=drawn_at(observed_at, over),
        widest_step=widest_step(over),
        schedules=head.schedules,
        thinnings=head.thinnings,
    )


def read_parts(
    reader: Reader, head: Head, window: Window, parts: Sequence[Window], now: float
) -> Timeline:
    """Return what the ledger says of parts of a window, oldest first, reading little of it.

    ``observed_at`` then tells which slots were recorded, not when.
    """
    looked_at = parts if len(parts) <= MOST_PARTS else [Window(parts[0].start, parts[-1].end)]
    lapses = read_lapses(reader, head, [(one.start, one.end) for one in looked_at], now)
    extra = sorted(lapses.extra)
    over: list[int] = []
    for part in parts:
        inside = extra[bisect_left(extra, part.start) : bisect_right(extra, part.end)]
        due = chain.from_iterable(due_in(head, part.start, part.end, now))
        over += sorted({*due, *inside}) if inside else due
    recorded = dict.fromkeys(over, 0)
    for slot in chain(lapses.failed, lapses.missed):
        recorded.pop(slot, None)
    return Timeline(
        window=window,
        observed_at=recorded,
        failed=lapses.failed,
        over=over,
        over_observed_at=[],
        widest_step=0,
        schedules=head.schedules,
        thinnings=head.thinnings,
    )


def part_of(whole: Timeline, window: Window) -> Timeline:
    """Return what a timeline says of a window within its own."""
    first, last = bisect_left(whole.over, window.start), bisect_right(whole.over, window.end)
    over = whole.over[first:last]
    return msgspec.structs.replace(
        whole,
        window=window,
        over=over,
        over_observed_at=whole.over_observed_at[first:last],
        widest_step=widest_step(over),
    )


def drawn_at(observed_at: Mapping[int, int], slots: Sequence[int]) -> list[int]:
    """Return when each slot was observed; a backfilled one, not in the ledger, has its slot."""
    return list(map(observed_at.get, slots, slots))


def widest_step(slots: Sequence[int]) -> int:
    """Return the seconds between the two neighbours that are furthest apart."""
    return max(map(sub, slots[1:], slots), default=0)
