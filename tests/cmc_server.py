"""A small real HTTP server that answers as it is told, and misbehaves on demand.

Usage::

    with CMCServer() as server:
        server.on("/v3/cryptocurrency/listings/latest", Reply(body), Reply(status=500))
        ...                                    # ask server.url
        assert server.requests[0].params["limit"] == "200"

``on`` takes the replies to a path one after the other; the last one is repeated. A path without
replies is answered with 404 and HTML. A reply is a ``Reply`` or one of the misbehaviours below
(``reset``, ``stall``, ``slow_headers``, ...), or any function of an ``Exchange``. Waiting ends
when the server stops, so no test waits for a sleeper.
"""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import struct
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """A request as it came: ``headers`` by lower-case name."""

    path: str
    params: dict[str, str]
    headers: dict[str, str]


class Exchange:
    """One request and the connection on which to answer it, byte by byte if need be."""

    def __init__(
        self, handler: BaseHTTPRequestHandler, request: Request, server: CMCServer
    ) -> None:
        self.request = request
        self._handler = handler
        self._server = server

    def write(self, data: bytes) -> None:
        self._handler.wfile.write(data)
        self._handler.wfile.flush()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait; ``True`` when the server is stopping, which ends every wait."""
        return self._server.stopping.wait(seconds)

    def close(self) -> None:
        self._handler.close_connection = True

    def reset(self) -> None:
        """Break the connection off with a RST, as a crash or a firewall does."""
        linger = struct.pack("ii", 1, 0)
        self._handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._handler.connection.close()
        self.close()


Answering = Callable[[Exchange], None]
Asking = socket.socket | tuple[bytes, socket.socket]


@dataclass(frozen=True)
class Reply:
    """An answer with a body, sent whole; ``gzipped`` compresses it on the way."""

    body: bytes = b"{}"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    gzipped: bool = False

    def packed(self) -> bytes:
        """Return the body as it travels."""
        return gzip.compress(self.body) if self.gzipped else self.body

    def __call__(self, exchange: Exchange) -> None:
        body = self.packed()
        coding = {"Content-Encoding": "gzip"} if self.gzipped else {}
        exchange.write(head(self.status, {**coding, **self.headers}, len(body)) + body)


def json_reply(value: object, status: int = 200, **headers: str) -> Reply:
    """Return a reply with a JSON value; ``retry_after="1"`` becomes a Retry-After header."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(json.dumps(value).encode(), status, {"Content-Type": "application/json", **named})


def error_reply(status: int, code: int | str | None, message: str = "", **headers: str) -> Reply:
    """Return an error as the source words it: a status and no data."""
    told = {"timestamp": "2026-01-26T18:00:00.000Z", "error_code": code, "error_message": message}
    return json_reply({"status": {**told, "elapsed": 0, "credit_count": 0}}, status, **headers)


def head(status: int, headers: Mapping[str, str], length: int | None = None) -> bytes:
    """Return a status line and headers, with a Content-Length where one is given."""
    lines = [f"HTTP/1.1 {status} Reply", *(f"{name}: {text}" for name, text in headers.items())]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def html(status: int = 200) -> Reply:
    """Answer with a page, as a CDN or a hotel's Wi-Fi does."""
    page = b"<html>\n<head><title>403 ERROR</title></head> The request could not be satisfied"
    return Reply(page, status, {"Content-Type": "text/html"})


def truncated(body: bytes) -> Answering:
    """Promise the whole body, send half of it and hang up."""

    def answer(exchange: Exchange) -> None:
        exchange.write(head(200, {}, len(body)) + body[: len(body) // 2])
        exchange.close()

    return answer


def dripping(data: bytes, seconds: float = 0.02) -> Answering:
    """Send the head and body in ``data`` one byte at a time until the server stops."""

    def answer(exchange: Exchange) -> None:
        for byte in data:
            exchange.write(bytes([byte]))
            if exchange.wait(seconds):
                break
        exchange.close()

    return answer


def slow_headers(seconds: float = 0.02) -> Answering:
    """Send headers one byte at a time, for ever."""
    return dripping(head(200, {f"X-{number}": "x" for number in range(1000)}, 2) + b"{}", seconds)


def slow_body(seconds: float = 0.02) -> Answering:
    """Send whole headers, then a body one byte at a time, for ever."""

    def answer(exchange: Exchange) -> None:
        exchange.write(head(200, {}, 100_000))
        dripping(b" " * 100_000, seconds)(exchange)

    return answer


def stall(exchange: Exchange) -> None:
    """Send headers and the first bytes, then nothing more."""
    exchange.write(head(200, {}, 1000) + b'{"data": [')
    exchange.wait()
    exchange.close()


def endless(exchange: Exchange) -> None:
    """Send a body without an end, as fast as it is read."""
    exchange.write(head(200, {}))
    while not exchange.wait(0):
        exchange.write(b" " * 65_536)
    exchange.close()


def gzip_bomb(members: int) -> Answering:
    """Send a gzip body whose every 64 kB inflate to 64 MB of zeros: 160 members are 10 GB."""
    return Reply(gzip.compress(bytes(64 << 20)) * members, headers={"Content-Encoding": "gzip"})


def redirect(target: str, status: int = 302) -> Reply:
    """Point to another address."""
    return Reply(b"", status, {"Location": target})


def reset(exchange: Exchange) -> None:
    """Break the connection off before a byte is sent."""
    exchange.reset()


def awake(_seconds: float) -> None:
    """Wait for nothing: what a client gets to sleep with between its tries."""


class CMCServer:
    """The server: starts in ``with``, on a free port of 127.0.0.1, one thread a connection."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.stopping = threading.Event()
        self._replies: defaultdict[str, list[Answering]] = defaultdict(list)
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._http = _HTTPServer(self, tls)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._http.server_port}"

    def on(self, path: str, *replies: Answering) -> None:
        """Set the replies to a path, in order; the last one is repeated."""
        with self._lock:
            self._replies[path] = list(replies)

    def asked(self, path: str) -> list[Request]:
        """Return the requests for a path so far."""
        return [request for request in self.requests if request.path == path]

    def reply_to(self, request: Request) -> Answering:
        """Record a request and return what answers it."""
        with self._lock:
            self.requests.append(request)
            replies = self._replies[request.path]
            return replies.pop(0) if len(replies) > 1 else replies[0] if replies else html(404)

    def opened(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stopping.set()
        self._http.shutdown()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            _shut(connection)
        self._http.server_close()
        self._thread.join()


class _HTTPServer(ThreadingHTTPServer):
    def __init__(self, owner: CMCServer, tls: ssl.SSLContext | None) -> None:
        self.owner = owner
        self._tls = tls
        super().__init__(("127.0.0.1", 0), _Handler)

    def finish_request(self, request: Asking, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        connection = self._tls.wrap_socket(request, server_side=True) if self._tls else request
        self.owner.opened(connection)
        try:
            super().finish_request(connection, client_address)
        finally:
            self.owner.closed(connection)
            connection.close()

    def handle_error(self, request: Asking, client_address: object) -> None:
        """Say nothing: a client that hangs up is what many tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _HTTPServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): text for name, text in self.headers.items()}
        request = Request(parts.path, dict(parse_qsl(parts.query)), headers)
        owner = self.server.owner
        owner.reply_to(request)(Exchange(self, request, owner))

    def log_message(self, *words: object) -> None:
        """Keep the tests' output clean."""


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        connection.close()
