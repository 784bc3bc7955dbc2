"""What there is already where an import would go: in the archive, and in the store."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from functools import partial

import msgspec
import sqlalchemy as sa

from coinlog.archive import Archive
from coinlog.attempts import is_imported
from coinlog.errors import SchemaError
from coinlog.market import Origin, Outcome, Quote, Snapshot
from coinlog.slots import DAY, Schedule, schedule_at
from coinlog.store import schema
from coinlog.store.engine import store_errors
from coinlog.store.names import chunks
from coinlog.store.settlements import Held, crypto_ids, takes_place
from coinlog.store.writer import known_schedules

_NAME = re.compile(r"import-([0-9]{4,9})-([0-9a-f]{16})")

Told = dict[int, tuple[float, int | None]]
"""By asset what a quote says, and when the source told it."""


class Standing(msgspec.Struct, frozen=True):
    """What there is already where an import would go, with slots of ``interval_seconds``.

    By slot ``imported`` has the imported attempts' numbers by digest, and ``held`` what stands.
    ``recorded`` are the slots of our own, oldest first, and ``moments`` the imported slots by
    when they were captured. ``quotes`` looks up what some assets were observed at in a slot.
    """

    interval_seconds: int
    imported: dict[int, dict[str, int]] = {}
    held: dict[int, Held] = {}
    recorded: list[int] = []
    moments: dict[int, list[int]] = {}
    schedules: list[Schedule] = []
    quotes: Callable[[int, Collection[int]], Told] = lambda _slot, _ids: {}

    def takes(self, slot: int, outcome: Outcome, snapshot: Snapshot | None) -> bool:
        """Return whether a new attempt would stand at a slot."""
        held, count = self.held.get(slot), partial(self._shared, slot)
        return held is None or takes_place(outcome, snapshot, held, count, imported=True)

    def within(self, slot: int) -> int | None:
        """Return the first slot of our own that lies inside of an import's, after its begin."""
        index = bisect_right(self.recorded, slot)
        found = self.recorded[index] if index < len(self.recorded) else None
        return found if found is not None and found < slot + self.interval_seconds else None

    def interval_at(self, slot: int) -> int | None:
        """Return the seconds between our own slots at one of them, as far as the store knows."""
        schedule = schedule_at(self.schedules, slot)
        return schedule.interval_seconds if schedule else None

    def left_out(self, slot: int, snapshot: Snapshot | None) -> tuple[int, ...]:
        """Return the assets that another import keeps out of the store at a slot."""
        held = self.held.get(slot)
        if held is None or snapshot is None or not held.imported:
            return ()
        ids = crypto_ids(snapshot)
        return tuple(sorted(ids - self.quotes(slot, ids).keys()))

    def repeated_from(self, slot: int, captured_at: int, quotes: Sequence[Quote]) -> int | None:
        """Return another slot into which an earlier import put the same rows."""
        told = {quote.asset_id: (quote.price, quote.last_updated) for quote in quotes}
        for other in self.moments.get(captured_at, ()):
            if other != slot and self.quotes(other, told).items() & told.items():
                return other
        return None

    def _shared(self, slot: int, ids: set[int]) -> int:
        return len(self.quotes(slot, ids))


def standing(
    archive: Archive, engine: sa.Engine, slots: Sequence[int], interval_seconds: int
) -> Standing:
    """Return what the archive and the store have where slots of an import would go."""
    if not slots:
        return Standing(interval_seconds)
    first, last = slots[0], slots[-1]
    imported: dict[int, dict[str, int]] = defaultdict(dict)
    recorded: set[int] = set()
    for key in archive.attempts(first):
        if key.slot <= last and (match := _NAME.fullmatch(key.attempt)):
            imported[key.slot][match[2]] = int(match[1])
        elif key.slot < last + interval_seconds and not is_imported(key.attempt):
            recorded.add(key.slot)
    try:
        with store_errors(), engine.connect() as connection:
            held, moments = _held(connection, first - DAY, last + DAY)
            schedules = known_schedules(connection)
    except SchemaError:
        return Standing(interval_seconds, imported, recorded=sorted(recorded))
    return Standing(
        interval_seconds,
        imported,
        held,
        sorted(slot for slot in recorded if slot not in held or _is_ours(held[slot])),
        moments,
        schedules,
        partial(_quotes, engine),
    )


def _is_ours(held: Held) -> bool:
    return not held.imported and held.outcome is not Outcome.FAILED


def _held(
    connection: sa.Connection, first: int, last: int
) -> tuple[dict[int, Held], dict[int, list[int]]]:
    table = schema.slot.c
    columns = table.slot, table.outcome, table.attempt, table.observed_at, table.assets
    query = sa.select(*columns, table.captured_at).where(table.slot.between(first, last))
    held: dict[int, Held] = {}
    moments: dict[int, list[int]] = defaultdict(list)
    for slot, outcome, attempt, observed_at, assets, captured_at in connection.execute(query):
        held[slot] = Held(Outcome(outcome), is_imported(attempt), observed_at, assets)
        if held[slot].imported:
            moments[captured_at].append(slot)
    return held, moments


def _quotes(engine: sa.Engine, slot: int, ids: Collection[int]) -> Told:
    table, told = schema.quote.c, Told()
    here = (table.slot == slot) & (table.origin == Origin.OBSERVED.value)
    query = sa.select(table.asset_id, table.price, table.last_updated).where(here)
    with store_errors(), engine.connect() as connection:
        for some in chunks(sorted(ids)):
            for row in connection.execute(query.where(table.asset_id.in_(some))):
                told[row.asset_id] = (row.price, row.last_updated)
    return told
