"""How long a connection may take: to send a request, to ask for the next, to read an answer.

uvicorn waits for the rest of a request, and for an answer to be read, as long as the client
likes. Here a request must be complete within ``receive_seconds``, an idle connection is closed,
and whoever reads more slowly than ``READ_BYTES_A_SECOND`` is cut off.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from dataclasses import dataclass
from fcntl import ioctl
from socket import SO_LINGER, SOL_SOCKET
from struct import pack
from termios import TIOCOUTQ
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from coinlog.web.allowance import Allowance
from coinlog.web.proxies import NOBODY, Networks
from coinlog.web.refusals import TOO_SLOW, UNREADABLE

RECEIVE_SECONDS = 20.0
IDLE_SECONDS = 15.0
MAX_HEAD_BYTES = 32 * 1024
MAX_CONNECTIONS = 1000
READ_BYTES_A_SECOND = 1024

_AT_ONCE = pack("ii", 1, 0)
"""Linger for 0 seconds."""


@dataclass(frozen=True)
class Limits:
    """What one worker allows a client, and which proxies' word it takes.

    ``connections`` is how many there are at once, ``connections_of_one`` those of one address (0:
    any number).
    """

    receive_seconds: float = RECEIVE_SECONDS
    connections: int = MAX_CONNECTIONS
    head_bytes: int = MAX_HEAD_BYTES
    idle_seconds: float = IDLE_SECONDS
    proxies: Networks = NOBODY
    connections_of_one: int = 0
    allowance: Allowance | None = None


class PatientConnection(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 with clocks: patient, but not for ever."""

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
        self._reading: asyncio.TimerHandle | None = None
        self._unread = 0
        self._answered = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._stop_deadline()
        self._stop_watching()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    @property
    def _busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection; one that is still read from is not idle."""
        if not self._left_to_read():
            super().timeout_keep_alive_handler()
            return
        self._wait_for_the_next()
        if self._reading is None:
            self._watch_reading()

    def _wait_for_the_next(self) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _start_deadline(self) -> None:
        self._deadline = self.loop.call_later(self.limits.receive_seconds, self._give_up)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if self._busy or self._answered or self.transport.is_closing():
            self._cut_off()
        else:
            self._refuse(TOO_SLOW)

    def _watch_reading(self) -> None:
        """Cut the connection off later on, if the client has not read much of what it asked for."""
        self._stop_watching()
        self._unread = self._left_to_read()
        self._reading = self.loop.call_later(self.limits.receive_seconds, self._look_at_reading)

    def _look_at_reading(self) -> None:
        self._reading = None
        left = self._left_to_read()
        expected = READ_BYTES_A_SECOND * self.limits.receive_seconds
        if left and self._unread - left < expected:
            self._cut_off()
        elif left:
            self._watch_reading()

    def _left_to_read(self) -> int:
        """Return the bytes that the client has not read: ours, and those the system has taken."""
        size: int = self.transport.get_write_buffer_size()
        taken = bytearray(4)
        with suppress(OSError, AttributeError):  # not every system tells
            ioctl(self.transport.get_extra_info("socket").fileno(), TIOCOUTQ, taken)
        return size + int.from_bytes(taken, sys.byteorder)

    def _stop_watching(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  ours says more
        """Refuse what cannot be parsed."""
        self._refuse(UNREADABLE)

    def _refuse(self, answer: bytes) -> None:
        if self._busy:
            self._end_after_answers()
        elif not self.transport.is_closing():
            self._turn_away(answer)

    def _turn_away(self, answer: bytes) -> None:
        self.transport.write(answer)
        self.transport.close()

    def _end_after_answers(self) -> None:
        """Read no more; what was asked before is still answered, and nothing in between."""
        if self._busy:
            self.cycle.keep_alive = False
            self.flow.pause_reading()
        else:
            self.transport.close()

    def _cut_off(self) -> None:
        """Close, and have the system forget what was not read instead of keeping it for a while."""
        with suppress(OSError, AttributeError):
            self.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, _AT_ONCE)
        self.transport.abort()
