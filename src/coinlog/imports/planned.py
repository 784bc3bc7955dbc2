"""An attempt to be: what an import would make of a capture, before anything is written."""

from __future__ import annotations

import msgspec

from coinlog.market import Outcome, Reason
from coinlog.sources.table import Beside


class Planned(msgspec.Struct, frozen=True):
    """An attempt that an import would make, and what it would amount to.

    ``stands`` says whether it would stand at its slot, or only be counted there. ``left_out``
    are assets that would not come into the store, since another import fills the slot;
    ``repeats`` is another slot into which an earlier import put the same rows.
    """

    slot: int
    digest: str
    outcome: Outcome
    reason: Reason | None
    detail: str
    assets: str
    quotes: int
    stands: bool = True
    left_out: tuple[int, ...] = ()
    repeats: int | None = None
    beside: Beside = Beside()
