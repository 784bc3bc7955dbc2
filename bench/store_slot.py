"""How fast a slot of 5,000 assets is stored, next to the naive way and to the bulk loader.

coinlog's whole transaction (quotes, newest quotes, names, ledger) is measured in MariaDB holding
a year. Baselines write the same rows into equal tables: a new connection, INSERT and commit for
each asset; and LOAD DATA LOCAL INFILE, which writes the quotes alone.
"""

from __future__ import annotations

import gc
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pymysql
import sqlalchemy as sa

from coinlog.market import QUOTE_FIELDS, Outcome, Quote
from coinlog.slots import floor_slot
from coinlog.store import names, schema
from coinlog.store.engine import open_engine
from coinlog.store.settlements import Settlement
from coinlog.store.writer import settle
from harness import QUICK_ROUNDS, ROUNDS, Result, check, in_turn, main, say
from servers import MariaDB
from year_store import ASSETS, STEP, YEAR, MadeUpYear, fill

SAMPLE = 300
_POOL_BYTES = 3 * 1024**3
COLUMNS = ("asset_id", *QUOTE_FIELDS, "slot", "origin", "resolution")
_NAMES = ", ".join(f"`{name}`" for name in COLUMNS)
_MARKS = ", ".join(["%s"] * len(COLUMNS))

Rows = list[tuple[Any, ...]]


