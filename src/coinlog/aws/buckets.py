"""The archive of a function, which must be a bucket, and what is marked in it."""

from __future__ import annotations

from coinlog.archive import Archive, open_archive
from coinlog.attempts import slot_name
from coinlog.errors import SettingError
from coinlog.objects import is_bucket
from coinlog.settings import Settings

LOADED = "loaded/"
"""The folder of marks: which slots have come to have quotes in the database."""


def bucket_of(settings: Settings) -> Archive:
    """Return the archive of a function: its own disk does not last.

    Raises:
        SettingError: it is a folder.
    """
    if not is_bucket(settings.archive):
        raise SettingError(
            "COINLOG_ARCHIVE is not a bucket: expected s3://bucket/prefix, because what a function "
            "writes to its own disk is gone after it"
        )
    return open_archive(settings.archive)


def mark_of(slot: int) -> str:
    """Return the object that marks a slot as loaded."""
    return f"{LOADED}{slot_name(slot)}"
