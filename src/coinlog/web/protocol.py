"""HTTP/1.1 for a public port: uvicorn's parser with deadlines and bounds of our own.

uvicorn waits for the rest of a request as long as the client likes. Here a request's head and
body must be complete within ``RECEIVE_SECONDS``, its head stays under ``MAX_HEAD_BYTES``, an
idle connection and one whose client does not read are closed, and so are connections beyond
``limit``. Refusals carry the same headers as every other answer.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from coinlog.web.cache import ByteCache
from coinlog.web.entries import Form
from coinlog.web.proxies import HTTPS, NOBODY, Networks, is_among, scheme_said
from coinlog.web.security import STRICT, error_body, error_headers
from coinlog.web.tallies import CONNECTIONS

RECEIVE_SECONDS = 20.0
IDLE_SECONDS = 15.0
MAX_HEAD_BYTES = 32 * 1024
MAX_CONNECTIONS = 1000

_WITH_BODY = (b"content-length", b"transfer-encoding", b"upgrade", b"expect")
_STRICTLY = b"%s: %s\r\n" % STRICT
_ENDS_KEEPING = b"\r\n\r\n"
_ENDS_CLOSING = b"\r\nconnection: close\r\n\r\n"


class Limits:
    """What one worker allows a client, and which proxies' word it takes."""

    def __init__(
        self,
        receive_seconds: float = RECEIVE_SECONDS,
        connections: int = MAX_CONNECTIONS,
        head_bytes: int = MAX_HEAD_BYTES,
        idle_seconds: float = IDLE_SECONDS,
        *,
        proxies: Networks = NOBODY,
    ) -> None:
        self.proxies = proxies
        self.receive_seconds = receive_seconds
        self.idle_seconds = idle_seconds
        self.connections = connections
        self.head_bytes = head_bytes


def refusal(status: int, message: str) -> bytes:
    """Return a whole HTTP answer in the API's error shape that ends the connection."""
    body = error_body(status, message)
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()]
    lines += [b"%s: %s\r\n" % pair for pair in error_headers(status, body, close=True)]
    return b"".join([*lines, b"\r\n", body])


UNREADABLE = refusal(400, "this is not an HTTP request that can be read")
HEAD_TOO_LARGE = refusal(400, "the request's address and headers are too long to be read")
TOO_SLOW = refusal(408, "the request did not arrive in time")
TOO_MANY = refusal(503, "too many connections at this moment: try again in a minute")


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 with a deadline for receiving a request."""

    limits = Limits()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        # uvicorn's own setting knows whole seconds only.
        self.timeout_keep_alive: float = self.limits.idle_seconds  # type: ignore[assignment]
        self._deadline: asyncio.TimerHandle | None = None
        self._in_request = False
        self._in_head = True
        self._answered = False
        self._head_bytes = 0
        self._from_proxy = False
        self._cache = self.app if isinstance(self.app, ByteCache) else None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock: a connection that asks nothing is as slow as one that never ends."""
        super().connection_made(transport)
        self._count_connections()
        self._from_proxy = is_among(self.client, self.limits.proxies)
        if len(self.connections) > self.limits.connections:
            self._refuse(TOO_MANY)
        else:
            self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_deadline()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)
        self._count_connections()

    def data_received(self, data: bytes) -> None:
        """Take a part of a request; a deadline runs from its first byte to its last."""
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self.limits.head_bytes:
                self._refuse(HEAD_TOO_LARGE)
                return
        super().data_received(data)
        if not self._in_request:
            self._stop_deadline()
        elif self._deadline is None:
            self._start_deadline()

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        self._in_request = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Answer at once what was answered before; hand everything else to the application."""
        self._in_head = False
        if self._from_proxy:
            said = scheme_said(self.headers, self.scope["scheme"])
            self.scope["scheme"] = said
        form = self._form_at_once()
        if form is None:
            super().on_headers_complete()
        else:
            self._answered = True
            self._send(form)

    def _form_at_once(self) -> Form | None:
        """Return an answer that needs no application, task or waiting, if there is one.

        Answers leave in the order of their requests, so none may be in the making before it.
        """
        busy = self.cycle is not None and not self.cycle.response_complete
        if self._cache is None or busy or self.flow.write_paused:
            return None
        if any(name in _WITH_BODY for name, _ in self.headers):
            return None
        method = self.parser.get_method()
        return self._cache.at_once(method, self.url, self.headers, self.scope["scheme"])

    def _send(self, form: Form) -> None:
        date = self.server_state.default_headers[0][1]
        self.server_state.total_requests += 1
        keep = self.parser.should_keep_alive()
        ends = _ENDS_KEEPING if keep else _ENDS_CLOSING
        strictly = _STRICTLY if self.scope["scheme"] == HTTPS else b""
        self.transport.writelines((form.wire, strictly, b"date: ", date, ends, form.content))
        self._unset_keepalive_if_required()
        if keep:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        else:
            self.transport.close()

    def on_message_complete(self) -> None:
        """Note that a request is complete: its answer may take its time."""
        self._in_request = False
        self._in_head = True
        self._head_bytes = 0
        if self._answered:
            self._answered = False
        else:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  ours says more
        """Refuse what cannot be parsed."""
        self._refuse(UNREADABLE)

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection; cut it off where the client does not read its answer."""
        if self.transport.get_write_buffer_size():
            self._deadline = self.loop.call_later(self.limits.receive_seconds, self._cut_off)
        super().timeout_keep_alive_handler()

    def _start_deadline(self) -> None:
        self._deadline = self.loop.call_later(self.limits.receive_seconds, self._give_up)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        answering = self.cycle is not None and not self.cycle.response_complete
        if answering or self.transport.is_closing():
            self._cut_off()
        else:
            self._refuse(TOO_SLOW)

    def _count_connections(self) -> None:
        if self._cache is not None:
            self._cache.tallies.counts[CONNECTIONS] = len(self.connections)

    def _refuse(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            if self._cache is not None:
                self._cache.tallies.refused(int(answer[9:12]))
            self.transport.write(answer)
            self.transport.close()

    def _cut_off(self) -> None:
        self.transport.abort()


def protocol_with(limits: Limits) -> type[PatientProtocol]:
    """Return the protocol with other limits than the usual."""
    return type("PatientProtocol", (PatientProtocol,), {"limits": limits})
