"""``coinlog up`` itself, over a world of its own, by this machine's clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

from weather.truth import TOP
from weather.world import World

PATIENCE_SECONDS = 90


class Up:
    """The program, from its start on; it is killed where the block ends."""

    def __init__(self, world: World) -> None:
        self._told = world.place / f"told-{time.monotonic_ns()}"
        self._process = _start(world, self._told)

    def ended_within(self, seconds: float) -> bool:
        """Return whether it has told of a slot, or ended, within some seconds."""
        give_up = time.monotonic() + seconds
        while (left := give_up - time.monotonic()) > 0:
            if self._slot() or not self._lives_for(min(0.02, left)):
                return True
        return False

    def told(self) -> dict[str, Any]:
        """Wait for what it tells of a slot.

        Raises:
            RuntimeError: it says nothing, or has ended.
        """
        self.ended_within(PATIENCE_SECONDS)
        if not (slot := self._slot()):
            raise RuntimeError(f"`coinlog up` told of no slot: {self._told.read_text()[-2000:]}")
        return slot

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _slot(self) -> dict[str, Any] | None:
        # The last line may still be on its way.
        lines = self._told.read_text().split("\n")[:-1]
        events = (json.loads(line) for line in lines if line.startswith("{"))
        return next((dict(event) for event in events if event["event"] == "slot"), None)

    def _lives_for(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False


def _start(world: World, told: Path) -> subprocess.Popen[bytes]:
    settings = {
        "COINLOG_ARCHIVE": str(world.archive),
        "COINLOG_ASSETS": f"top:{TOP}",
        "COINLOG_CMC_URL": world.source.url,
        "COINLOG_DATA": str(world.place),
        "COINLOG_DATABASE_URL": world.store_url.render_as_string(hide_password=False),
        "COINLOG_INTERVAL": "1h",
        "COINLOG_LOG": "json",
    }
    with told.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "coinlog", "up", "--no-page", "--backfill", "none"],
            env={**os.environ, **settings},
            cwd=world.place,
            stdout=out,
            stderr=out,
        )
