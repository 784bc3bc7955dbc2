"""What helps against a difference of store and archive: it depends on which of them is ill.

A replay brings into the store what a sound archive tells. What the archive itself has lost comes
back from a copy alone, and a replay without it would lose that in the store as well.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from coinlog.attempts import AttemptKey
from coinlog.backups.remembering import newest_backup
from coinlog.errors import UsageError
from coinlog.objects import is_bucket
from coinlog.parts import Parts
from coinlog.slots import parse_time

BRING_BACK = "bring it back from a copy"
_NAMED = 3
"""So many attempts are named in a command; of more, all are brought back."""

_LOST = re.compile(
    r"has SHA-256|cannot be unpacked|cannot be read|has changed since it was kept"
    r"|is not in the archive|archive lacks it$"
)
_VALUES = re.compile(r": store .*, archive ")
_WAITS = "not settled yet"
_PATH = re.compile(r"\b((?:captures/[^/\s]+|backfill/[^/\s]+)/[^/\s:]+)")
_ATTEMPT = re.compile(r"slot (\S+), attempt ([^\s:]+): ")


def is_of_archive(text: str) -> bool:
    """Return whether a difference, in words, is one that only a copy of the archive mends."""
    return bool(_LOST.search(text)) and not _VALUES.search(text)


def texts_of_archive(texts: Iterable[str]) -> list[str]:
    """Return the differences that only a copy of the archive mends."""
    return [text for text in texts if is_of_archive(text)]


def is_waiting(text: str) -> bool:
    """Return whether a difference is that an attempt has not been loaded yet."""
    return _WAITS in text


def from_backup(parts: Parts, texts: Iterable[str]) -> str | None:
    """Return the command that brings back what differences name, or all where they name nothing.

    ``None`` where no backup with an archive in it is known and there, or the archive is a bucket.
    """
    made = newest_backup(parts.settings.data, whole=True)
    if made is None or not made.path.exists() or is_bucket(parts.settings.archive):
        return None
    folders = [*dict.fromkeys(_folders(texts))]
    if len(folders) > _NAMED:
        folders = sorted({folder.partition("/")[0] for folder in folders})
    names = " ".join(shlex.quote(f"archive/{folder}") for folder in folders) or "archive"
    there = Path(parts.settings.archive).expanduser()
    # It may be there only for as long as we look.
    make = "" if folders else f"mkdir -p {shlex.quote(str(there))} && "
    tar = f"tar -xf {shlex.quote(str(made.path))} -C {shlex.quote(str(there))}"
    return f"{make}{tar} --strip-components=1 {names}"


def _folders(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        if match := _PATH.search(text):
            yield match[1]
        elif match := _ATTEMPT.search(text):
            try:
                yield AttemptKey(parse_time(match[1]), match[2]).folder
            except UsageError:
                # No time of ours: the text was cut off.
                continue
