"""The archive: can it be used, is it ours, does anything wait in it, who writes to it."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from coinlog.archive import Archive
from coinlog.cli.doctor.findings import Finding, fine, look, wrong
from coinlog.errors import ArchiveError, DamagedError, StoreError
from coinlog.loading import count_waiting
from coinlog.parts import Parts
from coinlog.sources.texts import counted
from coinlog.store.existing import is_new

WHAT = "archive"
NEWEST = 20
"""So many attempts are opened: `coinlog verify` looks at all."""

_OURS = frozenset(
    {"captures", "backfill", "alerts", "alerts.toml", "loaded", "check", "README", ".lock"}
)


def examine_archive(parts: Parts) -> Iterator[Finding]:
    """Yield what is to be said of the archive."""
    try:
        archive = parts.archive
        attempts = archive.attempts()
    except ArchiveError as error:
        yield wrong(WHAT, "archive_unreachable", str(error))
        return
    found = [
        *_refused(archive),
        *_damaged(archive),
        *_foreign(archive),
        *_others(archive),
        *_waiting(parts),
    ]
    yield from found
    if not found:
        yield fine(WHAT, f"{counted(len(attempts), 'attempt')} in {archive.location}")


def _refused(archive: Archive) -> Iterator[Finding]:
    try:
        archive.objects.check_writable()
    except ArchiveError as error:
        code = "archive_full" if "No space" in str(error) else "archive_not_writable"
        yield wrong(WHAT, code, str(error))


def _damaged(archive: Archive) -> Iterator[Finding]:
    damaged = []
    for key in archive.attempts()[-NEWEST:]:
        try:
            archive.answers(key, archive.manifest(key)[0])
        except DamagedError as error:
            damaged.append(str(error))
    if damaged:
        count = counted(len(damaged), "attempt")
        text = f"{count} of the newest {NEWEST} cannot be read: {damaged[0]}"
        yield wrong(WHAT, "archive_damaged", text, "coinlog verify")


def _foreign(archive: Archive) -> Iterator[Finding]:
    folders, objects = archive.objects.inside()
    names = {name.strip("/").rpartition("/")[2] for name in (*folders, *objects)} - _OURS
    if names:
        some = ", ".join(sorted(names)[:3])
        text = f"{counted(len(names), 'thing')} in {archive.location} is not coinlog's: {some}"
        yield look(WHAT, "archive_foreign", f"{text}; a backup takes it along")


def _others(archive: Archive) -> Iterator[Finding]:
    slots = sorted({key.slot for key in archive.attempts()[-NEWEST:]})
    machines = {claim.machine for slot in slots for claim in archive.claims(slot)} - {""}
    if len(machines) > 1:
        here = socket.gethostname()
        names = ", ".join(f"{name} (this one)" if name == here else name for name in machines)
        text = f"recorders on {len(machines)} machines write to it, which doubles nothing: {names}"
        yield look(WHAT, "archive_shared", text)


def _waiting(parts: Parts) -> Iterator[Finding]:
    try:
        if is_new(parts.settings.database_url):
            return
        count = count_waiting(parts.engine, parts.archive)
    except StoreError:
        # What is wrong with the database has its own finding.
        return
    if count:
        text = f"{counted(count, 'attempt')} in the archive, not in the database yet"
        yield look(WHAT, "attempts_waiting", text, "coinlog load")
