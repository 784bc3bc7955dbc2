"""From signs to incidents: each is told when it begins, when its cause changes, and when it ends.

The same for what is happening and for a dry run over the past.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from coinlog.alerts.rule import Sign


class Told(StrEnum):
    """What is told of an incident."""

    FIRED = "fired"
    CHANGED = "changed"
    RECOVERED = "recovered"


class Event(msgspec.Struct, frozen=True):
    """Something to be told of the incident that began at slot ``first``."""

    told: Told
    first: int
    sign: Sign


@dataclass
class Standing:
    """Where a rule stands: the slot its newest incident began at, its causes, when it was over."""

    first: int | None = None
    over: int | None = None
    causes: set[str] = field(default_factory=set)

    @property
    def is_open(self) -> bool:
        """Whether an incident goes on."""
        return self.first is not None and self.over is None


def follow(signs: Iterable[Sign], standing: Standing) -> Iterator[Event]:
    """Yield what is to be told, and keep ``standing`` up to date."""
    for sign in signs:
        if standing.is_open:
            event = _while_open(sign, standing)
        elif sign.holds and (standing.over is None or sign.slot > standing.over):
            standing.first, standing.over, standing.causes = sign.slot, None, {sign.cause}
            event = Event(Told.FIRED, sign.slot, sign)
        else:
            event = None
        if event:
            yield event


def _while_open(sign: Sign, standing: Standing) -> Event | None:
    first = standing.first or 0
    if sign.slot < first or sign.holds is None:
        return None
    if not sign.holds:
        standing.over = sign.slot
        return Event(Told.RECOVERED, first, sign)
    if sign.cause in standing.causes:
        return None
    # Each cause is told once: one that comes and goes would be told at every slot.
    standing.causes.add(sign.cause)
    return Event(Told.CHANGED, first, sign)
