"""One slot: what its attempts tell, next to what the store holds of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from coinlog.archive import Archive
from coinlog.attempts import AttemptKey, is_imported
from coinlog.market import Origin, Reason
from coinlog.slots import Schedule, iso, schedule_at
from coinlog.store.comparing import Line, Row, Stretch, as_row, unequal, words
from coinlog.store.rows import lines_of
from coinlog.store.settlements import (
    Settlement,
    attempt_row,
    crypto_ids,
    held_of,
    part_rows,
    resolution_of,
    slot_row,
    takes_place,
)
from coinlog.store.thinned import Thinning, kept
from coinlog.store.thinned import resolution_of as thinned_resolution
from coinlog.store.writer import MAX_CREDITS
from coinlog.verdict import read_attempt
from coinlog.verify.buckets import Buckets
from coinlog.verify.findings import Findings
from coinlog.verify.names import Names

_OURS = {"settled_at", "stored_at"}


class Told(msgspec.Struct, frozen=True):
    """What the archive tells of a slot: its attempts, judged, and which files have changed."""

    slot: int
    settlements: tuple[Settlement, ...] = ()
    altered: tuple[str, ...] = ()

    @property
    def weight(self) -> int:
        """About how many rows it is."""
        snapshots = (each.snapshot for each in self.settlements)
        return 50 + sum(len(snapshot.quotes) for snapshot in snapshots if snapshot)


def read_slot(archive: Archive, work: tuple[int, Sequence[AttemptKey]]) -> Told:
    """Read and judge the attempts of one slot, and check the files that they are in."""
    slot, keys = work
    altered: list[str] = []
    settlements = tuple(read_attempt(archive, key, altered) for key in keys)
    return Told(slot, settlements, tuple(altered))


class Comparer(msgspec.Struct):
    """Compares slot by slot; what is the same for all slots is here."""

    findings: Findings
    names: Names
    thinnings: tuple[Thinning, ...]
    schedules: tuple[Schedule, ...]
    buckets: Buckets | None = None
    sources: set[str] = msgspec.field(default_factory=set)
    first_due: int | None = None
    blind: set[int] = msgspec.field(default_factory=set)
    """Slots of which the archive does not tell all that it told when they were settled."""

    def compare(self, slot: int, told: Told, held: Stretch) -> None:
        """Compare a slot; of one that the archive does not have, nothing is told."""
        self.findings.slots += bool(told.settlements or slot in held.ledger)
        settled = held.attempts.get(slot, {})
        attempts = {each.attempt: each for each in told.settlements}
        for name in sorted(settled.keys() - attempts.keys()):
            self._add(slot, f"attempt {name}: the store has settled it, and the archive lacks it")
        waiting = attempts.keys() - settled.keys()
        self.findings.unsettled += len(waiting)
        for name in sorted(waiting):
            self._add(slot, f"attempt {name}: not settled yet; run `coinlog load`")
        self._check_files(told)
        mine = [each for name, each in attempts.items() if name in settled]
        sound = [each for each in mine if self._compare_attempt(each, settled[each.attempt])]
        names = {each.attempt for each in sound}
        lost = [row for name, row in settled.items() if name not in names]
        self._note_lost(slot, lost)
        if not lost or (held.ledger.get(slot) or {}).get("attempt") in names:
            self._compare_content(slot, sound, lost, held)
        else:
            self.findings.uncompared += 1
            self._see(slot, (), held.quotes.get(slot, {}))

    def _note_lost(self, slot: int, lost: Iterable[Row]) -> None:
        """Note that attempts were settled, of which the archive tells nothing any more."""
        for row in lost:
            self.blind.add(slot)
            if not is_imported(row["attempt"]):
                self.first_due = min(self.first_due or slot, slot)

    def _see(self, slot: int, told: Collection[int], held: Collection[int]) -> None:
        # Some slots of a bucket cannot tell what must be left of it.
        if self.buckets:
            self.buckets.see(slot, told, held)

    def _check_files(self, told: Told) -> None:
        """Name the answers that are not what was kept."""
        broken = [each for each in told.settlements if each.reason is Reason.DAMAGED]
        for each in broken:
            self._add(told.slot, f"attempt {each.attempt}: {each.detail}")
        named = tuple(f"{AttemptKey(told.slot, each.attempt).folder}/" for each in broken)
        for text in told.altered:
            if not text.startswith(named):
                self._add(told.slot, text)

    def _compare_attempt(self, told: Settlement, held: Row) -> bool:
        """Compare an attempt with the store's row of it; ``False`` where it is another one."""
        if told.reason is Reason.DAMAGED:
            # That has been named, and nothing can be learnt from it.
            return False
        if told.sha256 != held["sha256"]:
            self._add(
                told.slot,
                f"attempt {told.attempt}: its manifest has SHA-256 {told.sha256}, but the store "
                f"settled one with {held['sha256']}",
            )
            return False
        for name, ours, theirs in unequal(held, attempt_row(told, 0), _OURS):
            self._differs(told.slot, f"attempt {told.attempt}", name, ours, theirs)
        return True

    def _compare_content(
        self, slot: int, settled: list[Settlement], lost: Sequence[Row], held: Stretch
    ) -> None:
        """Compare what a slot holds with the attempts that can be used; others may be ``lost``."""
        ledger = held.ledger.get(slot)
        standing = self._standing(slot, settled, ledger)
        stood = _stood(settled, held.attempts.get(slot, {}), standing)
        if standing and lost:
            # Which of the others ever stood, those that are lost would have to tell.
            stood = {standing.attempt}
        for each in settled:
            self.names.saw(each, stood=each.attempt in stood)
            if each.schedule:
                self.sources.add(each.schedule.source.value)
                if not each.imported:
                    self.first_due = min(self.first_due or slot, slot)
        if standing and ledger:
            costs = [each.credits for each in settled] + [row["credits"] for row in lost]
            told = slot_row(standing, 0, len(costs), min(sum(costs), MAX_CREDITS))
            for name, ours, theirs in unequal(ledger, told, _OURS):
                self._differs(slot, "", name, ours, theirs)
            if not lost:
                self._check_schedule(slot, settled)
            for text in self.names.differences(standing):
                self._add(slot, text)
        self._compare_parts(slot, standing, held)
        self._compare_quotes(slot, standing, held.quotes.get(slot, {}))

    def _standing(
        self, slot: int, settled: list[Settlement], ledger: Row | None
    ) -> Settlement | None:
        """Return the attempt whose outcome stands: none is higher, and the ledger names it."""
        if ledger is None:
            if settled:
                self._add(slot, "its attempts are settled, and the ledger has no row of it")
            return None
        named = next((each for each in settled if each.attempt == ledger["attempt"]), None)
        if named is None:
            self._add(slot, f"the ledger has a row of it, and no attempt {ledger['attempt']}")
        elif higher := next((each for each in settled if _takes_place(each, named)), None):
            self._add(
                slot, f"attempt {named.attempt} stands, and {higher.attempt} should in its place"
            )
        return named

    def _check_schedule(self, slot: int, settled: list[Settlement]) -> None:
        noted = schedule_at(self.schedules, slot)
        # What was imported is by no schedule of ours.
        told = [each.schedule for each in settled if each.schedule and not each.imported]
        if told and not any(_same(noted, schedule) for schedule in told):
            self._differs(slot, "", "schedule in force", _terms(noted), _terms(told[0]))

    def _compare_parts(self, slot: int, standing: Settlement | None, held: Stretch) -> None:
        told = dict(part_rows(standing)) if standing else {}
        wanted = {table.name: lines for table, lines in told.items()}
        for name, by_slot in held.parts.items():
            # Points of the source's history are compared with the answers that told them.
            ours = [row for row in by_slot.get(slot, []) if not _backfilled(row)]
            theirs = wanted.get(name, [])
            if len(ours) != len(theirs):
                self._differs(slot, name, "rows", len(ours), len(theirs))
                continue
            for row, line in zip(ours, theirs, strict=True):
                for column, one, other in unequal(row, line):
                    self._differs(slot, name, column, one, other)

    def _compare_quotes(
        self, slot: int, standing: Settlement | None, held: dict[int, Line]
    ) -> None:
        snapshot = standing.snapshot if standing else None
        told: dict[int, Line] = {}
        if standing and snapshot:
            lines = lines_of(slot, snapshot.quotes, resolution_of(standing))
            told = {
                quote.asset_id: line for quote, line in zip(snapshot.quotes, lines, strict=True)
            }
        self.findings.quotes += len(told)
        self._see(slot, told.keys(), held.keys())
        whole = kept(slot, self.thinnings)
        for asset_id, line in told.items():
            ours = held.get(asset_id)
            if ours != line:
                self._compare_quote(slot, line, ours, whole=whole)
        for asset_id in held.keys() - told.keys():
            self._add(slot, f"{self.names.of(asset_id)}: a quote that no attempt explains")

    def _compare_quote(self, slot: int, told: Line, held: Line | None, *, whole: bool) -> None:
        name = self.names.of(told[0])
        if held is None and not whole:
            self.findings.thinned += 1
        elif held is None:
            self._add(slot, f"{name}: the archive has its quote, and the store lacks it")
        else:
            row = as_row(told)
            for column, ours, theirs in unequal(as_row(held), row):
                lasting = thinned_resolution(slot, row["resolution"], self.thinnings)
                if not (column == "resolution" and ours == lasting):
                    self._differs(slot, name, column, ours, theirs)

    def _differs(self, slot: int, what: str, column: str, held: object, told: object) -> None:
        self.findings.add(words(slot, what, column, held, told))

    def _add(self, slot: int, text: str) -> None:
        self.findings.add(f"slot {iso(slot)}, {text}")


