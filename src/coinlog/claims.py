"""Claims: of many recorders at one slot, one asks the source, and a dead one is replaced.

A claim is a create-only object in the archive, so whoever creates it has it, in a folder and on
S3 alike. It ends when its attempt's manifest is there, when its process is gone, or when the
deadline of the capture has long passed; then the next recorder claims with the next number.
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import msgspec
import psutil

from coinlog.archive import Archive
from coinlog.attempts import AttemptKey, Claim, Manifest, SinceBoot
from coinlog.errors import DamagedError
from coinlog.market import Outcome

MARGIN_SECONDS = 30
# A process id is not given again within this time, and clocks are set by less.
SAME_PROCESS_SECONDS = 60

_BOOT = Path("/proc/sys/kernel/random/boot_id")
# Which field of /proc/PID/stat is the time at which a process began, in ticks since the boot.
_STARTED = 22

# What this living process has given up: by archive, slot and number.
_given_up: set[tuple[str, int, int]] = set()


class Claimed(msgspec.Struct, frozen=True):
    """The answer to a claim: its ``number``, or why there is none.

    Without a number, ``stored`` is the attempt that has the slot already, or ``None`` where
    another recorder is at work on it.
    """

    number: int | None = None
    stored: Manifest | None = None


def claim_slot(
    archive: Archive, slot: int, deadline_seconds: float, now: float, machine: str | None = None
) -> Claimed:
    """Claim a slot for this process at ``now`` (seconds UTC).

    ``machine`` is its name where the host's does not tell it from others.

    Raises:
        ArchiveError: the archive cannot be read or written.
    """
    newest = max(archive.claims(slot), key=lambda claim: claim.number, default=None)
    busy = newest is not None and at_work(newest, deadline_seconds, now, machine)
    if newest and newest.process == os.getpid():
        busy = busy and (archive.location, slot, newest.number) not in _given_up
    # Read after the look at the process: one that is gone by then has written what it would.
    ended = archive.slot_attempts(slot)
    if stored := next(filter(None, (_stored(archive, key) for key in ended)), None):
        return Claimed(stored=stored)
    attempts = {key.attempt for key in ended}
    if newest and busy and str(newest.number) not in attempts:
        return Claimed()
    numbers = [int(attempt) for attempt in attempts if attempt.isdecimal()]
    claim = our_claim(max([0, *numbers, newest.number if newest else 0]) + 1, now, machine)
    # Where the object is there already, another recorder got there first.
    return Claimed(claim.number) if archive.claim(slot, claim) else Claimed()


def give_up(archive: Archive, key: AttemptKey) -> None:
    """Let others claim after a claim of this process, which lives on and will not use it."""
    _given_up.add((archive.location, key.slot, int(key.attempt)))


def _stored(archive: Archive, key: AttemptKey) -> Manifest | None:
    """Return the manifest of an attempt that has the slot, ``None`` for another."""
    try:
        manifest, _ = archive.manifest(key)
        if manifest.outcome is Outcome.STORED:
            archive.answers(key, manifest)
            return manifest
    except DamagedError:
        # A damaged attempt does not have the slot; recording it again is the remedy.
        pass
    return None


def at_work(claim: Claim, deadline_seconds: float, now: float, machine: str | None = None) -> bool:
    """Return whether a claim's recorder can still be at work.

    On this machine we can see whether its process lives, and how old the claim is, whatever the
    clock was set to since; elsewhere only the time of day tells.
    """
    most = deadline_seconds + MARGIN_SECONDS
    if claim.machine != (machine or socket.gethostname()):
        return now - claim.claimed_at <= most
    told = claim.since_boot
    if told and (us := _since_boot(claim.process)) and us.boot == told.boot:
        same = us.process_started_at == told.process_started_at
        return same and us.claimed_at - told.claimed_at <= most
    return now - claim.claimed_at <= most and _lives(claim)


def _lives(claim: Claim) -> bool:
    try:
        started_at = float(psutil.Process(claim.process).create_time())
    except psutil.Error:
        return False
    return abs(started_at - claim.process_started_at) < SAME_PROCESS_SECONDS


def _since_boot(process: int) -> SinceBoot | None:
    """Return what a claim of a process would say now; only Linux tells it, and of living ones."""
    try:
        boot = _BOOT.read_text().strip()
        # Behind the name, which may hold anything, come the third field and the others.
        fields = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()
        return SinceBoot(boot, time.clock_gettime(time.CLOCK_BOOTTIME), int(fields[_STARTED - 3]))
    except (OSError, IndexError, ValueError, AttributeError):
        return None


def our_claim(number: int, now: float, machine: str | None = None) -> Claim:
    """Return a claim of this process, at ``now`` (seconds UTC)."""
    us = psutil.Process()
    return Claim(
        number,
        now,
        machine or socket.gethostname(),
        us.pid,
        us.create_time(),
        _since_boot(us.pid),
    )
