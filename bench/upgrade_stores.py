"""Stores of ten million quotes with the first schema, and people who write and read them."""

# ruff: noqa: S608 -- all numbers and names in these statements are our own

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import sqlalchemy as sa

from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate

FIRST, STEP = 1_420_070_400, 300
"""The first slot, and the seconds between two: a slot every five minutes."""

_QUOTES_AT_ONCE = 500_000
_DIGITS = " UNION ALL ".join(f"SELECT {digit} AS d" for digit in range(10))
_COLUMNS = (
    "asset_id, slot, price, market_cap, volume_24h, circulating_supply, `rank`, "
    "percent_change_24h, last_updated, origin, resolution"
)
_VALUES = (
    "1.0 + slots.n % 97, 1e9 / assets.n, 1e7 + slots.n, 1e6, assets.n, slots.n % 13 - 6.5, "
    f"{FIRST} + slots.n * {STEP} - 60, 'observed', {STEP}"
)


def fill(url: sa.URL, assets: int, slots: int) -> None:
    """Make a store with the first schema, quotes, and the ledger and figures of every slot."""
    # Without parameters no % is taken for the place of one.
    engine = open_engine(url, answer_seconds=600).execution_options(no_parameters=True)
    migrate(engine, "0001")
    at_once = max(1, _QUOTES_AT_ONCE // slots)
    with engine.begin() as connection:
        for table in ("assets", "slots"):
            number = " + ".join(f"d{place}.d * {10**place}" for place in range(7))
            digits = ", ".join(f"({_DIGITS}) d{place}" for place in range(7))
            most = assets + 1 if table == "assets" else slots
            connection.exec_driver_sql(f"CREATE TABLE {table} (n INTEGER PRIMARY KEY)")
            made = f"SELECT n FROM (SELECT {number} AS n FROM {digits}) x WHERE n < {most}"
            connection.exec_driver_sql(f"INSERT INTO {table} {made}")
        for statement in _ledger():
            connection.exec_driver_sql(statement)
    for low in range(1, assets + 1, at_once):
        join = "CROSS JOIN" if engine.dialect.name == "sqlite" else "STRAIGHT_JOIN"
        with engine.begin() as connection:
            connection.exec_driver_sql(
                f"INSERT INTO quote ({_COLUMNS}) SELECT assets.n, {FIRST} + slots.n * {STEP}, "
                f"{_VALUES} FROM assets {join} slots WHERE assets.n >= {low} "
                f"AND assets.n < {min(low + at_once, assets + 1)} ORDER BY assets.n, slots.n"
            )
    with engine.begin() as connection:
        for table in ("assets", "slots"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
    engine.dispose()


def _ledger() -> Iterator[str]:
    slot = f"{FIRST} + n * {STEP}"
    yield f"INSERT INTO schedule VALUES ({FIRST}, {STEP}, 'top:200', 'coinmarketcap')"
    yield "UPDATE store SET version = 1, source = 'coinmarketcap'"
    yield (
        "INSERT INTO slot (slot, outcome, attempt, attempts, captured_at, stored_at, assets, "
        f"credits, body_bytes, duration_ms, sha256) SELECT {slot}, 'stored', '1', 1, {slot} + 13, "
        f"{slot} + 14, 10, 3, 1000, 900, 'ab' FROM slots"
    )
    yield f"INSERT INTO global_metrics (slot, total_market_cap) SELECT {slot}, 3e12 + n FROM slots"
    yield (
        "INSERT INTO fear_and_greed (slot, value, classification) "
        f"SELECT {slot}, n % 100, 'Fear' FROM slots"
    )


class Beside:
    """A writer and a reader at work, and the longest that each of them has waited, in seconds.

    Both speak the first schema's SQL, as the old program does: a slot every second, in one
    transaction; a year of one asset, all the time.
    """

    def __init__(self, url: sa.URL, slots: int) -> None:
        self._engine, self._slot = open_engine(url), FIRST + slots * STEP
        self.written = self.read = 0
        self.longest = {"writer": 0.0, "reader": 0.0}
        self.wrong: list[BaseException] = []
        self._stopping = Event()
        self._threads = [
            Thread(target=self._again, args=("writer", self._write, 1.0)),
            Thread(target=self._again, args=("reader", self._read, 0.05)),
        ]

    @contextmanager
    def at_work(self) -> Iterator[Beside]:
        """Let them work while the block runs."""
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stopping.set()
            for thread in self._threads:
                thread.join()
            self._engine.dispose()
        if self.wrong:
            raise self.wrong[0]

    def _again(self, who: str, work: Callable[[], None], pause_seconds: float) -> None:
        try:
            while not self._stopping.wait(pause_seconds):
                started = time.perf_counter()
                work()
                self.longest[who] = max(self.longest[who], time.perf_counter() - started)
        except sa.exc.SQLAlchemyError as error:
            self.wrong.append(error)

    def _write(self) -> None:
        slot = self._slot
        with self._engine.begin() as connection:
            for asset_id in range(1, 11):
                connection.exec_driver_sql(
                    f"INSERT INTO quote ({_COLUMNS}) VALUES ({asset_id}, {slot}, 1.5, 1e9, 1e7, "
                    f"1e6, {asset_id}, 0.5, {slot - 60}, 'observed', {STEP})"
                )
            connection.exec_driver_sql(
                f"INSERT INTO global_metrics (slot, total_market_cap) VALUES ({slot}, 3e12)"
            )
            connection.exec_driver_sql("UPDATE store SET version = version + 1")
        self._slot += STEP
        self.written += 1

    def _read(self) -> None:
        until = self._slot
        with self._engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                # The engine's own BEGIN IMMEDIATE is for writers.
                connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql(
                "SELECT q.slot, q.price, g.total_market_cap FROM quote q "
                "JOIN global_metrics g ON g.slot = q.slot WHERE q.asset_id = 1 "
                f"AND q.slot > {until - 1460 * STEP} ORDER BY q.slot"
            ).fetchall()
        self.read += 1
