"""What the endpoints work on, and what they give back."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import msgspec

from coinlog.simulated.fiat import Rates
from coinlog.simulated.market import Market
from coinlog.simulated.mood import Mood


class Reply(NamedTuple):
    """The data of an answer as JSON, and what its status says about it."""

    data: bytes
    credits: int
    total_count: int | None = None


class World:
    """One made-up market with its currencies and its mood."""

    def __init__(self, seed: int, assets: int) -> None:
        self.market = Market(seed, assets)
        self.rates = Rates(seed)
        self.mood = Mood(seed)


def reply(data: Any, credit_count: int, total_count: int | None = None) -> Reply:  # noqa: ANN401
    """Return a reply with ``data`` as JSON."""
    return Reply(msgspec.json.encode(data), credit_count, total_count)


def credits_for(count: int, per_credit: int) -> int:
    """Return what an answer costs: one credit for each full or begun ``per_credit``."""
    return max(1, math.ceil(count / per_credit))
