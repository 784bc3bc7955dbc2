"""How much throughput is left while slow sockets hang on the server, and what limiting costs.

A thousand sockets hang in four ways at once: a head that drips, a body that never comes, an idle
connection, an answer that nobody reads; whichever is closed comes back after five seconds.
Meanwhile wrk asks with 32 connections, as it does without them in the same round.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import sqlalchemy as sa

import harness
from harness import ROOT, Result, in_turn, main
from processes import coinlog_serving, cpu_seconds, fetch, under_load
from year_store import year_in_sqlite

PATH = "/api/v1/assets/1/series?range=1y&fields=price,market_cap,volume_24h"
LEAST = 0.8
ONE, MANY = ("127.0.0.2",), tuple(f"127.0.1.{number}" for number in range(1, 51))
SOMEBODY = "X-Forwarded-For: 192.0.2.7"
MANY_A_MINUTE = "1000000"


@contextmanager
def hanging(port: int, count: int, hosts: Sequence[str]) -> Iterator[None]:
    """Let sockets hang on a server until the block ends; they do when it begins."""
    command = (sys.executable, str(ROOT / "bench" / "hanging.py"), str(port), str(count), *hosts)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        if process.stdout is None or process.stdout.readline() != b"hanging\n":
            raise RuntimeError("the sockets did not get as far as hanging")
        try:
            yield
        finally:
            if process.stdin:
                process.stdin.close()


def beset(port: int, seconds: float, count: int, hosts: Sequence[str]) -> Callable[[], float]:
    """Return a load on a server on which sockets hang."""

    def run() -> float:
        with hanging(port, count, hosts):
            return under_load(port, PATH, seconds).per_second

    return run


def free(port: int, seconds: float) -> Callable[[], float]:
    """Return a load on a server that has nothing else to do."""
    return lambda: under_load(port, PATH, seconds).per_second


def slow_sockets(store: sa.URL, workers: int, seconds: float, rounds: int) -> list[Result]:
    """Measure one server with sockets of one address and of fifty hanging on it."""
    # Whoever comes from this machine is a stranger here, as everybody is to a public server.
    with coinlog_serving(store, workers, COINLOG_PROXIES="none") as (port, _):
        fetch(port, PATH)
        found = in_turn(
            {
                "free": free(port, seconds),
                "1,000 of one address": beset(port, seconds, 1000, ONE),
                "1,000 of 50 addresses": beset(port, seconds, 1000, MANY),
                "5,000 of 50 addresses": beset(port, seconds, 5000, MANY),
            },
            rounds,
        )
    named = "1 worker" if workers == 1 else f"{workers} workers"
    own = found.said("free", "req/s")
    return [
        Result(
            f"requests while slow sockets hang, {named}: {name}",
            "the same server without them",
            "x",
            *found.ratio(name, "free"),
            target=LEAST,
            detail=f"{found.said(name, 'req/s')}; without: {own}",
        )
        for name in found.values
        if name != "free"
    ]


def cost(port: int, pid: int, seconds: float) -> Callable[[], float]:
    """Return a load that gives the microseconds of processor that an answer takes."""

    def run() -> float:
        before = cpu_seconds(pid)
        load = under_load(port, PATH, seconds, headers=(SOMEBODY,))
        return (cpu_seconds(pid) - before) / (load.per_second * seconds) * 1_000_000

    return run


def limiting(store: sa.URL, seconds: float, rounds: int) -> Result:
    """Measure what counting each request of an address costs: by processor, the least uneven."""
    with ExitStack() as stack:
        counted = stack.enter_context(coinlog_serving(store, 1, COINLOG_RATE=MANY_A_MINUTE))
        uncounted = stack.enter_context(coinlog_serving(store, 1, COINLOG_RATE="0"))
        for port, _ in (counted, uncounted):
            fetch(port, PATH)
        found = in_turn(
            {"counted": cost(*counted, seconds), "uncounted": cost(*uncounted, seconds)}, rounds
        )
    return Result(
        "processor of a cached answer, the requests of a proxy's clients counted",
        "COINLOG_RATE=0",
        "x",
        *found.ratio("counted", "uncounted"),
        target=1.1,
        at_most=True,
        detail=f"{found.said('counted', 'µs')}; 0: {found.said('uncounted', 'µs')}",
    )


def measure(quick: bool) -> list[Result]:  # noqa: FBT001
    """Measure with one worker and with two."""
    rounds = harness.QUICK_ROUNDS if quick else harness.ROUNDS
    seconds = 2.0 if quick else 4.0
    store, _ = year_in_sqlite(quick)
    return [
        *slow_sockets(store, 1, seconds, rounds),
        *slow_sockets(store, 2, seconds, rounds),
        limiting(store, seconds, rounds),
    ]


if __name__ == "__main__":
    main("slow_sockets", measure)
