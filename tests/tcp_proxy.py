"""A real TCP proxy between us and a server: it cuts, refuses, keeps silent, delays and turns.

It runs in a process of its own, so that whoever uses it can fork, and is told what to do through
a port of its own, so that any process can tell it. By hand::

    python tests/tcp_proxy.py 3306     (prints the port to connect to, and the one to be told at)
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

HOST = "127.0.0.1"
CHUNK = 65_536
# A statement is packed with its length, its number and the kind "query" before its text.
COMMIT = b"\x03COMMIT"
# Closing with this leaves nothing to send: the other end sees a reset at once.
RESET = struct.pack("ii", 1, 0)


@dataclass
class Weather:
    """What the proxy does with connections from now on."""

    upstream: int
    silent: bool = False
    delay: float = 0.0
    # Cut all after so many more bytes from clients; None lets them pass.
    bytes_left: int | None = None
    # Cut at so many commits, each before it goes out or when its answer has come.
    commits: int = 0
    answered: bool = False
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("opened", "cut", "bytes", "commits"), 0)
    )


class Server:
    """The proxy itself, within its own process."""

    def __init__(self, upstream: int) -> None:
        self.weather = Weather(upstream)
        self.pairs: set[Pair] = set()
        self._speech = asyncio.Event()
        self._speech.set()
        self._listener: asyncio.Server | None = None
        self._place = _bound(0)
        self.port = int(self._place.getsockname()[1])

    async def accept(self) -> None:
        """Take new connections, from now on again."""
        if self._listener is None:
            self._listener = await asyncio.start_server(self._connected, sock=self._place)

    async def refuse(self) -> None:
        """Refuse new connections: the port stays ours, and nobody listens at it."""
        if self._listener is not None:
            self._listener.close()
            self._listener, self._place = None, _bound(self.port)

    def cut(self) -> None:
        """Break all connections at once."""
        for pair in list(self.pairs):
            pair.cut()

    async def hold(self) -> None:
        """Wait as long as the weather holds up what passes."""
        await self._speech.wait()
        if self.weather.delay:
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), self.weather.delay)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pair = Pair(self, reader, writer)
        self.weather.counts["opened"] += 1
        self.pairs.add(pair)
        try:
            await pair.run()
        finally:
            self.pairs.discard(pair)

    async def told(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Do what one line says, and answer with what has been counted."""
        wish = json.loads(await reader.readline())
        match wish.pop("do"):
            case "cut":
                self.cut()
            case "refuse":
                await self.refuse()
            case "accept":
                await self.accept()
            case "set":
                vars(self.weather).update(wish)
                (self._speech.clear if self.weather.silent else self._speech.set)()
        now = {"open": len(self.pairs), "upstream": self.weather.upstream}
        writer.write(json.dumps({**self.weather.counts, **now}).encode() + b"\n")
        await writer.drain()
        writer.close()


class Pair:
    """One client's connection and ours to the server behind."""

    def __init__(
        self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._behind: asyncio.StreamWriter | None = None
        self._committing = False

    async def run(self) -> None:
        """Carry bytes both ways until either end closes or the weather cuts."""
        weather = self._server.weather
        await self._server.hold()
        with suppress(OSError):
            reader, self._behind = await asyncio.open_connection(HOST, weather.upstream)
            ways = (self._forwards(self._behind), self._backwards(reader))
            tasks = [asyncio.ensure_future(way) for way in ways]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for writer in (self._writer, self._behind):
            if writer:
                writer.close()

    def cut(self) -> None:
        """Break both connections, as a router that dies does."""
        self._server.weather.counts["cut"] += 1
        for writer in (self._writer, self._behind):
            if writer is None or writer.is_closing():
                continue
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()

    async def _forwards(self, behind: asyncio.StreamWriter) -> None:
        while chunk := await self._reader.read(CHUNK):
            weather = self._server.weather
            await self._server.hold()
            weather.counts["bytes"] += len(chunk)
            if self._breaks_before(chunk):
                return
            behind.write(chunk[: weather.bytes_left])
            await behind.drain()
            if weather.bytes_left is not None:
                weather.bytes_left = max(0, weather.bytes_left - len(chunk))
                if not weather.bytes_left:
                    weather.bytes_left = None
                    self._server.cut()
                    return

    def _breaks_before(self, chunk: bytes) -> bool:
        """Note a commit, and cut before it goes out where that is wished."""
        weather = self._server.weather
        if COMMIT not in chunk:
            return False
        weather.counts["commits"] += 1
        if not weather.commits:
            return False
        weather.commits -= 1
        if weather.answered:
            self._committing = True
            return False
        self.cut()
        return True

    async def _backwards(self, reader: asyncio.StreamReader) -> None:
        while chunk := await reader.read(CHUNK):
            await self._server.hold()
            if self._committing:
                # The server has committed, and nobody will hear of it.
                self.cut()
                return
            self._writer.write(chunk)
            await self._writer.drain()


def _bound(port: int) -> socket.socket:
    place = socket.socket()
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    place.bind((HOST, port))
    return place


async def _serve(upstream: int) -> None:
    server = Server(upstream)
    await server.accept()
    teller = await asyncio.start_server(server.told, HOST, 0)
    sys.stdout.write(f"{server.port} {teller.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    # Whoever started us holds the other end of this; when it is gone, so are we.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


class Proxy:
    """A handle on a proxy process: connect to ``port``."""

    def __init__(self, upstream: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", __file__, str(upstream)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        self.port, self._teller = map(int, self._process.stdout.readline().split())

    def cut(self) -> None:
        """Break all connections at once."""
        self._tell("cut")

    def refuse(self) -> None:
        """Break all connections and refuse new ones, as a server that is down."""
        self._tell("refuse")
        self.cut()

    def accept(self, upstream: int | None = None) -> None:
        """Let all pass again, to another server where one is given."""
        self.set(silent=False, delay=0.0, bytes_left=None, commits=0)
        if upstream is not None:
            self.set(upstream=upstream)
        self._tell("accept")

    def silence(self) -> None:
        """Accept and say nothing: neither an answer nor an end."""
        self.set(silent=True)

    def cut_after(self, sent: int) -> None:
        """Break all connections when clients have sent so many more bytes."""
        self.set(bytes_left=sent)

    def cut_commits(self, count: int = 1, *, answered: bool) -> None:
        """Break the connections of the next commits: before each goes out, or once it is done."""
        self.set(commits=count, answered=answered)

    def set(self, **values: Any) -> None:  # noqa: ANN401  what the weather takes
        """Change the weather."""
        self._tell("set", **values)

    def facts(self) -> dict[str, int]:
        """Return what has been counted: connections, cuts, bytes and commits from clients."""
        return self._tell("count")

    def _tell(self, what: str, **values: Any) -> dict[str, int]:  # noqa: ANN401  likewise
        with socket.create_connection((HOST, self._teller), timeout=10) as connection:
            connection.sendall(json.dumps({"do": what, **values}).encode() + b"\n")
            with connection.makefile() as answer:
                return dict(json.loads(answer.readline()))

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def proxied(upstream: int) -> Iterator[Proxy]:
    """Run a proxy before a port of this machine."""
    proxy = Proxy(upstream)
    try:
        yield proxy
    finally:
        proxy.stop()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1])))
