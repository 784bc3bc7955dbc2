"""How new the store's newest quotes are: what the page, the API and the alarms all read."""

from __future__ import annotations

from typing import Literal

import msgspec

from coinlog.store.ledger import Head

FreshnessState = Literal["empty", "fresh", "amber", "red"]


class Freshness(msgspec.Struct, frozen=True):
    """How new the newest quotes are: amber after one missed slot, red after two."""

    state: FreshnessState
    as_of: int | None
    slot: int | None
    next_slot: int | None
    missed: int

    @property
    def stale(self) -> bool:
        """Whether no slot was stored for longer than one interval plus grace."""
        return self.state != "fresh"


def freshness(head: Head, now: float) -> Freshness:
    """Return how new the store's newest slot is at ``now``."""
    missed = head.missed_since_newest(now)
    newest = head.newest
    state: FreshnessState = "amber" if missed == 1 else "red"
    if newest is None:
        state = "empty"
    elif head.schedules and not missed:
        state = "fresh"
    return Freshness(
        state=state,
        as_of=(newest.observed_at or newest.slot) if newest else None,
        slot=newest.slot if newest else None,
        next_slot=head.next_slot(now),
        missed=missed,
    )
