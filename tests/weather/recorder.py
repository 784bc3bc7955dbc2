"""A recorder in a process of its own, that records what it is handed until it is killed."""

from __future__ import annotations

import dataclasses
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Self

from weather.deliveries import Delivery, Told
from weather.desk import Desk

__all__ = ["PATIENCE_SECONDS", "Delivery", "Recorder", "Told", "fork"]

fork = multiprocessing.get_context("fork")

PATIENCE_SECONDS = 120.0


@dataclass
class Recorder:
    """A living recorder. ``environment`` is put into its process before anything else."""

    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ours, theirs = fork.Pipe()
        self._stopped, self._before = fork.RawValue("i", 0), 0
        # No daemon: over a store that was made anew it reads a long archive in a process beside it.
        self._process = fork.Process(
            target=_live, args=(self._ours, theirs, self._stopped, dict(self.environment))
        )
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        return int(self._process.pid or 0)

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def start(self, delivery: Delivery) -> None:
        """Hand it a delivery and come back at once."""
        self._before = self._stopped.value
        self._ours.send(delivery)

    def told(self, seconds: float = PATIENCE_SECONDS) -> list[Told]:
        """Wait for what it says, a line for each copy.

        Raises:
            TimeoutError: it hangs; it has been killed.
            EOFError: it was killed.
        """
        if not self._ours.poll(seconds):
            self.kill()
            raise TimeoutError(f"a recorder said nothing for {seconds:g} s")
        try:
            return list(self._ours.recv())
        except ConnectionResetError as error:
            raise EOFError from error

    def ended_within(self, seconds: float) -> bool:
        """Return whether a delivery ends within some seconds; ``told`` says what came of it."""
        return self._ours.poll(seconds)

    def stopped_within(self, seconds: float) -> bool:
        """Return whether the database stops a try of it, within some seconds and before it ends."""
        give_up = time.monotonic() + seconds
        while self._stopped.value == self._before and time.monotonic() < give_up:
            if self.ended_within(0.01):
                break
        return bool(self._stopped.value > self._before)

    def deliver(self, delivery: Delivery) -> Told:
        """Hand it one delivery and wait for what it says."""
        self.start(delivery)
        return self.told()[0]

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._process.kill()
        self._process.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class _Ear(logging.Handler):
    """Hears what is said of each try that the database stops; its keeper sees how many."""

    def __init__(self, stopped: Any) -> None:  # noqa: ANN401  a number that is shared
        super().__init__()
        self._stopped = stopped
        self._heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._heard.append(record.getMessage())
        self._stopped.value += 1

    def taken(self) -> tuple[str, ...]:
        """Return what was heard since the last time."""
        heard, self._heard = tuple(self._heard), []
        return heard


def _live(
    ours: Connection,
    theirs: Connection,
    stopped: Any,  # noqa: ANN401  a number that is shared
    environment: dict[str, str],
) -> None:
    ours.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Of all that it says only that counts which the database has stopped.
    logging.basicConfig(handlers=[logging.NullHandler()])
    ear = _Ear(stopped)
    logging.getLogger("coinlog.store").addHandler(ear)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.update(environment)
    time.tzset()
    # When the keeper ends, there is nobody to tell.
    with suppress(EOFError, ConnectionError):
        _work_on(theirs, ear)


def _work_on(theirs: Connection, ear: _Ear) -> None:
    parent, desk = os.getppid(), Desk()
    while os.getppid() == parent:
        if not theirs.poll(1):
            continue
        delivery: Delivery = theirs.recv()
        # Threads of a recorder are there only while it needs several.
        if delivery.copies == 1:
            told = desk.work(delivery)
            theirs.send([dataclasses.replace(told, stopped=ear.taken())])
        else:
            with ThreadPoolExecutor(delivery.copies) as pool:
                theirs.send(list(pool.map(desk.work, [delivery] * delivery.copies)))
