"""Reading an asset's long history without reading all of it: its ends, breaks and chosen points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from coinlog.market import Origin
from coinlog.store import schema
from coinlog.store.names import chunks
from coinlog.store.reader import Columns, Reader, columns_from, quote_columns

BREAK_AT = 1.5
"""A line breaks where slots are further apart than this many times the coarser resolution."""


class Break(msgspec.Struct, frozen=True):
    """Two neighbouring points between which a line breaks, and what the first one stands for."""

    left: int
    right: int
    resolution: int


def breaks_between(left: int, right: int, *resolutions: int) -> bool:
    """Return whether a line breaks between two neighbouring points."""
    return right - left > BREAK_AT * max(resolutions)


def ends(reader: Reader, asset_id: int, start: int, end: int) -> tuple[int, int] | None:
    """Return an asset's first and last slot from ``start`` to ``end``, where it has any."""
    slot = schema.quote.c.slot
    here = sa.select(slot).where(schema.quote.c.asset_id == asset_id, slot.between(start, end))
    # One look-up each; asked for together, SQLite would read all that lies between.
    with reader.connected() as connection:
        first = connection.execute(here.order_by(slot).limit(1)).scalar()
        last = connection.execute(here.order_by(slot.desc()).limit(1)).scalar()
    return None if first is None or last is None else (first, last)


def neighbours(
    reader: Reader, asset_id: int, start: int, end: int
) -> tuple[int | None, int | None]:
    """Return an asset's last slot before ``start`` and its first after ``end``, where there are."""
    slot = schema.quote.c.slot
    mine = sa.select(slot).where(schema.quote.c.asset_id == asset_id)
    with reader.connected() as connection:
        before = mine.where(slot < start).order_by(slot.desc()).limit(1)
        after = mine.where(slot > end).order_by(slot).limit(1)
        return connection.execute(before).scalar(), connection.execute(after).scalar()


def read_points(
    reader: Reader, asset_id: int, slots: Sequence[int], fields: Sequence[str]
) -> tuple[Columns, list[int]]:
    """Return an asset's quotes at given slots, oldest first, and when each was observed.

    What was backfilled is drawn at its own time.
    """
    quote, ledger = schema.quote, schema.slot
    joined = quote.outerjoin(ledger, ledger.c.slot == quote.c.slot)
    own_time = sa.func.coalesce(quote.c.last_updated, quote.c.slot)
    observed_at = sa.case(
        (quote.c.origin == Origin.BACKFILLED.value, own_time),
        else_=sa.func.coalesce(ledger.c.observed_at, quote.c.slot),
    )
    query = sa.select(*quote_columns(fields), observed_at).select_from(joined)
    query = query.where(quote.c.asset_id == asset_id)
    rows: list[Any] = []
    with reader.connected() as connection:
        for some in chunks(sorted(slots)):
            here = query.where(quote.c.slot.in_(some)).order_by(quote.c.slot)
            rows += connection.execute(here).fetchall()
    return columns_from([row[:-1] for row in rows], fields), [row[-1] for row in rows]


def read_breaks(reader: Reader, asset_id: int, start: int, end: int) -> list[Break]:
    """Return where an asset's line breaks between its points from ``start`` to ``end``."""
    quote = schema.quote.c
    following = {
        name: sa.func.lead(quote[name]).over(order_by=quote.slot).label(f"next_{name}")
        for name in ("slot", "resolution")
    }
    steps = (
        sa.select(quote.slot, quote.resolution, *following.values())
        .where(quote.asset_id == asset_id, quote.slot.between(start, end))
        .subquery()
    )
    step = steps.c.next_slot - steps.c.slot
    apart = [step > BREAK_AT * steps.c[name] for name in ("resolution", "next_resolution")]
    query = sa.select(steps.c.slot, steps.c.next_slot, steps.c.resolution).where(*apart)
    with reader.connected() as connection:
        return [Break(*row) for row in connection.execute(query.order_by(steps.c.slot))]
