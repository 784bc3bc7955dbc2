"""What history is asked about: an asset, or a part of the whole market; by name, as in the archive.

A name is all that a damaged manifest leaves, and it tells whose points an answer can have given.
"""

from __future__ import annotations

import re

import sqlalchemy as sa

from coinlog.market import Origin
from coinlog.slots import MAX_ASSET_ID
from coinlog.store import schema

GLOBAL_METRICS = "global-metrics"
FEAR_AND_GREED = "fear-and-greed"

MARKET_TABLES = {GLOBAL_METRICS: schema.global_metrics, FEAR_AND_GREED: schema.fear_and_greed}
_ASSET = re.compile(r"asset-([1-9][0-9]{0,9})")


def target_of(asset_id: int) -> str:
    """Return what an asset's history is called."""
    return f"asset-{asset_id}"


def asset_of(target: str) -> int | None:
    """Return the asset that a target is about; ``None`` for the whole market."""
    match = _ASSET.fullmatch(target)
    return int(match[1]) if match and int(match[1]) <= MAX_ASSET_ID else None


def points_of(target: str) -> tuple[sa.Table, sa.ColumnElement[bool]] | None:
    """Return the table that a target's points are in, and the condition for them all there.

    ``None`` for a name that is no target: it has no points.
    """
    asset_id = asset_of(target)
    if target in MARKET_TABLES:
        return MARKET_TABLES[target], sa.true()
    if asset_id is None:
        return None
    return schema.quote, schema.quote.c.asset_id == asset_id


def backfilled_at(table: sa.Table) -> sa.ColumnElement[bool]:
    """Return the condition for what was backfilled in a table."""
    return table.c.origin == sa.literal(Origin.BACKFILLED.value)
