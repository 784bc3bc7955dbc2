"""The serving processes: a parent that forks workers, restarts the dead, and ends all together.

The application is put together once, before forking, so that workers share its memory. Every
process holds one end of a pipe: when the process above it dies, even by SIGKILL, the pipe closes
and it ends too.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn, Protocol

import sqlalchemy as sa

from coinlog.web.admission import EVERYBODY, Admission
from coinlog.web.listening import listen

STOP_SECONDS = 4.0
_SOON_DEAD_SECONDS = 1.0
_GARBAGE_THRESHOLDS = (20_000, 5, 5)
_RESTART_SECONDS = (0.05, 5.0)

Serve = Callable[[list[socket.socket], int], None]
"""Serves on sockets until SIGTERM; run in each worker, which is told its number."""

Prepare = Callable[[], Serve]
"""Puts the application together; run once, in the process that forks the workers."""


class Handle(Protocol):
    """Serving processes that run beside us."""

    port: int

    def stop(self) -> None:
        """End them, within five seconds."""


def start_workers(
    store: sa.URL, host: str, port: int, workers: int = 1, admission: Admission = EVERYBODY
) -> Handle:
    """Open the port and serve the page in processes beside this one; return at once.

    Call it before starting threads: it forks. Where forking is unknown, a thread serves.

    Raises:
        SettingError: the port cannot be opened.
    """
    sockets = listen(host, port, workers)
    prepare = preparation(store, workers, admission)
    if not hasattr(os, "fork"):
        return InThread(prepare, sockets)
    return Beside(prepare, sockets, workers)


def serve(
    store: sa.URL, host: str, port: int, workers: int = 1, admission: Admission = EVERYBODY
) -> None:
    """Open the port and serve the page until SIGTERM or SIGINT.

    Raises:
        SettingError: the port cannot be opened.
    """
    sockets = listen(host, port, workers)
    prepare = preparation(store, workers, admission)
    if hasattr(os, "fork"):
        Supervisor(prepare(), sockets, workers).run()
    else:
        prepare()(sockets, 0)


def preparation(store: sa.URL, workers: int, admission: Admission = EVERYBODY) -> Prepare:
    """Return what puts the application together, with its imports: they cost time and memory."""

    def prepare() -> Serve:
        from coinlog.web.app import create_app  # noqa: PLC0415
        from coinlog.web.entries import CACHE_BYTES  # noqa: PLC0415
        from coinlog.web.tallies import Tallies  # noqa: PLC0415
        from coinlog.web.worker import limits_for, run_worker, warm_up  # noqa: PLC0415

        app = create_app(store, cache_bytes=CACHE_BYTES // workers)
        app.tallies = Tallies(workers)
        limits = limits_for(admission, workers)
        warm_up()
        return lambda sockets, number: run_worker(app, sockets, limits, number)

    return prepare


class Beside:
    """Workers under a supervising process of their own, so that forking stays free of threads."""

    def __init__(self, prepare: Prepare, sockets: list[socket.socket], workers: int) -> None:
        self.port: int = sockets[0].getsockname()[1]
        lifeline, self._lifeline = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(self._lifeline)
            _leave(lambda: Supervisor(prepare(), sockets, workers, lifeline).run())
        os.close(lifeline)
        for one in sockets:
            one.close()

    def stop(self) -> None:
        """End the workers and their supervisor, within five seconds."""
        if not self.pid:
            return
        pid, self.pid = self.pid, 0
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        if not _ended(pid, STOP_SECONDS + 0.5):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(self._lifeline)


class InThread:
    """One worker in a thread of this process, for systems that cannot fork."""

    def __init__(self, prepare: Prepare, sockets: list[socket.socket]) -> None:
        self.port: int = sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=lambda: prepare()(sockets, 0), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Leave the thread to end with the process."""


