"""Delivering: each alert once to each target, by claims and marks in the archive.

A claim without a mark is, a while later, one of a process that died. So an alert is sent once, and
again only where nobody can tell whether it was taken: a process died, or no answer came in time.
That ends after some tries; where it was surely not taken, it is tried for as long as it is news.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from threading import Thread
from typing import Protocol

import msgspec
from msgspec.structs import replace

from coinlog.alerts.left import FOLDER, Alert, in_order, incident_of, read_alert
from coinlog.alerts.marks import Sent, Tries, claim, mark_of, note, read_mark, read_tries
from coinlog.archive import Archive
from coinlog.errors import AlertError, DamagedError, PartlySentError, UncertainAlertError
from coinlog.slots import DAY, HOUR, MINUTE

CLAIM_SECONDS = 45.0
"""After which a claim without a mark is one of a process that died: Lambda tries after 60 s."""

SEND_SECONDS = 20.0
"""How long one message may take, whatever its receiver does."""

FIRST_PAUSE = 30
LONGEST_PAUSE = 15 * MINUTE
DOUBTFUL_PAUSES = (15 * MINUTE, 2 * HOUR, 8 * HOUR)
"""Before the next try where an alert may have been taken: then it is sent no more."""

MOST_REFUSED = 3
"""After so many alerts that a target did not take, it is left alone until the next call."""

KEPT_INTERVALS = 3
MOST_AT_ONCE = 16

_log = logging.getLogger(__name__)

Incident = Sequence[str]
"""The paths of the alerts of one incident, as they are told: fired, changed, recovered."""


class Receives(Protocol):
    """Where messages go: ``id`` is a part of its marks' names, empty for a topic of SNS."""

    id: str
    label: str

    def send(self, alert: Alert) -> str | None:
        """Send an alert and return the receiver's own id for it, or raise ``AlertError``."""


class Delivery(msgspec.Struct, frozen=True):
    """What was sent, what failed and why, and when to try again (seconds UTC)."""

    sent: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    again_at: float | None = None


def kept_seconds(interval_seconds: int) -> int:
    """Return after how long an alert that could not be sent is no news any more.

    Whoever records once a slot looks no sooner than at the next one.
    """
    return max(DAY, KEPT_INTERVALS * interval_seconds)


