"""What the processes of a publishing do: files of some assets, markets of some slots."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cached_property
from itertools import chain
from multiprocessing import get_context
from typing import TYPE_CHECKING, TypeVar

import msgspec
import sqlalchemy as sa

from coinlog.ahead import live_with_the_parent
from coinlog.chunks.files import encode
from coinlog.chunks.market import Among, first_of_slot
from coinlog.chunks.names import Month, slot_path
from coinlog.chunks.record import Record
from coinlog.errors import ExportError
from coinlog.publish.asset_files import DATA, File, asset_files
from coinlog.publish.edition import Files
from coinlog.publish.folder import Folder
from coinlog.publish.histories import histories
from coinlog.publish.members import Members
from coinlog.publish.sites import open_site
from coinlog.slots import DAY
from coinlog.store.engine import open_engine
from coinlog.store.ledger import Head
from coinlog.store.reader import Reader
from coinlog.store.stretches import Names
from coinlog.timeline import ALWAYS, Timeline, Window, part_of, read_timeline

if TYPE_CHECKING:
    from coinlog.publish.pages import Press

SLOT_ASSETS = 200
"""How many assets the file of a slot holds in a published edition."""

GONE = ""
"""Instead of its digest, where a file is no longer there."""

Job = TypeVar("Job")
Done = TypeVar("Done")


class Place(msgspec.Struct, frozen=True):
    """What is published where: a store as it stood at a moment, into a folder or a bucket."""

    url: str
    location: str
    head: Head
    now: float
    fiat: frozenset[int] = frozenset()
    origin: str = ""
    slots_with_pages: frozenset[int] = frozenset()


class AssetsJob(msgspec.Struct, frozen=True):
    """Assets whose files are to be made, from a month on; those in ``pages`` have theirs made too.

    ``known`` are the files that they have, as far as the job can concern them.
    """

    ids: Sequence[int]
    since: Month | None
    pages: frozenset[int]
    known: dict[int, Files]


class SlotsJob(msgspec.Struct, frozen=True):
    """Slots whose markets and pages are to be made, and days of the log with their files known."""

    slots: Sequence[int]
    pages: Sequence[int]
    days: Sequence[str]
    known: Files
    among: Among | None = None


class Report(msgspec.Struct, frozen=True):
    """What became of a job: the files that it was about, each with its digest or ``GONE``.

    Of assets whose whole history was read, ``best`` is the lowest rank of each, and ``seen`` counts
    how many had a quote at each slot.
    """

    assets: dict[int, Files] = {}
    files: Files = {}
    best: dict[int, int] = {}
    seen: dict[int, int] = {}
    steps: int = 0
    written: int = 0
    unchanged: int = 0
    removed: int = 0
    bytes: int = 0


class Desk:
    """A process's own view of the store, and its hands on the folder."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._folder = Folder(open_site(place.location))
        self.reader = Reader(open_engine(sa.make_url(place.url), read_only=True), DAY)

    def close(self) -> None:
        """Let go of the store."""
        self._folder.close()
        self.reader.engine.dispose()
        if "press" in self.__dict__:
            self.press.close()

    @cached_property
    def press(self) -> Press:
        """What renders pages: loaded when the first is wanted."""
        from coinlog.publish.pages import Press  # noqa: PLC0415  takes a second to load

        place = self._place
        return Press(sa.make_url(place.url), place.now, place.slots_with_pages, place.origin)

    @cached_property
    def _whole(self) -> Timeline:
        return read_timeline(self.reader, self._place.head, ALWAYS, self._place.now)

    @cached_property
    def _names(self) -> Names:
        return Names(self.reader)

    @property
    def record(self) -> Record:
        """The record, with the whole ledger kept in memory."""
        return Record(self.reader, self._place.head, self._place.now, self._part)

    def _part(self, window: Window) -> Timeline:
        return part_of(self._whole, window)

    def assets(self, job: AssetsJob) -> Report:
        """Make the files of assets; those that they should not have any more are removed."""
        before, members = self._counts(), Members()
        with self.reader.snapshot():
            new = self._folder.put(self._asset_files(job, members), _joined(job.known.values()))
        found = {one: dict[str, str]() for one in job.ids}
        for path, digest in new.items():
            found[_asset_of(path)][path] = digest
        for asset_id, known in job.known.items():
            gone = [p for p in known if p not in found[asset_id] and not _stays(p, job.since)]
            for path in gone:
                self._folder.remove(path)
            found[asset_id] |= dict.fromkeys(gone, GONE)
        for asset_id in sorted(job.pages):
            pages = self._folder.put(self.press.of_asset(asset_id), job.known.get(asset_id, {}))
            found[asset_id] |= pages
        done = self._report(before, assets=found, steps=len(job.ids))
        if job.since is not None:
            return done
        return msgspec.structs.replace(done, best=members.best, seen=dict(members.seen))

    def _asset_files(self, job: AssetsJob, members: Members) -> Iterator[File]:
        for asset_id, series in histories(self.record, job.ids, job.since):
            if job.since is None and asset_id not in self._place.fiat:
                members.add(asset_id, series)
            yield from asset_files(self.record, asset_id, series, job.since)

    def slots(self, job: SlotsJob) -> Report:
        """Make the markets of slots, their pages, and days of the log."""
        before = self._counts()
        with self.reader.snapshot():
            files = self._folder.put(self._markets(job), job.known)
        pages = (file for slot in job.pages for file in self.press.of_slot(slot))
        days = (file for day in job.days for file in self.press.of_day(day))
        files |= self._folder.put(chain(pages, days), job.known)
        return self._report(
            before, files=files, steps=sum(map(len, (job.slots, job.pages, job.days)))
        )

    def _markets(self, job: SlotsJob) -> Iterator[File]:
        for slot in job.slots:
            chunk = first_of_slot(self.record, slot, self._names, SLOT_ASSETS, job.among)
            if chunk is not None:
                yield DATA + slot_path(slot), encode(chunk)

    def _counts(self) -> tuple[int, int, int, int]:
        folder = self._folder
        return folder.written, folder.unchanged, folder.removed, folder.bytes

    def _report(
        self,
        before: tuple[int, ...],
        *,
        assets: dict[int, Files] | None = None,
        files: Files | None = None,
        steps: int = 0,
    ) -> Report:
        written, unchanged, removed, size = (
            after - was for was, after in zip(before, self._counts(), strict=True)
        )
        return Report(
            assets=assets or {},
            files=files or {},
            steps=steps,
            written=written,
            unchanged=unchanged,
            removed=removed,
            bytes=size,
        )