class Supervisor:
    """Keeps a number of workers alive until it is told to stop."""

    def __init__(
        self, work: Serve, sockets: list[socket.socket], workers: int, lifeline: int | None = None
    ) -> None:
        self.work = work
        self.sockets = sockets
        self.started: dict[int, tuple[int, float]] = {}
        self.waiting = dict.fromkeys(range(workers), 0.0)
        self.lifeline = lifeline
        self.stopping = False
        self.delay = _RESTART_SECONDS[0]

    def run(self) -> None:
        """Start the workers, restart those that die, and end all at SIGTERM or SIGINT."""
        # What exists by now is shared with the workers as long as nothing touches it.
        gc.collect()
        gc.freeze()
        # A year of quotes is 1,500 tuples, none of them garbage: the usual 700 would look twice.
        gc.set_threshold(*_GARBAGE_THRESHOLDS)
        own_end, self.workers_end = os.pipe()
        wake = _Wakeups(self._signalled)
        try:
            while not self.stopping:
                self._start_those_due(own_end)
                self._sleep(wake)
                self._bury()
        finally:
            self._end_all()
            wake.close()

    def _signalled(self, number: int, _frame: object) -> None:
        if number != signal.SIGCHLD:
            self.stopping = True

    def _start_those_due(self, lifeline: int) -> None:
        now = time.monotonic()
        for number in [number for number, due in self.waiting.items() if due <= now]:
            del self.waiting[number]
            pid = os.fork()
            if not pid:
                os.close(self.workers_end)
                _leave(lambda: self._become_worker(number, lifeline))  # noqa: B023  runs at once
            self.started[pid] = (number, now)

    def _become_worker(self, number: int, lifeline: int) -> None:
        signal.set_wakeup_fd(-1)
        for one in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(one, signal.SIG_DFL)
        threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
        self.work([self.sockets[number % len(self.sockets)]], number)

    def _sleep(self, wake: _Wakeups) -> None:
        """Wait for a signal, the end of the process above, or the next restart."""
        now = time.monotonic()
        seconds = max(0.0, min(self.waiting.values()) - now) if self.waiting else None
        ends = [wake.end, *([self.lifeline] if self.lifeline is not None else [])]
        ready, _, _ = select.select(ends, [], [], seconds)
        wake.clear()
        if self.lifeline in ready:
            self.stopping = True

    def _bury(self) -> None:
        """Note which workers have ended; one that lived briefly is restarted later and later."""
        for pid in list(self.started):
            if os.waitpid(pid, os.WNOHANG)[0]:
                number, since = self.started.pop(pid)
                now = time.monotonic()
                soon = now - since < _SOON_DEAD_SECONDS
                self.delay = (
                    min(self.delay * 2, _RESTART_SECONDS[1]) if soon else _RESTART_SECONDS[0]
                )
                self.waiting[number] = now + self.delay

    def _end_all(self) -> None:
        for pid in self.started:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        give_up = time.monotonic() + STOP_SECONDS
        for pid in self.started:
            if not _ended(pid, give_up - time.monotonic()):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


class _Wakeups:
    """Turns signals into something that ``select`` wakes up for."""

    def __init__(self, handler: Callable[[int, object], None]) -> None:
        self.end, self._other = os.pipe()
        for end in (self.end, self._other):
            os.set_blocking(end, False)
        self._fd = signal.set_wakeup_fd(self._other, warn_on_full_buffer=False)
        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
        self._handlers = {number: signal.signal(number, handler) for number in numbers}

    def clear(self) -> None:
        """Forget the signals that woke us."""
        with suppress(BlockingIOError):
            os.read(self.end, 4096)

    def close(self) -> None:
        """Give the signals back to whoever had them."""
        signal.set_wakeup_fd(self._fd)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        os.close(self.end)
        os.close(self._other)


def _leave(task: Callable[[], None]) -> NoReturn:
    """Run a child's whole life; nothing of the parent's is closed or flushed at its end."""
    status = 1
    try:
        task()
        status = 0
    except Exception:  # noqa: BLE001  a child has nobody above to tell
        import traceback  # noqa: PLC0415

        traceback.print_exc()
    finally:
        os._exit(status)


def _end_with(lifeline: int) -> None:
    """End this process when the one above has: then its end of the pipe is closed."""
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _ended(pid: int, seconds: float) -> bool:
    """Return whether a child has ended within some seconds."""
    give_up = time.monotonic() + seconds
    while True:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return True
        if time.monotonic() >= give_up:
            return False
        time.sleep(0.01)
