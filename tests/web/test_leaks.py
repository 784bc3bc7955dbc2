"""A thousand requests of all kinds leave no file, thread or connection behind."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from itertools import cycle, islice
from pathlib import Path

import httpx
import psutil
import sqlalchemy as sa

from program import page_settings, running
from samples import SLOT
from sites import site_on, slots_before

REQUESTS = 1000
WARM = 150
PATIENCE = 30
ASKED = (
    *("/", "/es/", "/assets/1", "/compare?ids=1,1027", "/log", "/market?offset=1", "/overview"),
    *("/api/v1/assets?limit=1", "/api/v1/assets/1/series?range=7d", "/api/v1/log"),
    *("/api/v1/assets/1/series.csv?range=7d", "/data/latest.json", "/spark/1.svg", "/log.atom"),
    *("/live", "/ready", "/fresh", "/metrics", "/schema", "/schema/openapi.json"),
    *("/nowhere", "/api/v1/assets?limit=0", "/assets/99", "/%ff", "/og/home.png?range=7d"),
)


def test_a_thousand_requests_of_all_kinds_leave_nothing_behind(own_world: Path) -> None:
    url = sa.URL.create("sqlite", database=str(own_world / "coinlog.db"))
    with site_on(url) as site:
        site.store(*slots_before(20, SLOT))
    settings = page_settings(url, workers=1)
    port = int(settings["COINLOG_PORT"])
    with running("serve", **settings) as process:
        # Threads and connections that are kept for good are there from then on.
        ask(port, WARM)
        (worker,) = psutil.Process(process.pid).children()
        before = settled(worker)

        ask(port, REQUESTS)

        until_as_before(worker, before)
        assert psutil.Process(process.pid).children() == [worker]


def ask(port: int, count: int) -> None:
    """Ask for one thing after another: whole, headers alone, packed, again, or and then leave."""
    transport = httpx.HTTPTransport(retries=8)
    with httpx.Client(transport=transport, trust_env=False, timeout=30) as client:
        for number, path in enumerate(islice(cycle(ASKED), count)):
            address = f"http://127.0.0.1:{port}{path}"
            if number % 7 == 3:
                leave_early(port, path)
            elif number % 7 == 5:
                client.get(address, headers={"connection": "close"})
            else:
                method = "HEAD" if number % 11 == 0 else "DELETE" if number % 13 == 0 else "GET"
                answer = client.request(method, address)
                # Slots of long ago are not fresh, and that is said.
                assert (answer.status_code < 500) != (path == "/fresh" and method != "DELETE"), path


def leave_early(port: int, path: str) -> None:
    """Ask, and be gone before the answer; or send half a request."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as one, suppress(OSError):
        one.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode())
        if len(path) % 2:
            one.sendall(b"\r\n")


def settled(worker: psutil.Process) -> tuple[int, int]:
    """Return the files and threads of a worker once nobody is connected."""
    give_up = time.monotonic() + PATIENCE
    while any(one.status == psutil.CONN_ESTABLISHED for one in worker.net_connections()):
        assert time.monotonic() < give_up
    return worker.num_fds(), worker.num_threads()


def until_as_before(worker: psutil.Process, before: tuple[int, int]) -> None:
    give_up = time.monotonic() + PATIENCE
    while (now := settled(worker)) > before:
        assert time.monotonic() < give_up, f"{before} files and threads have become {now}"
