"""Who holds a connection to a worker, and who must go when there is no place left.

A connection that waits for its client (for the first byte of a request, for its last, for its
answer to be read) costs nothing but its place. When the places are taken, it is the one that
waits longest that makes room, not the newcomer who is turned away: slow and idle clients push out
each other, and whoever asks and reads at a human or a program's pace is never the slowest. An
address has so many places and no more, so that it pushes out its own connections before others'.
"""

from __future__ import annotations

from collections import OrderedDict
from enum import Enum, auto
from typing import Protocol


class Place(Enum):
    """What a newcomer finds: a place, its own address at its limit, or a server that is full."""

    GIVEN = auto()
    OWN_TAKEN = auto()
    ALL_TAKEN = auto()


class Guest(Protocol):
    """A connection that holds a place."""

    def make_room(self, why: Place) -> None:
        """Go, now: its address has too many places, or all are taken."""


class Places:
    """The places of one worker; those that wait for their client stand in line, longest first."""

    def __init__(self, most: int, most_of_one: int = 0) -> None:
        self.most = most
        self.most_of_one = most_of_one
        self._names: dict[Guest, bytes | None] = {}
        self._held: dict[bytes, int] = {}
        self._waiting: OrderedDict[Guest, None] = OrderedDict()

    def enter(self, guest: Guest, name: bytes | None) -> Place:
        """Return whether a newcomer gets a place; who has no ``name`` may have any number.

        Only where all that could make room are being answered there is none.
        """
        taken = Place.ALL_TAKEN
        if name is not None and 0 < self.most_of_one <= self._held.get(name, 0):
            taken = Place.OWN_TAKEN
            leaver = next((one for one in self._waiting if self._names[one] == name), None)
        elif len(self._names) >= self.most:
            leaver = next(iter(self._waiting), None)
        else:
            self._admit(guest, name)
            return Place.GIVEN
        if leaver is None:
            return taken
        self.leave(leaver)
        leaver.make_room(taken)
        self._admit(guest, name)
        return Place.GIVEN

    def _admit(self, guest: Guest, name: bytes | None) -> None:
        self._names[guest] = name
        if name is not None:
            self._held[name] = self._held.get(name, 0) + 1
        self._waiting[guest] = None

    def leave(self, guest: Guest) -> None:
        """Take a place back, if it was held."""
        if guest not in self._names:
            return
        name = self._names.pop(guest)
        self._waiting.pop(guest, None)
        if name is not None:
            self._held[name] -= 1
            if not self._held[name]:
                del self._held[name]

    def wait(self, guest: Guest) -> None:
        """Note that a connection waits for its client from now on: it has just been served."""
        if guest in self._names:
            self._waiting[guest] = None
            self._waiting.move_to_end(guest)

    def work(self, guest: Guest) -> None:
        """Note that a connection waits for us: it is not to blame, and keeps its place."""
        self._waiting.pop(guest, None)
