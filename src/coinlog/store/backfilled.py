"""Settling what was backfilled: points of the past, beside what was observed and never over it.

Whatever was observed stays. Of two backfilled points for the same slot the finer one stays, then
the nearer to the slot, then the one that was asked for first. That follows from the answers and
from what was observed alone, so the order of loading changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import msgspec
import sqlalchemy as sa

from coinlog.errors import SchemaError
from coinlog.market import (
    Asset,
    FearAndGreed,
    GlobalMetrics,
    Origin,
    Outcome,
    Quote,
    Reason,
    SourceKind,
)
from coinlog.slots import DAY, MAX_TIME, schedule_at
from coinlog.store import rows, schema
from coinlog.store.engine import store_errors
from coinlog.store.names import chunks
from coinlog.store.reader import HAS_QUOTES
from coinlog.store.room import Cover, around, nearest_slot
from coinlog.store.settlements import DETAIL_LENGTH, Row
from coinlog.store.targets import asset_of, points_of
from coinlog.store.thinned import read_thinnings
from coinlog.store.undoing import undo
from coinlog.store.writer import known_schedules, raise_version, refuse_mixing

Point = Quote | GlobalMetrics | FearAndGreed
Points = Mapping[int, Point]
"""Points by their own time, seconds UTC."""


class BackfillSettlement(msgspec.Struct, frozen=True, kw_only=True):
    """A backfilled answer as the store will remember it; times in seconds UTC.

    ``asset`` is ``None`` for what concerns the whole market. ``interval_seconds`` lay between
    slots about this time. ``points`` are by their own time.
    """

    target: str
    attempt: str
    asset: Asset | None
    from_time: int
    to_time: int
    resolution: int
    interval_seconds: int
    outcome: Outcome
    reason: Reason | None
    detail: str
    source: SourceKind
    captured_at: int
    credits: int
    sha256: str
    points: Points

    @property
    def asset_id(self) -> int | None:
        """The asset that it is about, which a damaged manifest does not hide."""
        return asset_of(self.target)

    @property
    def age(self) -> tuple[int, str]:
        """By which the answers about a target are settled: the first asked for comes first."""
        return self.captured_at, self.attempt


class Settled(Enum):
    """What became of a backfilled answer: settled, settled before, or later ones must follow."""

    DONE = "done"
    BEFORE = "before"
    LATER_FIRST = "later ones were settled first; all are to be settled again"


class Backfilled(msgspec.Struct, frozen=True):
    """How much the store has from the source's history; ``since`` is seconds UTC."""

    answers: int
    points: int
    credits: int
    since: int | None


def read_backfilled(engine: sa.Engine) -> Backfilled:
    """Return how many usable answers were settled, what they held and what all of them cost."""
    table = schema.backfill.c
    usable = table.outcome != Outcome.FAILED.value
    query = sa.select(
        sa.func.count(sa.case((usable, 1))),
        sa.func.coalesce(sa.func.sum(table.points), 0),
        sa.func.coalesce(sa.func.sum(table.credits), 0),
        sa.func.min(sa.case((usable, table.from_time))),
    )
    try:
        with store_errors(), engine.connect() as connection:
            answers, points, spent, since = connection.execute(query).one()
    except SchemaError:
        # A store that an older coinlog made has nothing of it.
        return Backfilled(0, 0, 0, None)
    return Backfilled(answers, int(points), int(spent), since)


def settled_backfills(engine: sa.Engine) -> set[tuple[str, str]]:
    """Return the (target, attempt) pairs that the store has settled."""
    table = schema.backfill.c
    query = sa.select(table.target, table.attempt)
    try:
        with store_errors(), engine.connect() as connection:
            return {(target, attempt) for target, attempt in connection.execute(query)}
    except SchemaError:
        return set()


def settle_backfill(engine: sa.Engine, settlement: BackfillSettlement, settled_at: int) -> Settled:
    """Settle a backfilled answer in one transaction.

    Where a later answer about the same target has been settled, all about that target are undone
    instead, so that they can be settled in their order.

    Raises:
        MixedSourcesError: the store holds the other kind of data.
        StoreRefusedError: the database refused a value: nothing was changed.
        StoreUnavailableError: the database is away: nothing was changed.
    """
    with store_errors(), engine.begin() as connection:
        raise_version(connection)
        table = schema.backfill
        query = sa.select(table.c.captured_at, table.c.attempt)
        held = [tuple(row) for row in connection.execute(query.where(_about(settlement)))]
        if settlement.attempt in {attempt for _, attempt in held}:
            connection.rollback()
            return Settled.BEFORE
        if settlement.points:
            refuse_mixing(connection, settlement.source)
        if settlement.points and max(held, default=settlement.age) > settlement.age:
            undo(connection, settlement.target)
            return Settled.LATER_FIRST
        connection.execute(table.insert(), backfill_row(settlement, settled_at))
        _write_points(connection, settlement)
        return Settled.DONE


def backfill_row(settlement: BackfillSettlement, settled_at: int) -> Row:
    """Return a backfilled answer's row in the table of all of them."""
    return {
        "target": settlement.target,
        "attempt": settlement.attempt,
        "asset_id": settlement.asset_id,
        "from_time": settlement.from_time,
        "to_time": settlement.to_time,
        "resolution": settlement.resolution,
        "outcome": settlement.outcome.value,
        "reason": settlement.reason and settlement.reason.value,
        "detail": settlement.detail[:DETAIL_LENGTH] or None,
        "points": len(settlement.points),
        "captured_at": settlement.captured_at,
        "credits": settlement.credits,
        "sha256": settlement.sha256,
        "settled_at": settled_at,
    }


