"""A site behind the real server, on a port of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from coinlog.web.protocol import Limits
from coinlog.web.worker import server_for
from sites import Site

SOON = 20.0
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
