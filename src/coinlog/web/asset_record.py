"""What an asset's page tells of its record: values ready to draw, times in seconds UTC."""

from __future__ import annotations

import msgspec


class ExtremeView(msgspec.Struct, frozen=True, kw_only=True):
    """A price in USD, the first slot that has it, and the change since in percent."""

    value: float
    slot: int
    change: float | None


class RankView(msgspec.Struct, frozen=True, kw_only=True):
    """A rank and the first slot that has it."""

    rank: int
    slot: int


class RecordView(msgspec.Struct, frozen=True, kw_only=True):
    """An asset's record: the whole of it, or since ``since`` where it is too long for that.

    ``left`` is the first slot that no longer lists it, for one that has left the list; ``gaps``
    counts the stretches without a quote, as charts and API show them.
    """

    quotes: int
    backfilled: int
    gaps: int
    high: ExtremeView
    low: ExtremeView
    best_rank: RankView | None
    worst_rank: RankView | None
    left: int | None
    since: int | None


class SupplyView(msgspec.Struct, frozen=True, kw_only=True):
    """How much of an asset there is: shares of the maximum, or of the total without one.

    ``circulating`` is percent and may exceed 100, as the source's own numbers may; the bars do not.
    """

    capped: bool
    circulating: float
    circulating_bar: float
    total_bar: float
