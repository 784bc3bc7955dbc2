"""Who the assets are: ids, names over time, supplies, tags. Nothing here depends on the seed."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import msgspec

from coinlog.market import BITCOIN, ETHEREUM
from coinlog.simulated.names import name_of
from coinlog.simulated.noise import digest
from coinlog.simulated.positions import (
    BITCOIN_POSITION,
    ETHEREUM_POSITION,
    FIRST_DAY,
    is_decentralized,
    is_stable,
    listing_days,
)
from coinlog.slots import DAY

MAX_ASSETS = 10_000
YEAR = 31_557_600

_IDS_A_GENERATION = 20_000
_RESERVED = ((ETHEREUM, 1), (2781, 50), (3570, 10))
"""(first id, how many) of ids that are Ethereum's or belong to fiat currencies and metals."""

_TAGS = (
    ("layer-1", "Layer 1", "CATEGORY"),
    ("pow", "PoW", "ALGORITHM"),
    ("pos", "PoS", "ALGORITHM"),
    ("gaming", "Gaming", "INDUSTRY"),
    ("ai-big-data", "AI & Big Data", "CATEGORY"),
    ("memes", "Memes", "CATEGORY"),
    ("payments", "Payments", "INDUSTRY"),
    ("storage", "Storage", "INDUSTRY"),
    ("privacy", "Privacy", "CATEGORY"),
    ("real-world-assets", "Real World Assets", "CATEGORY"),
)
_DEFI_TAG = ("defi", "DeFi", "CATEGORY")
_STABLE_TAG = ("stablecoin", "Stablecoin", "CATEGORY")
_NEVER_RENAMED_BELOW = 12
_SIZES = (1, 2, 2.1, 3, 4, 5, 7.5, 10)


class Name(NamedTuple):
    """What an asset is called from a day on (days since 1970-01-01 UTC)."""

    from_day: int
    name: str
    symbol: str
    slug: str


class Profile(msgspec.Struct, frozen=True, eq=False):
    """An asset's unchanging facts. Days count from 1970-01-01 UTC; supplies count coins.

    There is one object an asset, so that it can be looked up in a cache by its identity.
    """

    id: int
    position: int
    listed_day: int
    ended_day: int
    names: tuple[Name] | tuple[Name, Name]
    tags: tuple[tuple[str, str, str], ...]
    token_address: str | None
    final_supply: float
    infinite: bool
    minting: float
    withheld: float
    pace: float

    def name_on(self, day: int) -> Name:
        """Return what the asset is called on a day."""
        names = self.names
        return names[-1] if len(names) > 1 and names[-1].from_day <= day else names[0]

    def supply_at(self, at: int) -> float:
        """Return the circulating supply at a time: it grows, ever more slowly, to its limit.

        ``minting`` and ``withheld`` are shares of the final supply: what is added in a second,
        and what was not yet circulating at the listing; ``pace`` is in seconds.
        """
        if self.position == BITCOIN_POSITION:
            return mined_bitcoin(at)
        age = max(0, at - self.listed_day * DAY)
        return self.final_supply * (1 + self.minting * age - self.withheld / (1 + age / self.pace))


def mined_bitcoin(at: int) -> float:
    """Return how many bitcoins are mined by a time: 50 a block, halved every 210,000 blocks."""
    blocks = (at - 1_231_006_505) // 577
    mined, reward = 0.0, 50.0
    while blocks > 0:
        mined += min(blocks, 210_000) * reward
        blocks, reward = blocks - 210_000, reward / 2
    return mined


def asset_id(position: int, number: int) -> int:
    """Return the id of a position's asset, the ``number``-th from 0."""
    if position == BITCOIN_POSITION:
        return BITCOIN
    if position == ETHEREUM_POSITION:
        return ETHEREUM
    place = position
    for first, count in _RESERVED:
        place += count if place >= first else 0
    return place + number * _IDS_A_GENERATION


def holder(identity: int) -> tuple[int, int] | None:
    """Return the (position, number) of the asset with an id, or ``None`` if no id is that."""
    if identity in (BITCOIN, ETHEREUM):
        return (BITCOIN_POSITION if identity == BITCOIN else ETHEREUM_POSITION), 0
    number, position = divmod(identity, _IDS_A_GENERATION)
    for first, count in reversed(_RESERVED):
        position -= count if position >= first + count else 0
    known = 1 < position < MAX_ASSETS and asset_id(position, number) == identity
    return (position, number) if known else None


@lru_cache(maxsize=32768)
def profile_of(position: int, number: int) -> Profile:
    """Return the facts about a position's asset, the ``number``-th from 0."""
    luck = [byte / 255 for byte in digest("profile", position, number, size=8)]
    listed, ended = listing_days(position, number)
    infinite = is_stable(position) or position == ETHEREUM_POSITION or luck[2] < 0.3
    return Profile(
        id=asset_id(position, number),
        position=position,
        listed_day=max(listed, FIRST_DAY if position else listed),
        ended_day=ended,
        names=_names(position, number, luck),
        tags=_tags(position, luck),
        token_address=_token_address(position, number, luck),
        final_supply=_final_supply(position, luck),
        infinite=infinite,
        minting=(0.0018 if position == ETHEREUM_POSITION else 0.04 * luck[4]) / YEAR * infinite,
        withheld=0.0 if infinite else 0.1 + 0.7 * luck[3],
        pace=(0.5 + 4 * luck[4]) * YEAR,
    )


def _names(position: int, number: int, luck: list[float]) -> tuple[Name] | tuple[Name, Name]:
    start, end = listing_days(position, number)
    first = Name(start, *name_of(position, 2 * number))
    if position < _NEVER_RENAMED_BELOW or luck[5] > 0.16:
        return (first,)
    renamed = start + int((end - start) * (0.2 + 0.6 * luck[6]))
    name, symbol, slug = name_of(position, 2 * number + 1)
    if luck[5] < 0.05:
        return first, Name(renamed, first.name, symbol, first.slug)
    return first, Name(renamed, name, symbol if luck[5] < 0.11 else first.symbol, slug)


def _tags(position: int, luck: list[float]) -> tuple[tuple[str, str, str], ...]:
    if position == BITCOIN_POSITION:
        return (_TAGS[0], _TAGS[1])
    if position == ETHEREUM_POSITION:
        return (_TAGS[0], _TAGS[2])
    if is_stable(position):
        return (_STABLE_TAG,)
    first = _DEFI_TAG if is_decentralized(position) else _TAGS[int(luck[0] * 9.99)]
    return tuple(dict.fromkeys((first, _TAGS[int(luck[1] * 9.99)])))


def _token_address(position: int, number: int, luck: list[float]) -> str | None:
    if position <= ETHEREUM_POSITION or (luck[7] < 0.4 and not is_stable(position)):
        return None
    return "0x" + digest("address", position, number, size=20).hex()


def _final_supply(position: int, luck: list[float]) -> float:
    """Return the final supply, a round number: most are of millions to billions of coins."""
    special = {0: 21e6, 1: 118.9e6, 8: 6e6, 19: 48_000.0, 44: 4.2e14, 188: 4.2e17, 900: 1e18}
    if position in special:
        return special[position]
    if position < 40:
        exponent = 8 + int(2.5 * luck[1])
    elif luck[1] < 0.08:
        exponent = 5 + int(20 * luck[1])
    else:
        exponent = 8 + int(3 * luck[1]) + (4 if luck[1] > 0.95 else 0)
    return _SIZES[int(luck[6] * 7.99)] * 10.0**exponent
