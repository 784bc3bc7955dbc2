"""Whether a year of an asset reads as fast from 70 million quotes as from 0.7 million.

Three stores with one schedule, every six hours: 480 assets for a year, 4,800 for a year, 4,800
for ten years. A year of an asset is the same 1,460 points in each, so the only difference is what
lies around them. Random assets are asked for through the code that answers the API, the stores in
turn: cold (the system's and the database's caches emptied first), warm (the same assets again),
and over HTTP from ``coinlog serve``, where no answer comes from its byte cache.

The quotes are put in by the database itself, in the order of its key, some assets at a time.
"""

from __future__ import annotations

import os
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

import sqlalchemy as sa

from coinlog.slots import floor_slot
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from coinlog.store.reader import Reader
from coinlog.store.writer import settle
from coinlog.web.api import Asked, read_asked
from coinlog.web.watch import Watch
from harness import OUT, QUICK_ROUNDS, Result, Rounds, check, in_turn, main, say, timed
from processes import coinlog_serving, peak_bytes
from servers import MariaDB
from year_series import FIELDS
from year_store import (
    STEP,
    YEAR,
    MadeUpYear,
    copy_ledger,
    lend_numbers,
    multiplied_out,
)

SIZES = {"0.7 M": (480, YEAR), "7 M": (4_800, YEAR), "70 M": (4_800, 10 * YEAR)}
QUICK_SIZES = {"0.07 M": (48, YEAR), "0.7 M": (480, YEAR)}
ROUNDS = 5
ASSETS_ASKED = 40
MOST = 1.5
BUDGET_MB = 500
_QUOTES_AT_ONCE = 500_000
_WALKS = 16
_POOL_BYTES = 256 * 1024**2


@dataclass(frozen=True)
class Store:
    """One of the stores, and how to forget what is remembered of it."""

    name: str
    url: sa.URL
    year: MadeUpYear
    empty_caches: Callable[[], None]

    @contextmanager
    def watched(self) -> Iterator[Watch]:
        """Open it as a worker of the page does; what the ledger says is read once by then."""
        engine = open_engine(self.url, read_only=True)
        watch = Watch(Reader(engine))
        for name in ("1y", "all"):
            read(watch, self.year.bases[0].asset_id, name)
        yield watch
        engine.dispose()


def read(watch: Watch, asset_id: int, name: str = "1y") -> None:
    """Read an asset's series as the API does."""
    read_asked(Asked(watch, asset_id, name, None, None, FIELDS, None))


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


