"""A rule about the plan: the credits will be spent before they are renewed.

What is left comes from the ledger, where the file says what a month has, else from the source's
own ``key/info``, which tells of this moment alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from coinlog.alerts.rule import Rule, Sign, over, so
from coinlog.slots import DAY, iso
from coinlog.sources.texts import counted

if TYPE_CHECKING:
    from coinlog.alerts.history import History, Line

LONGEST_MONTH = 31 * DAY
LAST = 8
"""What a slot costs is what the last slots cost."""
_BACK = 1.05
"""It is over when this many times what is needed is left."""


class Left(NamedTuple):
    """What is left of a month's credits, and when they are renewed (seconds UTC)."""

    credits: int
    renewed_at: int


class Quota(Rule, frozen=True, kw_only=True):
    """The credits of the month do not last, at what slots cost now."""

    kind: ClassVar[str] = "quota"

    credits_a_month: int | None = None

    @property
    def judges_past(self) -> bool:
        """Whether it can say what would have been: by the ledger alone."""
        return self.credits_a_month is not None

    def watched(self) -> str:
        """Return in words what is watched."""
        whose = (
            f"{self.credits_a_month:,} credits a calendar month, by the ledger"
            if self.credits_a_month is not None
            else "the month's credits, as the source's key/info tells them"
        )
        return f"{whose}, that will not last until they are renewed"

    def lookback(self, interval_seconds: int) -> int:
        """Return a month."""
        del interval_seconds
        return LONGEST_MONTH

    def signs(self, history: History, slots: Sequence[int]) -> Iterator[Sign]:
        """Yield at each slot whether what is left suffices."""
        if self.credits_a_month is None:
            slots = slots[-1:] if history.around else ()
        lines, spent, month, last = iter(history.lines.values()), 0, 0, list[int]()
        line: Line | None = next(lines, None)
        for slot in slots:
            while line and line.slot <= slot:
                if _renewal(line.slot) != month:
                    month, spent = _renewal(line.slot), 0
                spent += line.credits
                last = [*last, line.credits][-LAST:] if line.credits else last
                line = next(lines, None)
            left = self._left(history, slot, spent if _renewal(slot) == month else 0)
            if left and last and slot in history.lines:
                yield _sign(slot, left, math.ceil(sum(last) / len(last)), history.interval(slot))

    def _left(self, history: History, slot: int, spent: int) -> Left | None:
        if self.credits_a_month is not None:
            return Left(max(0, self.credits_a_month - spent), _renewal(slot))
        info = history.around.key_info() if history.around else None
        if info is None or info.credits_left_this_month is None or info.month_resets_at is None:
            return None
        return Left(info.credits_left_this_month, info.month_resets_at)


def _sign(slot: int, left: Left, cost: int, interval_seconds: int) -> Sign:
    slots = max(0, left.renewed_at - slot - 1) // max(1, interval_seconds)
    needed = slots * cost
    value = f"{left.credits:,} of {needed:,} credits"
    arithmetic = (
        f"At slot {iso(slot)} {counted(left.credits, 'credit')} are left; {slots:,} slots at "
        f"{cost} until {iso(left.renewed_at)} need {needed:,}."
    )
    if left.credits < needed:
        ends = slot + (left.credits // cost + 1) * interval_seconds
        headline = f"credits last until {iso(ends)}, and are renewed {iso(left.renewed_at)}"
        text = f"{arithmetic} Slots fail from then on: record less often, or fewer assets."
        return so(slot, value, headline, text)
    if left.credits >= _BACK * needed:
        headline = f"the credits last until they are renewed {iso(left.renewed_at)}"
        return over(slot, value, headline, arithmetic)
    return Sign(slot, holds=None, value=value)


def _renewal(slot: int) -> int:
    """Return when the calendar month of a slot ends (UTC)."""
    then = datetime.fromtimestamp(slot, UTC)
    year, month = divmod(then.year * 12 + then.month, 12)
    return int(datetime(year, month + 1, 1, tzinfo=UTC).timestamp())
