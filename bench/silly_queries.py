"""Huge and silly questions to ``coinlog serve`` on ten years of 5-minute slots.

Each must be answered within 300 ms though no answer comes from the byte cache: with an error that
says what is wrong, or with one that is capped. In each round a server is started, and all are asked
in another order; of each the median counts, and of those the slowest. Before the first round the
database's and the system's caches are emptied, too: what a disk takes is told beside. So is the
processor time of the server: other work on the machine lengthens the one and not the other.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from urllib.parse import quote

from coinlog.market import QUOTE_FIELDS
from decade_store import Decade, decades
from harness import Result, check, main, out, say, spread
from processes import coinlog_serving, cpu_seconds, fetch

ROUNDS, QUICK_ROUNDS = 4, 2
MOST_MS = 300
MOST_BYTES = 12_000_000
ALL_FIELDS = ",".join(QUOTE_FIELDS)
TEN = "1,1027," + ",".join(str(10_002 + number) for number in range(8))
RANGES = ("range=1y", "range=all", "from=2009-01-01&to=2100-12-31", "from=1900-01-01&to=3000-01-01")


@dataclass
class Question:
    """Something silly to ask, and the statuses that are right; what it took, round by round."""

    target: str
    statuses: tuple[int, ...] = (200,)
    method: str = "GET"
    wall: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    status: int = 0
    size: int = 0

    @property
    def median_ms(self) -> float:
        """How long it took when the disk had been read before."""
        return statistics.median(self.wall[1:])


def questions() -> Iterator[Question]:
    """Yield all that is asked."""
    yield from _pages()
    yield from _charts()
    yield from _api()
    yield from _data()
    for target in (*_REFUSED, "/api/v1/assets?ids=" + ",".join(map(str, range(1, 10_001)))):
        yield Question(target, (400, 414))
    for method in ("HEAD", "OPTIONS", "TRACE", "POST", "PROPFIND"):
        for target in ("/assets/1?range=all", "/api/v1/assets/1/series?range=all"):
            yield Question(target, (200,) if method == "HEAD" else (400, 405), method)


_REFUSED = (
    *("/%ff", "/api/v1/assets?q=%00", "/api/v1/assets?q=%ff", "/?q=%00", "/assets/%00"),
    *("/?" + "a" * 100_000, "/api/v1/assets?q=" + "a" * 4096, "/" + "x/" * 50_000),
    *("/api/v1/assets?limit=1000000000", "/api/v1/assets?offset=1000000000"),
    *("/api/v1/assets?limit=1&limit=1", "/api/v1/assets?surprise=1", "/api/v1/log?limit=999999999"),
    *("/api/v1/assets/1/series?points=1000000000", "/api/v1/assets/1/series?points=-1"),
    *("/api/v1/assets/1/series?fields=price,password", "/api/v1/assets/1/series?from=now"),
    *("/api/v1/assets/1/series?from=3000-01-01&to=1900-01-01",),
    *("/api/v1/assets/1/series?from=2026-01-01&to=2025-01-01",),
    *("/api/v1/assets/1/candles?interval=5m&range=all", "/api/v1/assets?at=2009-01-01"),
    "/api/v1/assets?at=3000-01-01",
)


def _pages() -> Iterator[Question]:
    yield from map(
        Question, ("/", "/es/", "/overview", "/overview?range=all", "/overview?range=1y")
    )
    for query in (
        "range=all",
        "limit=1000000000&offset=1000000000",
        "q=%25%25_%5C%27",
        "sort=-name",
    ):
        yield Question(f"/?{query}")
        yield Question(f"/market?{query}")
    for at in ("2009-01-01", "2020-02-29T12:03:07", "3000-01-01", "nonsense", "2024-06-01"):
        yield Question(f"/market?at={at}")
        yield Question(f"/log?at={at}")
    for year in (2009, 2018, 2022, 2026, 2100, 99999):
        yield Question(f"/log?year={year}")
    yield from map(Question, ("/log", "/log?before=2020-01-01", "/log.atom", "/es/log.atom"))
    yield Question("/log/20200229T120000Z", (200, 404))
    yield Question("/log/20200229T120307Z", (404,))
    yield from map(
        Question, ("/schema", "/keys", "/sitemap.xml", "/robots.txt", "/metrics", "/ready")
    )


def _charts() -> Iterator[Question]:
    for query in RANGES:
        for field_ in ("price", "market_cap", "dominance"):
            yield Question(f"/assets/1?{query}&field={field_}")
        yield Question(f"/assets/1027?{query}&form=candles&scale=log&currency=EUR")
        yield Question(f"/compare?ids={TEN}&{query}")
        yield Question(f"/compare?ids={TEN}&{query}&field=dominance")
        yield Question(f"/embed/1?{query}")
        yield Question(f"/embed/compare?ids={TEN}&{query}")
        yield Question(f"/og/assets/1.png?{query}")
        yield Question(f"/og/compare.png?ids={TEN}&{query}")
    yield from map(Question, ("/spark/1.svg?range=all", "/spark/1.svg?width=99999&height=99999"))
    yield Question("/spark/1.svg?range=1y")
    yield Question("/og/home.png")
    yield Question("/?range=all&part=chart")
    yield Question(f"/compare?ids={','.join(map(str, range(1, 700)))}")


def _api() -> Iterator[Question]:
    for query in (*RANGES[:2], "from=2009-01-01T00:00:00Z", "from=2019-01-01&to=2020-06-01"):
        wide = (200, 400)
        for more in ("", f"&fields={ALL_FIELDS}", "&points=20000", "&points=10"):
            yield Question(f"/api/v1/assets/1/series?{query}{more}", wide)
        yield Question(f"/api/v1/assets/1/series.csv?{query}", wide)
        yield Question(f"/api/v1/assets/1/series.csv?{query}&fields={ALL_FIELDS}", wide)
        for interval in ("1h", "1d", "1w", "1mo"):
            yield Question(f"/api/v1/assets/1/candles?{query}&interval={interval}", wide)
        yield Question(f"/api/v1/assets/1/candles.csv?{query}&interval=6h", wide)
    yield from map(
        Question, ("/api/v1/assets/1", "/api/v1/assets/10005", "/api/v1/assets?limit=10000")
    )
    for q in ("%25", "_", "%5C", quote("'); DROP TABLE asset; --"), "a" * 100):
        yield Question(f"/api/v1/assets?q={q}")
    yield Question("/api/v1/assets?at=2020-02-29", (200, 400))
    yield from map(
        Question, ("/api/v1/log?limit=10000", "/api/v1/log?limit=10000&before=2020-01-01")
    )
    yield Question("/api/v1/log/20200229T120000Z", (200, 404))


def _data() -> Iterator[Question]:
    yield from map(Question, ("/data/latest.json", "/data/market.json"))
    for name in ("2026", "2020", "2009", "2026-11", "2020-02", "2020-02.days", "2009-01"):
        yield Question(f"/data/assets/1/{name}.json", (200, 404))
    for name in ("totals/2020-02", "log/2020-02", "totals/2009-01", "log/2009-01"):
        yield Question(f"/data/{name}.json", (200, 404))
    yield Question("/data/slots/1582977600.json", (200, 404))
    yield Question("/data/slots/999999999999.json", (404,))


def ask_all(decade: Decade, asked: Sequence[Question], rounds: int) -> None:
    """Ask everything in every round, each time in another order, of a server that knows nothing."""
    decade.forget()
    for number in range(rounds):
        order = [*asked]
        random.Random(number).shuffle(order)  # noqa: S311  an order, no secret
        with coinlog_serving(decade.url, workers=1) as (port, pid):
            fetch(port, "/schema")
            for question in order:
                _ask(port, pid, question)
        say(f"{decade.name}: round {number + 1} of {rounds} done")


def _ask(port: int, server: int, question: Question) -> None:
    before, started = cpu_seconds(server), time.perf_counter()
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        try:
            headers = {"Accept-Encoding": "gzip"}
            connection.request(question.method, question.target, headers=headers)
            answer = connection.getresponse()
            question.status, question.size = answer.status, len(answer.read())
        except (HTTPException, OSError) as error:
            say(f"{question.method} {question.target[:60]}: {error!r}")
            question.status, question.size = 0, 0
    question.wall.append(1000 * (time.perf_counter() - started))
    question.own.append(1000 * (cpu_seconds(server) - before))


def results(name: str, asked: Sequence[Question]) -> Iterator[Result]:
    """Yield the slowest of all, and tell those that were slow or answered wrongly."""
    for one in sorted(asked, key=lambda one: -one.median_ms):
        wrong = one.status not in one.statuses or one.size > MOST_BYTES
        if one.median_ms > MOST_MS / 2 or wrong:
            what = f"{one.method} {one.target[:90]}"
            took = "/".join(f"{value:.0f}" for value in one.wall)
            own = "/".join(f"{value:.0f}" for value in one.own)
            out.print(
                f"  {name} {one.status} {one.size:>9,} B {took} ms ({own}) {what}",
                style="red" if wrong else None,
            )
    check(equal=all(one.status in one.statuses for one in asked), what="a status")
    yield _slowest(f"{len(asked)} silly questions in {name}", asked, slice(1, None), MOST_MS)
    yield _slowest(f"the same in {name} from an empty cache of the disk", asked, slice(1), None)


def _slowest(what: str, asked: Sequence[Question], rounds: slice, target: float | None) -> Result:
    slowest = max(asked, key=lambda one: statistics.median(one.wall[rounds]))
    over = sum(statistics.median(one.wall[rounds]) > MOST_MS for one in asked)
    detail = f"{slowest.method} {slowest.target[:60]}; {over} take more than {MOST_MS} ms"
    found = spread(slowest.wall[rounds])
    return Result(
        f"{what}: the slowest", "a budget", " ms", *found, target, at_most=True, detail=detail
    )


def measure(quick: bool) -> list[Result]:  # noqa: FBT001
    """Ask both databases, one after the other."""
    found: list[Result] = []
    with decades(("SQLite", "MariaDB"), quick=quick) as stores:
        for decade in stores:
            asked = [*questions()]
            ask_all(decade, asked, QUICK_ROUNDS if quick else ROUNDS)
            found += results(decade.name, asked)
    return found


if __name__ == "__main__":
    main("silly_queries", measure)
