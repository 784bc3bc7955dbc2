"""Many readers at a steady pace, and what they met: how long answers took, which were errors."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field

READERS = 16
PAUSE_SECONDS = 0.12
"""Between an answer and the reader's next question, on average."""

PAGES, DATA = "pages", "data"
TARGETS = (
    (PAGES, 2, "/"),
    (PAGES, 1, "/es/"),
    (PAGES, 4, "/assets/{one}"),
    (PAGES, 1, "/compare?ids={one},{another}"),
    (PAGES, 1, "/market?offset={offset}"),
    (PAGES, 1, "/log"),
    (DATA, 1, "/api/v1/assets?offset={offset}"),
    (DATA, 3, "/api/v1/assets/{one}/series?range=30d"),
    (DATA, 1, "/data/latest.json"),
    (DATA, 1, "/api/v1/log?limit=50"),
)
"""What is asked for, of what kind, and how often of fifteen times."""


@dataclass
class Met:
    """What readers met: seconds by kind, and how many answers of each status."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {PAGES: [], DATA: []})
    statuses: Counter[int] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    def add(self, other: Met) -> None:
        """Take in what others met."""
        for kind, values in other.seconds.items():
            self.seconds[kind] += values
        self.statuses += other.statuses
        self.errors += other.errors

    def percentile(self, kind: str, share: float) -> float:
        """Return how long the answers took at a share of them, in milliseconds."""
        values = sorted(self.seconds[kind])
        return values[min(len(values) - 1, int(len(values) * share))] * 1000

    @property
    def wrong(self) -> int:
        """How many answers were errors, or did not come."""
        return len(self.errors) + sum(n for status, n in self.statuses.items() if status != 200)


def read_for(
    seconds: float, port: int, ids: list[int], seed: int, pause: float = PAUSE_SECONDS
) -> Met:
    """Let readers ask for so long, each over a connection of its own, and tell what they met."""

    async def all_of_them() -> Met:
        met = Met()
        until = time.monotonic() + seconds
        chances = [random.Random(seed * 100 + number) for number in range(READERS)]  # noqa: S311
        each = [_reader(port, ids, chance, pause, until, met) for chance in chances]
        await asyncio.gather(*each)
        return met

    return asyncio.run(all_of_them())


async def _reader(  # noqa: PLR0913, PLR0917  what a reader is and does
    port: int, ids: list[int], chance: random.Random, pause: float, until: float, met: Met
) -> None:
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    while time.monotonic() < until:
        await asyncio.sleep(chance.uniform(0, 2 * pause))
        kind, target = _chosen(ids, chance)
        if streams is None:
            streams = await asyncio.open_connection("127.0.0.1", port)
        started = time.perf_counter()
        try:
            status = await asyncio.wait_for(_ask(*streams, target), 30)
        except (OSError, EOFError, TimeoutError) as error:
            met.errors.append(f"{target}: {error!r}")
            streams[1].close()
            streams = None
            continue
        met.seconds[kind].append(time.perf_counter() - started)
        met.statuses[status] += 1
        if status >= 500:
            met.errors.append(f"{target}: {status}")
        # Now and then one leaves, and another comes.
        if chance.random() < 0.01:
            streams[1].close()
            streams = None
    if streams is not None:
        streams[1].close()


def _chosen(ids: list[int], chance: random.Random) -> tuple[str, str]:
    """Return what is asked for next, and of which kind it is."""
    ((kind, _, target),) = chance.choices(TARGETS, [weight for _, weight, _ in TARGETS])
    one, another, offset = chance.choice(ids), chance.choice(ids), chance.randrange(len(ids) - 50)
    return kind, target.format(one=one, another=another, offset=offset)


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: str) -> int:
    """Ask for an address and read all of its answer."""
    request = f"GET {target} HTTP/1.1\r\nHost: coinlog.test\r\nAccept-Encoding: gzip\r\n\r\n"
    writer.write(request.encode())
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next(int(one[15:]) for one in lines if one.startswith(b"content-length:"))
    await reader.readexactly(length)
    return int(head[9:12])
