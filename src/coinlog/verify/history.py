"""What was backfilled: each answer of the source's history, and the points that stand."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence

import msgspec
import sqlalchemy as sa

from coinlog.archive import Archive
from coinlog.backfill.judge import read_backfill
from coinlog.backfill.kept import BackfillKey
from coinlog.market import Asset, Origin, Reason
from coinlog.slots import DAY, iso
from coinlog.store import schema
from coinlog.store.backfilled import (
    BackfillSettlement,
    backfill_row,
    observed_cover,
    standing,
)
from coinlog.store.comparing import unequal, words
from coinlog.store.names import chunks
from coinlog.store.room import Cover
from coinlog.store.settlements import Row
from coinlog.store.targets import MARKET_TABLES
from coinlog.store.thinned import Thinning, kept
from coinlog.store.thinned import resolution_of as thinned_resolution
from coinlog.verify.buckets import bucket_at, nothing_left
from coinlog.verify.findings import Findings
from coinlog.verify.names import Names, Past


class HistoryComparer(msgspec.Struct):
    """Compares target by target; what is the same for all targets is here."""

    findings: Findings
    names: Names
    thinnings: tuple[Thinning, ...]
    archive: Archive
    ledger: Sequence[int]
    """Every slot that was observed, oldest first."""
    dropped: Mapping[int, int]
    """Those whose quotes may have been thinned out, with their intervals."""

    def compare(
        self, connection: sa.Connection, target: str, keys: Sequence[BackfillKey]
    ) -> dict[int, Past | None]:
        """Compare a target's answers and its points; return what they tell of their asset.

        It is ``None`` where one of the answers cannot be used.
        """
        held = _answers(connection, target)
        told = [each for key in keys if (each := self._read(key, held)) is not None]
        for name in held.keys() - {key.attempt for key in keys}:
            self.findings.add(f"{target} {name}: the store has settled it, the archive lacks it")
        broken = [each for each in told if each.reason is Reason.DAMAGED]
        ids = {each.asset.id for each in told if each.asset}
        ids |= {row["asset_id"] for row in held.values() if row["asset_id"] is not None}
        past: Past | None = None
        if not broken and len(told) == len(held):
            told.sort(key=lambda each: each.age)
            past = self._compare_points(connection, target, told)
        return dict.fromkeys(ids, past)

    def compare_strays(
        self, connection: sa.Connection, ids: Sequence[int], told: Collection[int]
    ) -> None:
        """Name the assets that have backfilled quotes, though no answer is about them."""
        for target, table in MARKET_TABLES.items():
            held = sa.select(sa.func.count()).where(table.c.origin == Origin.BACKFILLED.value)
            answers = sa.select(schema.backfill.c.target).where(schema.backfill.c.target == target)
            count = connection.execute(held).scalar_one()
            if count and connection.execute(answers.limit(1)).first() is None:
                self.findings.add(f"{target}: {count} backfilled points, and no answer is about it")
        for asset_id in sorted(_with_backfilled(connection, ids).difference(told)):
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
    ) -> Past:
        table = MARKET_TABLES.get(target, schema.quote)
        asset_id = next((each.asset.id for each in told if each.asset), None)
        mine = [] if asset_id is None else [table.c.asset_id == asset_id]
        if asset_id is None and target not in MARKET_TABLES:
            return Past()
        what = target if asset_id is None else self.names.of(asset_id)
        held, observed = _points(connection, table, mine)
        gone = self.dropped if table is schema.quote else {}
        wanted, asset = _wanted(told, observed_cover({**gone, **observed}))
        # Only quotes are thinned.
        thinnings = self.thinnings if asset_id is not None else ()
        if asset_id is not None:
            self.findings.quotes += len(wanted)
            self._compare_buckets(what, wanted, {*held, *observed})
        offered = self._offered(set(held) - set(wanted), told, thinnings)
        for slot in sorted({*held, *wanted}):
            told_here = wanted.get(slot, offered.get(slot))
            self._compare_point(slot, what, held.get(slot), told_here, thinnings)
        return Past(asset, min(wanted, default=None), thinned=bool(thinnings))

    @staticmethod
    def _offered(
        slots: Collection[int], told: Sequence[BackfillSettlement], thinnings: tuple[Thinning, ...]
    ) -> dict[int, Row]:
        """Return the points that stand in thinned time without being wanted there by now.

        What was observed around them has been thinned out, and now stands for more time.
        """
        found: dict[int, Row] = {}
        if any(not kept(slot, thinnings) for slot in slots):
            for each in told:
                found |= standing(each, Cover(()), found)
        return {slot: found[slot] for slot in slots if slot in found and not kept(slot, thinnings)}

    def _compare_buckets(self, what: str, wanted: Collection[int], there: Collection[int]) -> None:
        """Name the buckets in which nothing is left, where nothing observed took the room."""
        sure = [slot for slot in wanted if not self._observed_about(slot)]
        left = {bucket_at(slot, self.thinnings) for slot in there}
        for bucket in sorted(
            {one for slot in sure if (one := bucket_at(slot, self.thinnings))} - left,
            key=lambda one: one.start,
        ):
            self.findings.add(nothing_left(what, bucket))

    def _observed_about(self, slot: int) -> bool:
        place = bisect_left(self.ledger, slot - DAY)
        return place < len(self.ledger) and self.ledger[place] <= slot + DAY

    def _compare_point(
        self,
        slot: int,
        what: str,
        held: Row | None,
        told: Row | None,
        thinnings: tuple[Thinning, ...],
    ) -> None:
        if held is None:
            if kept(slot, thinnings):
                self._add(slot, f"{what}: the archive has this point, and the store lacks it")
            else:
                self.findings.thinned += 1
        elif told is None:
            self._add(slot, f"{what}: a backfilled point that no answer explains")
        else:
            lasting = thinned_resolution(slot, told["resolution"], thinnings)
            for column, ours, theirs in unequal(held, told):
                if not (column == "resolution" and ours == lasting):
                    self.findings.add(words(slot, what, column, ours, theirs))

    def _add(self, slot: int, text: str) -> None:
        self.findings.add(f"point {iso(slot)}, {text}")


def _points(
    connection: sa.Connection, table: sa.Table, mine: Sequence[sa.ColumnElement[bool]]
) -> tuple[dict[int, Row], dict[int, int]]:
    """Return the backfilled rows by slot, and what was observed: its resolutions by slot."""
    slots = sa.select(table.c.slot, table.c.resolution)
    seen = slots.where(*mine, table.c.origin == Origin.OBSERVED.value)
    observed: dict[int, int] = dict(map(tuple, connection.execute(seen)))
    backfilled = sa.select(table).where(*mine, table.c.origin == Origin.BACKFILLED.value)
    rows = (dict(row) for row in connection.execute(backfilled).mappings())
    return {row["slot"]: row for row in rows}, observed


def _wanted(
    told: Sequence[BackfillSettlement], cover: Cover
) -> tuple[dict[int, Row], Asset | None]:
    """Return the points that stand, and the asset as the last answer that gave one names it."""
    wanted: dict[int, Row] = {}
    asset: Asset | None = None
    for each in told:
        rows = standing(each, cover, wanted)
        asset, wanted = each.asset if rows else asset, wanted | rows
    return wanted, asset


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
