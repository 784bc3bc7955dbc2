"""Who was in the market at which slot: told by the histories that a publishing goes through."""

from __future__ import annotations

from collections import Counter

from coinlog.market import Origin
from coinlog.series import Series

NO_RANK = 2**31


class Members:
    """Who was seen at which slot, and how high each has stood."""

    def __init__(self) -> None:
        self.best: dict[int, int] = {}
        self.seen: Counter[int] = Counter()

    def add(self, asset_id: int, series: Series) -> None:
        """Count an asset in."""
        ranks = (rank for rank in series.fields["rank"] if rank is not None)
        self.best[asset_id] = min(ranks, default=NO_RANK)
        slots = series.slots
        if Origin.BACKFILLED in series.origins:
            pairs = zip(slots, series.origins, strict=True)
            slots = [slot for slot, origin in pairs if origin != Origin.BACKFILLED]
        self.seen.update(slots)
