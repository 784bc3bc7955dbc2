"""A year of the simulated market at once: each slot captured and loaded like any other.

Only the simulated market can be asked what it was at a past slot, so only it has this way in.
Slots that the store has already are left alone, so it can be stopped and goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice, repeat

from coinlog.attempts import AttemptKey
from coinlog.capturing import Captured, capture
from coinlog.loading import load
from coinlog.parts import Parts
from coinlog.slots import DAY, floor_slot
from coinlog.store.writer import slots_with_quotes

DAYS = 365
# A real recorder asks a few seconds after the slot; so does this one.
ASKED_AFTER_SECONDS = 5
CAPTURED_AHEAD = 2


def history_slots(parts: Parts, now: float, days: int = DAYS) -> list[int]:
    """Return the past slots that the store lacks, oldest first, up to the current one."""
    step = parts.plan.interval_seconds
    current = floor_slot(now, step)
    done = slots_with_quotes(parts.engine)
    return [
        slot
        for slot in range(floor_slot(current - days * DAY, step), current, step)
        if slot not in done
    ]


def record_history(parts: Parts, slots: list[int]) -> Iterator[int]:
    """Capture and load the slots of the simulated market; yield each when it is stored.

    The next slots are captured while one is loaded: the two halves need nothing of each other.
    """
    with ThreadPoolExecutor(CAPTURED_AHEAD) as pool:
        rest = iter(slots)
        ahead = deque(pool.submit(_capture, parts, slot) for slot in islice(rest, CAPTURED_AHEAD))
        while ahead:
            captured = ahead.popleft().result()
            ahead.extend(pool.submit(_capture, parts, slot) for slot in islice(rest, 1))
            if captured.manifest:
                key = AttemptKey(captured.slot, captured.manifest.attempt)
                load(parts.engine, parts.archive, key, _clock_at(captured.slot))
            yield captured.slot


def _capture(parts: Parts, slot: int) -> Captured:
    clock = _clock_at(slot)
    connect = partial(parts.connect, simulated_time=clock(), clock=clock)
    return capture(parts.archive, connect, parts.plan, slot, clock)


def _clock_at(slot: int) -> Callable[[], float]:
    return repeat(float(slot + ASKED_AFTER_SECONDS)).__next__
