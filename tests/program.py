"""The real program, started as a user starts it."""

from __future__ import annotations

import json
import logging
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pymysql
import sqlalchemy as sa
from click.testing import CliRunner

from coinlog.cli import main
from servers import free_port

COMMAND = (sys.executable, "-m", "coinlog")
STOP_SECONDS = 5


def page_settings(store: sa.URL, workers: int = 2) -> dict[str, str]:
    """Return what ``serve`` is told of a store, with a port that nobody has."""
    return {
        "COINLOG_DATABASE_URL": store.render_as_string(hide_password=False),
        "COINLOG_PORT": str(free_port()),
        "COINLOG_WORKERS": str(workers),
    }


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def run_json(*arguments: str, **environment: str) -> dict[str, Any]:
    """Run a command that succeeds and return the JSON it prints."""
    return _told(run(*arguments, "--json", **environment))


def _told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def run_here(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end within this process, for what it says and does once it runs.

    A process of its own takes half a second to start; that it does is what others prove.
    """
    with _left_as_it_was():
        done = CliRunner().invoke(main, arguments, env=environment, prog_name="coinlog")
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


@contextmanager
def _left_as_it_was() -> Iterator[None]:
    """Put back what a command changes for its whole process, and close what ends with that."""
    opened: list[Any] = []

    def note(connection: object, _record: object) -> None:
        opened.append(connection)

    sa.event.listen(sa.pool.Pool, "connect", note)
    loggers = [logging.getLogger(name) for name in ("coinlog", "sqlalchemy.pool")]
    levels = [logger.level for logger in loggers]
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    sa.event.remove(sa.pool.Pool, "connect", note)
    for connection in opened:
        with suppress(pymysql.Error):  # closed already
            connection.close()
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def run_json_here(*arguments: str, **environment: str) -> dict[str, Any]:
    """Run a command that succeeds within this process and return the JSON it prints."""
    return _told(run_here(*arguments, "--json", **environment))


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start a command and leave it running."""
    return _started(arguments, environment)


def _started(
    arguments: Sequence[str], environment: Mapping[str, str], stdin: int | None = None
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=stdin,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def running(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command beside the test; it must end cleanly within 5 s of SIGTERM."""
    with _ended_by_sigterm(start(*arguments, **environment)) as process:
        yield process


@contextmanager
def at_terminal(
    *arguments: str, **environment: str
) -> Iterator[tuple[subprocess.Popen[str], Callable[[str], object]]]:
    """Run a command beside the test that takes a terminal for its input; yield what types there."""
    ours, theirs = pty.openpty()
    try:
        with _ended_by_sigterm(_started(arguments, environment, theirs)) as process:
            yield process, lambda text: os.write(ours, text.encode())
    finally:
        os.close(ours)
        os.close(theirs)


@contextmanager
def _ended_by_sigterm(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise


def read_until(process: subprocess.Popen[str], text: str) -> list[str]:
    """Return the lines that a process prints up to one that holds ``text``.

    One that does not print it within a minute is killed, and the test fails.
    """
    lines: list[str] = []
    assert process.stdout is not None
    patience = threading.Timer(60, process.kill)
    patience.start()
    try:
        for line in process.stdout:
            lines.append(line)
            if text in line:
                return lines
    finally:
        patience.cancel()
    raise AssertionError(f"ended without {text!r}: {''.join(lines)}")


def get(port: int, path: str = "/") -> httpx.Response:
    """Ask the page, as soon as it listens."""
    transport = httpx.HTTPTransport(retries=8)
    with httpx.Client(transport=transport, trust_env=False) as client:
        return client.get(f"http://127.0.0.1:{port}{path}", timeout=20)
