"""The serving processes: they share the port, replace the dead and end together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
import sqlalchemy as sa

from coinlog.errors import SettingError
from coinlog.web.listening import listen
from program import page_settings
from samples import SLOT
from servers import wait_for_port
from sites import site_on

STOPPED_SECONDS = 5

SERVE = """
from coinlog.settings import load_settings
from coinlog.web.server import serve
import os
s = load_settings(os.environ, None)
serve(s.database_url, s.host, s.port, s.workers)
"""

BESIDE = """
from coinlog.settings import load_settings
from coinlog.web.server import start_workers
import os, sys
s = load_settings(os.environ, None)
handle = start_workers(s.database_url, s.host, s.port, s.workers)
print("started", flush=True)
sys.stdin.read()
handle.stop()
print("stopped", flush=True)
"""


@contextmanager
def running(
    program: str, folder: Path, workers: int = 2
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run a program that serves a store with one slot; give its process and address."""
    url = sa.URL.create("sqlite", database=str(folder / "coinlog.db"))
    with site_on(url) as site:
        site.store(SLOT)
    settings = page_settings(url, workers)
    port = int(settings["COINLOG_PORT"])
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, **settings},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        wait_for_port(port, process)
        yield process, f"http://127.0.0.1:{port}"
    finally:
        family = below(process.pid) if process.poll() is None else []
        for one in family:
            one.kill()
        process.kill()
        process.communicate()


def below(pid: int) -> list[psutil.Process]:
    """Return all processes that a process has started, and those that they have."""
    return psutil.Process(pid).children(recursive=True)


def test_workers_answer_and_end_together_at_sigterm(own_world: Path) -> None:
    with running(SERVE, own_world) as (process, address):
        assert httpx.get(f"{address}/live", timeout=20).status_code == 200
        family = below(process.pid)

        process.send_signal(signal.SIGTERM)

        assert process.wait(STOPPED_SECONDS) == 0
        assert len(family) == 2
        assert psutil.wait_procs(family, STOPPED_SECONDS)[1] == []


def test_they_end_even_with_a_request_that_never_comes(own_world: Path) -> None:
    with running(SERVE, own_world) as (process, address):
        httpx.get(f"{address}/live", timeout=20).raise_for_status()
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"GET / HTTP/1.1\r\n")

            process.send_signal(signal.SIGINT)

            assert process.wait(STOPPED_SECONDS) == 0


HANGING = (
    b"",
    b"GET / HTTP/1.1\r\nx: ",
    b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 20,
)


def test_they_end_in_time_with_a_thousand_sockets_that_hang(own_world: Path) -> None:
    with running(SERVE, own_world) as (process, address), ExitStack() as stack:
        httpx.get(f"{address}/live", timeout=20).raise_for_status()
        host, port = address.removeprefix("http://").split(":")
        for number in range(1000):
            client = stack.enter_context(socket.create_connection((host, int(port))))
            client.sendall(HANGING[number % len(HANGING)])
        assert httpx.get(f"{address}/live", timeout=20).status_code == 200
        family = below(process.pid)

        process.send_signal(signal.SIGTERM)

        assert process.wait(STOPPED_SECONDS) == 0
        assert psutil.wait_procs(family, STOPPED_SECONDS)[1] == []


def test_a_worker_that_dies_is_replaced(own_world: Path) -> None:
    with running(SERVE, own_world, workers=1) as (process, address):
        httpx.get(f"{address}/live", timeout=20).raise_for_status()
        (first,) = below(process.pid)

        first.kill()
        first.wait(STOPPED_SECONDS)
        answer = httpx.get(f"{address}/live", timeout=20)

        assert answer.status_code == 200
        assert [one.pid for one in below(process.pid)] != [first.pid]


def test_workers_beside_a_recorder_stop_when_it_says_so(own_world: Path) -> None:
    with running(BESIDE, own_world) as (process, address):
        assert httpx.get(f"{address}/", timeout=20).status_code == 200
        family = below(process.pid)

        out, _ = process.communicate(b"", timeout=20)

        assert out.split() == [b"started", b"stopped"]
        assert psutil.wait_procs(family, STOPPED_SECONDS)[1] == []
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{address}/live", timeout=20)


def test_they_do_not_outlive_a_recorder_that_is_killed(own_world: Path) -> None:
    with running(BESIDE, own_world) as (process, address):
        assert httpx.get(f"{address}/live", timeout=20).status_code == 200
        family = below(process.pid)

        process.kill()

        assert len(family) == 3
        assert psutil.wait_procs(family, STOPPED_SECONDS)[1] == []


def test_a_taken_port_is_explained_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for workers in (1, 2):
            with pytest.raises(SettingError) as caught:
                listen("127.0.0.1", port, workers)

            assert f"port {port} at 127.0.0.1 is taken" in str(caught.value)
            assert "AirPlay" in str(caught.value)
            assert "COINLOG_PORT=" in str(caught.value)


def test_a_second_recorder_does_not_share_the_port_of_the_first() -> None:
    first = listen("127.0.0.1", 0, 2)
    try:
        with pytest.raises(SettingError, match="is taken"):
            listen("127.0.0.1", first[0].getsockname()[1], 2)
    finally:
        for one in first:
            one.close()


def test_a_host_that_is_not_this_machine_is_explained() -> None:
    with pytest.raises(SettingError, match=r"expected an address of this machine"):
        listen("192.0.2.1", 0)
