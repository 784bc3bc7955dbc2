"""The newest backup that was made from a data folder: remembered there, for who asks its age."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec

_FILE = "newest-backup.json"


class Made(msgspec.Struct, frozen=True):
    """Where a backup was put, and when, in seconds UTC."""

    file: str
    made_at: float

    @property
    def path(self) -> Path:
        """Its file."""
        return Path(self.file)


def remember(data: Path, path: Path, made_at: float) -> None:
    """Remember a backup; a folder that cannot be written keeps no memory."""
    with suppress(OSError):
        data.mkdir(parents=True, exist_ok=True)
        body = msgspec.json.encode(Made(str(path.absolute()), made_at))
        (data / _FILE).write_bytes(body)


def newest_backup(data: Path) -> Made | None:
    """Return the newest backup that is remembered, ``None`` where there is none."""
    try:
        return msgspec.json.decode((data / _FILE).read_bytes(), type=Made)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
