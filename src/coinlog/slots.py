"""Schedule arithmetic: which slots there are, which were due, which is now.

A slot is a whole number of seconds since 1970-01-01 UTC. Because every interval divides a day,
slots fall on the same UTC times each day and daylight-saving time cannot move them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from coinlog.errors import UsageError
from coinlog.market import BITCOIN, ETHEREUM, SourceKind

MINUTE, HOUR, DAY = 60, 3600, 86_400

YEAR_2009, YEAR_2101 = 1_230_768_000, 4_133_980_800

MAX_TIME = 2**62
"""After everything, and still a number that each database takes."""

MAX_TOP = 10_000
MAX_ASSET_ID = 2**31 - 1


def parse_interval(text: str) -> int:
    """Return the seconds of an interval such as ``5m``, ``6h`` or ``1d``.

    Raises:
        UsageError: it is neither minutes that divide an hour nor hours that divide a day.
    """
    match = re.fullmatch(r"([0-9]{1,4})([mhd])", text.strip().lower())
    seconds = int(match[1]) * {"m": MINUTE, "h": HOUR, "d": DAY}[match[2]] if match else 0
    whole = HOUR if match and match[2] == "m" else DAY
    if not seconds or whole % seconds:
        raise UsageError(
            f"an interval of {text!r} cannot be used: expected minutes that divide an hour or "
            "hours that divide a day, for example 5m, 1h, 6h or 24h"
        )
    return seconds


def format_interval(seconds: int) -> str:
    """Return an interval as it is written in the settings: ``300`` is ``5m``."""
    return f"{seconds // HOUR}h" if seconds % HOUR == 0 else f"{seconds // MINUTE}m"


def floor_slot(time: float, interval_seconds: int) -> int:
    """Return the slot that ``time`` belongs to: the last one at or before it."""
    return int(time // interval_seconds) * interval_seconds


def grace_seconds(interval_seconds: int) -> int:
    """Return how late a slot may be before it counts: max(2 min, interval/10)."""
    return max(2 * MINUTE, interval_seconds // 10)


def iso(time: float) -> str:
    """Return a time as ISO 8601 in UTC with whole seconds: ``2026-01-26T18:00:00Z``."""
    return f"{datetime.fromtimestamp(int(time), UTC).isoformat()[:19]}Z"


def parse_time(text: str) -> int:
    """Return the seconds of an ISO 8601 time (UTC where no zone is given) or epoch seconds.

    Raises:
        UsageError: it is neither, or outside the years 2009 to 2100.
    """
    try:
        if re.fullmatch(r"[0-9]{9,11}", text):
            seconds = int(text)
        else:
            moment = datetime.fromisoformat(text)
            seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        seconds = -1
    if not YEAR_2009 <= seconds < YEAR_2101:
        raise UsageError(
            f"{text[:40]!r} is not a time: expected ISO 8601 or epoch seconds from 2009 to 2100, "
            "for example 2026-01-26T18:00:00Z"
        )
    return seconds


class AssetSelection(msgspec.Struct, frozen=True):
    """The assets to record: the ``top`` ones by rank and further ``ids``."""

    top: int
    ids: tuple[int, ...]

    @property
    def explicit_ids(self) -> tuple[int, ...]:
        """The ids that every slot must have: those listed, Bitcoin and Ethereum."""
        return tuple(dict.fromkeys((BITCOIN, ETHEREUM, *self.ids)))


def parse_assets(text: str) -> AssetSelection:
    """Return the selection written as ``top:200``, ``id:1,1027`` or ``top:200+id:4687``.

    Raises:
        UsageError: it is written otherwise, or a number is out of range.
    """
    match = re.fullmatch(
        r"(?:top:([0-9]{1,5}))?(\+)?(?:id:([0-9]{1,10}(?:,[0-9]{1,10})*))?",
        # Whichever of the two is written first.
        "+".join(sorted(text.replace(" ", "").split("+"), reverse=True)),
    )
    top = int(match[1] or 0) if match else 0
    ids = tuple(int(part) for part in match[3].split(",")) if match and match[3] else ()
    joined = bool(match and match[2]) == bool(top and ids)
    if not (top or ids) or not joined or top > MAX_TOP or len(ids) > MAX_TOP:
        raise UsageError(_assets_message(text))
    if any(not 0 < asset_id <= MAX_ASSET_ID for asset_id in ids):
        raise UsageError(_assets_message(text))
    return AssetSelection(top, tuple(dict.fromkeys(ids)))


def _assets_message(text: str) -> str:
    return (
        f"assets {text[:60]!r} cannot be used: expected top:N (up to {MAX_TOP}), id:N,N or both, "
        "for example top:200, id:1,1027 or top:200+id:4687"
    )


class Schedule(msgspec.Struct, frozen=True):
    """What is recorded, and how often, from a slot on."""

    from_slot: int
    interval_seconds: int
    assets: str
    source: SourceKind


def schedule_at(schedules: Sequence[Schedule], slot: int) -> Schedule | None:
    """Return the schedule in force at a slot; ``schedules`` are sorted by ``from_slot``."""
    index = bisect_right([schedule.from_slot for schedule in schedules], slot)
    return schedules[index - 1] if index else None


def due_slots(schedules: Sequence[Schedule], start: int, end: int) -> Iterator[int]:
    """Yield every slot that was due from ``start`` to ``end`` (both included), oldest first.

    What was due follows from the schedules remembered, never from today's settings.
    """
    for index, schedule in enumerate(schedules):
        step = schedule.interval_seconds
        until = schedules[index + 1].from_slot - 1 if index + 1 < len(schedules) else end
        first = max(schedule.from_slot, start)
        yield from range(-(-first // step) * step, min(until, end) + 1, step)
