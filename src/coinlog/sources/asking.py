"""What the modules of this source need of a client, and of its answers."""

from __future__ import annotations

from typing import Protocol

from coinlog.sources.answers import Answer
from coinlog.sources.remedies import error_of


class Asks(Protocol):
    """Whatever can be asked; the client is one."""

    def get(self, name: str, endpoint: str, params: dict[str, str]) -> Answer:
        """Return the answer to a request; a failure is an answer too."""


def raise_error_of(answer: Answer) -> None:
    """Raise the error that an answer stands for, if it does.

    Raises:
        SourceError: typed by its remedy.
    """
    error = error_of(answer)
    if error:
        raise error
