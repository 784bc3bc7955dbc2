"""What a recorder does with a delivery: the program's own work, by a clock that it is handed."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import sqlalchemy as sa

from coinlog.archive import Archive, open_archive
from coinlog.aws import asking
from coinlog.aws.events import event_slot
from coinlog.aws.lending import Lent
from coinlog.aws.settling import first_slot
from coinlog.capturing import Captured, Plan, capture_unless_passed, current_slot
from coinlog.cli.running import _Recorder
from coinlog.errors import CoinlogError
from coinlog.loading import sweep
from coinlog.market import SourceKind
from coinlog.parts import Parts
from coinlog.recorder import Recording, record
from coinlog.settings import Settings, load_settings
from coinlog.slots import iso
from coinlog.sources.client import Client
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from coinlog.store.seen import Seen
from weather.deliveries import Delivery, Told
from weather.truth import STEP, TOP

BODY_LIMIT_BYTES = 4 << 20


class Desk:
    """What a recorder keeps from slot to slot: connections, and what ``coinlog up`` remembers."""

    def __init__(self) -> None:
        self._engines: dict[sa.URL, sa.Engine] = {}
        self._parts = _PartsInHand(self.engine)
        self._up = _Recorder(self._parts)

    def work(self, delivery: Delivery) -> Told:
        try:
            return self._work(delivery)
        except CoinlogError as error:
            return Told(error=f"{type(error).__name__}: {error}")
        except Exception:  # noqa: BLE001  whatever it is, it is told
            return Told(error=traceback.format_exc(limit=-3), expected_error=False)

    def engine(self, url: sa.URL) -> sa.Engine:
        """Return the connections to a store, kept from slot to slot."""
        if url not in self._engines:
            self._engines[url] = open_engine(url)
        return self._engines[url]

    def _work(self, delivery: Delivery) -> Told:
        clock = _clock(delivery.now)
        archive, slot = open_archive(str(delivery.archive)), current_slot(_plan(delivery), clock())
        if delivery.work == "load":
            return Told(slot, settled=self._load(delivery, archive, 0))
        if delivery.work == "capture":
            connect = partial(_connect, delivery, clock)
            return _told(
                slot, capture_unless_passed(archive, connect, _plan(delivery), slot, clock)
            )
        if delivery.scheduled is not None:
            return self._on_aws(delivery, archive, clock)
        return self._as_up(delivery, slot)

    def _as_up(self, delivery: Delivery, slot: int) -> Told:
        """Record as ``coinlog up`` does, with all that it remembers of the slots before."""
        # Its copies are other programs of the kind, that remember nothing.
        parts, up = self._parts, self._up
        if delivery.copies > 1:
            parts = _PartsInHand(self.engine)
            up = _Recorder(parts)
        parts.take(delivery)
        done = up(slot)
        return _told(slot, done.captured, done)

    def _on_aws(self, delivery: Delivery, archive: Archive, clock: Callable[[], float]) -> Told:
        """Capture and load as the functions do, woken by an event of a moment."""
        event = {"scheduled_time": iso(int(delivery.scheduled or 0))}
        slot = event_slot(event, STEP, clock())
        lent = Lent(_Context(delivery.deadline_seconds))
        captured = asking.capture(archive, _settings(delivery), slot, lent, clock=clock)
        since_slot = first_slot(self.engine(delivery.store_url), [], slot)
        settled = self._load(delivery, archive, since_slot)
        return replace(_told(slot, captured), settled=settled)

    def _load(self, delivery: Delivery, archive: Archive, since_slot: int) -> int:
        engine = self.engine(delivery.store_url)
        migrate(engine)
        return len(list(sweep(engine, archive, since_slot, _clock(delivery.now))))


class _PartsInHand(Parts):
    """The parts of ``coinlog up``, put together from a delivery instead of from settings."""

    def __init__(self, engine: Callable[[sa.URL], sa.Engine]) -> None:
        self._engine = engine

    def take(self, delivery: Delivery) -> None:
        """Be as a delivery says from now on."""
        self._delivery, self.plan = delivery, _plan(delivery)

    def recorder(
        self, *, since_slot: int = 0, seen: Seen | None = None
    ) -> Callable[[int], Recording]:
        delivery = self._delivery
        clock = _clock(delivery.now)
        return partial(
            record,
            self._engine(delivery.store_url),
            open_archive(str(delivery.archive)),
            partial(_connect, delivery, clock),
            self.plan,
            since_slot=since_slot,
            seen=seen,
            clock=clock,
        )


class _Context:
    """What Lambda hands to a call."""

    log_stream_name = "a function"

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + 4 * seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(1000 * (self._end - time.monotonic()))


def _clock(begin: float) -> Callable[[], float]:
    return partial(_since, begin, time.monotonic())


def _since(begin: float, started: float) -> float:
    return begin + time.monotonic() - started


def _plan(delivery: Delivery) -> Plan:
    kind, deadline = SourceKind.COINMARKETCAP, delivery.deadline_seconds
    return Plan(STEP, f"top:{TOP}", kind, deadline, patience_seconds=delivery.patience_seconds)


def _settings(delivery: Delivery) -> Settings:
    return load_settings(
        {
            "COINLOG_CMC_URL": delivery.source_url,
            "COINLOG_DATABASE_URL": delivery.store_url.render_as_string(hide_password=False),
            "COINLOG_DATA": str(delivery.archive.parent),
            "COINLOG_ARCHIVE": str(delivery.archive),
            "COINLOG_INTERVAL": "1h",
            "COINLOG_ASSETS": f"top:{TOP}",
        },
        None,
    )


def _connect(delivery: Delivery, clock: Callable[[], float]) -> Client:
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
        attempt=manifest.attempt if manifest else None,
        settled=len(recording.settled) if recording else 0,
        trouble=recording.trouble if recording else None,
        anew=bool(recording and recording.anew),
    )
