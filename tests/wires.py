"""A site behind the real server, on a port of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec

from coinlog.web.patience import Limits
from coinlog.web.security import SECURITY_HEADERS
from coinlog.web.worker import server_for
from sites import Site

SOON = 20.0
GET = b"GET %s HTTP/1.1\r\nhost: x\r\n%s\r\n"
PATIENT = Limits(receive_seconds=SOON)


@contextmanager
def wire(site: Site, limits: Limits = PATIENT) -> Iterator[tuple[str, int]]:
    """Serve a site from a thread, with limits, and give its address."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    server = server_for(site.app, limits)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield listener.getsockname()
    finally:
        server.should_exit = True
        thread.join()


def send(address: tuple[str, int], data: bytes) -> socket.socket:
    client = socket.create_connection(address, timeout=SOON)
    client.sendall(data)
    return client


def until_closed(client: socket.socket) -> bytes:
    """Return all that the server sends until it closes the connection."""
    said = b""
    # A server that closes while bytes of ours are unread resets the connection after its answer.
    with client, suppress(ConnectionResetError):
        while part := client.recv(65_536):
            said += part
    return said


def check_refusal(answer: bytes, status: int) -> None:
    """Fail unless an answer is an error in the one shape, with the headers of all answers."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0].split()[1] == str(status).encode()
    assert all(b"%s: %s" % pair in lines for pair in SECURITY_HEADERS)
    assert b"connection: close" in lines
    assert msgspec.json.decode(body)["error"]["status"] == status