class Slots:
    """Settlements for slots after the year's newest; each is asked for once."""

    def __init__(self, year: MadeUpYear) -> None:
        self.year = year
        self.slot = year.slots[-1]

    def __next__(self) -> Settlement:
        """Return the next slot, with the numbers of one of the year's."""
        self.slot += STEP
        index = -2 - (self.slot // STEP) % (len(self.year.slots) - 2)
        old = self.year.settlement(index)
        if old.snapshot is None or old.schedule is None:
            raise AssertionError("the made-up year has a failed slot")
        snapshot = msgspec.structs.replace(old.snapshot, observed_at=self.slot + 12)
        return msgspec.structs.replace(
            old,
            slot=self.slot,
            captured_at=self.slot + 13,
            schedule=msgspec.structs.replace(old.schedule, from_slot=self.slot),
            snapshot=snapshot,
        )


def rows_of(settlement: Settlement) -> Rows:
    """Return a slot's quotes as rows of the quote table, in asset order."""
    quotes: Sequence[Quote] = settlement.snapshot.quotes if settlement.snapshot else ()
    fixed = (settlement.slot, "observed", STEP)
    return sorted((*msgspec.structs.astuple(quote), *fixed) for quote in quotes)


@contextmanager
def timing() -> Iterator[Callable[[], float]]:
    """Measure a block's seconds, without the garbage of what was there before it."""
    gc.collect()
    started = time.perf_counter()
    ended: list[float] = []
    yield lambda: ended[0]
    ended.append(time.perf_counter() - started)


class Coinlog:
    """The program's own ``settle()``."""

    def __init__(self, engine: sa.Engine, slots: Slots, *, fresh: bool = False) -> None:
        self.engine, self.slots, self.fresh = engine, slots, fresh

    def __call__(self) -> float:
        """Store the next slot and return the seconds that it took."""
        settlement = next(self.slots)
        if self.fresh:
            # As in a process of its own: nothing is remembered, no connection is open.
            names.forget(self.engine)
            self.engine.dispose()
        with timing() as seconds:
            settle(self.engine, settlement, settlement.slot + 14)
        self._check(settlement)
        return seconds()

    def _check(self, settlement: Settlement) -> None:
        wanted = rows_of(settlement)
        for table in (schema.quote, schema.latest):
            check(equal=self._stored(table, settlement.slot) == wanted, what=str(table))
        ledger = sa.select(schema.slot.c.outcome, schema.slot.c.assets)
        with self.engine.connect() as connection:
            row = connection.execute(ledger.where(schema.slot.c.slot == settlement.slot)).one()
        check(equal=tuple(row) == (Outcome.STORED, len(wanted)), what="the ledger")

    def _stored(self, table: sa.Table, slot: int) -> Rows:
        columns = [table.c[name] for name in COLUMNS]
        joined = schema.asset.join(table, table.c.asset_id == schema.asset.c.id)
        query = sa.select(*columns).select_from(joined).where(table.c.slot == slot)
        with self.engine.connect() as connection:
            return sorted(tuple(row) for row in connection.execute(query))


class OneByOne:
    """A connection, an INSERT and a commit for each asset, as scripts in the wild do it."""

    def __init__(self, url: sa.URL, slots: Slots) -> None:
        self.url, self.slots = url, slots

    def __call__(self) -> float:
        """Store a sample of a slot and return the seconds that all of it would take."""
        rows = rows_of(next(self.slots))
        sample = rows[:: max(1, len(rows) // SAMPLE)][:SAMPLE]
        with timing() as seconds:
            for row in sample:
                with connect(self.url) as connection, connection.cursor() as cursor:
                    cursor.execute(f"INSERT INTO one_by_one ({_NAMES}) VALUES ({_MARKS})", row)  # noqa: S608
                    connection.commit()
        check(equal=stored_in(self.url, "one_by_one", row[-3]) == sample, what="one by one")
        return seconds() * len(rows) / len(sample)


class LoadData:
    """The database's own bulk loader, over one connection, the writing of the file included."""

    def __init__(self, url: sa.URL, slots: Slots, folder: Path) -> None:
        self.url, self.slots, self.file = url, slots, folder / "slot.tsv"
        self.connection = connect(url)

    def __call__(self) -> float:
        """Store the next slot's quotes and return the seconds that it took."""
        rows = rows_of(next(self.slots))
        with timing() as seconds, self.connection.cursor() as cursor:
            lines = [
                "\t".join(["\\N" if value is None else str(value) for value in row]) for row in rows
            ]
            self.file.write_text("\n".join(lines) + "\n")
            cursor.execute(f"LOAD DATA LOCAL INFILE '{self.file}' INTO TABLE load_data ({_NAMES})")
            self.connection.commit()
        check(equal=stored_in(self.url, "load_data", rows[0][-3]) == rows, what="LOAD DATA")
        return seconds()


def connect(url: sa.URL) -> pymysql.Connection[Any]:
    """Connect without TLS: the fast variant, as the server is on this machine."""
    return pymysql.connect(
        host=url.host,
        port=int(url.port or 0),
        user=url.username,
        password=str(url.password),
        database=url.database,
        ssl_disabled=True,
        local_infile=True,
    )


def stored_in(url: sa.URL, table: str, slot: int) -> Rows:
    """Return a slot's rows of a baseline's table, in asset order."""
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_NAMES} FROM asset JOIN {table} ON asset_id = id AND slot = %s "  # noqa: S608
            "ORDER BY asset_id",
            (slot,),
        )
        return list(cursor.fetchall())


class PlainSqlite:
    """executemany into a plain table with nothing but the rows, as durable as coinlog's."""

    def __init__(self, folder: Path, slots: Slots) -> None:
        self.slots = slots
        self.connection = sqlite3.connect(folder / "plain.db")
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute(f"CREATE TABLE plain ({_NAMES})")

    def __call__(self) -> float:
        """Store the next slot's quotes and return the seconds that it took."""
        rows = rows_of(next(self.slots))
        with timing() as seconds, self.connection:
            marks = ", ".join("?" * len(COLUMNS))
            insert = f"INSERT INTO plain VALUES ({marks})"  # noqa: S608  marks alone
            self.connection.executemany(insert, rows)
        query = "SELECT * FROM plain WHERE slot = ? ORDER BY asset_id"
        stored = self.connection.execute(query, (rows[0][-3],)).fetchall()
        check(equal=stored == rows, what="the plain table")
        return seconds()


def in_mariadb(year: MadeUpYear, rounds: int, folder: Path) -> list[Result]:
    """Measure coinlog, one by one and LOAD DATA on one server with full durability."""
    with ExitStack() as stack:
        server = MariaDB()
        stack.callback(server.remove)
        server.start()
        pool = f"SET GLOBAL innodb_buffer_pool_size = {_POOL_BYTES}"
        server.execute(pool, "SET GLOBAL local_infile = 1")
        url = stack.enter_context(server.database())
        engine = open_engine(url)
        stack.callback(engine.dispose)
        say(f"putting {len(year.bases):,} assets x {len(year.slots):,} slots into MariaDB, twice")
        fill(engine, year)
        with engine.begin() as connection:
            for table in ("load_data", "one_by_one"):
                connection.exec_driver_sql(f"CREATE TABLE {table} LIKE quote")
            for ids in range(0, year.bases[-1].asset_id + 1, 500):
                connection.exec_driver_sql(
                    f"INSERT INTO load_data SELECT * FROM quote WHERE asset_id BETWEEN {ids} "  # noqa: S608
                    f"AND {ids + 499}"
                )
        contenders: dict[str, Callable[[], float]] = {
            "coinlog": Coinlog(engine, slots := Slots(year)),
            "one by one": OneByOne(url, slots),
            "load data": LoadData(url, slots, folder),
            "fresh": Coinlog(engine, slots, fresh=True),
        }
        for contender in contenders.values():
            contender()
        found = in_turn(contenders, rounds)
    what = f"a slot of {len(year.bases):,} assets in MariaDB"
    own = found.said("coinlog", "s")
    naive = found.said("one by one", "s")
    bulk = found.said("load data", "s")
    return [
        Result(
            what,
            "a connection, INSERT and commit per asset",
            "x",
            *found.ratio("one by one", "coinlog"),
            target=20,
            detail=f"{own}; per asset, from {SAMPLE} of them: {naive}",
        ),
        Result(
            what,
            "LOAD DATA of its quotes alone",
            "x",
            *found.ratio("load data", "coinlog"),
            target=0.4,
            detail=f"{own}; LOAD DATA: {bulk}",
        ),
        Result(
            f"{what}, first of a process",
            "LOAD DATA of its quotes alone",
            "x",
            *found.ratio("load data", "fresh"),
            detail=found.said("fresh", "s"),
        ),
    ]


def in_sqlite(year: MadeUpYear, rounds: int, folder: Path) -> list[Result]:
    """Measure coinlog on SQLite next to appending the rows to a table without any key."""
    engine = open_engine(sa.URL.create("sqlite", database=str(folder / "coinlog.db")))
    say(f"putting {len(year.bases):,} assets x {len(year.slots):,} slots into SQLite")
    fill(engine, year)
    plain = PlainSqlite(folder, slots := Slots(year))
    coinlog = Coinlog(engine, slots)
    with closing(plain.connection):
        coinlog()
        plain()
        found = in_turn({"coinlog": coinlog, "plain": plain}, rounds)
    engine.dispose()
    return [
        Result(
            f"a slot of {len(year.bases):,} assets in SQLite",
            "executemany into a table without a key",
            "x",
            *found.ratio("plain", "coinlog"),
            detail=f"{found.said('coinlog', 's')}; plain: {found.said('plain', 's')}",
        )
    ]


def measure(quick: bool) -> list[Result]:  # noqa: FBT001
    """Measure both databases, one after the other."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    slots = YEAR // 12 if quick else YEAR
    # Long past, so that the slots still to be stored are not in the future.
    newest = floor_slot(time.time(), STEP) - YEAR * STEP
    year = MadeUpYear(ASSETS, slots, newest)
    with tempfile.TemporaryDirectory(prefix="coinlog-bench-") as folder:
        return in_mariadb(year, rounds, Path(folder)) + in_sqlite(year, rounds, Path(folder))


if __name__ == "__main__":
    main("store_slot", measure)
