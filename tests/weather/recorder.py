"""A recorder in a process of its own, that records what it is handed until it is killed."""

from __future__ import annotations

import dataclasses
import logging
import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from msgspec.structs import replace

from coinlog.archive import open_archive
from coinlog.aws.events import event_slot
from coinlog.capturing import Captured, Plan, Standing, capture_unless_passed, current_slot
from coinlog.errors import CoinlogError
from coinlog.loading import sweep
from coinlog.market import SourceKind
from coinlog.recorder import Recording, record
from coinlog.slots import iso
from coinlog.sources.client import Client
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from weather.truth import STEP, TOP

fork = multiprocessing.get_context("fork")

PATIENCE_SECONDS = 120.0
DEADLINE_SECONDS = 19.0
"""Long enough for a machine with much else to do, and shorter than the 20 s for which a rate limit
that names no time is waited out."""

BODY_LIMIT_BYTES = 4 << 20


@dataclass(frozen=True)
class Delivery:
    """One waking of a recorder.

    Its clock stands at ``now``. ``scheduled`` is the moment that the event names, as on AWS;
    without it the recorder asks its clock, as ``coinlog up`` does. ``work`` is ``record``,
    ``capture`` or ``load``. It is delivered ``copies`` times at once, each to a thread. Waits
    between tries take no time; the deadline does.
    """

    now: float
    scheduled: float | None
    source_url: str
    store_url: sa.URL
    archive: Path
    work: str = "record"
    copies: int = 1
    deadline_seconds: float = DEADLINE_SECONDS
    patience_seconds: float = 0.0
    since_slot: int = 0


@dataclass(frozen=True)
class Told:
    """What a recorder says of one delivery; ``error`` is an exception that it raised."""

    slot: int | None = None
    standing: str | None = None
    outcome: str | None = None
    reason: str | None = None
    settled: int = 0
    trouble: str | None = None
    error: str | None = None
    expected_error: bool = True
    """Whether the exception is one that coinlog raises on purpose."""
    stopped: tuple[str, ...] = ()
    """What it said of each try that the database stopped, and that it made again."""


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
    parent, desk = os.getppid(), _Desk()
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


class _Desk:
    """What a recorder keeps from slot to slot: its connections to the database."""

    def __init__(self) -> None:
        self._engines: dict[sa.URL, sa.Engine] = {}

    def work(self, delivery: Delivery) -> Told:
        try:
            return self._work(delivery)
        except CoinlogError as error:
            return Told(error=f"{type(error).__name__}: {error}")
        except Exception:  # noqa: BLE001  whatever it is, it is told
            return Told(error=traceback.format_exc(limit=-3), expected_error=False)

    def _work(self, delivery: Delivery) -> Told:
        plan = Plan(STEP, f"top:{TOP}", SourceKind.COINMARKETCAP, delivery.deadline_seconds)
        plan = replace(plan, patience_seconds=delivery.patience_seconds)
        slot, clock = _slot_of(delivery, plan), _clock(delivery.now)
        if slot is None:
            return Told(standing=Standing.PASSED.name)
        if delivery.work == "load":
            return Told(slot, settled=self._load(delivery))
        archive = open_archive(str(delivery.archive))
        connect = partial(_connect, delivery, clock)
        if delivery.work == "capture":
            return _told(slot, capture_unless_passed(archive, connect, plan, slot, clock))
        engine = self._engine(delivery.store_url)
        since = delivery.since_slot
        done = record(engine, archive, connect, plan, slot, since_slot=since, clock=clock)
        return _told(slot, done.captured, done)

    def _load(self, delivery: Delivery) -> int:
        engine, archive = self._engine(delivery.store_url), open_archive(str(delivery.archive))
        migrate(engine)
        clock = _clock(delivery.now)
        return len(list(sweep(engine, archive, delivery.since_slot, clock)))

    def _engine(self, url: sa.URL) -> sa.Engine:
        if url not in self._engines:
            self._engines[url] = open_engine(url)
        return self._engines[url]


def _clock(begin: float) -> partial[float]:
    return partial(_since, begin, time.monotonic())


def _since(begin: float, started: float) -> float:
    return begin + time.monotonic() - started


def _slot_of(delivery: Delivery, plan: Plan) -> int | None:
    """Return the slot to record, ``None`` where it has passed: as ``up`` and as AWS do it."""
    if delivery.scheduled is None or delivery.work == "load":
        return current_slot(plan, delivery.now)
    event = {"scheduled_time": iso(delivery.scheduled)}
    slot = event_slot(event, plan.interval_seconds, delivery.now)
    return None if current_slot(plan, delivery.now) > slot else slot


def _connect(delivery: Delivery, clock: partial[float]) -> Client:
    return Client(
        delivery.source_url,
        deadline_seconds=delivery.deadline_seconds,
        body_limit_bytes=BODY_LIMIT_BYTES,
        clock=clock,
        sleep=lambda _: None,
    )


def _told(slot: int, captured: Captured, recording: Recording | None = None) -> Told:
    manifest = captured.manifest
    return Told(
        slot=slot,
        standing=captured.standing.name,
        outcome=manifest.outcome.value if manifest else None,
        reason=manifest.reason.value if manifest and manifest.reason else None,
        settled=len(recording.settled) if recording else 0,
        trouble=recording.trouble if recording else None,
    )
