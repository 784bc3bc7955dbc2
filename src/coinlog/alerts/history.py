"""What rules look at: the ledger, the quotes and the raw answers of a stretch of slots.

Only what was observed counts: points that were backfilled came after the fact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from coinlog.alerts.words import plain
from coinlog.archive import Archive
from coinlog.attempts import AttemptKey, Manifest
from coinlog.errors import ArchiveError
from coinlog.market import Origin, Outcome
from coinlog.slots import schedule_at
from coinlog.sources.key_info import KeyInfo
from coinlog.store import schema
from coinlog.store.fates import Fate, read_fates
from coinlog.store.ledger import Head, past_grace
from coinlog.store.reader import HAS_QUOTES, Reader

MANY = 100
"""Of more slots the archive is listed once, instead of slot by slot."""

_LINE = (
    *("slot", "outcome", "reason", "detail", "attempt"),
    *("observed_at", "captured_at", "stored_at", "credits"),
)


class Line(NamedTuple):
    """A row of the ledger: a tuple, because there are many."""

    slot: int
    outcome: str
    reason: str | None
    detail: str | None
    attempt: str
    observed_at: int | None
    captured_at: int
    stored_at: int
    credits: int

    @property
    def has_quotes(self) -> bool:
        """Whether the slot is stored, wholly or in part."""
        return self.outcome in HAS_QUOTES


class Figures(NamedTuple):
    """What was observed of an asset at a slot; ``resolution`` is seconds."""

    price: float
    rank: int | None
    resolution: int


class Surroundings(msgspec.Struct, frozen=True):
    """What can be known of this moment alone: free space by place in MB, and the key's plan."""

    free_mb: Callable[[], Mapping[str, float]] = dict
    key_info: Callable[[], KeyInfo | None] = lambda: None


class History:
    """What is recorded from ``start`` to ``now``, read where it is asked for.

    Slots after ``since`` are looked at; they are compared with those before it. ``around`` is there
    where the newest slot is that of this moment.
    """

    def __init__(  # noqa: PLR0913  where to look, and when
        self,
        reader: Reader,
        archive: Archive,
        head: Head,
        *,
        start: int,
        end: int,
        now: float,
        since: int,
        around: Surroundings | None = None,
    ) -> None:
        self.since = since
        self.reader, self.archive, self.head = reader, archive, head
        self.start, self.end, self.now, self.around = start, end, now, around

    @cached_property
    def fates(self) -> dict[int, Fate]:
        """What became of each slot, oldest first; missed ones are there once they are late.

        One that waits in the archive to be loaded is not missed.
        """
        waiting = self.waiting
        return {
            slot: fate
            for slot, fate in self._fates.items()
            if fate.outcome != Outcome.MISSED or slot not in waiting
        }

    @cached_property
    def waiting(self) -> frozenset[int]:
        """The slots of which the archive holds an attempt that the store has not settled."""
        # This comes first: what is settled meanwhile counts as waiting, and is looked at again.
        done = self._settled()
        slots = [
            slot
            for slot, fate in self._fates.items()
            if slot > self.since and fate.outcome != Outcome.STORED
        ]
        return frozenset(key.slot for key in self._kept(slots) if key not in done)

    @cached_property
    def newest_settled(self) -> int:
        """The newest slot of which the store has an attempt, 0 for none."""
        table = schema.attempt.c
        query = sa.select(sa.func.max(table.slot)).where(table.slot <= int(self.now))
        with self.reader.connected() as connection:
            return connection.execute(query).scalar() or 0

    def _settled(self) -> set[AttemptKey]:
        table = schema.attempt.c
        query = sa.select(table.slot, table.attempt).where(table.slot > self.since)
        with self.reader.connected() as connection:
            return {AttemptKey(*row) for row in connection.execute(query)}

    def _kept(self, slots: Sequence[int]) -> list[AttemptKey]:
        if len(slots) <= MANY:
            return [key for slot in slots for key in self.archive.slot_attempts(slot)]
        wanted = set(slots)
        return [key for key in self.archive.attempts(slots[0]) if key.slot in wanted]

    @cached_property
    def _fates(self) -> dict[int, Fate]:
        found = read_fates(self.reader, self.head, self.now, self.start, self.end)
        return {fate.slot: fate for fate in found}

    @cached_property
    def lines(self) -> dict[int, Line]:
        """The ledger's rows, oldest first."""
        table = schema.slot.c
        query = sa.select(*(table[name] for name in _LINE))
        query = query.where(table.slot.between(self.start, self.end)).order_by(table.slot)
        with self.reader.connected() as connection:
            cursor = connection.execute(query).cursor
            rows = cursor.fetchall() if cursor else ()
        return {row[0]: Line(*row) for row in rows}

    def final(self, slot: int) -> bool:
        """Return whether a slot stays as it is: stored, or no longer tried again at once."""
        fate = self.fates.get(slot)
        stored = fate is not None and fate.outcome == Outcome.STORED
        return stored or past_grace(self.head.schedules, slot, self.now)

    def interval(self, slot: int) -> int:
        """Return the seconds between slots, by the schedule of then."""
        schedule = schedule_at(self.head.schedules, slot)
        return schedule.interval_seconds if schedule else 0

    def figures(self, asset_id: int) -> dict[int, Figures]:
        """Return what was observed of an asset, oldest first."""
        if asset_id not in self._figures:
            found = self.reader.quotes(asset_id, self.start, self.end, ("price", "rank"))
            rows = zip(
                *(found.slots, found.origins, found.fields["price"], found.fields["rank"]),
                found.resolutions,
                strict=True,
            )
            self._figures[asset_id] = {
                slot: Figures(price, rank, resolution)
                for slot, origin, price, rank, resolution in rows
                if origin == Origin.OBSERVED
            }
        return self._figures[asset_id]

    @cached_property
    def _figures(self) -> dict[int, dict[int, Figures]]:
        return {}

    def dominance(self, column: str) -> dict[int, float]:
        """Return an asset's share of the whole market in percent, as observed, by slot."""
        table = schema.global_metrics.c
        query = sa.select(table.slot, table[column]).where(
            table.slot.between(self.start, self.end),
            table.origin == Origin.OBSERVED.value,
            table[column].is_not(None),
        )
        with self.reader.connected() as connection:
            return {row[0]: row[1] for row in connection.execute(query.order_by(table.slot))}

    def label(self, asset_id: int) -> str:
        """Return what an asset is called, on a plain line; its id is what it is."""
        return self._labels.get(asset_id) or self._read_label(asset_id)

    @cached_property
    def _labels(self) -> dict[int, str]:
        return {}

    def _read_label(self, asset_id: int) -> str:
        found = self.reader.assets([asset_id])
        name = plain(found[0].name) if found else ""
        symbol = plain(found[0].symbol, 12) if found else ""
        words = [word for word in (symbol, f"id {asset_id}") if word]
        label = f"{name or 'asset'} ({', '.join(words)})"
        self._labels[asset_id] = label
        return label

    def manifest(self, line: Line) -> Manifest | None:
        """Return the manifest of a slot's attempt; ``None`` where it cannot be read."""
        try:
            return self.archive.manifest(AttemptKey(line.slot, line.attempt))[0]
        except ArchiveError:
            return None
