"""What was backfilled: each answer of the source's history, and the points that stand."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from coinlog.archive import Archive
from coinlog.backfill.judge import read_backfill
from coinlog.backfill.kept import BackfillKey
from coinlog.market import Origin, Reason
from coinlog.slots import iso
from coinlog.store import schema
from coinlog.store.backfilled import (
    BackfillSettlement,
    backfill_row,
    dropped_slots,
    observed_cover,
    standing,
)
from coinlog.store.comparing import unequal, words
from coinlog.store.names import chunks
from coinlog.store.settlements import Row
from coinlog.store.targets import MARKET_TABLES
from coinlog.store.thinned import Thinning, kept
from coinlog.store.thinned import resolution_of as thinned_resolution
from coinlog.verify.findings import Findings
from coinlog.verify.names import Names


class HistoryComparer(msgspec.Struct):
    """Compares target by target; what is the same for all targets is here."""

    findings: Findings
    names: Names
    thinnings: tuple[Thinning, ...]
    archive: Archive

    def compare(
        self, connection: sa.Connection, target: str, keys: Sequence[BackfillKey]
    ) -> set[int]:
        """Compare a target's answers and its points; return the asset that it is about."""
        held = _answers(connection, target)
        told = [each for key in keys if (each := self._read(key, held)) is not None]
        for name in held.keys() - {key.attempt for key in keys}:
            self.findings.add(f"{target} {name}: the store has settled it, the archive lacks it")
        broken = [each for each in told if each.reason is Reason.DAMAGED]
        if not broken and len(told) == len(held):
            told.sort(key=lambda each: each.age)
            self._compare_points(connection, target, told)
        return {each.asset.id for each in told if each.asset}

    def compare_strays(self, connection: sa.Connection, ids: Sequence[int], told: set[int]) -> None:
        """Name the assets that have backfilled quotes, though no answer is about them."""
        for asset_id in sorted(_with_backfilled(connection, ids) - told):
            name = self.names.of(asset_id)
            self.findings.add(f"{name}: it has backfilled quotes, and no answer is about it")

    def _read(self, key: BackfillKey, held: dict[str, Row]) -> BackfillSettlement | None:
        """Read and compare an answer; ``None`` where the store has not settled it."""
        what, altered = f"{key.target} {key.attempt}", list[str]()
        told = read_backfill(self.archive, key, altered)
        row = held.get(key.attempt)
        if row is None:
            self.findings.unsettled += 1
            self.findings.add(f"{what}: not settled yet; run `coinlog load`")
            return None
        if told.reason is Reason.DAMAGED:
            self.findings.add(f"{what}: {told.detail}")
            return told
        for text in altered:
            self.findings.add(text)
        for name, ours, theirs in unequal(row, backfill_row(told, 0), {"settled_at"}):
            self.findings.add(f"{what}, {name}: store {ours!r}, archive {theirs!r}")
        return told

    def _compare_points(
        self, connection: sa.Connection, target: str, told: Sequence[BackfillSettlement]
    ) -> None:
        table = MARKET_TABLES.get(target, schema.quote)
        asset_id = next((each.asset.id for each in told if each.asset), None)
        mine = [] if asset_id is None else [table.c.asset_id == asset_id]
        if asset_id is None and target not in MARKET_TABLES:
            return
        what = target if asset_id is None else self.names.of(asset_id)
        slots = sa.select(table.c.slot, table.c.resolution)
        seen = slots.where(*mine, table.c.origin == Origin.OBSERVED.value)
        observed = dict(connection.execute(seen).fetchall())
        gone = dropped_slots(connection) if table is schema.quote else {}
        cover = observed_cover(gone | observed)
        backfilled = sa.select(table).where(*mine, table.c.origin == Origin.BACKFILLED.value)
        held = {row["slot"]: dict(row) for row in connection.execute(backfilled).mappings()}
        wanted: dict[int, Row] = {}
        for each in told:
            wanted |= standing(each, cover, wanted)
        self.findings.quotes += len(wanted) if asset_id is not None else 0
        for slot in sorted(held.keys() | wanted.keys()):
            self._compare_point(slot, what, held.get(slot), wanted.get(slot))

    def _compare_point(self, slot: int, what: str, held: Row | None, told: Row | None) -> None:
        if held is None:
            if kept(slot, self.thinnings):
                self._add(slot, f"{what}: the archive has this point, and the store lacks it")
            else:
                self.findings.thinned += 1
        elif told is None and not kept(slot, self.thinnings):
            # What was observed around it has been thinned out, and now stands for more time.
            return
        elif told is None:
            self._add(slot, f"{what}: a backfilled point that no answer explains")
        else:
            lasting = thinned_resolution(slot, told["resolution"], self.thinnings)
            for column, ours, theirs in unequal(held, told):
                if not (column == "resolution" and ours == lasting):
                    self.findings.add(words(slot, what, column, ours, theirs))

    def _add(self, slot: int, text: str) -> None:
        self.findings.add(f"point {iso(slot)}, {text}")


def _answers(connection: sa.Connection, target: str) -> dict[str, Row]:
    table = schema.backfill
    query = sa.select(table).where(table.c.target == target)
    return {row["attempt"]: dict(row) for row in connection.execute(query).mappings()}


def _with_backfilled(connection: sa.Connection, ids: Sequence[int]) -> set[int]:
    """Return the assets that have a backfilled quote, looked for some assets at a time."""
    table, found = schema.quote.c, set[int]()
    query = sa.select(table.asset_id).where(table.origin == Origin.BACKFILLED.value).distinct()
    for some in chunks(ids):
        found |= set(connection.execute(query.where(table.asset_id.in_(some))).scalars())
    return found
