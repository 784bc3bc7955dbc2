"""Delivering: each alert once to each target, by claims and marks in the archive.

A try is a create-only object, ``alerts/sent/<alert>`` with ``~2`` and so on for later ones, so of
two processes one tries. It is marked when it is sent or has failed; a claim without a mark is, a
while later, one of a process that died. So an alert is sent once, and twice only where a process
dies, or an answer is lost, between sending and marking.
"""

from __future__ import annotations

import logging
import re
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from coinlog.alerts.left import FOLDER, SENT, Alert, alert_paths, read_alert
from coinlog.archive import Archive
from coinlog.errors import AlertError, DamagedError
from coinlog.slots import DAY, MINUTE

CLAIM_SECONDS = 45.0
"""After which a claim without a mark is one of a process that died: Lambda tries after 60 s."""

FIRST_PAUSE = 30
LONGEST_PAUSE = 15 * MINUTE
KEPT_SECONDS = DAY
"""After which an alert that could not be sent is no news any more."""

_TRY = re.compile(r"(?P<alert>.+?)(?:\+(?P<target>[a-z0-9-]+))?(?:~(?P<number>[0-9]{1,4}))?")
_log = logging.getLogger(__name__)


class Receives(Protocol):
    """Where messages go: ``id`` is a part of its marks' names, empty for a topic of SNS."""

    id: str
    label: str

    def send(self, alert: Alert) -> str | None:
        """Send an alert and return the receiver's own id for it, or raise ``AlertError``."""


class Sent(msgspec.Struct, frozen=True):
    """The mark of a try: claimed, and then sent or failed; times in seconds UTC."""

    claimed_at: float
    sent_at: float | None = None
    message_id: str | None = None
    failed_at: float | None = None


class Delivery(msgspec.Struct, frozen=True):
    """What was sent, what failed and why, and when to try again (seconds UTC)."""

    sent: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    again_at: float | None = None


class Deliverer:
    """Sends what lies in an archive to some targets; remembers what needs no look any more."""

    def __init__(
        self,
        archive: Archive,
        targets: Sequence[Receives],
        *,
        first_pause: float = FIRST_PAUSE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._archive, self._targets, self._first_pause = archive, targets, first_pause
        self._clock = clock
        self._done: set[tuple[str, str]] = set()

    def deliver(self, over: Callable[[], bool] = lambda: False) -> Delivery:
        """Send each alert that has not been, as far as the time goes.

        A target that fails is left alone until the next call.

        Raises:
            ArchiveError: the archive cannot be used.
        """
        paths, tries = alert_paths(self._archive), self._tries()
        sent, failed, again = [], [], []
        for target in self._targets:
            for path in paths:
                if (path, target.id) in self._done:
                    continue
                if over():
                    break
                try:
                    later = self._once(target, path, tries[path, target.id])
                except AlertError as error:
                    failed.append(str(error))
                    again.append(self._clock() + self._pause(tries[path, target.id] + 1))
                    break
                if later is None:
                    sent.append(path)
                elif later:
                    again.append(later)
        return Delivery(tuple(dict.fromkeys(sent)), tuple(failed), min(again, default=None))

    def _tries(self) -> dict[tuple[str, str], int]:
        """Return how many tries there were of each alert for each target."""
        found: dict[tuple[str, str], int] = defaultdict(int)
        for path in self._archive.objects.paths(SENT):
            match = _TRY.fullmatch(path.removeprefix(SENT))
            if match:
                key = f"{FOLDER}{match['alert']}.json", match["target"] or ""
                found[key] = max(found[key], int(match["number"] or 1))
        return found

    def _once(self, target: Receives, path: str, tries: int) -> float | None:
        """Send one alert: ``None`` where it was, else when to look again, 0 for never."""
        now = self._clock()
        wait = self._wait(target, path, tries, now)
        if wait is not None:
            return wait
        alert = self._read(path)
        if alert is None or (alert.left_at or now) < now - KEPT_SECONDS:
            self._done.add((path, target.id))
            return 0.0
        mark = _mark(path, target, tries + 1)
        if not self._archive.objects.create(mark, msgspec.json.encode(Sent(now))):
            return now + CLAIM_SECONDS
        self._send(target, path, alert, mark, now)
        self._done.add((path, target.id))
        return None

    def _wait(self, target: Receives, path: str, tries: int, now: float) -> float | None:
        """Return when to try again, 0 for never; ``None`` where now is the time."""
        if not tries:
            return None
        mark = self._read_mark(_mark(path, target, tries))
        if mark.sent_at is not None:
            self._done.add((path, target.id))
            return 0.0
        if mark.failed_at is not None:
            due = mark.failed_at + self._pause(tries)
        else:
            due = mark.claimed_at + CLAIM_SECONDS
        return None if now >= due else due

    def _send(self, target: Receives, path: str, alert: Alert, mark: str, now: float) -> None:
        try:
            message_id = target.send(alert)
        except AlertError as error:
            marked = Sent(now, failed_at=self._clock())
            self._archive.objects.put(mark, msgspec.json.encode(marked))
            _log.warning("%s was not sent: %s", path, error)
            raise
        marked = Sent(now, self._clock(), message_id)
        self._archive.objects.put(mark, msgspec.json.encode(marked))

    def _pause(self, tries: int) -> float:
        return min(self._first_pause * float(1 << min(tries - 1, 10)), LONGEST_PAUSE)

    def _read(self, path: str) -> Alert | None:
        try:
            return read_alert(self._archive, path)
        except (DamagedError, msgspec.DecodeError):
            return None

    def _read_mark(self, path: str) -> Sent:
        try:
            return msgspec.json.decode(self._archive.objects.read(path), type=Sent)
        except (DamagedError, msgspec.DecodeError):
            # What cannot be read is no proof of having been sent.
            return Sent(0.0)


def _mark(path: str, target: Receives, number: int) -> str:
    to = f"+{target.id}" if target.id else ""
    later = f"~{number}" if number > 1 else ""
    return f"{SENT}{path.removeprefix(FOLDER).removesuffix('.json')}{to}{later}"
