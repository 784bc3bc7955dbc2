"""Waiting in tests: for something to come to be, and never for a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def until(
    come: Callable[[], object], what: str = "it", seconds: float = 20, pause: float = 0.02
) -> None:
    """Return when something has come to be, and fail where that takes too long.

    ``pause`` is how many seconds lie between two looks.
    """
    give_up = time.monotonic() + seconds
    while not come():
        assert time.monotonic() < give_up, f"waited in vain for {what}"
        threading.Event().wait(pause)
