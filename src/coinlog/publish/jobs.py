"""What is to be made in a run, cut into jobs of a size that processes can share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from coinlog.chunks.market import Among
from coinlog.chunks.names import Month, slot_path
from coinlog.publish.asset_files import DATA
from coinlog.publish.edition import Edition
from coinlog.publish.standing import Standing
from coinlog.publish.work import AssetsJob, SlotsJob

_WHOLE_BATCH, _BATCH, _SLOTS_BATCH = 40, 250, 60
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


def slots_jobs(edition: Edition, standing: Standing, among: Among | None) -> list[SlotsJob]:
    """Return the jobs for the slots that were settled since, or have no file."""
    files = edition.files
    slots = changed_slots(edition, standing)
    return [
        SlotsJob(some, {path: files[path] for path in map(_path, some) if path in files}, among)
        for start in range(0, len(slots), _SLOTS_BATCH)
        for some in (slots[start : start + _SLOTS_BATCH],)
    ]


def changed_slots(edition: Edition, standing: Standing) -> list[int]:
    """Return the slots whose market is to be made: oldest first."""
    changed = standing.changes.slots
    return [
        slot
        for slot in standing.slots
        if changed is None or slot in changed or _path(slot) not in edition.files
    ]


def among(standing: Standing, best: Mapping[int, int], seen: Mapping[int, int]) -> Among | None:
    """Return where the first assets of all slots are, where all assets have been looked at."""
    if best.keys() | standing.fiat != standing.last_months.keys():
        return None
    ids = sorted(one for one, rank in best.items() if rank <= _FIRST_RANKS)
    return Among(ids, _FIRST_RANKS, seen)


def slots_paths(standing: Standing) -> set[str]:
    """Return the files of all recorded slots."""
    return set(map(_path, standing.slots))


def _path(slot: int) -> str:
    return DATA + slot_path(slot)
