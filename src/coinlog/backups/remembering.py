"""The newest backups that were made from a data folder: remembered there, for who asks their age.

One with the archive in it brings everything back; one of the store alone does not, and is
remembered apart.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec

_WHOLE, _STORE = "newest-backup.json", "newest-store-backup.json"


class Made(msgspec.Struct, frozen=True):
    """Where a backup was put, and when, in seconds UTC."""

    file: str
    made_at: float

    @property
    def path(self) -> Path:
        """Its file."""
        return Path(self.file)


def remember(data: Path, path: Path, made_at: float, *, whole: bool) -> None:
    """Remember a backup; a folder that cannot be written keeps no memory."""
    with suppress(OSError):
        data.mkdir(parents=True, exist_ok=True)
        body = msgspec.json.encode(Made(str(path.absolute()), made_at))
        (data / (_WHOLE if whole else _STORE)).write_bytes(body)


def newest_backup(data: Path, *, whole: bool) -> Made | None:
    """Return the newest backup that is remembered, a whole one or one of the store alone."""
    try:
        return msgspec.json.decode((data / (_WHOLE if whole else _STORE)).read_bytes(), type=Made)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
