"""One run of a publishing: its jobs, what comes of them, and the manifest at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing

import msgspec
import sqlalchemy as sa

from coinlog.publish.asset_files import DATA, File
from coinlog.publish.edition import Edition, Files, Journal, Line, read_journal, write_edition
from coinlog.publish.folder import Folder
from coinlog.publish.headers import HEADERS, headers_file
from coinlog.publish.jobs import (
    among,
    assets_jobs,
    slots_jobs,
    slots_paths,
    slots_with_pages,
    slots_work,
)
from coinlog.publish.shared_files import monthly_files, newest_files
from coinlog.publish.sites import Site
from coinlog.publish.standing import Standing
from coinlog.publish.work import GONE, Desk, Place, Report, crew
from coinlog.watching import Advance, Watch
from coinlog.web.static_files import read_static

STATIC = "static/"
_ALONE_BELOW = 300
"""With fewer assets to look at, processes would take longer to start than they save."""


class Tally(msgspec.Struct):
    """How many files were written, left as they were, and removed."""

    written: int = 0
    unchanged: int = 0
    removed: int = 0
    bytes: int = 0

    def add(self, done: Report | Folder) -> None:
        """Count what somebody has done."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(done, name))


class Run:
    """A publishing under way."""

    def __init__(
        self, url: sa.URL, site: Site, edition: Edition, standing: Standing, origin: str = ""
    ) -> None:
        self._edition = edition
        self._standing = standing
        self._folder = Folder(site)
        self._place = Place(
            url=url.render_as_string(hide_password=False),
            location=site.location,
            head=standing.head,
            now=standing.now,
            fiat=standing.fiat,
            origin=origin,
            slots_with_pages=slots_with_pages(edition, standing),
        )
        self._scripts = read_static()[0].build
        # Pages name the address that they are served at: at another one all are others.
        self._build = f"{self._scripts} {origin}".strip()
        self.tally = Tally()

    @property
    def is_up_to_date(self) -> bool:
        """Whether nothing can have changed since the edition was published."""
        edition, standing = self._edition, self._standing
        same = (edition.build, edition.state, edition.marks)
        return edition.finished and same == (self._build, standing.state, standing.marks)

    def carry_out(self, watch: Watch, processes: int | None) -> None:
        """Write what has changed, and the manifest last.

        Raises:
            CoinlogError: the store cannot be read, or a file not be written.
        """
        done = self._take_up()
        jobs = assets_jobs(self._edition, self._standing, self._build, done)
        work = slots_work(self._edition, self._standing, self._build)
        steps = sum(len(job.ids) for job in jobs) + work.steps
        hands = 1 if steps < _ALONE_BELOW else steps
        journal = Journal(self._folder.site)
        with (
            closing(self._folder),
            crew(self._place, processes, hands) as people,
            watch("publishing", steps) as advance,
        ):
            coming = people.do(Desk.assets, jobs)
            shared = self._shared(people.desk)
            known = among(self._standing, *self._gathered(coming, shared, journal, advance))
            slots = slots_jobs(work, self._edition.files, known)
            self._gathered(people.do(Desk.slots, slots), shared, journal, advance)
            self._remove_gone(shared)
            shared |= self._put(newest_files(people.desk.record, self._scripts))
        self._finish(shared)

    def _take_up(self) -> set[int]:
        """Return the assets that a run which was stopped has done already, as they are now."""
        done: set[int] = set()
        for line in read_journal(self._folder.site):
            self._note(line.assets)
            self._edition.files |= line.files
            if line.key == self._key:
                done |= line.assets.keys()
        return done

    @property
    def _key(self) -> str:
        """What a stopped run must have been about for its work to be of use."""
        since = self._standing.changes.since
        return f"{self._build} {since.name if since else 'all'} {self._standing.state}"

    def _shared(self, desk: Desk) -> Files:
        """Write the pages of all, and what they need, but for the newest data."""
        since = self._standing.changes.since
        with desk.reader.snapshot():
            months = self._put(monthly_files(desk.record, since))
        return {
            **months,
            **self._put(desk.press.static()),
            **self._put(desk.press.shared()),
            **self._put([(HEADERS, headers_file())]),
        }

    def _put(self, files: Iterable[File]) -> Files:
        return self._folder.put(files, self._edition.files)

    def _gathered(
        self, reports: Iterator[Report], shared: Files, journal: Journal, advance: Advance
    ) -> tuple[dict[int, int], Counter[int]]:
        """Note what has become of jobs; return what they tell of ranks and of slots."""
        best: dict[int, int] = {}
        seen: Counter[int] = Counter()
        for report in reports:
            self.tally.add(report)
            self._note(report.assets)
            shared |= report.files
            journal.add(Line(self._key, report.assets, report.files))
            best |= report.best
            seen.update(report.seen)
            advance(report.steps)
        return best, seen

    def _note(self, assets: Mapping[int, Files]) -> None:
        """Note what has become of files of assets; what nobody was concerned with is as it was."""
        for asset_id, files in assets.items():
            there = self._edition.assets.setdefault(asset_id, {})
            there |= files
            for path in [path for path, digest in files.items() if digest == GONE]:
                del there[path]

    def _remove_gone(self, shared: Files) -> None:
        """Remove what is no longer part of the edition; the scripts of one build before stay."""
        edition, standing = self._edition, self._standing
        for asset_id in edition.assets.keys() - standing.last_months.keys():
            self._remove(edition.assets.pop(asset_id))
        slots = slots_paths(standing)
        others = edition.files.keys() - shared.keys()
        scripts = {path: edition.files.pop(path) for path in others if path.startswith(STATIC)}
        if edition.build != self._build:
            self._remove(edition.retired.keys() - shared.keys())
            edition.retired = scripts
        gone = [path for path in others - scripts.keys() if self._is_gone(path, slots)]
        self._remove(gone)
        for path in gone:
            del edition.files[path]

    def _is_gone(self, path: str, slots: set[str]) -> bool:
        if path in slots:
            return False
        # Pages are all made anew in each run; months of data in those alone that look at all.
        in_months = path.startswith(DATA) and not path.startswith(f"{DATA}slots/")
        if in_months:
            return self._standing.changes.since is None and path.count("/") > 1
        return True

    def _remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            self._folder.remove(path)

    def _finish(self, shared: Files) -> None:
        edition, standing = self._edition, self._standing
        edition.files |= shared
        edition.build, edition.state, edition.marks = self._build, standing.state, standing.marks
        edition.moment, edition.facts = standing.now, standing.facts
        edition.finished = True
        self.tally.add(self._folder)
        write_edition(self._folder.site, edition)
