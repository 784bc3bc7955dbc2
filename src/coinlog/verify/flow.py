"""The whole comparison, streaming: some slots of both at a time, whatever their number."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import groupby

import sqlalchemy as sa

from coinlog.ahead import MANY, batches_ahead
from coinlog.archive import Archive
from coinlog.attempts import AttemptKey
from coinlog.backfill.kept import backfills
from coinlog.slots import MAX_TIME, iso
from coinlog.store import schema
from coinlog.store.backfilled import dropped_slots
from coinlog.store.comparing import (
    Line,
    as_row,
    assets_with_quotes,
    latest_lines,
    newest_line,
    read_stretch,
    unequal,
)
from coinlog.store.engine import open_engine, store_errors
from coinlog.store.existing import refuse_unready
from coinlog.store.thinned import read_thinnings
from coinlog.store.writer import known_schedules
from coinlog.verify.buckets import Buckets
from coinlog.verify.findings import Findings
from coinlog.verify.history import HistoryComparer
from coinlog.verify.names import Names, Past
from coinlog.verify.notes import Verified, note
from coinlog.verify.sample import Sample
from coinlog.verify.slots import Comparer, Told, read_slot
from coinlog.watching import Watch


def verify(
    url: sa.URL,
    archive: Archive,
    watch: Watch,
    *,
    sample: Sample | None = None,
    clock: Callable[[], float] = time.time,
) -> Verified:
    """Compare the store with the archive, and the archive with its hashes, and note the result.

    No store is made and none is upgraded.

    Raises:
        StoreUnavailableError: the database is away, or not there.
        SchemaError: its schema is not this program's.
        ArchiveError: the archive cannot be read.
    """
    started_at = int(clock())
    writer, reader = open_engine(url, there=True), open_engine(url, read_only=True)
    try:
        refuse_unready(reader)
        run = _Run(reader, archive, watch, sample)
        findings = run.findings()
        verified = Verified(
            started_at=started_at,
            ended_at=int(clock()),
            sampled=sample is not None,
            slots=findings.slots,
            # What was thinned on purpose was not there to be compared.
            quotes=findings.quotes - findings.thinned,
            differences=findings.differences,
            unsettled=findings.unsettled,
            thinned=findings.thinned,
            first=tuple(findings.texts),
            from_slot=run.range and run.range[0],
            to_slot=run.range and run.range[1],
            uncompared=findings.uncompared,
        )
        note(writer, verified)
        return verified
    finally:
        reader.dispose()
        writer.dispose()


class _Run:
    """One comparison, from the first slot to the last."""

    def __init__(
        self, reader: sa.Engine, archive: Archive, watch: Watch, sample: Sample | None
    ) -> None:
        self._reader, self._archive, self._watch, self._sample = reader, archive, watch, sample
        # Listed before the store is read: what is settled meanwhile is then no surprise.
        keys = archive.attempts()
        self._keys = {slot: [*some] for slot, some in groupby(keys, lambda key: key.slot)}
        self._newest = keys[-1].slot if keys else 0
        self._history = backfills(archive)
        with self._connected() as connection:
            ledger = sa.select(schema.slot.c.slot, schema.slot.c.assets)
            self._ledger: dict[int, int] = dict(map(tuple, connection.execute(ledger)))
            self._slots = sorted(self._keys.keys() | self._ledger.keys())
            self.range = sample.range(self._slots) if sample else None
            self._names = Names(connection)
            with_quotes = assets_with_quotes(connection)
            self._ids = sorted({*self._names.ids, *with_quotes})
            self._backfilled: dict[int, Past | None] = {}
            schedules = tuple(known_schedules(connection))
            findings, thinnings = Findings(), read_thinnings(connection)
            buckets = None if sample else Buckets(findings, self._names, thinnings)
            self._comparer = Comparer(findings, self._names, thinnings, schedules, buckets)
        for asset_id in sorted({*with_quotes} - {*self._names.ids}):
            self._comparer.findings.add(f"asset {asset_id}: it has quotes, and nothing names it")

    def findings(self) -> Findings:
        """Compare all, or a sample, and return what was found."""
        chosen = self._sample.chosen(self._slots) if self._sample else self._slots
        low = 0
        with self._watch("verifying", len(chosen)) as advance:
            read, apart = (
                partial(read_slot, self._archive),
                self._archive.objects.shared and len(chosen) >= MANY,
            )
            work = map(self._with_attempts, chosen)
            for batch in batches_ahead(work, read, self._weigh, apart=apart):
                if self._sample:
                    for told in batch:
                        self._compare([told], told.slot, told.slot)
                else:
                    self._compare(batch, low, batch[-1].slot)
                    low = batch[-1].slot + 1
                advance(len(batch))
        if not self._sample:
            self._compare([], low, MAX_TIME)
        self._end_slots()
        self._compare_history()
        if not self._sample:
            for text in self._names.unexplained(self._backfilled, self._comparer.blind):
                self._comparer.findings.add(text)
        self._compare_latest()
        return self._comparer.findings

    def _end_slots(self) -> None:
        """Compare what all slots together tell."""
        if self._comparer.buckets:
            self._comparer.buckets.close()
        if not self._sample:
            self._check_first_schedule()
        told = self._comparer.sources
        with self._connected() as connection:
            source = connection.execute(sa.select(schema.store.c.source)).scalar()
        if told and told != {source}:
            self._comparer.findings.add(
                f"the store says that its data is of {source}, archive {sorted(told)}"
            )

    def _check_first_schedule(self) -> None:
        """Name schedules from before anything was due; later ones may have been noted any time."""
        first_due = self._comparer.first_due
        for one in self._comparer.schedules:
            if first_due is None or one.from_slot < first_due:
                self._comparer.findings.add(
                    f"slot {iso(one.from_slot)}, a schedule from then, and nothing was due before "
                    f"{iso(first_due) if first_due is not None else 'anything was recorded'}"
                )

    def _with_attempts(self, slot: int) -> tuple[int, Sequence[AttemptKey]]:
        keys = self._keys.get(slot, ())
        if not keys or slot >= self._newest:
            # The store has read on since the archive was listed.
            keys = self._archive.slot_attempts(slot)
        return slot, keys

    def _weigh(self, told: Told) -> int:
        return max(told.weight, self._ledger.get(told.slot, 0))

    def _compare(self, batch: Sequence[Told], low: int, high: int) -> None:
        with self._connected() as connection:
            held = read_stretch(connection, self._ids, low, high)
        told = {each.slot: each for each in batch}
        for slot in sorted(told.keys() | held.slots):
            self._comparer.compare(slot, told.get(slot, Told(slot)), held)

    def _compare_history(self) -> None:
        """Compare what was backfilled, answer by answer and target by target."""
        base = self._comparer
        keys = {name: [*some] for name, some in groupby(self._history, lambda key: key.target)}
        with self._connected() as connection:
            comparer = HistoryComparer(
                base.findings,
                base.names,
                base.thinnings,
                self._archive,
                sorted(self._ledger),
                dropped_slots(connection),
            )
            held = connection.execute(sa.select(schema.backfill.c.target).distinct()).scalars()
            targets = sorted(keys.keys() | set(held))
        if targets:
            chosen = targets
            if self._sample:
                chosen = self._sample.chosen_targets(targets, self._slots)
            with self._watch("verifying what was backfilled", len(chosen)) as advance:
                for target in chosen:
                    with self._connected() as connection:
                        past = comparer.compare(connection, target, keys.get(target, ()))
                    self._backfilled |= past
                    advance(1)
        if not self._sample:
            with self._connected() as connection:
                comparer.compare_strays(connection, self._ids, self._backfilled)

    def _compare_latest(self) -> None:
        """Compare the newest quotes with the history, in the same state of the store."""
        findings = self._comparer.findings
        with self._connected() as connection:
            latest = {line[0]: line for line in latest_lines(connection)}
            for asset_id in sorted({*self._ids, *latest}):
                newest = newest_line(connection, asset_id)
                if newest != latest.get(asset_id):
                    findings.add(
                        f"{self._names.of(asset_id)}: {_latest(newest, latest.get(asset_id))}"
                    )

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        with store_errors(), self._reader.connect() as connection:
            yield connection


def _latest(newest: Line | None, latest: Line | None) -> str:
    """Return in words how an asset's latest row is not its newest quote."""
    if newest is None or latest is None:
        return "no latest row for its quotes" if newest else "a latest row, and no quote"
    column, held, told = next(unequal(as_row(latest), as_row(newest)))
    return f"latest {column}: {held!r}, its newest quote {told!r}"