class Deliverer:
    """Sends what lies in an archive to some targets; remembers what needs no look any more."""

    def __init__(
        self,
        archive: Archive,
        targets: Sequence[Receives],
        *,
        kept: float = DAY,
        first_pause: float = FIRST_PAUSE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.archive, self.kept, self.first_pause = archive, kept, first_pause
        self.clock = clock
        self.done: set[tuple[str, str]] = set()
        self._targets = targets

    def waits(self) -> bool:
        """Return whether there is anything that is news still, sent or not."""
        return bool(self._young())

    def deliver(self, over: Callable[[], bool] = lambda: False) -> Delivery:
        """Send each alert that has not been, as far as the time goes.

        Targets are sent to at the same time: none waits for another that is slow.

        Raises:
            ArchiveError: the archive cannot be used.
        """
        incidents = _incidents(self._young())
        tries = read_tries(self.archive)
        rounds = [_Round(self, target, tries, over) for target in self._targets]
        for first in range(0, len(rounds), MOST_AT_ONCE):
            _all_at_once(rounds[first : first + MOST_AT_ONCE], incidents)
        for one in rounds:
            if one.broken:
                raise one.broken
        return Delivery(
            tuple(dict.fromkeys(path for one in rounds for path in one.sent)),
            tuple(text for one in rounds for text in one.failed),
            min((at for one in rounds for at in one.again), default=None),
        )

    def _young(self) -> list[str]:
        """Return the alerts that may be news: of one that was written long ago not even a mark is.

        When it was left stands in it; what was moved here later is looked at once more.
        """
        changed = self.archive.objects.changed(FOLDER.rstrip("/"))
        # The archive tells by the world's clock, whatever ours is in a test.
        oldest = time.time() - self.kept - HOUR
        return in_order(path for path, written in changed.items() if written >= oldest)


class _Round:
    """What is sent to one target in one call."""

    def __init__(
        self, deliverer: Deliverer, target: Receives, tries: Tries, over: Callable[[], bool]
    ) -> None:
        self._of, self._target, self._over = deliverer, target, over
        self._tries = {path: number for (path, to), number in tries.items() if to == target.id}
        self.sent: list[str] = []
        self.failed: list[str] = []
        self.again: list[float] = []
        self.broken: Exception | None = None
        self._refused = 0

    def go(self, incidents: Sequence[Incident]) -> None:
        """Send what can be sent; an alert that must wait holds up those of its own incident."""
        try:
            for incident in self._in_turn(incidents):
                for path in incident:
                    if self._over() or self._refused >= MOST_REFUSED:
                        return
                    if not self._is_done(path):
                        break
        except Exception as error:  # noqa: BLE001  it is raised where the threads come together
            self.broken = error

    def _in_turn(self, incidents: Sequence[Incident]) -> list[Incident]:
        """Return first what was never tried, oldest first, and then the rest, newest first.

        What has been tried takes a look at its mark, and there may be many of them.
        """
        new: list[Incident] = []
        tried: list[Incident] = []
        for one in incidents:
            (tried if all(path in self._tries for path in one) else new).append(one)
        return [*new, *reversed(tried)]

    def _is_done(self, path: str) -> bool:
        """Send an alert where it is due; return whether no more is to be done about it."""
        known = (path, self._target.id) in self._of.done
        done = known or self._send_if_due(path)
        if done:
            self._of.done.add((path, self._target.id))
        return done

    def _send_if_due(self, path: str) -> bool:
        now, tries = self._of.clock(), self._tries.get(path, 0)
        before = read_mark(self._of.archive, self._mark(path, tries)) if tries else None
        if before and before.sent_at is not None:
            return True
        due = self._due(before, tries) if before else now
        if due is None:
            return True
        if now < due:
            self.again.append(due)
            return False
        alert = self._read(path)
        if alert is None or (alert.left_at or now) < now - self._of.kept:
            return True
        doubts = before.doubts + (before.failed_at is None) if before else 0
        return self._send(path, alert, tries + 1, Sent(now, doubts=doubts))

    def _due(self, before: Sent, tries: int) -> float | None:
        """Return when to try again after a try that failed; ``None`` for never."""
        if before.doubts > len(DOUBTFUL_PAUSES):
            return None
        if before.failed_at is None:
            return before.claimed_at + CLAIM_SECONDS
        return before.failed_at + self._pause(before, tries)

    def _pause(self, before: Sent, tries: int) -> float:
        if before.uncertain:
            return DOUBTFUL_PAUSES[before.doubts - 1]
        return min(self._of.first_pause * float(1 << min(tries - 1, 10)), LONGEST_PAUSE)

    def _send(self, path: str, alert: Alert, number: int, claimed: Sent) -> bool:
        mark, archive = self._mark(path, number), self._of.archive
        if not claim(archive, mark, claimed):
            self.again.append(claimed.claimed_at + CLAIM_SECONDS)
            return False
        try:
            message_id = self._target.send(alert)
        except PartlySentError as error:
            self._note_failure(path, error)
            note(archive, mark, replace(claimed, sent_at=self._of.clock()))
            return True
        except AlertError as error:
            self._note_failure(path, error)
            return self._put_off(mark, number, claimed, error)
        note(archive, mark, replace(claimed, sent_at=self._of.clock(), message_id=message_id))
        self.sent.append(path)
        return True

    def _note_failure(self, path: str, error: AlertError) -> None:
        _log.warning("%s was not sent: %s", path, error)
        self.failed.append(str(error))

    def _put_off(self, mark: str, number: int, claimed: Sent, error: AlertError) -> bool:
        """Mark a try that failed; return whether it was the last one."""
        uncertain = isinstance(error, UncertainAlertError)
        # Who does not answer in time will hardly do so for the next alert.
        self._refused += MOST_REFUSED if uncertain else 1
        doubts = claimed.doubts + uncertain
        now = self._of.clock()
        failed = replace(claimed, failed_at=now, uncertain=uncertain, doubts=doubts)
        note(self._of.archive, mark, failed)
        due = self._due(failed, number)
        self.again += [] if due is None else [due]
        return due is None

    def _read(self, path: str) -> Alert | None:
        try:
            return read_alert(self._of.archive, path)
        except (DamagedError, msgspec.DecodeError):
            return None

    def _mark(self, path: str, number: int) -> str:
        return mark_of(path, self._target.id, number)


def _all_at_once(rounds: Sequence[_Round], incidents: Sequence[Incident]) -> None:
    """Let some targets be sent to at once; a thread that hangs keeps no process from ending."""
    if len(rounds) == 1:
        rounds[0].go(incidents)
        return
    threads = [
        Thread(target=one.go, args=(incidents,), daemon=True, name="coinlog-deliver")
        for one in rounds
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _incidents(paths: Sequence[str]) -> list[Incident]:
    """Return the alerts by incident, oldest first, each in the order in which it is told."""
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(incident_of(path), []).append(path)
    return [found[name] for name in sorted(found)]