def some_assets(store: Store, chance: random.Random) -> list[int]:
    """Return random assets, each once."""
    count = min(ASSETS_ASKED, len(store.year.bases) // 2)
    return [base.asset_id for base in chance.sample(store.year.bases[1:], count)]


def median_ms(task: Callable[[int], object], ids: Sequence[int]) -> float:
    """Return the median of what a task takes for each asset, in milliseconds."""
    return 1000 * statistics.median(timed(partial(task, asset_id)) for asset_id in ids)


class Cold:
    """A year of random assets, each for the first time; what it was is left for ``Warm``."""

    def __init__(self, store: Store, chance: random.Random) -> None:
        self.store, self.chance = store, chance
        self.ids: list[int] = []

    def __call__(self) -> float:
        """Return the median in milliseconds."""
        self.ids = some_assets(self.store, self.chance)
        self.store.empty_caches()
        with self.store.watched() as watch:
            return median_ms(partial(read, watch), self.ids)


def warm(store: Store, chance: random.Random, name: str = "1y") -> float:
    """Return the median of random assets' years that were read a moment before."""
    ids = some_assets(store, chance)
    with store.watched() as watch:
        for asset_id in ids:
            read(watch, asset_id, name)
        return median_ms(lambda asset_id: read(watch, asset_id, name), ids)


def served(store: Store, port: int, chance: random.Random) -> float:
    """Return the median of random assets' years over HTTP; none of them was asked for before."""
    ids = some_assets(store, chance)
    number = chance.randrange(10_000, 20_000)
    path = f"/api/v1/assets/%s/series?range=1y&fields={','.join(FIELDS)}&points={number}"
    with store.watched() as watch:
        for asset_id in ids:
            read(watch, asset_id)
    with closing(HTTPConnection("127.0.0.1", port)) as connection:
        return median_ms(lambda asset_id: fetch(connection, path % asset_id), ids)


def fetch(connection: HTTPConnection, path: str) -> None:
    """Ask over a connection that stays open: making one would take longer than the answer."""
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    check(equal=len(answer.read()) > 1000 and answer.status == 200, what=path)


def drop_pages(folder: Path) -> None:
    """Let the system forget what it holds of the files in a folder."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@contextmanager
def in_sqlite(quick: bool) -> Iterator[list[Store]]:  # noqa: FBT001
    """Make the stores in SQLite files."""
    with tempfile.TemporaryDirectory(prefix="scale-", dir=OUT) as folder:
        stores = []
        for name, (assets, slots) in (QUICK_SIZES if quick else SIZES).items():
            url = sa.URL.create("sqlite", database=f"{folder}/{assets}-{slots}.db")
            stores.append(filled(name, url, assets, slots, partial(drop_pages, Path(folder))))
        yield stores


@contextmanager
def in_mariadb(quick: bool) -> Iterator[list[Store]]:  # noqa: FBT001
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
            stores.append(filled(name, url, assets, slots, empty_caches))
        yield stores


def start(server: MariaDB) -> None:
    """Start MariaDB with a small machine's memory, and without what it remembered of before."""
    server.start()
    server.execute(
        f"SET GLOBAL innodb_buffer_pool_size = {_POOL_BYTES}",
        "SET GLOBAL innodb_buffer_pool_dump_at_shutdown = OFF",
        "SET GLOBAL innodb_flush_log_at_trx_commit = 2",
    )


def filled(
    name: str, url: sa.URL, assets: int, slots: int, empty_caches: Callable[[], None]
) -> Store:
    """Fill a store, say how fast that was, and check it."""
    year = MadeUpYear(assets, slots, floor_slot(time.time(), STEP), _WALKS)
    say(f"{name}: {assets:,} assets x {slots:,} slots into {url.get_backend_name()}")
    rate = fill(url, year)
    store = Store(name, url, year, empty_caches)
    check_year(store)
    say(f"{name}: {rate:,.0f} quotes a second, {own_peak_mb():,.0f} MB at most so far")
    return store


def own_peak_mb() -> float:
    """Return the most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def compare(database: str, stores: Sequence[Store], rounds: int) -> list[Result]:
    """Measure all stores of a database in turn."""
    chance = random.Random(20260126)  # noqa: S311  a market needs chance, not secrecy

    def in_turns(how: str, task: Callable[[Store], Callable[[], float]]) -> Rounds:
        found = in_turn({store.name: task(store) for store in stores}, rounds)
        for store in stores:
            say(f"{database}, {how}, {store.name}: {found.said(store.name, 'ms')}")
        return found

    cold = in_turns("a year, cold", lambda store: Cold(store, chance))
    read_again = in_turns("a year, warm", lambda store: partial(warm, store, chance))
    whole = in_turns("all, warm", lambda store: partial(warm, store, chance, "all"))
    with ExitStack() as stack:
        servers = {
            store.name: stack.enter_context(coinlog_serving(store.url, workers=1))
            for store in stores
        }
        over_http = in_turns(
            "a year, over HTTP",
            lambda store: partial(served, store, servers[store.name][0], chance),
        )
        peaks = [peak_bytes(pid) / 1_000_000 for _, pid in servers.values()]
    first, *larger = [store.name for store in stores]
    results = [
        Result(
            f"a year in {database}, {how}: {name} quotes",
            f"{first} quotes",
            "x",
            *found.ratio(name, first),
            target=MOST,
            at_most=True,
            detail=f"{found.said(name, 'ms')}; {first}: {found.said(first, 'ms')}",
        )
        for how, found in (("cold", cold), ("warm", read_again), ("over HTTP", over_http))
        for name in larger
    ]
    last = stores[-1]
    values = whole.values[last.name]
    results.append(
        Result(
            f"all of an asset in {database}, {len(last.year.slots):,} points thinned",
            "for information",
            " ms",
            statistics.median(values),
            min(values),
            max(values),
        )
    )
    return [*results, _memory(f"coinlog serve on {database}, {last.name} quotes", peaks[-1])]


def _memory(what: str, found: float) -> Result:
    return Result(
        f"{what}: most memory", "a budget", " MB", found, found, found, BUDGET_MB, at_most=True
    )


def measure(quick: bool) -> list[Result]:  # noqa: FBT001
    """Measure both databases, one after the other."""
    OUT.mkdir(parents=True, exist_ok=True)
    rounds = QUICK_ROUNDS if quick else ROUNDS
    results = []
    for database, opened in (("SQLite", in_sqlite), ("MariaDB", in_mariadb)):
        with opened(quick) as stores:
            results += compare(database, stores, rounds)
    return [*results, _memory("loading and reading all of these", own_peak_mb())]


if __name__ == "__main__":
    main("scale", measure)
