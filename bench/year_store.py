"""A store with a year in it: 5,000 made-up assets at 1,460 slots, put in within a minute.

The first and the newest slot go in through the program's own ``settle()``, so that schedule,
names and newest quotes are as it leaves them. What lies between is multiplied out by the database
itself, in asset order. Every number is a product that can be worked out again: ``expected``.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from coinlog.market import Asset, FearAndGreed, GlobalMetrics, Outcome, Quote, Snapshot, SourceKind
from coinlog.simulated.names import name_of
from coinlog.slots import HOUR, Schedule, floor_slot
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from coinlog.store.settlements import Settlement
from coinlog.store.writer import settle
from harness import OUT, say

STEP = 6 * HOUR
YEAR = 365 * 4
ASSETS = 5_000
_WALKS = 64
_AT_ONCE = 250

# Columns of a quote by what they are made of: a product of the asset's base and the slot's walk,
# the base alone, or the walk alone.
_PRODUCTS = {
    "price": ("price", "level"),
    "market_cap": ("market_cap", "level"),
    "fully_diluted_market_cap": ("diluted", "level"),
    "volume_24h": ("volume", "turnover"),
}
_BASE = ("circulating_supply", "total_supply", "max_supply", "rank", "num_market_pairs")
_WALK = ("percent_change_1h", "percent_change_24h", "percent_change_7d", "percent_change_30d")

LEDGER_TIMES = (
    (schema.slot, ("slot", "observed_at", "captured_at", "stored_at")),
    (schema.attempt, ("slot", "captured_at", "settled_at")),
    (schema.global_metrics, ("slot",)),
    (schema.fear_and_greed, ("slot", "updated_at")),
)
"""The tables of the ledger, with the columns that go forward from slot to slot."""


class Base(msgspec.Struct, frozen=True):
    """What an asset's numbers are made of."""

    asset_id: int
    walk: int
    price: float
    market_cap: float
    diluted: float
    volume: float
    circulating_supply: float
    total_supply: float
    max_supply: float | None
    rank: int
    num_market_pairs: int


class Step(msgspec.Struct, frozen=True):
    """One walk at one slot."""

    walk: int
    slot: int
    level: float
    turnover: float
    percent_change_1h: float
    percent_change_24h: float
    percent_change_7d: float
    percent_change_30d: float


class MadeUpYear:
    """The numbers: the same for the same sizes and newest slot."""

    def __init__(
        self, assets: int, slots: int, newest: int, walks: int = _WALKS, step: int = STEP
    ) -> None:
        chance = random.Random(20260126)  # noqa: S311  a market needs chance, not secrecy
        self.step = step
        self.slots = [newest - step * ago for ago in range(slots - 1, -1, -1)]
        ids = [1, 1027, *range(10_002, 10_000 + assets)]
        self.bases = [_base(asset_id, rank, walks, chance) for rank, asset_id in enumerate(ids, 1)]
        self.walks = [list(_walk(number, self.slots, chance)) for number in range(walks)]

    def quote(self, base: Base, index: int) -> Quote:
        """Return an asset's quote at the slot of an index."""
        step = self.walks[base.walk][index]
        products = {
            name: getattr(base, mine) * getattr(step, its)
            for name, (mine, its) in _PRODUCTS.items()
        }
        return Quote(
            asset_id=base.asset_id,
            **products,
            **{name: getattr(base, name) for name in _BASE},
            **{name: getattr(step, name) for name in _WALK},
            last_updated=step.slot - 60,
        )

    def settlement(self, index: int) -> Settlement:
        """Return a slot as the recorder would hand it to the store."""
        slot = self.slots[index]
        snapshot = Snapshot(
            observed_at=slot + 12,
            source=SourceKind.COINMARKETCAP,
            assets=tuple(_asset(base) for base in self.bases),
            quotes=tuple(self.quote(base, index) for base in self.bases),
            global_metrics=GlobalMetrics(3.1e12, 1.1e11, 1.3e12, 58.2, 11.4, 8900),
            fear_and_greed=FearAndGreed(34.0, "Fear", slot),
        )
        return settlement_of(slot, snapshot, self.step)


def settlement_of(slot: int, snapshot: Snapshot, step: int = STEP) -> Settlement:
    """Return a stored slot with a snapshot."""
    return Settlement(
        slot=slot,
        attempt="1",
        outcome=Outcome.STORED,
        captured_at=slot + 13,
        schedule=Schedule(slot, step, "top:5000", SourceKind.COINMARKETCAP),
        credits=25,
        body_bytes=4_900_000,
        duration_ms=2_100,
        sha256="ab" * 32,
        snapshot=snapshot,
    )