def _joined(some: Iterable[Files]) -> Files:
    return {path: digest for files in some for path, digest in files.items()}


def _asset_of(path: str) -> int:
    """Return the asset that a file of its history is about: ``data/assets/1/2026-01.json``."""
    return int(path.split("/")[2])


def _stays(path: str, since: Month | None) -> bool:
    """Return whether a file is outside of what a job makes anew: pages, and months before."""
    if not path.startswith(DATA):
        return True
    return since is not None and path.rpartition("/")[2] < f"{since.name}."


class Crew:
    """Does jobs: in processes of its own where there are many, else here."""

    def __init__(self, place: Place, processes: int) -> None:
        self._place = place
        self._own: Desk | None = None
        self._pool: ProcessPoolExecutor | None = None
        if processes > 1:
            # Never forked: the parent's threads and connections would be there half.
            fresh = get_context("spawn")
            self._pool = ProcessPoolExecutor(processes, fresh, _sit_down, (place,))

    @property
    def desk(self) -> Desk:
        """The desk of this process."""
        if self._own is None:
            self._own = Desk(self._place)
        return self._own

    def do(self, task: Callable[[Desk, Job], Report], jobs: Sequence[Job]) -> Iterator[Report]:
        """Begin with all jobs where there are processes for them; yield what becomes of each.

        Raises:
            ExportError: something cannot be written, or a process has ended.
        """
        if self._pool is None:
            return (task(self.desk, job) for job in jobs)
        return self._pool.map(_do, [task] * len(jobs), jobs)

    def close(self) -> None:
        """Send everybody home."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        if self._own is not None:
            self._own.close()


@contextmanager
def crew(place: Place, processes: int | None, jobs: int) -> Iterator[Crew]:
    """Lend a crew as large as the work and the machine.

    Raises:
        ExportError: one of its processes has ended.
    """
    most = processes or os.cpu_count() or 1
    people = Crew(place, min(most, jobs))
    try:
        yield people
    except BrokenProcessPool as error:
        raise ExportError(
            "a process that writes the edition has ended (is there memory left?): run the same "
            "again, it goes on where it stopped"
        ) from error
    finally:
        people.close()


_desk: Desk | None = None


def _sit_down(place: Place) -> None:
    global _desk  # noqa: PLW0603  one for each process
    live_with_the_parent()
    _desk = Desk(place)


def _do(task: Callable[[Desk, Job], Report], job: Job) -> Report:
    if _desk is None:
        raise RuntimeError("this process has not been set up")
    return task(_desk, job)
