"""Slots that were lost because the archive could not be written: noted when it can be again.

Where nothing can be written, no reason can be: this process remembers it, and its next capture
that finds the archive in order leaves an attempt that says why. A process that ends before has
said it on its way out.
"""

from __future__ import annotations

import time
from contextlib import suppress

import msgspec

from coinlog.archive import Archive
from coinlog.attempts import Manifest
from coinlog.claims import our_claim
from coinlog.errors import ArchiveError

MOST = 10_000

_waiting: dict[tuple[str, int], Manifest] = {}


def remember(archive: Archive, slot: int, failed: Manifest) -> None:
    """Remember the failed attempt that could not be written at a slot."""
    if len(_waiting) < MOST:
        _waiting[archive.location, slot] = failed


def write_remembered(archive: Archive, slot: int) -> tuple[int, ...]:
    """Write what is remembered of the slots before one, and return those that were written.

    It is forgotten where others recorded them.
    """
    mine = [key for key in _waiting if key[0] == archive.location and key[1] <= slot]
    written: list[int] = []
    # Where it cannot be written again: later, then.
    with suppress(ArchiveError):
        for location, each in sorted(mine):
            if each < slot and _write(archive, each, _waiting[location, each]):
                written.append(each)
            _waiting.pop((location, each), None)
    return tuple(written)


def _write(archive: Archive, slot: int, failed: Manifest) -> bool:
    if archive.slot_attempts(slot):
        return False
    number = max((claim.number for claim in archive.claims(slot)), default=0) + 1
    mine = archive.claim(slot, our_claim(number, time.time()))
    return mine and archive.finish(msgspec.structs.replace(failed, attempt=str(number)))