def _base(asset_id: int, rank: int, walks: int, chance: random.Random) -> Base:
    market_cap = 2.1e12 / rank**1.35 * chance.uniform(0.7, 1.0)
    supply = 10 ** chance.uniform(6, 12)
    return Base(
        asset_id=asset_id,
        walk=(rank - 1) % walks,
        price=market_cap / supply,
        market_cap=market_cap,
        diluted=market_cap * chance.uniform(1, 3),
        volume=market_cap * chance.uniform(0.001, 0.2),
        circulating_supply=supply,
        total_supply=supply * chance.uniform(1, 2),
        max_supply=supply * 2.5 if rank % 3 else None,
        rank=rank,
        num_market_pairs=max(1, 12_000 // rank),
    )


def _walk(number: int, slots: Sequence[int], chance: random.Random) -> Iterator[Step]:
    level = turnover = 1.0
    for slot in slots:
        changes = [chance.gauss(0, sigma) for sigma in (0.5, 2.0, 6.0, 12.0)]
        yield Step(number, slot, level, turnover, *changes)
        level *= 1 + chance.gauss(0, 0.012)
        turnover = min(4.0, max(0.2, turnover * (1 + chance.gauss(0, 0.08))))


def _asset(base: Base) -> Asset:
    name, symbol, slug = name_of(base.rank - 1, 0)
    return Asset(base.asset_id, name, symbol, slug)


def fill(engine: sa.Engine, year: MadeUpYear) -> None:
    """Put a year into an empty store."""
    migrate(engine)
    last = len(year.slots) - 1
    settle(engine, year.settlement(0), year.slots[0] + 14)
    with engine.begin() as connection:
        lend_numbers(connection, year)
        for start in range(0, len(year.bases), _AT_ONCE):
            ids = [base.asset_id for base in year.bases[start : start + _AT_ONCE]]
            connection.execute(
                multiplied_out(connection, year.step), {"low": min(ids), "high": max(ids)}
            )
        copy_ledger(connection, year.slots[1:last])
        for name in ("bench_base", "bench_walk"):
            connection.exec_driver_sql(f"DROP TABLE {name}")
    settle(engine, year.settlement(last), year.slots[last] + 14)


def lend_numbers(connection: sa.Connection, year: MadeUpYear) -> None:
    """Give the database what its quotes are made of, in tables of this connection's own."""
    between = [step for walk in year.walks for step in walk[1:-1]]
    for name, kind, rows, key in (
        ("bench_base", Base, year.bases, "asset_id"),
        ("bench_walk", Step, between, "walk, slot"),
    ):
        columns = ", ".join(
            f"`{field.name}` {'DOUBLE' if 'float' in str(field.type) else 'BIGINT'}"
            for field in msgspec.structs.fields(kind)
        )
        connection.exec_driver_sql(
            f"CREATE TEMPORARY TABLE {name} ({columns}, PRIMARY KEY ({key}))"
        )
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        marks = ", ".join([mark] * len(kind.__struct_fields__))
        values = [msgspec.structs.astuple(row) for row in rows]
        connection.exec_driver_sql(f"INSERT INTO {name} VALUES ({marks})", values)  # noqa: S608


def multiplied_out(connection: sa.Connection, step: int = STEP) -> sa.TextClause:
    """Return the statement that makes the quotes of the assets from ``low`` to ``high``."""
    made = {name: f"bench_base.`{a}` * bench_walk.`{b}`" for name, (a, b) in _PRODUCTS.items()}
    made |= {name: f"bench_base.`{name}`" for name in _BASE}
    made |= {name: f"bench_walk.`{name}`" for name in _WALK}
    made |= {"asset_id": "bench_base.asset_id", "slot": "bench_walk.slot"}
    made |= {"last_updated": "bench_walk.slot - 60", "origin": "'observed'"}
    made |= {"resolution": str(step)}
    names = ", ".join(f"`{name}`" for name in made)
    # SQLite walks the two in the order written; MariaDB must be told so.
    join = "CROSS JOIN" if connection.dialect.name == "sqlite" else "STRAIGHT_JOIN"
    return sa.text(
        f"INSERT INTO quote ({names}) SELECT {', '.join(made.values())} "  # noqa: S608  our names
        f"FROM bench_base {join} bench_walk ON bench_walk.walk = bench_base.walk "
        "WHERE bench_base.asset_id BETWEEN :low AND :high "
        "ORDER BY bench_base.asset_id, bench_walk.slot"
    )


def copy_ledger(connection: sa.Connection, slots: Sequence[int]) -> None:
    """Repeat what the first slot has in the ledger for the slots after it."""
    for table, times in LEDGER_TIMES:
        first: dict[str, Any] = dict(connection.execute(sa.select(table)).mappings().one())
        rows = [
            {**first, **{name: first[name] + slot - first["slot"] for name in times}}
            for slot in slots
        ]
        if rows:
            connection.execute(table.insert(), rows)


def year_in_sqlite(quick: bool) -> tuple[sa.URL, MadeUpYear]:  # noqa: FBT001
    """Return the address of a SQLite store with a year up to now, made anew where it is old."""
    assets = ASSETS // 4 if quick else ASSETS
    path = Path(OUT / f"year-{assets}.db")
    url = sa.URL.create("sqlite", database=str(path))
    year = MadeUpYear(assets, YEAR, floor_slot(time.time(), STEP))
    if not _holds(url, year):
        for old in OUT.glob(f"{path.name}*"):
            old.unlink()
        say(f"putting {assets:,} assets x {YEAR:,} slots into SQLite")
        engine = open_engine(url)
        fill(engine, year)
        engine.dispose()
    return url, year


def _holds(url: sa.URL, year: MadeUpYear) -> bool:
    """Return whether a store has been filled to the end, with the numbers of today."""
    if not Path(str(url.database)).exists():
        return False
    base, last = year.bases[-1], len(year.slots) - 1
    engine = open_engine(url, read_only=True)
    query = sa.select(schema.latest).where(schema.latest.c.asset_id == base.asset_id)
    try:
        with engine.connect() as connection:
            row = connection.execute(query).first()
    except sa.exc.DatabaseError:
        return False
    finally:
        engine.dispose()
    wanted = year.quote(base, last)
    return row is not None and (row.slot, row.price) == (year.slots[last], wanted.price)
