"""What a backfill would cost, next to what the plan has left: decided before anything is asked."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from coinlog.backfill.kept import Request
from coinlog.backfill.plan import credits_of, total
from coinlog.errors import QuotaError
from coinlog.slots import DAY, MINUTE, iso
from coinlog.sources.key_info import KeyInfo
from coinlog.store.ledger import Head

REQUESTS_A_MINUTE = 30
"""Where the source does not say how many it allows."""


class Offer(msgspec.Struct, frozen=True):
    """Requests for history, and what the key's plan has left for them.

    ``reserved`` credits are for the recorder, until the plan's month is over.
    """

    requests: Sequence[Request]
    info: KeyInfo
    reserved: int = 0

    @property
    def credits(self) -> int:
        """What the requests cost at most."""
        return total(self.requests)

    @property
    def left(self) -> int | None:
        """The credits that may still be spent on them, where the source says."""
        month, day = self.info.credits_left_this_month, self.info.credits_left_today
        known = [month - self.reserved] if month is not None else []
        known += [day] if day is not None else []
        return max(0, min(known)) if known else None

    @property
    def pause_seconds(self) -> float:
        """The seconds between the starts of two requests: a fifth of the limit stays free.

        The recorder's own requests fall under the same limit, and must not be refused for it.
        """
        return MINUTE / (0.8 * (self.info.requests_per_minute or REQUESTS_A_MINUTE))

    @property
    def seconds(self) -> float:
        """About how long the requests take."""
        return len(self.requests) * self.pause_seconds

    def check(self) -> None:
        """Refuse to begin what the credits do not suffice for.

        Raises:
            QuotaError: they do not; it says how far they reach.
        """
        left = self.left
        if left is None or self.credits <= left:
            return
        kept = f" besides {self.reserved:,} for the recorder" if self.reserved else ""
        renewed = self.info.month_resets_at
        until = f" until {iso(renewed)}" if renewed else ""
        raise QuotaError(
            f"this takes up to {self.credits:,} credits, and {left:,} are left{kept}{until}: "
            f"{self._reach(left)}take a shorter --range, or wait until they are renewed"
        )

    def _reach(self, left: int) -> str:
        """Return for how many of the leading assets the credits suffice."""
        spent, assets = 0, dict[str, None]()
        for request in self.requests:
            spent += credits_of(request)
            if spent > left:
                assets.pop(request.target, None)
                break
            assets[request.target] = None
        return f"they suffice for --assets top:{len(assets)}; " if assets else ""


def reserved_for(head: Head, info: KeyInfo, now: float) -> int:
    """Return the credits that the recorder needs until the plan's month is over.

    What its newest slot cost, each of the slots to come will cost too.
    """
    schedule, newest = head.schedule(now), head.newest
    if schedule is None or newest is None or info.month_resets_at is None:
        return 0
    seconds = min(max(0.0, info.month_resets_at - now), 31 * DAY)
    return newest.credits * round(seconds / schedule.interval_seconds)
