"""One deadline over everything a request does: connecting, TLS, headers and body.

A read time-out alone never fires against a server that sends one byte a second, so every single
operation on the socket gets no more time than what is left of the whole. Looking up a name is
the system's own affair and has the system's own time-out.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable

import httpcore
import httpx
from httpcore import SOCKET_OPTION


class Deadline:
    """A moment after which nothing more is begun or waited for; ``left()`` is in seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left, 0 when it has passed."""
        return max(0.0, self._end - time.monotonic())

    def cap(self, timeout: float | None) -> float:
        """Return a time-out in seconds cut to what is left.

        Raises:
            httpcore.ReadTimeout: nothing is left.
        """
        left = self.left()
        if left <= 0:
            raise httpcore.ReadTimeout("the deadline has passed")
        return left if timeout is None else min(timeout, left)


class _Stream(httpcore.NetworkStream):
    """A network stream whose every operation ends by the deadline."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.cap(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.cap(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        timeout = self._deadline.cap(timeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout), self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    """Opens connections that know the deadline."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of a name that answers.

        The standard library gives each address the whole time-out, and a CDN has many: here
        each gets no more than what is left.
        """
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in _addresses(host, port):
            try:
                inner = super().connect_tcp(
                    address, port, self._deadline.cap(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(inner, self._deadline)
        raise failure


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"the name {host!r} was not found: {error}") from error
    return list(dict.fromkeys(str(info[4][0]) for info in found))


class DeadlineTransport(httpx.HTTPTransport):
    """httpx's own transport on sockets that know the deadline."""

    def __init__(self, deadline: Deadline, tls: ssl.SSLContext, proxy: str | None = None) -> None:
        super().__init__(verify=tls, proxy=proxy)
        # httpx passes no network backend on to httpcore, where it is a public parameter. A test
        # with headers at one byte at a time fails should this ever stop working.
        self._pool._network_backend = _Backend(deadline)  # noqa: SLF001
