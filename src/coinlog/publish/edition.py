"""What a place holds of us: which files, made from what. The manifest is written last.

It lies in ``.coinlog/``. While a run is under way, a journal beside it notes what has been written
so far, so that a run that was stopped goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import msgspec

from coinlog.errors import UsageError
from coinlog.publish.bucket import NOTES
from coinlog.publish.sites import Site

FORMAT = 1
_MANIFEST = f"{NOTES}/edition.json"
_JOURNAL = f"{NOTES}/journal"

Files = dict[str, str]
"""Digests by path."""


class Marks(msgspec.Struct, frozen=True):
    """How far the store had come, as its own rows tell: newest times, and how many rows.

    ``older`` counts the slots stored before ``stored_at``.
    """

    stored_at: int = -1
    settled_at: int = -1
    backfilled_at: int = -1
    thinned_at: int = -1
    slots: int = 0
    attempts: int = 0
    backfills: int = 0
    older: int = 0


class Edition(msgspec.Struct):
    """A published edition. ``state`` and ``build`` tell whether anything can have changed since.

    ``assets`` holds the files of each asset, ``facts`` a digest of what its page says besides
    numbers, ``retired`` the scripts of the build before: pages that are open still ask for them.
    """

    source: str
    build: str = ""
    state: str = ""
    moment: float = 0.0
    finished: bool = False
    marks: Marks = Marks()
    files: Files = {}
    assets: dict[int, Files] = {}
    facts: dict[int, str] = {}
    retired: Files = {}
    format: int = FORMAT


class Line(msgspec.Struct):
    """A line of the journal: the assets that are done, and the files that there are now."""

    key: str
    assets: dict[int, Files] = {}
    files: Files = {}


def read_manifest(site: Site) -> bytes | None:
    """Return the manifest as it is written; ``None`` where there is none.

    Raises:
        ExportError: the place cannot be used.
    """
    return site.read(_MANIFEST)


def read_edition(site: Site, body: bytes | None) -> Edition | None:
    """Return what a place holds of us by its manifest; ``None`` where it is empty or not there.

    Raises:
        UsageError: there is something else in it, or an edition that this program cannot read.
        ExportError: it cannot be used.
    """
    where = site.location
    if body is None:
        if site.holds_anything():
            raise UsageError(
                f"{where} is not empty, and nothing in it says that coinlog has published there: "
                "choose an empty place or a new name"
            )
        return None
    try:
        edition = msgspec.json.decode(body, type=Edition)
    except msgspec.MsgspecError as error:
        raise UsageError(
            f"{where}/{_MANIFEST} cannot be read ({error}): empty {where} and publish anew"
        ) from error
    if edition.format != FORMAT:
        raise UsageError(f"{where} was published by another version: publish into a new place")
    return edition


def write_edition(site: Site, edition: Edition) -> None:
    """Write the manifest, and let go of the journal.

    Raises:
        ExportError: it cannot be written.
    """
    site.write(_MANIFEST, msgspec.json.encode(edition), lasting=True)
    for path in site.paths(_JOURNAL):
        site.remove(path)


def read_journal(site: Site) -> Iterator[Line]:
    """Yield what a run that was stopped had written; what cannot be read is left out."""
    for path in site.paths(_JOURNAL):
        with suppress(msgspec.MsgspecError):
            yield msgspec.json.decode(site.read(path) or b"", type=Line)


class Journal:
    """Notes, job by job, what a run has written: a file each, so that a bucket can hold it too."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._count = len(site.paths(_JOURNAL))

    def add(self, line: Line) -> None:
        """Add a note.

        Raises:
            ExportError: it cannot be written.
        """
        self._count += 1
        self._site.write(f"{_JOURNAL}/{self._count:08}.json", msgspec.json.encode(line))
