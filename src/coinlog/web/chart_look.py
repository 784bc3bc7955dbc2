"""How a chart is asked to look, in which unit, and what of it the server draws itself."""

from __future__ import annotations

import msgspec

UNITS = {
    "price": "price",
    "market_cap": "money",
    "volume_24h": "money",
    "circulating_supply": "coins",
    "rank": "rank",
    "dominance": "share",
}
"""The unit of each field of a chart: two kinds of money, coins, places, percent of the market."""

PLAIN_UNITS = ("rank", "share")
"""Units in which assets stand on one scale as they are, and that change by other measures."""


class Look(msgspec.Struct, frozen=True):
    """The scale, the form and the currency; without a scale the usual one is meant."""

    scale: str | None = None
    form: str = "line"
    currency: str = "USD"

    def scale_of(self, field: str, lines: int) -> str:
        """Return the scale that is drawn."""
        return self.scale or usual_scale(field, lines)

    def drawn_here(self, field: str, lines: int) -> bool:
        """Return whether the server draws it; anything else the script draws from the data."""
        usual = self.scale_of(field, lines) == usual_scale(field, lines)
        return usual and self.form == "line" and self.currency == "USD"


def usual_scale(field: str, lines: int) -> str:
    """Return the scale unless another is chosen: several assets in percent, one as it is."""
    return "percent" if lines > 1 and UNITS[field] not in PLAIN_UNITS else "linear"


class SlotColumns(msgspec.Struct, frozen=True):
    """What the ledger says of each slot of a window, as the files of ``/data/log/`` do.

    ``slots`` holds the first and then differences, ``outcomes`` a letter for each, and ``reasons``
    the reason code by index.
    """

    slots: list[int]
    outcomes: str
    reasons: dict[str, str]
