"""What is true: the numbers that the source serves, and what may become of a slot.

Every number is a pure function of asset and time, so each stored one can be compared with what
was served to the last bit.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from coinlog.market import FIAT_IDS
from coinlog.slots import HOUR, iso
from market import FEAR_AND_GREED, GLOBAL_METRICS, LISTINGS, QUOTES

FIRST = 1_772_323_200
"""2026-03-01T00:00:00Z, the storm's first slot."""

STEP = HOUR
TOP = 60
IDS = (1, 1027, *range(2000, 2000 + TOP - 2))
"""The assets that a whole answer by rank holds."""

FIAT = tuple(FIAT_IDS.values())
ASKED_FOR = (LISTINGS, QUOTES, GLOBAL_METRICS, FEAR_AND_GREED)
"""What a recording asks the source for."""

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
    """Return the market's size that the source says at a moment."""
    return number("total_market_cap", 0, moment)


def fear(moment: int) -> int:
    """Return the fear and greed index that the source says at a moment."""
    return int(number("fear", 0, moment) * 1e15) % 101


def charge(path: str, moment: int) -> int:
    """Return the credits that the source charges for an answer: 1 to 9."""
    return 1 + zlib.crc32(f"{path} {moment}".encode()) % 9


@dataclass(frozen=True)
class Truth:
    """What may become of a slot, given what was done to it.

    ``fates`` are the outcomes with their reason codes, of which one must stand. ``assets`` have a
    quote where it is stored. ``lacking`` says which of them a partial slot has none of, and by
    which reason code, and ``parts`` what else it lacks (``global-metrics``, ``fear-and-greed``).
    Where chance says how much of what comes after the first page it lacks, ``lacking`` is ``None``
    and ``reasons`` are the only reason codes that there may be. ``said`` must stand in the
    ledger's own words of a slot that is not stored. The source may be asked for each path as often
    as ``calls`` says.
    """

    fates: frozenset[Fate]
    assets: Sequence[int] = field(default=(*IDS, *FIAT))
    lacking: Mapping[int, str] | None = field(default_factory=dict)
    parts: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()
    said: str = ""
    calls: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(ASKED_FOR, 1))

    def calling(self, most: int, path: str | None = None) -> Truth:
        """Return the same with another limit on the calls: for one path, or for each."""
        return replace(
            self, calls={**self.calls, **dict.fromkeys([path] if path else ASKED_FOR, most)}
        )

    def saying(self, words: str) -> Truth:
        """Return the same with words that must stand in the ledger."""
        return replace(self, said=words)

    def __or__(self, other: Truth) -> Truth:
        """Return what allows the fates of both.

        What a partial slot lacks is told by the one that allows it; all else is as the first says.

        Raises:
            ValueError: the second's words would be forgotten.
        """
        if other.said not in {"", self.said}:
            raise ValueError(f"{other.said!r} would never be looked for: say it of the first")
        both, partly = self.fates | other.fates, other if other.partly else self
        lacks = {name: getattr(partly, name) for name in ("lacking", "parts", "reasons")}
        return replace(self, fates=both, **lacks)

    @property
    def partly(self) -> bool:
        """Whether it may be stored in part."""
        return any(outcome == "partial" for outcome, _ in self.fates)


def stored() -> Truth:
    return Truth(frozenset({("stored", None)}))


def failed(*reasons: str) -> Truth:
    return Truth(frozenset(("failed", reason) for reason in reasons))


def partial(lacking: Mapping[int, str], *parts: str) -> Truth:
    return Truth(_PARTIAL, lacking=lacking, parts=frozenset(parts))


def partial_by(*reasons: str) -> Truth:
    """Return what lacks any of what comes after the first page, for none but these reasons."""
    return Truth(_PARTIAL, lacking=None, reasons=frozenset(reasons))


def missed() -> Truth:
    return Truth(frozenset({("missed", "missed")}))


_PARTIAL: frozenset[Fate] = frozenset({("partial", "incomplete")})
