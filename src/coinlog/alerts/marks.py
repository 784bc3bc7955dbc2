"""Marks: who claimed the sending of an alert, and what came of it, as objects in the archive.

A try is a create-only object, ``alerts/sent/<alert>`` with ``+<target>`` for an address, and with
``~2`` and so on for later ones, so of two processes one tries.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

import msgspec

from coinlog.alerts.left import FOLDER, SENT
from coinlog.archive import Archive
from coinlog.errors import DamagedError

_TRY = re.compile(r"(?P<alert>.+?)(?:\+(?P<target>[a-z0-9-]+))?(?:~(?P<number>[0-9]{1,4}))?")

Tries = Mapping[tuple[str, str], int]
"""How many tries there were, by an alert's path and a target's id."""


class Sent(msgspec.Struct, frozen=True):
    """The mark of a try: claimed, and then sent or failed; times in seconds UTC.

    After a failure that is ``uncertain`` the alert may have been taken all the same; ``doubts`` is
    the number of such tries so far.
    """

    claimed_at: float
    sent_at: float | None = None
    message_id: str | None = None
    failed_at: float | None = None
    uncertain: bool = False
    doubts: int = 0


def read_tries(archive: Archive) -> Tries:
    """Return how many tries there were of each alert for each target."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for path in archive.objects.paths(SENT):
        match = _TRY.fullmatch(path.removeprefix(SENT))
        if match:
            key = f"{FOLDER}{match['alert']}.json", match["target"] or ""
            found[key] = max(found[key], int(match["number"] or 1))
    return found


def read_mark(archive: Archive, mark: str) -> Sent:
    """Return a mark; what cannot be read is no proof of having been sent."""
    try:
        return msgspec.json.decode(archive.objects.read(mark), type=Sent)
    except (DamagedError, msgspec.DecodeError):
        return Sent(0.0)


def claim(archive: Archive, mark: str, sent: Sent) -> bool:
    """Claim a try; ``False`` where another has."""
    return archive.objects.create(mark, msgspec.json.encode(sent))


def note(archive: Archive, mark: str, sent: Sent) -> None:
    """Note what came of a try."""
    archive.objects.put(mark, msgspec.json.encode(sent))


def mark_of(path: str, target: str, number: int) -> str:
    """Return what the mark of a try is called; ``target`` is empty for a topic of SNS."""
    to = f"+{target}" if target else ""
    later = f"~{number}" if number > 1 else ""
    return f"{SENT}{path.removeprefix(FOLDER).removesuffix('.json')}{to}{later}"
