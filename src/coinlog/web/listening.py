"""Opening the port before anything else, and explaining why it cannot be opened."""

from __future__ import annotations

import errno
import socket
import sys
from typing import Any

from coinlog.errors import SettingError

BACKLOG = 1024


def listen(host: str, port: int, sockets: int = 1) -> list[socket.socket]:
    """Return listening sockets, one for each worker where the system can spread connections.

    Elsewhere there is one, which all workers share.

    Raises:
        SettingError: the port is taken or may not be used, or the host is not this machine.
    """
    first = _bound(host, port, shared=False)
    if sockets == 1 or sys.platform != "linux":
        return [first]
    # The first was there to find out whether anybody else has the port: sockets that share it
    # would not notice.
    port = first.getsockname()[1]
    first.close()
    return [_bound(host, port, shared=True) for _ in range(sockets)]


def _bound(host: str, port: int, *, shared: bool) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, protocol)
        try:
            _bind(found, address, shared=shared)
        except OSError:
            found.close()
            raise
    except OSError as error:
        raise SettingError(_why(host, port, error)) from error
    return found


def _bind(unbound: socket.socket, address: Any, *, shared: bool) -> None:  # noqa: ANN401  a family's own
    unbound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        unbound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    unbound.bind(address)
    unbound.listen(BACKLOG)
    unbound.setblocking(False)  # noqa: FBT003  its argument has no name


def _why(host: str, port: int, error: OSError) -> str:
    other = port + 1 if port < 65_535 else port - 1  # noqa: PLR2004  the highest port
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} at {host} is taken by another program, or by coinlog with other "
            f"settings (macOS uses 5000 for AirPlay; `coinlog doctor` tells whose it is): choose "
            f"another, for example COINLOG_PORT={other}"
        )
    if error.errno == errno.EACCES:
        return (
            f"port {port} may not be opened by this user: choose one above 1023, for example "
            "COINLOG_PORT=5000"
        )
    return (
        f"{host!r} port {port} cannot be listened at ({error.strerror or error}): expected an "
        "address of this machine, for example COINLOG_HOST=127.0.0.1"
    )
