"""Whether a year of an asset reads as fast from 70 million quotes as from 0.7 million.

Three stores with one schedule, every six hours: 480 assets for a year, 4,800 for a year, 4,800
for ten years. A year of an asset is the same 1,460 points in each, so the only difference is what
lies around them. Random assets are asked for through the code that answers the API, the stores in
turn: cold (the system's and the database's caches emptied first), warm (the same assets again),
and over HTTP from ``coinlog serve``, where no answer comes from its byte cache.

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

from harness import QUICK_ROUNDS, Result, Rounds, check, in_turn, main, say, timed
from processes import coinlog_serving, peak_bytes
from scale_stores import Store, in_mariadb, in_sqlite, read
from year_series import FIELDS

ROUNDS = 5
ASSETS_ASKED = 40
MOST = 1.5
BUDGET_MB = 500


def some_assets(store: Store, chance: random.Random) -> list[int]:
    """Return random assets, each once."""
    count = min(ASSETS_ASKED, len(store.year.bases) // 2)
    return [base.asset_id for base in chance.sample(store.year.bases[1:], count)]


def median_ms(task: Callable[[int], object], ids: Sequence[int]) -> float:
    """Return the median of what a task takes for each asset, in milliseconds."""
    return 1000 * statistics.median(timed(partial(task, asset_id)) for asset_id in ids)


def cold(store: Store, chance: random.Random) -> float:
    """Return the median of random assets' years with nothing of the store in memory."""
    ids = some_assets(store, chance)
    store.empty_caches()
    with store.watched() as watch:
        return median_ms(partial(read, watch), ids)


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

    read_first = in_turns("a year, cold", lambda store: partial(cold, store, chance))
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
        for how, found in (("cold", read_first), ("warm", read_again), ("over HTTP", over_http))
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
    rounds = QUICK_ROUNDS if quick else ROUNDS
    results = []
    for database, opened in (("SQLite", in_sqlite), ("MariaDB", in_mariadb)):
        with opened(quick) as stores:
            results += compare(database, stores, rounds)
    return [*results, _memory("loading and reading all of these", own_peak_mb())]


if __name__ == "__main__":
    main("scale", measure)
