"""Other programs of coinlog on this machine: whose store each is at work on, by its settings."""

from __future__ import annotations

from pathlib import Path

import msgspec
import psutil
import sqlalchemy as sa

from coinlog.cli.shared import SIMULATED_URL
from coinlog.errors import SettingError
from coinlog.market import SourceKind
from coinlog.parts import Parts
from coinlog.settings import load_settings

_NAMES = frozenset({"coinlog", "coinlog.exe"})


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A command of coinlog that runs; its ``store`` is ``None`` where that cannot be known."""

    words: list[str]
    since: float
    folder: Path
    store: sa.URL | None

    @property
    def simulated(self) -> bool:
        """Whether it is at work on the made-up market."""
        return "--simulated" in self.words

    def is_at(self, parts: Parts) -> bool:
        """Return whether it is at work on the store and the market of these settings."""
        made_up = parts.plan.source is SourceKind.SIMULATED
        return self.simulated == made_up and self.store == parts.settings.database_url


def program_of(process: psutil.Process) -> Program | None:
    """Return what a process is; ``None`` where it is none of ours.

    Raises:
        psutil.Error: it has ended meanwhile, or is somebody else's.
    """
    words = process.cmdline()
    if not any(word.rpartition("/")[2] in _NAMES for word in words):
        return None
    folder = Path(process.cwd())
    return Program(
        words=words,
        since=float(process.create_time()),
        folder=folder,
        store=_store(process.environ(), folder, simulated="--simulated" in words),
    )


def _store(environ: dict[str, str], folder: Path, *, simulated: bool) -> sa.URL | None:
    try:
        settings = load_settings(environ, folder / ".env")
    except SettingError:
        return None
    if folder != Path.cwd() and not Path(environ.get("COINLOG_DATA", "")).is_absolute():
        # Relative to its folder, which we are not in, its paths would be taken for ours.
        return settings.database_url if settings.database_url.host and not simulated else None
    found = settings.for_simulated_market(SIMULATED_URL) if simulated else settings
    return found.database_url


def running_recorder(parts: Parts) -> float | None:
    """Return since when a `coinlog up` has been recording into this store, ``None`` if none does.

    One of another data folder or of the other market is no help here.
    """
    for process in psutil.process_iter():
        try:
            program = program_of(process)
        except psutil.Error:
            # It has ended meanwhile, or is somebody else's.
            continue
        if program and "up" in program.words and program.is_at(parts):
            return program.since
    return None
