"""What is to be made in a run, cut into jobs of a size that processes can share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from coinlog.attempts import slot_name
from coinlog.chunks.market import Among
from coinlog.chunks.names import Month, slot_path
from coinlog.publish.asset_files import DATA
from coinlog.publish.edition import Edition, Files
from coinlog.publish.standing import Standing
from coinlog.publish.work import AssetsJob, SlotsJob
from coinlog.web.i18n import languages
from coinlog.web.shell import prefix_of

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
        *_cut(edition, whole, None, pages, _WHOLE_BATCH),
        *_cut(edition, months, since, pages, _WHOLE_BATCH if pages else _BATCH),
    ]


def _has_old_page(edition: Edition, standing: Standing, build: str, asset_id: int) -> bool:
    """Return whether an asset's page says something that is no longer so, numbers aside."""
    if standing.everything or not edition.finished or edition.build != build:
        return True
    return edition.facts.get(asset_id) != standing.facts.get(asset_id)


def _cut(
    edition: Edition, ids: Sequence[int], since: Month | None, pages: set[int], size: int
) -> Iterator[AssetsJob]:
    for start in range(0, len(ids), size):
        some = ids[start : start + size]
        known = {one: edition.assets.get(one, {}) for one in some}
        yield AssetsJob(some, since, frozenset(pages.intersection(some)), known)


def slots_jobs(work: SlotsWork, files: Files, among: Among | None) -> list[SlotsJob]:
    """Return the jobs for some slots' markets and pages."""
    found = []
    for start in range(0, max(len(work.markets), len(work.pages)), _SLOTS_BATCH):
        part = slice(start, start + _SLOTS_BATCH)
        slots, pages = work.markets[part], work.pages[part]
        paths = {*map(_path, slots), *(path for one in pages for path in _page_paths(one))}
        known = {path: files[path] for path in paths & files.keys()}
        found.append(SlotsJob(slots, pages, known, among))
    return found


class SlotsWork(msgspec.Struct, frozen=True):
    """The slots whose markets, and those whose pages are to be made: oldest first."""

    markets: list[int]
    pages: list[int]

    @property
    def steps(self) -> int:
        """How many there are."""
        return len(self.markets) + len(self.pages)


def slots_work(edition: Edition, standing: Standing, build: str) -> SlotsWork:
    """Return what was settled since, what has no file, and who stands beside it."""
    changed, files = standing.changes.slots, edition.files
    pages = sorted(slots_with_pages(edition, standing))
    if changed is None:
        return SlotsWork(standing.slots, pages)
    markets = [one for one in standing.slots if one in changed or _path(one) not in files]
    if edition.build != build:
        return SlotsWork(markets, pages)
    fresh = [slot in changed or _page_paths(slot)[0] not in files for slot in pages]
    beside = zip([False, *fresh], fresh, [*fresh[1:], False], strict=False)
    near = [slot for slot, marks in zip(pages, beside, strict=False) if any(marks)]
    return SlotsWork(markets, near)


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
        *(path for one in standing.ledger for path in _page_paths(one)),
    }


def _page_paths(slot: int) -> list[str]:
    return [f"{prefix}log/{slot_name(slot)}/index.html" for prefix in _PREFIXES]


def _path(slot: int) -> str:
    return DATA + slot_path(slot)
