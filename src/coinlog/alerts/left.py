"""Alerts as they lie in the archive: objects that are created once, for whoever sends them.

``alerts/<slot>-<rule>-fired.json`` is an incident that began at the slot; ``-changed-<cause>`` and
``-recovered`` are told of it later. Their names say what has been told, so a second look, another
process or a new start leaves none twice. ``alerts/looked`` says up to which slot each rule has
looked; without it nothing is told twice either, as the names are the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from coinlog.alerts.following import Event, Standing, Told
from coinlog.alerts.rule import Rule
from coinlog.archive import Archive
from coinlog.attempts import parse_slot, slot_name
from coinlog.errors import DamagedError
from coinlog.slots import iso

FOLDER = "alerts/"
SENT = "alerts/sent/"
LOOKED = "alerts/looked"
SETTLED, AWAY = "store.settled", "store.away"
NOTES = (SETTLED, AWAY)
"""Noted beside the rules: the newest slot that is loaded, and since when the store is away."""
LONG_AGO = 1.0
"""When something was left of which nobody is told, in seconds UTC."""
SIMULATED = "SIMULATED "
SUBJECT_LETTERS = 200
ORDER = (Told.FIRED, Told.CHANGED, Told.RECOVERED)

_UNWATCHED = "The rule was not looked after for days, so when it was over is not known.\n"
_ALERT = re.compile(r"alerts/[\w.-]{1,160}\.json")
_NAME = re.compile(
    r"alerts/([0-9]{8}T[0-9]{6}Z)-([a-z0-9-]{1,60})-(?:(fired|recovered)|changed-(\w{0,32}))\.json"
)


class Level(StrEnum):
    """How serious an alert is, as Apprise calls it: services colour and rank messages by it."""

    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"


class Alert(msgspec.Struct, frozen=True):
    """What is to be told: a line for a subject, and a text.

    ``left_at`` is seconds UTC; after a day it is no news and nobody is told any more. ``slot`` is
    the one that it is about, ``cause`` the code whose change is told.
    """

    subject: str
    text: str
    left_at: float | None = None
    slot: int | None = None
    cause: str = ""
    level: Level = Level.INFO


class Alerts:
    """The alerts of an archive, as they are listed once."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self._paths = set(alert_paths(archive))

    def standing(self, key: str, now: float) -> Standing:
        """Return where the rule of a key stands, by what has been told.

        What a clock that was ahead has told of times to come is not there until then: an incident
        that begins later counts for nothing, and one that ends later was over as it began.
        """
        mine = [
            match
            for match in map(_NAME.fullmatch, self._paths)
            if match and match[2] == key and match[1] <= slot_name(int(now))
        ]
        first = max((match[1] for match in mine if match[3] == Told.FIRED), default=None)
        if first is None:
            return Standing()
        causes = {match[4] for match in mine if match[1] == first and match[4] is not None}
        begun = self._read(_path(first, key, Told.FIRED))
        over = _path(first, key, Told.RECOVERED)
        ended = self._read(over).slot if over in self._paths else None
        slot = parse_slot(first) or 0
        if over in self._paths and (ended is None or ended > now):
            ended = slot
        return Standing(slot, ended, {begun.cause, *causes})

    def leave(self, rule: Rule, event: Event, *, simulated: bool, now: float) -> bool:
        """Leave an alert; ``False`` where it is there already."""
        told = event.told
        name = f"{told}-{event.sign.cause or 'other'}" if told is Told.CHANGED else told
        path = _path(slot_name(event.first), rule.key, name)
        mark = SIMULATED if simulated else ""
        text = f"{event.sign.text}\n"
        if told is Told.CHANGED:
            text = f"{text}\nIt began at slot {iso(event.first)}, for another reason.\n"
        alert = Alert(
            f"coinlog: {mark}{event.sign.headline}"[:SUBJECT_LETTERS],
            f"{mark and 'SIMULATED market: none of this is real.'}\n\n{text}".lstrip(),
            now,
            event.sign.slot,
            event.sign.cause,
            _level(rule, told),
        )
        self._paths.add(path)
        return leave_alert(self.archive, path, alert)

    def close(self, key: str, now: float) -> None:
        """Let an incident be over of which nobody knows when it was; nobody is told."""
        standing = self.standing(key, now)
        if standing.is_open and standing.first is not None:
            path = _path(slot_name(standing.first), key, Told.RECOVERED)
            alert = Alert("coinlog: not watched since", _UNWATCHED, LONG_AGO, standing.first)
            self._paths.add(path)
            leave_alert(self.archive, path, alert)

    def renew(self, key: str, now: float) -> None:
        """Write the alerts of an incident anew that goes on: a bucket lets go of what is old."""
        standing = self.standing(key, now)
        if not standing.is_open or standing.first is None:
            return
        begun = slot_name(standing.first)
        for match in filter(None, map(_NAME.fullmatch, self._paths)):
            if (match[1], match[2]) == (begun, key):
                self.archive.objects.put(match[0], self.archive.objects.read(match[0]))

    def _read(self, path: str) -> Alert:
        try:
            return read_alert(self.archive, path)
        except (DamagedError, msgspec.DecodeError):
            return Alert("", "")


def alert_paths(archive: Archive) -> list[str]:
    """Return the paths of all alerts that were left, oldest incident first, each in its order."""
    _, found = archive.objects.inside(FOLDER.rstrip("/"))
    return in_order(found)


def in_order(paths: Iterable[str]) -> list[str]:
    """Return those paths that are alerts', oldest incident first, each in its order."""
    return sorted(filter(_ALERT.fullmatch, paths), key=_order)


def incident_of(path: str) -> str:
    """Return what the alerts of one incident share, and others do not; of any other, its path."""
    match = _NAME.fullmatch(path)
    return f"{FOLDER}{match[1]}-{match[2]}" if match else path


def _order(path: str) -> tuple[str, int, str]:
    """Return what sorts an incident before its changes and its end, which are later by name too."""
    match = _NAME.fullmatch(path)
    if not match:
        return "", 0, path
    return f"{match[1]}-{match[2]}", ORDER.index(Told(match[3] or Told.CHANGED)), path


def read_alert(archive: Archive, path: str) -> Alert:
    """Return an alert."""
    return msgspec.json.decode(archive.objects.read(path), type=Alert)


def leave_alert(archive: Archive, path: str, alert: Alert) -> bool:
    """Leave an alert; ``False`` where one of this name is there already."""
    return archive.objects.create(path, msgspec.json.format(msgspec.json.encode(alert)))


def read_looked(archive: Archive) -> dict[str, int]:
    """Return up to which slot each rule has looked."""
    try:
        return msgspec.json.decode(archive.objects.read(LOOKED), type=dict[str, int])
    except (DamagedError, msgspec.DecodeError):
        return {}


def write_looked(archive: Archive, looked: Mapping[str, int]) -> None:
    """Note up to which slot each rule has looked."""
    archive.objects.put(LOOKED, msgspec.json.encode(dict(looked)))


def _level(rule: Rule, told: Told) -> Level:
    if told is Told.RECOVERED:
        return Level.SUCCESS
    return Level.FAILURE if rule.grave else Level.WARNING


def _path(slot: str, key: str, told: str) -> str:
    return f"{FOLDER}{slot}-{key}-{told}.json"
