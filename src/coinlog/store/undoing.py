"""Taking back what was backfilled about a target, so that all of it is settled again, in order."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from coinlog.slots import MAX_TIME
from coinlog.store import rows, schema
from coinlog.store.room import backfilled_about, renew_first_slots
from coinlog.store.targets import asset_of, backfilled_at, points_of


def undo(connection: sa.Connection, target: str) -> None:
    """Take back every answer about a target, and the points that came of them."""
    connection.execute(schema.backfill.delete().where(schema.backfill.c.target == target))
    place, asset_id = points_of(target), asset_of(target)
    if place is None:
        return
    table, mine = place
    connection.execute(table.delete().where(backfilled_at(table), mine))
    if asset_id is not None:
        rows.restore_latest(connection, asset_id)
        renew_first_slots(connection, [asset_id], 0, MAX_TIME)


def undo_about(connection: sa.Connection, slot: int, ids: Collection[int]) -> None:
    """Let the backfilled answers about assets be settled again: a slot has lost their quotes.

    What kept a backfilled point out is gone, and the next look at the archive brings it in.
    """
    table = schema.backfill.c
    if backfilled_about(connection, slot, slot):
        query = sa.select(table.target).where(table.asset_id.in_(ids)).distinct()
        for target in connection.execute(query).scalars().all():
            undo(connection, target)
