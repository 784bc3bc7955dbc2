"""The stores of three sizes that ``scale.py`` compares, filled in the order of the key."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from coinlog.slots import floor_slot
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from coinlog.store.reader import Reader
from coinlog.store.writer import settle
from coinlog.web.api import Asked, read_asked
from coinlog.web.watch import Watch
from harness import OUT, check, say
from servers import MariaDB
from year_series import FIELDS
from year_store import STEP, YEAR, MadeUpYear, copy_ledger, lend_numbers, multiplied_out

SIZES = {"0.7 M": (480, YEAR), "7 M": (4_800, YEAR), "70 M": (4_800, 10 * YEAR)}
QUICK_SIZES = {"0.07 M": (48, YEAR), "0.7 M": (480, YEAR)}
_QUOTES_AT_ONCE = 500_000
_WALKS = 16
_POOL_BYTES = 256 * 1024**2


@dataclass(frozen=True)
class Store:
    """One of the stores, and what it was made of."""

    name: str
    url: sa.URL
    year: MadeUpYear

    @contextmanager
    def watched(self) -> Iterator[Watch]:
        """Open it as a worker of the page does; what the ledger says is read once by then."""
        engine = open_engine(self.url, read_only=True)
        watch = Watch(Reader(engine))
        for name in ("1y", "all"):
            read(watch, self.year.bases[0].asset_id, name=name)
        yield watch
        engine.dispose()


def read(
    watch: Watch,
    asset_id: int,
    *,
    name: str = "1y",
    fields: tuple[str, ...] = FIELDS,
    points: int | None = None,
) -> None:
    """Read a range of an asset's series as the API does."""
    read_asked(Asked(watch, asset_id, name, None, None, fields, points))


def fill(url: sa.URL, year: MadeUpYear) -> float:
    """Put the quotes of a store into it and return how many a second."""
    engine = open_engine(url)
    migrate(engine)
    last = len(year.slots) - 1
    settle(engine, year.settlement(0), year.slots[0] + 14)
    at_once = max(1, _QUOTES_AT_ONCE // len(year.slots))
    started = time.perf_counter()
    with engine.connect() as connection:
        with connection.begin():
            lend_numbers(connection, year)
        for start in range(0, len(year.bases), at_once):
            ids = [base.asset_id for base in year.bases[start : start + at_once]]
            with connection.begin():
                connection.execute(multiplied_out(connection), {"low": min(ids), "high": max(ids)})
    seconds = time.perf_counter() - started
    with engine.begin() as connection:
        copy_ledger(connection, year.slots[1:last])
    settle(engine, year.settlement(last), year.slots[last] + 14)
    engine.dispose()
    return len(year.bases) * (last - 1) / seconds


def check_year(store: Store) -> None:
    """Check a year of some assets, to the last bit."""
    with store.watched() as watch:
        for base in store.year.bases[:: len(store.year.bases) // 5]:
            asked = Asked(watch, base.asset_id, "1y", None, None, FIELDS, None)
            _, _, found = read_asked(asked)
            count = len(store.year.slots)
            quotes = [store.year.quote(base, index) for index in range(count - YEAR, count)]
            wanted = {name: [getattr(quote, name) for quote in quotes] for name in FIELDS}
            check(equal=found.slots[-YEAR:] == store.year.slots[-YEAR:], what="the slots")
            shown = {name: column[-YEAR:] for name, column in found.fields.items()}
            check(equal=shown == wanted and found.gaps == [], what=f"a year in {store.name}")


Made = tuple[list[Store], Callable[[], object]]
"""The stores, smallest first, and what empties the caches of the database and the system."""


def drop_pages(folder: Path) -> None:
    """Let the system forget what it holds of the files in a folder."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@contextmanager
def in_sqlite(quick: bool) -> Iterator[Made]:  # noqa: FBT001
    """Make the stores in SQLite files."""
    with tempfile.TemporaryDirectory(prefix="scale-", dir=OUT) as folder:
        stores = []
        for name, (assets, slots) in (QUICK_SIZES if quick else SIZES).items():
            url = sa.URL.create("sqlite", database=f"{folder}/{assets}-{slots}.db")
            stores.append(filled(name, url, assets, slots))
        yield stores, partial(drop_pages, Path(folder))


@contextmanager
def in_mariadb(quick: bool) -> Iterator[Made]:  # noqa: FBT001
    """Make the stores in databases of one MariaDB."""
    with ExitStack() as stack:
        server = MariaDB()
        stack.callback(server.remove)
        start(server)

        def empty_caches() -> None:
            server.stop()
            drop_pages(server.folder)
            start(server)

        stores = []
        for name, (assets, slots) in (QUICK_SIZES if quick else SIZES).items():
            url = stack.enter_context(server.database())
            stores.append(filled(name, url, assets, slots))
        yield stores, empty_caches


def start(server: MariaDB) -> None:
    """Start MariaDB with a small machine's memory, and without what it remembered of before."""
    server.start()
    server.execute(
        f"SET GLOBAL innodb_buffer_pool_size = {_POOL_BYTES}",
        "SET GLOBAL innodb_buffer_pool_dump_at_shutdown = OFF",
        "SET GLOBAL innodb_flush_log_at_trx_commit = 2",
    )


def filled(name: str, url: sa.URL, assets: int, slots: int) -> Store:
    """Fill a store, say how fast that was, and check it."""
    year = MadeUpYear(assets, slots, floor_slot(time.time(), STEP), _WALKS)
    say(f"{name}: {assets:,} assets x {slots:,} slots into {url.get_backend_name()}")
    rate = fill(url, year)
    store = Store(name, url, year)
    check_year(store)
    say(f"{name}: {rate:,.0f} quotes a second")
    return store
