"""What people chose to drop from the store, read back; the dropping itself is ``thinning.py``.

A thinning concerns the slots before ``older_than``. In each bucket of ``keep_seconds`` the first
quote of each asset stays, an observed one before a backfilled one, and stands for its whole bucket
from then on; with 0 none stays. An asset's newest quote always stays. Quotes of the slots from
``older_than`` on are untouched, and so is the archive: ``kept`` tells which slots must still have
every quote.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from coinlog.store import schema
from coinlog.store.buckets import bucket_start


class Thinning(msgspec.Struct, frozen=True):
    """What was dropped once: times in seconds UTC, and how many quotes went."""

    done_at: int
    older_than: int
    keep_seconds: int
    quotes: int = 0


def kept(slot: int, thinnings: Sequence[Thinning]) -> bool:
    """Return whether every quote of a slot must still be in the store.

    Where not, any of them may be gone, and one that is there may stand for ``resolution_of``.
    """
    return keep_of(slot, thinnings) is None


def keep_of(slot: int, thinnings: Sequence[Thinning]) -> int | None:
    """Return what one quote stands for at a slot that was thinned: 0 where none was kept."""
    keeps = [one.keep_seconds for one in thinnings if slot < one.older_than]
    if not keeps:
        return None
    return 0 if 0 in keeps else max(keeps)


def resolution_of(slot: int, resolution: int, thinnings: Sequence[Thinning]) -> int:
    """Return the resolution in seconds that a quote has after it was kept by thinnings."""
    return max([resolution, *(one.keep_seconds for one in thinnings if slot < one.older_than)])


def stood_for(slot: int, neighbours: Sequence[int], thinnings: Sequence[Thinning]) -> bool:
    """Return whether a slot without a quote was thinned out, and a neighbour stands for it."""
    keep = keep_of(slot, thinnings)
    if not keep:
        return keep == 0
    return any(bucket_start(one, keep) == bucket_start(slot, keep) for one in neighbours)


def select_thinnings() -> sa.Select[Any]:
    """Return the query for all thinnings, in the order in which they were done."""
    table = schema.thinning.c
    columns = (table.done_at, table.older_than, table.keep_seconds, table.quotes)
    return sa.select(*columns).order_by(table.done_at)


def read_thinnings(connection: sa.Connection) -> tuple[Thinning, ...]:
    """Return all thinnings, in the order in which they were done."""
    return tuple(Thinning(*row) for row in connection.execute(select_thinnings()))
