"""The archive: can it be used, is it ours, does anything wait in it, who writes to it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from coinlog.archive import Archive
from coinlog.attempts import AttemptKey
from coinlog.cli.cures import BRING_BACK, from_backup
from coinlog.cli.doctor.findings import Finding, fine, look, wrong
from coinlog.cli.report import short_hashes
from coinlog.errors import ArchiveError, DamagedError, StoreError
from coinlog.loading import count_waiting
from coinlog.market import SourceKind
from coinlog.objects import is_bucket
from coinlog.parts import Parts
from coinlog.slots import iso
from coinlog.sources.texts import counted
from coinlog.store.existing import is_new
from coinlog.store.writer import settled

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
        *_lost(parts, attempts),
        *_damaged(parts, archive),
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


def attempts_in(parts: Parts) -> int:
    """Return how many attempts are in the archive; none in one that cannot be read."""
    try:
        return len(parts.archive.attempts())
    except ArchiveError:
        return 0


@contextmanager
def left_as_it_was(location: str) -> Iterator[None]:
    """Take away again what opening makes of a folder that is not there.

    It would hide that the archive was missing.
    """
    folder = Path(location).expanduser().absolute()
    places = () if is_bucket(location) else (folder, *folder.parents)
    absent = [place for place in places if not os.path.lexists(place)]
    try:
        yield
    finally:
        for place in absent:
            # What is not empty is somebody else's by now.
            with suppress(OSError):
                place.rmdir()


def _lost(parts: Parts, attempts: Sequence[AttemptKey]) -> Iterator[Finding]:
    """Yield whether the store has settled what the archive has not."""
    held = _settled(parts)
    lacking = sorted(held - {(key.slot, key.attempt) for key in attempts})
    if not lacking:
        return
    where = parts.archive.location
    if not attempts:
        made_up = parts.plan.source is SourceKind.SIMULATED
        setting = "COINLOG_DATA" if made_up else "COINLOG_ARCHIVE"
        text = (
            f"the store has {counted(len(held), 'attempt')}, the archive at {where} none: was it "
            f"moved? bring it back, or name its place in {setting}; the answers are in a backup too"
        )
        yield wrong(WHAT, "archive_gone", text, from_backup(parts, ()))
        return
    slot, attempt = lacking[0]
    texts = [f"slot {iso(slot)}, attempt {attempt}: " for slot, attempt in lacking]
    text = (
        f"{counted(len(lacking), 'attempt')} of the store not in the archive at {where}, the first "
        f"{AttemptKey(slot, attempt).folder}: {BRING_BACK}"
    )
    yield wrong(WHAT, "archive_lacks", text, from_backup(parts, texts))


def _settled(parts: Parts) -> set[tuple[int, str]]:
    try:
        return set() if is_new(parts.settings.database_url) else settled(parts.engine)
    except StoreError:
        # What is wrong with the database has its own finding.
        return set()


def _damaged(parts: Parts, archive: Archive) -> Iterator[Finding]:
    damaged = []
    for key in archive.attempts()[-NEWEST:]:
        try:
            archive.answers(key, archive.manifest(key)[0])
        except DamagedError as error:
            damaged.append(str(error))
    if damaged:
        count = counted(len(damaged), "attempt")
        text = f"{count} of the newest {NEWEST} cannot be read: {short_hashes(damaged[0])}"
        do = from_backup(parts, damaged)
        text = f"{text}; {BRING_BACK}, then `coinlog verify`"
        yield wrong(WHAT, "archive_damaged", text, do)


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
