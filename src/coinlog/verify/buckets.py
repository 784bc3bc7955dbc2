"""What thinning must have left: of each whole bucket one quote of every asset that it had.

Without this, any loss among old quotes would look like thinning.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from coinlog.slots import iso
from coinlog.store.buckets import bucket_start
from coinlog.store.thinned import Thinning, keep_of
from coinlog.verify.findings import Findings
from coinlog.verify.names import Names


def bucket_at(slot: int, thinnings: Sequence[Thinning]) -> range | None:
    """Return the seconds of the whole thinned bucket of a slot, of which one quote must be left.

    ``None`` where nothing was thinned, nothing was to be kept, or only a part of the bucket was.
    """
    keep = keep_of(slot, thinnings)
    if not keep:
        return None
    start = bucket_start(slot, keep)
    bucket = range(start, start + keep)
    return bucket if keep_of(start, thinnings) == keep_of(bucket[-1], thinnings) == keep else None


def nothing_left(name: str, bucket: range) -> str:
    """Return in words that a bucket has lost the quote that stood for it."""
    return (
        f"slot {iso(bucket.start)}, {name}: thinning keeps one quote until {iso(bucket.stop)}, and "
        "the store has none"
    )


class Buckets:
    """Whose quotes the archive tells, and whose the store holds, in the bucket at hand."""

    def __init__(self, findings: Findings, names: Names, thinnings: Sequence[Thinning]) -> None:
        self._findings, self._names, self._thinnings = findings, names, thinnings
        self._bucket: range | None = None
        self._told = set[int]()
        self._held = set[int]()

    def see(self, slot: int, told: Collection[int], held: Collection[int]) -> None:
        """Take note of a slot; they come oldest first."""
        if self._bucket is None or slot not in self._bucket:
            self.close()
            self._bucket = bucket_at(slot, self._thinnings)
        if self._bucket is not None:
            self._told.update(told)
            self._held.update(held)

    def close(self) -> None:
        """Name the assets of which nothing is left in the bucket at hand."""
        if self._bucket is not None:
            for asset_id in sorted(self._told - self._held):
                self._findings.add(nothing_left(self._names.of(asset_id), self._bucket))
        self._bucket = None
        self._told.clear()
        self._held.clear()