def rows_of(settlement: BackfillSettlement) -> dict[int, Row]:
    """Return the rows that an answer has to give, by slot, oldest first.

    Where points come as often as slots or more often, each slot gets the nearest one, which
    stands for the time between slots. A coarser point keeps its own time and stands for its own
    stretch. A slot that had not come yet gets none.
    """
    resolution, interval = settlement.resolution, settlement.interval_seconds
    fine = resolution <= interval
    found: dict[int, Row] = {}
    for time, point in sorted(settlement.points.items()):
        slot = nearest_slot(time, interval) if fine else time
        place = {"slot": slot, "origin": Origin.BACKFILLED.value}
        stands_for = interval if fine else resolution
        row = {**msgspec.structs.asdict(point), **place, "resolution": stands_for}
        if slot <= settlement.captured_at and (slot not in found or _beats(row, found[slot])):
            found[slot] = row
    return found


def standing(
    settlement: BackfillSettlement, observed: Cover, held: Mapping[int, Row]
) -> dict[int, Row]:
    """Return the rows by which an answer adds to, or replaces, the backfilled ones ``held``.

    The answers about a target come in the order of their ``age``.
    """
    return {
        slot: row
        for slot, row in rows_of(settlement).items()
        if not observed.holds(slot) and (slot not in held or _beats(row, held[slot]))
    }


def observed_cover(observed: Mapping[int, int]) -> Cover:
    """Return where nothing backfilled can stand, from the resolutions of what was observed."""
    return Cover(around(slot, resolution) for slot, resolution in observed.items())


def _beats(row: Row, held: Row) -> bool:
    return _rank(row) < _rank(held)


def _rank(row: Row) -> tuple[int, int]:
    """Return by what a point is chosen for its slot: how fine it is, then how near."""
    own_time = row.get("last_updated", row.get("updated_at"))
    return row["resolution"], abs((own_time or row["slot"]) - row["slot"])


def _about(settlement: BackfillSettlement) -> sa.ColumnElement[bool]:
    return schema.backfill.c.target == settlement.target


def _write_points(connection: sa.Connection, settlement: BackfillSettlement) -> None:
    there, place = rows_of(settlement), points_of(settlement.target)
    if not there or place is None:
        return
    table, mine = place
    start, end = min(there) - DAY, max(there) + DAY
    near = table.c.slot.between(start, end)
    held = [dict(row) for row in connection.execute(sa.select(table).where(near, mine)).mappings()]
    observed = {row["slot"]: row["resolution"] for row in held if row["origin"] == Origin.OBSERVED}
    others = {row["slot"]: row for row in held if row["slot"] not in observed}
    gone = dropped_slots(connection, start, end) if table is schema.quote else {}
    wanted = standing(settlement, observed_cover(gone | observed), others)
    if not wanted:
        return
    for some in chunks([slot for slot in wanted if slot in others]):
        connection.execute(table.delete().where(table.c.slot.in_(some), mine))
    if settlement.asset:
        _write_quotes(connection, settlement.asset, wanted)
    else:
        connection.execute(table.insert(), [*wanted.values()])


def dropped_slots(connection: sa.Connection, start: int = 0, end: int = MAX_TIME) -> dict[int, int]:
    """Return the slots that were recorded and may have been thinned, with their intervals.

    What was dropped on purpose was observed all the same: the source's history takes no such
    place.
    """
    thinned = max((one.older_than for one in read_thinnings(connection)), default=0)
    if thinned <= start:
        return {}
    table, schedules = schema.slot.c, known_schedules(connection)
    here = table.slot.between(start, min(end, thinned - 1)) & table.outcome.in_(HAS_QUOTES)
    found = connection.execute(sa.select(table.slot).where(here)).scalars()
    by_slot = ((slot, schedule_at(schedules, slot)) for slot in found)
    return {slot: one.interval_seconds if one else 1 for slot, one in by_slot}


def _write_quotes(connection: sa.Connection, asset: Asset, wanted: Mapping[int, Row]) -> None:
    lines = [tuple(row[name] for name in rows.COLUMNS) for row in wanted.values()]
    _know(connection, asset, min(wanted))
    rows.insert_lines(connection, lines)
    latest = schema.latest.c
    query = sa.select(latest.origin).where(latest.asset_id == asset.id)
    held = connection.execute(query).first()
    if held is None or held.origin == Origin.BACKFILLED:
        rows.restore_latest(connection, asset.id)


def _know(connection: sa.Connection, asset: Asset, first_slot: int) -> None:
    """Make an asset known from a slot on.

    What it is called is for observed slots to say, and until there is one, for the newest answer.
    """
    table, names = schema.asset, schema.asset_name.c
    here = table.c.id == asset.id
    held = connection.execute(sa.select(table.c.first_slot).where(here)).scalar()
    called = {"name": asset.name, "symbol": asset.symbol, "slug": asset.slug}
    if held is None:
        new = {"id": asset.id, "is_fiat": asset.is_fiat, "first_slot": first_slot, **called}
        connection.execute(table.insert(), new)
        return
    seen = sa.select(names.asset_id).where(names.asset_id == asset.id).limit(1)
    changed = {} if connection.execute(seen).first() else called
    lower = {**changed, "first_slot": min(held, first_slot)}
    connection.execute(table.update().where(here).values(lower))
