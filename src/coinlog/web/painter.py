"""Pictures from drawings: one at a time, each by a short-lived process that pages go before."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from coinlog.web.problems import BusyError
from coinlog.web.static_files import STATIC
from coinlog.web.xml_text import without_controls

MAX_WAITING = 16
PAINT_SECONDS = 20.0

_PROGRAM = Path(__file__).with_name("paint.py")
_FONTS = STATIC / "fonts"
_painting = ThreadPoolExecutor(1, "pictures")


class Painter:
    """Counts who waits, so that a crowd of questions for pictures does not pile up."""

    def __init__(self, most: int = MAX_WAITING) -> None:
        self.most = most
        self.waiting = 0

    async def paint(self, svg: str) -> bytes:
        """Return a drawing as a PNG.

        Raises:
            BusyError: too many wait already.
        """
        if self.waiting >= self.most:
            raise BusyError(f"{self.waiting} pictures are being drawn: try again in a minute")
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(_painting, draw, svg)
        finally:
            self.waiting -= 1


def draw(svg: str) -> bytes:
    """Return a drawing as a PNG, waiting for the process that makes it.

    Raises:
        subprocess.SubprocessError: it could not be drawn, or not in time.
    """
    fonts = [str(font) for font in sorted(_FONTS.glob("*.ttf"))]
    command = [sys.executable, "-P", str(_PROGRAM), *fonts]
    done = subprocess.run(  # noqa: S603 -- our own program; the drawing goes in as data
        command,
        # The renderer takes XML, and what assets are called may hold what that has no room for.
        input=without_controls(svg).encode(),
        capture_output=True,
        timeout=PAINT_SECONDS,
        check=True,
    )
    return done.stdout
