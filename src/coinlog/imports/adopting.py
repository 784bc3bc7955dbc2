"""From what was found to attempts in the archive: planned first, then written, slot by slot.

An attempt is called ``import-<number>-<digest>``. The digest is that of its content, so that
importing the same again finds it there; the number keeps those of one slot in the order in which
they came, which is the order in which every load and replay settles them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

import msgspec

from coinlog import __version__
from coinlog.archive import Archive
from coinlog.attempts import AttemptKey, KeptAnswer, Manifest, slot_name
from coinlog.imports.conflicts import conflicts_of
from coinlog.imports.found import FILE, Found, captured_and_matched
from coinlog.imports.planned import Planned
from coinlog.imports.standing import Standing
from coinlog.market import Outcome
from coinlog.slots import MAX_TOP
from coinlog.sources.labels import Matches
from coinlog.verdict import Verdict, judge_imported

_IDS_LISTED = 100


class Plan(msgspec.Struct, frozen=True):
    """What an import would do. ``outcomes`` counts what the new attempts amount to.

    ``stays`` counts the slots that are stored already, ``partial`` those that are in part and
    are not completed by this: both stay as they are. ``newest`` has the numbers of the newest
    attempts imported before, by slot. ``conflicts`` says in sentences why it must not be done.
    """

    attempts: list[Planned]
    new: list[Planned]
    newest: dict[int, int]
    stays: int
    partial: int
    outcomes: dict[Outcome, int]
    quotes: int
    conflicts: list[str]


def plan(found: Found, matches: Matches, there: Standing, advance: Callable[[int], None]) -> Plan:
    """Judge everything that was found, and write nothing; ``advance`` is told of each slot.

    Raises:
        CoinlogError: what was found cannot be read again, or not as it is asked for.
    """
    attempts = [
        attempt
        for slot in found.slots()
        for attempt in _planned(found, matches, slot, there, advance)
    ]
    new = [each for each in attempts if each.digest not in there.imported.get(each.slot, {})]
    changed = {each.slot for each in new if each.stands}
    held = (there.held[slot].outcome for slot in {each.slot for each in new} - changed)
    stays = Counter(held)
    return Plan(
        attempts=attempts,
        new=new,
        newest={slot: max(digests.values()) for slot, digests in there.imported.items()},
        stays=stays[Outcome.STORED],
        partial=stays[Outcome.PARTIAL],
        outcomes=Counter(each.outcome for each in new),
        quotes=sum(each.quotes for each in attempts),
        conflicts=conflicts_of(new, there, of_rows=found.unit != FILE),
    )


def adopt(
    archive: Archive, found: Found, matches: Matches, planned: Plan, interval_seconds: int
) -> Iterator[AttemptKey]:
    """Write what was planned and is not there yet as attempts; yield each, oldest first.

    Raises:
        ArchiveError: the archive cannot be used; what was written stays, so do it again.
    """
    for slot, attempts in groupby(planned.new, key=lambda each: each.slot):
        waiting = {each.digest: each for each in attempts}
        number = planned.newest.get(slot, 0)
        for captured in captured_and_matched(found, matches, slot):
            attempt = waiting.pop(captured.digest(matches), None)
            if attempt is None:
                continue
            number += 1
            key = AttemptKey(slot, f"import-{number:04}-{attempt.digest}")
            kept = tuple(archive.keep(key, each) for each in captured.with_matches(matches))
            archive.finish(_manifest(key, found, attempt, kept, interval_seconds))
            yield key


def _planned(
    found: Found, matches: Matches, slot: int, there: Standing, advance: Callable[[int], None]
) -> Iterable[Planned]:
    planned: dict[str, Planned] = {}
    for captured in captured_and_matched(found, matches, slot):
        digest = captured.digest(matches)
        if digest not in planned:
            verdict = judge_imported(captured.with_matches(matches))
            planned[digest] = _plan_of(slot, digest, verdict, captured.observed_at, there)
    advance(1)
    return planned.values()


def _plan_of(
    slot: int, digest: str, verdict: Verdict, captured_at: int, there: Standing
) -> Planned:
    quotes = verdict.snapshot.quotes if verdict.snapshot else ()
    new = digest not in there.imported.get(slot, {})
    stands = there.takes(slot, verdict.outcome, verdict.snapshot)
    return Planned(
        slot,
        digest,
        verdict.outcome,
        verdict.reason,
        verdict.detail,
        _selection([quote.asset_id for quote in quotes]),
        len(quotes),
        stands,
        there.left_out(slot, verdict.snapshot) if new and not stands else (),
        there.repeated_from(slot, captured_at, quotes) if new else None,
        verdict.beside,
    )


def _manifest(
    key: AttemptKey,
    found: Found,
    attempt: Planned,
    kept: tuple[KeptAnswer, ...],
    interval_seconds: int,
) -> Manifest:
    """Return a manifest with nothing of the moment of the import: the same one gives the same."""
    return Manifest(
        slot=slot_name(key.slot),
        attempt=key.attempt,
        outcome=attempt.outcome,
        reason=attempt.reason,
        detail=attempt.detail,
        source=found.source,
        interval_seconds=interval_seconds,
        assets=attempt.assets,
        started_at=kept[0].received_at,
        captured_at=kept[0].received_at,
        credits=0,
        answers=kept,
        program=f"coinlog {__version__}",
        imported=found.imported,
    )


def _selection(ids: Sequence[int]) -> str:
    """Return what was captured as a selection of assets: by id where they are few."""
    if 0 < len(ids) <= _IDS_LISTED:
        return f"id:{','.join(map(str, sorted(ids)))}"
    return f"top:{max(1, min(len(ids), MAX_TOP))}"
