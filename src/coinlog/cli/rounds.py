"""Verifying beside ``coinlog up``: a tenth of everything at a time, by a process of its own.

The process has the lowest priority and shares nothing with the recorder but the store, where it
finds from the newest share where to go on: so does the next start of ``up``.
"""

from __future__ import annotations

import subprocess
import sys
import time
from threading import Event, Thread

import msgspec
import psutil
from rich.markup import escape

from coinlog.cli import report
from coinlog.cli.lines import lines
from coinlog.cli.report import say
from coinlog.errors import StoreError
from coinlog.parts import Parts
from coinlog.sources.texts import counted, one_line
from coinlog.store.engine import open_engine
from coinlog.store.existing import refuse_unready
from coinlog.telling import MOST_DETAIL
from coinlog.verify.notes import DETAILS, Verified
from coinlog.verify.standing import newest_share

SHARE = "10%"
_LOOK_SECONDS = 60
_MOST_DOUBLINGS = 20
_STOP_SECONDS = 5
_LOWEST = 19


class Rounds:
    """Verifies the next share every ``interval_seconds``; 0 is never.

    Whatever goes wrong is told, and recording goes on.
    """

    def __init__(self, parts: Parts, interval_seconds: int, *, simulated: bool) -> None:
        self._url, self._interval_seconds = parts.settings.database_url, interval_seconds
        self._options = ("--simulated",) if simulated else ()
        self._stopping = Event()
        self._thread: Thread | None = None

    def begin(self) -> None:
        """Begin, unless it has begun."""
        if self._interval_seconds and self._thread is None:
            self._thread = Thread(target=self._go_round, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End it, in the middle of a share as well, which then counts for nothing."""
        self._stopping.set()
        if self._thread:
            self._thread.join(_STOP_SECONDS)

    def _go_round(self) -> None:
        # What was due while nothing ran is done at once, and once.
        failures = 0
        while not self._stopping.is_set():
            if self.is_due():
                failures = 0 if self._verify(first=not failures) else failures + 1
            self._stopping.wait(pause_after(failures, self._interval_seconds))

    def is_due(self) -> bool:
        """Return whether the next share is due; never where there is no store."""
        reader = open_engine(self._url, read_only=True)
        try:
            refuse_unready(reader)
            last = newest_share(reader)
        except StoreError:
            # The recorder tells that the database is away, and makes what is not there.
            return False
        finally:
            reader.dispose()
        return last is None or time.time() >= last.started_at + self._interval_seconds

    def _verify(self, *, first: bool) -> bool:
        """Verify the next share and tell it; tell only the first of the failures in a row."""
        command = (sys.executable, "-m", "coinlog", "verify", "--next", SHARE, "--json")
        process = subprocess.Popen(  # noqa: S603  our own program and words
            (*command, *self._options),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        _give_way(process.pid)
        told, trouble = self._told(process)
        if self._stopping.is_set():
            return True
        try:
            verified = msgspec.json.decode(told, type=Verified)
        except msgspec.DecodeError:
            if first:
                _tell_failure(trouble)
            return False
        _tell(verified)
        return True

    def _told(self, process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
        while True:
            try:
                return process.communicate(timeout=0.5)
            except subprocess.TimeoutExpired:
                if self._stopping.is_set():
                    process.kill()


def pause_after(failures: int, interval_seconds: int) -> int:
    """Return in how many seconds to look again: ever later while nothing comes of it."""
    return min(_LOOK_SECONDS << min(failures, _MOST_DOUBLINGS), interval_seconds)


def _tell_failure(trouble: bytes) -> None:
    told = _message(trouble) or "it ended without a word"
    words = one_line(told, MOST_DETAIL)
    if lines.json:
        lines.complaint("verify", "warning", trouble=words)
    else:
        say(f"  verified [yellow]not this time:[/] {escape(words)}")


def _message(trouble: bytes) -> str:
    """Return what a process complains of; with our settings it complains in our form."""
    last = (trouble.decode(errors="replace").strip().splitlines() or [""])[-1]
    try:
        return str(msgspec.json.decode(last, type=dict[str, object]).get("message", last))
    except msgspec.DecodeError:
        return trouble.decode(errors="replace")


def _tell(verified: Verified) -> None:
    """Tell what was found; of nothing to compare, nothing."""
    if not verified.slots and not verified.differences:
        return
    if lines.json:
        facts = msgspec.structs.asdict(verified)
        facts["first"] = verified.first[:DETAILS]
        if verified.differences:
            lines.complaint("verify", "warning", **facts)
        else:
            lines.event("verify", **facts)
        return
    took = report.duration(verified.ended_at - verified.started_at)
    slots, quotes = counted(verified.slots, "slot"), counted(verified.quotes, "quote")
    what = f"{slots} with {quotes}, in {took}"
    if not verified.differences:
        say(f"  verified [green]✓[/] the next {SHARE}: {what}")
        return
    found = counted(verified.differences, "difference")
    say(f"  verified [red]✗ {found}[/] in {what}: {escape(report.short_hashes(verified.first[0]))}")
    say("  [yellow]`coinlog doctor` says what to do; docs/verify.md what it means[/]")


def _give_way(pid: int) -> None:
    """Let everybody else go first."""
    try:
        process = psutil.Process(pid)
        if sys.platform != "win32":
            process.nice(_LOWEST)
        if sys.platform == "linux":
            process.ionice(psutil.IOPRIO_CLASS_IDLE)
    except psutil.Error:
        # It has ended already, or this system has no priorities for us.
        return
