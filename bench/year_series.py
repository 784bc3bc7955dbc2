"""How many times a second a year of an asset is served: 1,460 points of three fields, packed.

From a store of 5,000 assets. Cached: next to nginx serving the very same bytes from disk, and to
the page that people write by hand. Uncached: each request asks what was not asked before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import sqlalchemy as sa

import harness
from harness import ROOT, Result, check, in_turn, main, say
from processes import (
    cache_counts,
    coinlog_serving,
    fetch,
    fetch_raw,
    nginx_serving,
    python_serving,
    under_load,
)
from servers import MariaDB
from year_store import MadeUpYear, year_in_sqlite

FIELDS = ("price", "market_cap", "volume_24h")
_ASKED = f"fields={','.join(FIELDS)}"
PATH = f"/api/v1/assets/1/series?range=1y&{_ASKED}"
_TABLE = """
CREATE TABLE prices (
  id BIGINT AUTO_INCREMENT PRIMARY KEY,
  asset_id INT NOT NULL,
  timestamp DATETIME NOT NULL,
  price DOUBLE,
  market_cap DOUBLE,
  volume_24h DOUBLE,
  KEY (asset_id, timestamp)
) ENGINE=InnoDB
"""

Columns = list[list[float]]


def expected(year: MadeUpYear, position: int = 0) -> Columns:
    """Return slots and fields of an asset, worked out from what the store was made of."""
    base = year.bases[position]
    quotes = [year.quote(base, index) for index in range(len(year.slots))]
    return [list(year.slots), *([getattr(one, name) for one in quotes] for name in FIELDS)]


def check_series(port: int, path: str, wanted: Columns) -> None:
    """Check that coinlog's answer holds every number, to the last bit."""
    answer = fetch(port, path).json()
    check(equal=[answer["slots"], *(answer[name] for name in FIELDS)] == wanted, what=path)
    check(equal=answer["gaps"] == [] and not answer["sampled"], what="a whole year has no gaps")


@contextmanager
def by_hand(wanted: Columns) -> Iterator[int]:
    """Serve the same year the way people do it, from MariaDB; yield the port."""
    with ExitStack() as stack:
        server = MariaDB()
        stack.callback(server.remove)
        server.start()
        url = stack.enter_context(server.database())
        _fill_by_hand(url, wanted)
        arguments = (str(url.port), str(url.database), str(url.username), str(url.password))
        port = stack.enter_context(python_serving("flask_page.py", *arguments))
        rows = fetch(port, "/prices/1").json()
        served = [[row[name] for row in rows] for name in FIELDS]
        check(equal=served == wanted[1:], what="the hand-made page")
        yield port


def _fill_by_hand(url: sa.URL, wanted: Columns) -> None:
    engine = sa.create_engine(url, connect_args={"ssl_disabled": True})
    rows = [
        {
            "asset_id": 1,
            "timestamp": datetime.fromtimestamp(slot, UTC),
            **dict(zip(FIELDS, row, strict=True)),
        }
        for slot, *row in zip(*wanted, strict=True)
    ]
    with engine.begin() as connection:
        connection.exec_driver_sql(_TABLE)
        table = sa.table("prices", *map(sa.column, rows[0]))
        connection.execute(table.insert(), rows)
    engine.dispose()


def missing(port: int, script: str, seconds: float, *arguments: str) -> Callable[[], float]:
    """Return a load of which every request misses the cache; wrong where some do not."""

    def run() -> float:
        hits, misses = cache_counts(port)
        load = under_load(port, "/", seconds, ROOT / "bench" / script, *arguments)
        hits_after, misses_after = cache_counts(port)
        missed = misses_after - misses
        check(equal=missed >= load.per_second * seconds * 0.99, what=f"{missed} misses alone")
        check(equal=hits_after - hits < 10, what=f"{hits_after - hits} hits where all must miss")
        return load.per_second

    return run


def measure(quick: bool) -> list[Result]:  # noqa: FBT001
    """Measure coinlog, nginx and the hand-made page in turn."""
    rounds = harness.QUICK_ROUNDS if quick else harness.ROUNDS
    seconds = 2.0 if quick else 4.0
    url, year = year_in_sqlite(quick)
    wanted = expected(year)
    with ExitStack() as stack:
        port, _ = stack.enter_context(coinlog_serving(url))
        check_series(port, PATH, wanted)
        body, packed = fetch(port, PATH).content, fetch_raw(port, PATH)
        nginx = stack.enter_context(nginx_serving("series.json", body, packed))
        check(equal=fetch_raw(nginx, "/series.json") == packed, what="nginx")
        flask = stack.enter_context(by_hand(wanted))
        say(f"{len(packed):,} bytes packed, {len(body):,} plain")
        start = str(year.slots[0] - int(time.time()) % 100_000_000)
        found = in_turn(
            {
                "cached": lambda: under_load(port, PATH, seconds).per_second,
                "nginx": lambda: under_load(nginx, "/series.json", seconds).per_second,
                "by hand": lambda: under_load(flask, "/prices/1", seconds).per_second,
                "another asset": missing(
                    port, "another_asset.lua", seconds, str(len(year.bases)), f"range=1y&{_ASKED}"
                ),
                "another start": missing(port, "another_start.lua", seconds, start, _ASKED),
            },
            rounds,
        )
        check_series(port, f"/api/v1/assets/1/series?from={start}&{_ASKED}", wanted)
        for position in (0, 1, len(year.bases) // 2, -1):
            asset_id = year.bases[position].asset_id
            path = f"/api/v1/assets/{asset_id}/series?range=1y&{_ASKED}"
            check_series(port, path, expected(year, position))
        check(equal=fetch_raw(port, PATH) == packed, what="the same bytes at the end")
    own, rate = found.said("cached", "req/s"), "req/s"
    return [
        Result(
            "a year's series, cached",
            "nginx, gzip_static, the same bytes",
            "x",
            *found.ratio("cached", "nginx"),
            target=0.5,
            detail=f"{own}; nginx: {found.said('nginx', rate)}",
        ),
        Result(
            "a year's series, cached",
            "Flask, a connection and query per request",
            "x",
            *found.ratio("cached", "by hand"),
            target=300,
            detail=f"{own}; Flask: {found.said('by hand', rate)}",
        ),
        Result(
            "a year's series, another asset each time",
            "Flask, a connection and query per request",
            "x",
            *found.ratio("another asset", "by hand"),
            target=15,
            detail=found.said("another asset", rate),
        ),
        Result(
            "a year's series, another start each time",
            "Flask, a connection and query per request",
            "x",
            *found.ratio("another start", "by hand"),
            target=15,
            detail=found.said("another start", rate),
        ),
    ]


if __name__ == "__main__":
    main("year_series", measure)
