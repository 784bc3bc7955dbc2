"""What Lambda lends to one call: its time, its name, and where it reports."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Protocol

import msgspec

LEFT_OVER = 0.2
"""The share of a function's time that is left when it is done, whatever the source does."""

OUTCOME_SECONDS = 3.0
"""What judging the answers and writing the outcome may take."""

LEAST_SECONDS = 1.0


class Context(Protocol):
    """What we use of the object that Lambda hands over beside the event."""

    @property
    def log_stream_name(self) -> str:
        """The log of this one process, which no other writes."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda ends the process."""


class Lent:
    """One call's time: when to stop beginning new work, with a share of it left over.

    ``machine`` is who we are among many that have the same host name.
    """

    def __init__(
        self,
        context: Context,
        left_over: float = LEFT_OVER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.machine = context.log_stream_name
        self._clock = clock
        whole = context.get_remaining_time_in_millis() / 1000
        self._end = clock() + whole * (1 - left_over) - OUTCOME_SECONDS

    def left(self) -> float:
        """Return the seconds in which the source may be asked or rows be written, at least one."""
        return max(LEAST_SECONDS, self._end - self._clock())

    @property
    def over(self) -> bool:
        """Whether nothing more may be begun."""
        return self._clock() >= self._end


def report(function: str, **facts: object) -> dict[str, object]:
    """Return what a call did, for who called it, and write it to the log as one line of JSON."""
    told = msgspec.to_builtins({"function": function, **facts})
    sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
    sys.stdout.flush()
    return dict(told)
