"""The page of a world: the real program with two workers, who can be killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil

from coinlog.slots import iso
from servers import free_port

PATIENCE_SECONDS = 90


class Page:
    """The page, serving a store."""

    def __init__(self, store_url: str, place: Path) -> None:
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        settings = {
            "COINLOG_DATABASE_URL": store_url,
            "COINLOG_DATA": str(place),
            "COINLOG_PORT": str(port),
            "COINLOG_WORKERS": "2",
        }
        self._log = place / "page.log"
        log = self._log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "coinlog", "serve"],
            env={**os.environ, **settings},
            cwd=place,
            stdout=log,
            stderr=log,
        )
        log.close()

    def workers(self) -> list[psutil.Process]:
        """Return its workers, once both are there."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up:
            found = psutil.Process(self._process.pid).children()
            if len(found) == 2:
                return found
            self._wait()
        said = self._log.read_text()[-1000:]
        raise TimeoutError(f"{len(found)} workers, not two, after {PATIENCE_SECONDS} s: {said}")

    def tells(self, slot: int, outcome: str) -> bool:
        """Return whether it comes to tell what became of a slot, asked again and again."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up:
            if outcome in self._ask(slot):
                return True
            self._wait()
        return False

    def end(self) -> None:
        self._process.kill()
        self._process.wait()

    def _ask(self, slot: int) -> str:
        try:
            with httpx.Client(trust_env=False) as client:
                answer = client.get(f"{self.url}/api/v1/log/{iso(slot)}", timeout=5)
        except httpx.TransportError:
            return ""
        return answer.text if answer.status_code == 200 else ""

    def _wait(self) -> None:
        """Wait a moment, or until it ends, which it should not."""
        try:
            self._process.wait(0.05)
        except subprocess.TimeoutExpired:
            return
        raise RuntimeError("the page has ended")
