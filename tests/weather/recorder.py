"""A recorder in a process of its own, that records what it is handed until it is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Self

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
        # No daemon: over a store that was made anew it reads a long archive in a process beside it.
        self._process = fork.Process(
            target=_live, args=(self._ours, theirs, dict(self.environment))
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


def _live(ours: Connection, theirs: Connection, environment: dict[str, str]) -> None:
    ours.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.update(environment)
    time.tzset()
    # When the keeper ends, there is nobody to tell.
    with suppress(EOFError, ConnectionError):
        _work_on(theirs)


def _work_on(theirs: Connection) -> None:
    parent, desk = os.getppid(), Desk()
    while os.getppid() == parent:
        if not theirs.poll(1):
            continue
        delivery: Delivery = theirs.recv()
        # Threads of a recorder are there only while it needs several.
        if delivery.copies == 1:
            theirs.send([desk.work(delivery)])
        else:
            with ThreadPoolExecutor(delivery.copies) as pool:
                theirs.send(list(pool.map(desk.work, [delivery] * delivery.copies)))
