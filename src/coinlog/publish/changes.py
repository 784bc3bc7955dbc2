"""What has changed in the store since an edition was published: found by the store's own rows.

A slot that was settled later has a later time in the ledger, so has a backfilled answer. What
leaves no such trace (a row changed by hand) is found by looking at everything.
"""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from coinlog.chunks.names import Month, month_of
from coinlog.chunks.record import is_complete
from coinlog.publish.edition import Edition, Marks
from coinlog.store import schema
from coinlog.store.ledger import Head
from coinlog.store.reader import Reader


class Changes(msgspec.Struct, frozen=True):
    """What is to be made anew.

    Of all assets the months from ``since`` on; of those in ``whole``, and of all where ``since``
    is ``None``, everything. ``slots`` were settled since; ``None`` means all.
    """

    since: Month | None
    whole: frozenset[int] = frozenset()
    slots: frozenset[int] | None = None


def read_marks(reader: Reader) -> Marks:
    """Return how far the store has come."""
    slot, attempt, backfill = schema.slot.c, schema.attempt.c, schema.backfill.c
    newest = (
        sa.select(sa.func.max(slot.stored_at), sa.func.count(slot.slot)),
        sa.select(sa.func.max(attempt.settled_at), sa.func.count(attempt.slot)),
        sa.select(sa.func.max(backfill.settled_at), sa.func.count(backfill.target)),
        sa.select(sa.func.max(schema.thinning.c.done_at), sa.literal(0)),
    )
    with reader.connected() as connection:
        rows = [connection.execute(query).one() for query in newest]
    times = [-1 if row[0] is None else int(row[0]) for row in rows]
    counts = [int(row[1]) for row in rows]
    return Marks(
        stored_at=times[0],
        settled_at=times[1],
        backfilled_at=times[2],
        thinned_at=times[3],
        slots=counts[0],
        attempts=counts[1],
        backfills=counts[2],
        older=_older(reader, times[0]),
    )


def changes_since(
    reader: Reader, head: Head, edition: Edition, marks: Marks, now: float
) -> Changes:
    """Return what has changed since an edition was published."""
    before = edition.marks
    if _rewritten(reader, before, marks):
        return Changes(since=None)
    slots = _settled_since(reader, before)
    whole = _backfilled_since(reader, before)
    # From the month of the last time on, gaps and ends of months can have changed by time alone.
    first = min([edition.moment, *slots])
    return Changes(since=_whole_year(head, month_of(first), now), whole=whole, slots=slots)


def _whole_year(head: Head, month: Month, now: float) -> Month:
    """Return the month from which on files change: a year that is over has one file."""
    over = is_complete(head, Month(month.year, 12), now)
    return Month(month.year, 1) if over else month


def _rewritten(reader: Reader, before: Marks, marks: Marks) -> bool:
    """Return whether more than what came since may have changed: rows gone, thinned, or older."""
    fewer = any(
        getattr(marks, name) < getattr(before, name) for name in ("slots", "attempts", "backfills")
    )
    if fewer or marks.thinned_at != before.thinned_at:
        return True
    return _older(reader, before.stored_at) > before.older


def _older(reader: Reader, time: int) -> int:
    query = sa.select(sa.func.count()).where(schema.slot.c.stored_at < time)
    with reader.connected() as connection:
        return int(connection.execute(query).scalar_one())


def _settled_since(reader: Reader, before: Marks) -> frozenset[int]:
    slot, attempt = schema.slot.c, schema.attempt.c
    queries = (
        sa.select(slot.slot).where(slot.stored_at >= before.stored_at),
        sa.select(attempt.slot).where(attempt.settled_at >= before.settled_at),
    )
    with reader.connected() as connection:
        return frozenset(one for query in queries for one in connection.execute(query).scalars())


def _backfilled_since(reader: Reader, before: Marks) -> frozenset[int]:
    table = schema.backfill.c
    query = sa.select(table.asset_id).where(table.settled_at >= before.backfilled_at)
    with reader.connected() as connection:
        found = connection.execute(query.where(table.asset_id.is_not(None))).scalars()
        return frozenset(int(one) for one in found)
