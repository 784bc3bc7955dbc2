"""A store with ten years of 5-minute slots of a few assets: what a silly query can ask for.

Twelve assets at 1,051,200 slots less what was lost: three slots in a thousand failed, and there
are twenty outages, the longest of a month. Quotes and ledger are multiplied out by the database
itself, in the order of their keys. It takes some 2.5 GB, which its context gives back.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import sqlalchemy as sa

from coinlog.market import Outcome, Reason
from coinlog.slots import DAY, MINUTE, floor_slot
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from coinlog.store.writer import settle
from harness import OUT, say
from scale_stores import drop_pages, start
from servers import MariaDB
from year_store import LEDGER_TIMES, MadeUpYear, lend_numbers, multiplied_out

STEP = 5 * MINUTE
YEARS = 10
ASSETS = 12
FAILED = 0.003
OUTAGES = 20
MONTH = 30 * DAY // STEP


class Decade:
    """One of the stores, opened empty of all caches by ``forget``."""

    def __init__(self, name: str, url: sa.URL, server: MariaDB | None, folder: Path) -> None:
        self.name, self.url, self.server, self.folder = name, url, server, folder

    def forget(self) -> None:
        """Empty the caches of the database and of the system."""
        if self.server:
            self.server.stop()
        drop_pages(self.folder)
        if self.server:
            start(self.server)

    def take_back(self, year: MadeUpYear) -> None:
        """Fill it, and say how long that took."""
        started = time.perf_counter()
        fill(self.url, year)
        say(f"{self.name} filled in {time.perf_counter() - started:,.0f} s")


@contextmanager
def decades(names: tuple[str, ...], *, quick: bool) -> Iterator[Iterator[Decade]]:
    """Lend the stores one after the other, so that the disk holds one at a time."""
    years = 1 if quick else YEARS
    with ExitStack() as stack:
        yield (stack.enter_context(_decade(name, years)) for name in names)


@contextmanager
def _decade(name: str, years: int) -> Iterator[Decade]:
    year = MadeUpYear(ASSETS, years * 365 * DAY // STEP, floor_slot(time.time(), STEP), 1, STEP)
    with ExitStack() as stack:
        if name == "SQLite":
            place = stack.enter_context(tempfile.TemporaryDirectory(prefix="decade-", dir=OUT))
            url = sa.URL.create("sqlite", database=f"{place}/coinlog.db")
            decade = Decade(name, url, None, Path(place))
        else:
            server = MariaDB()
            stack.callback(server.remove)
            start(server)
            url = stack.enter_context(server.database())
            decade = Decade(name, url, server, server.folder)
        decade.take_back(year)
        del year
        yield decade


def fill(url: sa.URL, year: MadeUpYear) -> None:
    """Put a decade into an empty store."""
    first, last = year.settlement(0), year.settlement(len(year.slots) - 1)
    failed = _lose(year)
    engine = open_engine(url)
    migrate(engine)
    settle(engine, first, first.slot + 14)
    with engine.connect() as connection:
        with connection.begin():
            lend_numbers(connection, year)
            _copy_ledger(connection, first.slot)
            _fail(connection, first.slot, failed)
        for base in year.bases:
            with connection.begin():
                asked = {"low": base.asset_id, "high": base.asset_id}
                connection.execute(multiplied_out(connection, year.step), asked)
    settle(engine, last, last.slot + 14)
    engine.dispose()


def _lose(year: MadeUpYear) -> list[int]:
    """Take out of a decade what was lost, and return the slots that failed."""
    chance = random.Random(20261128)  # noqa: S311  a storm needs chance, not secrecy
    steps = year.walks[0]
    count = len(steps)
    lost = set()
    for number in range(OUTAGES):
        begin = chance.randrange(count // 10, count - count // 10)
        lost |= set(range(begin, begin + (MONTH if number == 0 else chance.randrange(1, 600))))
    failed = {one for one in range(1, count - 1) if chance.random() < FAILED} - lost
    year.walks[0] = [one for at, one in enumerate(steps) if at not in lost and at not in failed]
    return [steps[one].slot for one in sorted(failed)]


def _copy_ledger(connection: sa.Connection, first: int) -> None:
    for table, times in LEDGER_TIMES:
        columns = [column.name for column in table.columns]
        made = [
            f"f.`{column}` + w.slot - f.slot" if column in times else f"f.`{column}`"
            for column in columns
        ]
        names = ", ".join(f"`{column}`" for column in columns)
        connection.exec_driver_sql(
            f"INSERT INTO `{table.name}` ({names}) SELECT {', '.join(made)} "  # noqa: S608  our names
            f"FROM bench_walk w, `{table.name}` f WHERE f.slot = {first} ORDER BY w.slot"
        )


def _fail(connection: sa.Connection, first: int, slots: list[int]) -> None:
    query = sa.select(schema.slot).where(schema.slot.c.slot == first)
    known = dict(connection.execute(query).mappings().one())
    known |= {"outcome": Outcome.FAILED.value, "reason": Reason.RATE_LIMITED.value, "assets": 0}
    rows = [
        {**known, "slot": one, "observed_at": None, "captured_at": one + 13, "stored_at": one + 14}
        for one in slots
    ]
    connection.execute(schema.slot.insert(), rows)
