"""Alerts: what went wrong, and that it is over, left in the bucket for the function ``send``.

Slots that fail one after another for one reason are one alert, and one more when a slot has
quotes again. An alert is a create-only object named after the first of these slots, so whoever
looks again leaves none twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import sqlalchemy as sa

from coinlog.archive import Archive
from coinlog.attempts import parse_slot, slot_name
from coinlog.market import Outcome
from coinlog.slots import DAY, iso
from coinlog.store.incidents import Incident, read_incidents
from coinlog.store.ledger import Head, read_head
from coinlog.store.reader import Reader

FOLDER = "alerts/"
SENT = "alerts/sent/"
WINDOW_SECONDS = 2 * DAY
"""How far back a failure is news."""

_NAME = re.compile(r"alerts/([0-9]{8}T[0-9]{6}Z)-(failed|recovered)-(\w{1,32})\.json")


class Alert(msgspec.Struct, frozen=True):
    """What is to be told: a line for a subject, and a text."""

    subject: str
    text: str


def leave_alerts(engine: sa.Engine, archive: Archive, now: float) -> int:
    """Leave what the ledger has to tell and nobody has left yet; return how many they are."""
    reader = Reader(engine)
    head = read_head(reader)
    recent = read_incidents(reader, head, now, int(now) - WINDOW_SECONDS)
    failures = {_name(one.first, one.reason, "failed"): one for one in recent if _failed(one)}
    told = alert_paths(archive)
    new = {name: _failure(one) for name, one in failures.items()}
    new |= dict(_recoveries(head, failures, [*told, *failures]))
    return sum(_leave(archive, name, alert) for name, alert in new.items() if name not in told)


def alert_paths(archive: Archive) -> list[str]:
    """Return the paths of all alerts that were left, oldest first."""
    return sorted(path for path in archive.objects.paths(FOLDER) if _NAME.fullmatch(path))


def read_alert(archive: Archive, path: str) -> Alert:
    """Return an alert."""
    return msgspec.json.decode(archive.objects.read(path), type=Alert)


def _recoveries(
    head: Head, failures: dict[str, Incident], told: list[str]
) -> Iterator[tuple[str, Alert]]:
    """Yield an alert for each failure that is over: a slot with quotes has come after it."""
    for path in told:
        match = _NAME.fullmatch(path)
        first = parse_slot(match[1]) if match and match[2] == "failed" else None
        if not match or first is None or head.newest is None:
            continue
        last = failures[path].last if path in failures else first
        if head.newest.slot >= last:
            yield _name(first, match[3], "recovered"), _recovery(head.newest.slot, first, match[3])


def _failed(incident: Incident) -> bool:
    return incident.outcome is Outcome.FAILED


def _name(slot: int, reason: str | None, kind: str) -> str:
    return f"{FOLDER}{slot_name(slot)}-{kind}-{reason or 'unknown'}.json"


def _failure(incident: Incident) -> Alert:
    detail = incident.row.detail if incident.row else None
    return Alert(
        f"coinlog: slot {iso(incident.first)} failed: {incident.reason}",
        f"Slot {iso(incident.first)} could not be recorded ({incident.reason}).\n\n"
        f"{detail or 'The ledger has no more to say.'}\n\n"
        "What failed for the same reason after it is not told again; you are told when a slot is "
        "stored again.\n",
    )


def _recovery(slot: int, first: int, reason: str) -> Alert:
    return Alert(
        f"coinlog: recording again since slot {iso(slot)}",
        f"Slot {iso(slot)} is stored. What had failed since slot {iso(first)} ({reason}) is over."
        "\n",
    )


def _leave(archive: Archive, name: str, alert: Alert) -> bool:
    return archive.objects.create(name, msgspec.json.format(msgspec.json.encode(alert)))
