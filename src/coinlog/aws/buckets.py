"""The archive of a function, which must be a bucket."""

from __future__ import annotations

from coinlog.archive import Archive, open_archive
from coinlog.errors import SettingError
from coinlog.settings import Settings

BUCKET = "s3://"


def bucket_of(settings: Settings) -> Archive:
    """Return the archive of a function: its own disk does not last.

    Raises:
        SettingError: it is a folder.
    """
    if not settings.archive.startswith(BUCKET):
        raise SettingError(
            "COINLOG_ARCHIVE is not a bucket: expected s3://bucket/prefix, because what a function "
            "writes to its own disk is gone after it"
        )
    return open_archive(settings.archive)
