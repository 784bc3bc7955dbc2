"""Where room is needed: the folders of the data and of the archive."""

from __future__ import annotations

from pathlib import Path

from coinlog.objects import is_bucket
from coinlog.settings import Settings


def folders_in_use(settings: Settings) -> dict[Path, Path]:
    """Return the data folder and the archive's, and for each the nearest one that is there.

    A bucket has room without end.
    """
    folders = [settings.data]
    if not is_bucket(settings.archive):
        folders.append(Path(settings.archive))
    found = {folder: _nearest(folder) for folder in folders}
    return {folder: there for folder, there in found.items() if there}


def _nearest(folder: Path) -> Path | None:
    return next((one for one in (folder, *folder.parents) if one.exists()), None)
