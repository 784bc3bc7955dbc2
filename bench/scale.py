"""Whether a year of an asset reads as fast from 70 million quotes as from 0.7 million.

Three stores with one schedule, every six hours: 480 assets for a year, 4,800 for a year, 4,800
for ten years. A year of an asset is the same 1,460 points in each, so the only difference is what
lies around them. Random assets are asked for through the code that answers the API, the stores in
turn, asset by asset: cold (the system's and the database's caches emptied first), warm (the same
assets again), and over HTTP from ``coinlog serve``, where no answer comes from its byte cache.

The quotes are put in by the database itself, in the order of its key, some assets at a time.
"""

from __future__ import annotations

import random
import resource
import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from functools import partial
from http.client import HTTPConnection

from coinlog.web.watch import Watch
from harness import QUICK_ROUNDS, Result, Rounds, check, main, say, spread, timed, wait_for_quiet
from processes import coinlog_serving, peak_bytes
from scale_stores import Store, in_mariadb, in_sqlite, read
from year_series import FIELDS

ROUNDS = 5
ASSETS_ASKED = 40
MOST = 1.5
BUDGET_MB = 500
CHART_POINTS = 1_500

Row = dict[str, float]


class Comparison:
    """The stores of a database, asked in turn: asset by asset, so that neighbours in time compare.

    A machine that slows down for a second slows down all of them.
    """

    def __init__(self, database: str, stores: Sequence[Store], rounds: int) -> None:
        self.database, self.stores, self.rounds = database, stores, rounds
        self.chance = random.Random(20260126)  # noqa: S311  a market needs chance, not secrecy

    def some_assets(self) -> list[list[int]]:
        """Return random assets of each store, each once."""
        count = min(ASSETS_ASKED, min(len(store.year.bases) for store in self.stores) // 2)
        return [
            [base.asset_id for base in self.chance.sample(store.year.bases[1:], count)]
            for store in self.stores
        ]

    def medians(self, tasks: Sequence[Callable[[int], object]], ids: list[list[int]]) -> Row:
        """Return by store the median of what its task takes for each of its assets, in ms."""
        taken: dict[str, list[float]] = {store.name: [] for store in self.stores}
        wait_for_quiet()
        for number, asked in enumerate(zip(*ids, strict=True)):
            turn = [*zip(self.stores, tasks, asked, strict=True)]
            start = number % len(turn)
            for store, task, asset_id in turn[start:] + turn[:start]:
                taken[store.name].append(1000 * timed(partial(task, asset_id)))
        return {name: statistics.median(values) for name, values in taken.items()}

    def gathered(self, how: str, rows: Sequence[Row]) -> Rounds:
        """Return the rounds as the other benchmarks have them, and say them."""
        found = Rounds({store.name: [row[store.name] for row in rows] for store in self.stores})
        for store in self.stores:
            say(f"{self.database}, {how}, {store.name}: {found.said(store.name, 'ms')}")
        return found

    def read_again(self, how: str, task: Callable[[Watch, int], object]) -> Rounds:
        """Read something of random assets that was read a moment before."""
        rows = []
        with ExitStack() as stack:
            watches = [stack.enter_context(store.watched()) for store in self.stores]
            tasks = [partial(task, watch) for watch in watches]
            for _ in range(self.rounds):
                ids = self.some_assets()
                self.medians(tasks, ids)
                rows.append(self.medians(tasks, ids))
        return self.gathered(how, rows)

    def read_first(self, empty_caches: Callable[[], object]) -> Rounds:
        """Read a year of random assets with nothing of the stores in memory."""
        rows = []
        for _ in range(self.rounds):
            empty_caches()
            with ExitStack() as stack:
                watches = [stack.enter_context(store.watched()) for store in self.stores]
                tasks = [partial(read, watch) for watch in watches]
                rows.append(self.medians(tasks, self.some_assets()))
        return self.gathered("a year, cold", rows)

    def ask_servers(self) -> tuple[Rounds, float]:
        """Ask ``coinlog serve`` for what it has never answered; return its most memory in MB."""
        rows = []
        with ExitStack() as stack:
            servers = [
                stack.enter_context(coinlog_serving(store.url, workers=1)) for store in self.stores
            ]
            connections = [
                stack.enter_context(closing(HTTPConnection("127.0.0.1", port)))
                for port, _ in servers
            ]
            for number in range(self.rounds):
                ids = self.some_assets()
                # Another number of points each time: the byte cache has no such answer.
                for points in (19_000 + number, 18_000 + number):
                    tasks = [partial(fetch, one, points) for one in connections]
                    row = self.medians(tasks, ids)
                rows.append(row)
            peak = max(peak_bytes(pid) for _, pid in servers) / 1_000_000
        return self.gathered("a year, over HTTP", rows), peak


def fetch(connection: HTTPConnection, points: int, asset_id: int) -> None:
    """Ask over a connection that stays open: making one would take longer than the answer."""
    path = f"/api/v1/assets/{asset_id}/series?range=1y&fields={','.join(FIELDS)}&points={points}"
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    check(equal=len(answer.read()) > 1000 and answer.status == 200, what=path)


def own_peak_mb() -> float:
    """Return the most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def compare(
    database: str, stores: Sequence[Store], empty_caches: Callable[[], object], rounds: int
) -> list[Result]:
    """Measure all stores of a database in turn."""
    these = Comparison(database, stores, rounds)
    cold = these.read_first(empty_caches)
    warm = these.read_again("a year, warm", read)
    chart = partial(read, name="all", fields=("price",), points=CHART_POINTS)
    whole = these.read_again("all, as a chart", chart)
    over_http, peak = these.ask_servers()
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
        for how, found in (("cold", cold), ("warm", warm), ("over HTTP", over_http))
        for name in larger
    ]
    slots = len(stores[-1].year.slots)
    what = f"all {slots:,} points of an asset in {database}, as a chart of {CHART_POINTS:,}"
    milliseconds = spread(whole.values[stores[-1].name])
    results.append(Result(what, "for information", " ms", *milliseconds))
    return [*results, _memory(f"coinlog serve on {database}", peak)]


def _memory(what: str, found: float) -> Result:
    return Result(
        f"{what}: most memory", "a budget", " MB", found, found, found, BUDGET_MB, at_most=True
    )


def measure(quick: bool) -> list[Result]:  # noqa: FBT001
    """Measure both databases, one after the other."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    results = []
    for database, opened in (("SQLite", in_sqlite), ("MariaDB", in_mariadb)):
        with opened(quick) as (stores, empty_caches):
            results += compare(database, stores, empty_caches, rounds)
    return [*results, _memory("loading and reading all of these", own_peak_mb())]


if __name__ == "__main__":
    main("scale", measure)
