"""A function's surroundings, as Lambda makes them: its environment, its context, its bucket."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Context:
    """What Lambda hands over beside the event; the clock runs."""

    seconds: float = 60.0
    log_stream_name: str = "2026/01/26/[1]one"
    begun_at: float = field(default_factory=time.monotonic)

    def get_remaining_time_in_millis(self) -> int:
        return int(1000 * (self.seconds - (time.monotonic() - self.begun_at)))