def _takes_place(each: Settlement, other: Settlement) -> bool:
    """Return whether an attempt takes another's place, by the rule that settling has."""
    there = crypto_ids(other.snapshot) if other.snapshot else set()
    return takes_place(
        each.outcome,
        each.snapshot,
        held_of(other),
        lambda ids: len(ids & there),
        imported=each.imported,
    )


def _stood(
    settled: Sequence[Settlement], rows: Mapping[str, Row], standing: Settlement | None
) -> set[str]:
    """Return the attempts that stood at a slot one after the other, as they were settled.

    Where times of the same second do not tell, those that could have stood before the last.
    """
    stood: list[Settlement] = []
    for each in sorted(settled, key=lambda each: rows[each.attempt]["settled_at"]):
        if not stood or _takes_place(each, stood[-1]):
            stood.append(each)
    if standing and stood[-1] is not standing:
        stood = [standing, *(each for each in settled if _takes_place(standing, each))]
    return {each.attempt for each in stood}


def _backfilled(row: Row) -> bool:
    return row.get("origin") == Origin.BACKFILLED


def _terms(schedule: Schedule | None) -> tuple[object, ...] | None:
    if schedule is None:
        return None
    return schedule.interval_seconds, schedule.assets, schedule.source.value


def _same(one: Schedule | None, other: Schedule) -> bool:
    return _terms(one) == _terms(other)
