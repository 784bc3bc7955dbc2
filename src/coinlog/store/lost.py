"""Which quotes one store of two side by side has alone: looked up by key, wherever they are.

Counts would not tell: what was thinned on purpose makes up for what would be lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import sqlalchemy as sa

from coinlog.market import Origin
from coinlog.store import schema
from coinlog.store.engine import store_errors

AT_MOST = 200_000
"""So many are looked at: that some would be lost is told all the same."""


class Key(NamedTuple):
    """One quote: whose, and at which slot."""

    asset_id: int
    slot: int


def select_alone(held: str, made: str, since: int) -> str:
    """Return the query for the quotes of one database that another on its server has not.

    Backfilled ones count from a slot on: where slots were thinned out, points stand that have no
    room beside what was observed.
    """
    return (
        f"SELECT h.asset_id, h.slot FROM {held}.quote h WHERE "  # noqa: S608  our own words
        f"(h.origin <> '{Origin.BACKFILLED}' OR h.slot >= {since}) AND NOT EXISTS "
        f"(SELECT 1 FROM {made}.quote m WHERE m.asset_id = h.asset_id AND m.slot = h.slot) "
        f"ORDER BY h.asset_id, h.slot LIMIT {AT_MOST}"
    )


def still_alone(made: sa.Engine, keys: Sequence[Key]) -> Iterator[Key]:
    """Yield those of some quotes, in the order of their keys, that a store has not by now."""
    quote = schema.quote.c
    with store_errors(), made.connect() as connection:
        for asset_id, some in groupby(keys, lambda key: key.asset_id):
            query = sa.select(quote.slot).where(quote.asset_id == asset_id)
            there = set(connection.execute(query).scalars())
            yield from (key for key in some if key.slot not in there)
