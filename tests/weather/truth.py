"""What is true: the numbers that the source serves, and what may become of a slot.

Every number is a pure function of asset and time, so each stored one can be compared with what
was served to the last bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from coinlog.market import FIAT_IDS
from coinlog.slots import HOUR, iso

FIRST = 1_772_323_200
"""2026-03-01T00:00:00Z, the storm's first slot."""

STEP = HOUR
TOP = 60
IDS = (1, 1027, *range(2000, 2000 + TOP - 2))
"""The assets that a whole answer by rank holds."""

FIAT = tuple(FIAT_IDS.values())
FIELDS = ("price", "market_cap", "volume_24h", "percent_change_24h")

Fate = tuple[str, str | None]
"""An outcome and the reason code for it."""


def number(name: str, asset_id: int, moment: int) -> float:
    """Return what the source says of an asset at a moment: all 53 bits of a double, any size."""
    digest = hashlib.blake2b(f"{name} {asset_id} {moment}".encode(), digest_size=8).digest()
    bits = int.from_bytes(digest, "big")
    return (bits >> 11) * 2.0**-53 * 10.0 ** (bits % 25 - 12)


def asset_row(asset_id: int, rank: int, moment: int) -> dict[str, object]:
    """Return an asset's row of an answer, in the source's words."""
    usd: dict[str, object] = {name: number(name, asset_id, moment) for name in FIELDS}
    return {
        "id": asset_id,
        "name": f"Asset {asset_id}",
        "symbol": f"A{asset_id}",
        "slug": f"asset-{asset_id}",
        "cmc_rank": rank,
        "num_market_pairs": rank + 1,
        "circulating_supply": 10,
        "last_updated": iso(moment),
        "quote": [{"id": 2781, "symbol": "USD", **usd}],
    }


def total_cap(moment: int) -> float:
    """Return the market's size that the source says for a slot."""
    return number("total_market_cap", 0, moment)


def fear(moment: int) -> int:
    """Return the fear and greed index that the source says for a slot."""
    return int(number("fear", 0, moment) * 1e15) % 101


@dataclass(frozen=True)
class Truth:
    """What may become of a slot, given what was done to it.

    ``fates`` are the outcomes with their reason codes, of which one must stand. ``assets`` have a
    quote where it is stored. ``lacking`` says which of them a partial slot has none of, and by
    which reason code; ``None``: whatever the ledger names. ``parts`` are what else it may lack
    (``global-metrics``, ``fear-and-greed``). ``said`` must stand in the ledger's own words of a
    slot that is not stored. The source may be asked for the market ``most_calls`` times; ``None``:
    as often as the fault makes it.
    """

    fates: frozenset[Fate]
    assets: Sequence[int] = field(default=(*IDS, *FIAT))
    lacking: Mapping[int, str] | None = field(default_factory=dict)
    parts: frozenset[str] = frozenset()
    said: str = ""
    most_calls: int | None = 1

    def calling(self, most: int | None) -> Truth:
        """Return the same with another limit on the calls."""
        return replace(self, most_calls=most)

    def saying(self, words: str) -> Truth:
        """Return the same with words that must stand in the ledger."""
        return replace(self, said=words)

    def __or__(self, other: Truth) -> Truth:
        """Return what allows the fates of both, and is otherwise as the first."""
        return replace(self, fates=self.fates | other.fates)


def stored() -> Truth:
    return Truth(frozenset({("stored", None)}))


def failed(*reasons: str) -> Truth:
    return Truth(frozenset(("failed", reason) for reason in reasons))


def partial(lacking: Mapping[int, str] | None, *parts: str) -> Truth:
    fates: frozenset[Fate] = frozenset({("partial", "incomplete")})
    return Truth(fates, lacking=lacking, parts=frozenset(parts))


def missed() -> Truth:
    return Truth(frozenset({("missed", "missed")}))
