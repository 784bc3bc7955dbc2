"""What is to be made in a run, cut into jobs of a size that processes can share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from coinlog.attempts import slot_name
from coinlog.chunks.market import Among
from coinlog.chunks.names import (
    Month,
    days_path,
    month_of,
    month_path,
    months_between,
    slot_path,
    year_path,
)
from coinlog.publish.asset_files import DATA
from coinlog.publish.edition import Edition, Files
from coinlog.publish.folder import part_path
from coinlog.publish.standing import Standing
from coinlog.publish.work import AssetsJob, SlotsJob
from coinlog.slots import DAY
from coinlog.web.calendar import day_name, first_known
from coinlog.web.i18n import languages
from coinlog.web.shell import prefix_of

T = TypeVar("T")

_WHOLE_BATCH, _BATCH, _SLOTS_BATCH = 40, 250, 60
_SLOT_PAGES = 1_500
"""How many slots have pages at first, in each language: a year of four a day. Five minutes would
make 200,000 of them."""

_PREFIXES = [f"{prefix_of(one)}/".removeprefix("/") for one in languages()]
_FIRST_RANKS = 300
"""Ranks repeat and have holes: so many are looked at to find the first 200 assets."""


def assets_jobs(
    edition: Edition, standing: Standing, build: str, done: set[int]
) -> list[AssetsJob]:
    """Return the jobs for the assets that have changed and are not ``done``."""
    changes, lasts = standing.changes, standing.last_months
    until = month_of(standing.now)
    since = changes.since
    pages = {one for one in lasts if _has_old_page(edition, standing, build, one)}
    whole = [
        one
        for one in sorted(lasts.keys() - done)
        if since is None or one in changes.whole or one not in edition.assets
    ]
    months = [
        one
        for one in sorted(lasts.keys() - done - set(whole))
        if since and (lasts[one] >= since or one in pages)
    ]
    return [
        *_cut(edition, whole, None, pages, _WHOLE_BATCH, until),
        *_cut(edition, months, since, pages, _WHOLE_BATCH if pages else _BATCH, until),
    ]


def _has_old_page(edition: Edition, standing: Standing, build: str, asset_id: int) -> bool:
    """Return whether an asset's page says something that is no longer so, numbers aside."""
    if standing.everything or not edition.finished or edition.build != build:
        return True
    return edition.facts.get(asset_id) != standing.facts.get(asset_id)


def _cut(  # noqa: PLR0913, PLR0917  all that a job is made of
    edition: Edition,
    ids: Sequence[int],
    since: Month | None,
    pages: set[int],
    size: int,
    until: Month,
) -> Iterator[AssetsJob]:
    for start in range(0, len(ids), size):
        some = ids[start : start + size]
        known = {one: edition.assets.get(one, {}) for one in some}
        if since is not None and not pages.intersection(some):
            # What stays as it is need not go to another process and back.
            known = {one: _from(since, until, one, files) for one, files in known.items()}
        yield AssetsJob(some, since, frozenset(pages.intersection(some)), known)


def _from(since: Month, until: Month, asset_id: int, files: Files) -> Files:
    """Return the files of an asset's history that are there from a month on."""
    months = list(months_between(since, until))
    paths = [
        *(month_path(asset_id, month) for month in months),
        *(days_path(asset_id, month) for month in months),
        *(year_path(asset_id, year) for year in sorted({month.year for month in months})),
    ]
    return {DATA + path: files[DATA + path] for path in paths if DATA + path in files}


def slots_jobs(work: SlotsWork, files: Files, among: Among | None) -> list[SlotsJob]:
    """Return the jobs for some slots' markets and pages."""
    found = []
    longest = max(len(work.markets), len(work.pages), len(work.days))
    for start in range(0, longest, _SLOTS_BATCH):
        part = slice(start, start + _SLOTS_BATCH)
        slots, pages, days = work.markets[part], work.pages[part], work.days[part]
        paths = {*map(_path, slots), *_all(_page_paths, pages), *_all(_day_paths, days)}
        known = {path: files[path] for path in paths & files.keys()}
        found.append(SlotsJob(slots, pages, days, known, among))
    return found


class SlotsWork(msgspec.Struct, frozen=True):
    """The slots whose markets, and those whose pages are to be made, and days of the log."""

    markets: list[int]
    pages: list[int]
    days: list[str]

    @property
    def steps(self) -> int:
        """How many there are."""
        return len(self.markets) + len(self.pages) + len(self.days)


def slots_work(edition: Edition, standing: Standing, build: str) -> SlotsWork:
    """Return what was settled since, what has no file, and who stands beside it."""
    changed, files = standing.changes.slots, edition.files
    pages = sorted(slots_with_pages(edition, standing))
    if changed is None:
        return SlotsWork(standing.slots, pages, _days(standing))
    markets = [one for one in standing.slots if one in changed or _path(one) not in files]
    if edition.build != build:
        return SlotsWork(markets, pages, _days(standing))
    fresh = [slot in changed or _page_paths(slot)[0] not in files for slot in pages]
    beside = zip([False, *fresh], fresh, [*fresh[1:], False], strict=False)
    near = [slot for slot, marks in zip(pages, beside, strict=False) if any(marks)]
    return SlotsWork(markets, near, _changed_days(edition, standing, changed))


def slots_with_pages(edition: Edition, standing: Standing) -> frozenset[int]:
    """Return the slots that have a page: the newest ones of the ledger, and whoever had one."""
    newest = standing.ledger[-_SLOT_PAGES:]
    had = (one for one in standing.ledger if _page_paths(one)[0] in edition.files)
    return frozenset([*newest, *had])


def among(standing: Standing, best: Mapping[int, int], seen: Mapping[int, int]) -> Among | None:
    """Return where the first assets of all slots are, where all assets have been looked at."""
    if best.keys() | standing.fiat != standing.last_months.keys():
        return None
    ids = sorted(one for one, rank in best.items() if rank <= _FIRST_RANKS)
    return Among(ids, _FIRST_RANKS, seen)


def slots_paths(standing: Standing) -> set[str]:
    """Return the files of all slots."""
    return {
        *map(_path, standing.slots),
        *_all(_page_paths, standing.ledger),
        *_all(_day_paths, _days(standing)),
    }


def _days(standing: Standing) -> list[str]:
    """Return all days (UTC) of the record: on any of them a slot can have been missed."""
    first = first_known(standing.head)
    if first is None:
        return []
    return [day_name(start) for start in range(first - first % DAY, int(standing.now) + 1, DAY)]


def _changed_days(edition: Edition, standing: Standing, slots: Iterable[int]) -> list[str]:
    """Return the days whose slots are others now, by what was settled or by time alone."""
    changed, last = {day_name(slot) for slot in slots}, day_name(int(edition.moment))
    return [
        day
        for day in _days(standing)
        if day in changed or day >= last or _day_paths(day)[0] not in edition.files
    ]


def _all(paths_of: Callable[[T], list[str]], things: Iterable[T]) -> Iterator[str]:
    return (path for one in things for path in paths_of(one))


def _day_paths(day: str) -> list[str]:
    return [part_path(f"{prefix}log", "slots", day) for prefix in _PREFIXES]


def _page_paths(slot: int) -> list[str]:
    return [f"{prefix}log/{slot_name(slot)}/index.html" for prefix in _PREFIXES]


def _path(slot: int) -> str:
    return DATA + slot_path(slot)
