"""Sockets that hang on a server in the four ways there are, and come back when they are closed.

A program of its own: ``hanging.py PORT COUNT HOST...`` opens its sockets from the hosts in turn,
says ``hanging`` once all have been opened, and goes on until its input ends.
"""

from __future__ import annotations

import select
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle

BYTE_SECONDS = 5.0
BACK_SECONDS = 5.0
ANSWER_SECONDS = 20.0
LARGE = b"/api/v1/assets?limit=5000"
_UNREAD_BYTES = 4096

WAYS = (
    b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\nX-Slow: ",
    b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET " + LARGE + b" HTTP/1.1\r\nHost: x\r\n\r\n",
)
"""A head that drips; one that drips and whose body never comes; nothing more; nothing read."""

_DRIPS = WAYS[:2]
_UNREAD = WAYS[3]


class Hanging:
    """One socket that hangs in one way."""

    def __init__(self, port: int, host: str, way: bytes) -> None:
        self.port, self.host, self.way = port, host, way
        self.socket: socket.socket | None = None
        self.next_at = 0.0

    def open(self, selector: selectors.BaseSelector) -> None:
        """Connect and say the first words."""
        one = socket.socket()
        try:
            if self.way == _UNREAD:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _UNREAD_BYTES)
            one.bind((self.host, 0))
            one.connect(("127.0.0.1", self.port))
            one.sendall(self.way)
            one.settimeout(0)
        except OSError:
            one.close()
            self.next_at = time.monotonic() + BACK_SECONDS
            return
        self.socket = one
        self.next_at = time.monotonic() + BYTE_SECONDS
        if self.way != _UNREAD:
            selector.register(one, selectors.EVENT_READ, self)

    def read(self, selector: selectors.BaseSelector) -> None:
        """Take what the server says; come back a little later where it has closed."""
        with suppress(BlockingIOError):
            try:
                said = self.socket.recv(65_536) if self.socket else b""
            except ConnectionError:
                said = b""
            if not said:
                self.close(selector)

    def close(self, selector: selectors.BaseSelector) -> None:
        """Come back a little later."""
        if self.socket is not None:
            with suppress(KeyError):
                selector.unregister(self.socket)
            self.socket.close()
            self.socket = None
        self.next_at = time.monotonic() + BACK_SECONDS

    def act(self, selector: selectors.BaseSelector) -> None:
        """Send one more byte, or come back."""
        if self.socket is None:
            self.open(selector)
            return
        self.next_at = time.monotonic() + BYTE_SECONDS
        try:
            if self.way in _DRIPS:
                self.socket.send(b"x")
            elif self.way == _UNREAD and _is_closed(self.socket):
                self.close(selector)
        except BlockingIOError:
            pass
        except OSError:
            self.close(selector)


def _is_closed(one: socket.socket) -> bool:
    return one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0


def _wait_for_answers(hanging: list[Hanging]) -> None:
    """Wait until all that asked something have been answered, or sent away."""
    for one in hanging:
        if one.socket is not None and one.way not in _DRIPS:
            readable = select.poll()
            readable.register(one.socket, select.POLLIN)
            readable.poll(ANSWER_SECONDS * 1000)


def hang(port: int, count: int, hosts: list[str]) -> None:
    """Hang until the input ends."""
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin, selectors.EVENT_READ)
    places: Iterator[str] = cycle(hosts)
    ways = cycle(WAYS)
    all_of_them = [Hanging(port, next(places), next(ways)) for _ in range(count)]
    for one in all_of_them:
        one.open(selector)
    _wait_for_answers(all_of_them)
    print("hanging", flush=True)
    while True:
        for key, _ in selector.select(0.2):
            if key.data is None:
                return
            key.data.read(selector)
        now = time.monotonic()
        for one in all_of_them:
            if one.next_at <= now:
                one.act(selector)


if __name__ == "__main__":
    hang(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
