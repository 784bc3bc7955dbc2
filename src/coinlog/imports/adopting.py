"""From what was found to attempts in the archive: planned first, then written, slot by slot.

An attempt is called ``import-<number>-<digest>``. The digest is that of its content, so that
importing the same again finds it there; the number keeps those of one slot in the order in which
they came, which is the order in which every load and replay settles them.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

import msgspec
import sqlalchemy as sa

from coinlog import __version__
from coinlog.archive import Archive
from coinlog.attempts import AttemptKey, KeptAnswer, Manifest, slot_name
from coinlog.errors import SchemaError
from coinlog.imports.found import Found, captured_and_matched
from coinlog.market import Outcome, Reason
from coinlog.slots import MAX_TOP
from coinlog.sources.labels import Matches
from coinlog.sources.table import Beside
from coinlog.store import schema
from coinlog.store.engine import store_errors
from coinlog.verdict import Verdict, judge_imported

_NAME = re.compile(r"import-([0-9]{4,9})-([0-9a-f]{16})")
_IDS_LISTED = 100


class Planned(msgspec.Struct, frozen=True):
    """An attempt that an import would make, and what it would amount to."""

    slot: int
    digest: str
    outcome: Outcome
    reason: Reason | None
    detail: str
    assets: str
    quotes: int
    beside: Beside = Beside()


class Standing(msgspec.Struct, frozen=True):
    """What there is already: by slot the imported attempts' numbers by digest, and the outcomes."""

    imported: dict[int, dict[str, int]]
    outcomes: dict[int, Outcome]


class Plan(msgspec.Struct, frozen=True):
    """What an import would do. ``outcomes`` counts what the new attempts amount to.

    ``stays`` counts the slots that are stored already, ``newest`` has the numbers of the newest
    attempts imported before, by slot.
    """

    attempts: list[Planned]
    new: list[Planned]
    newest: dict[int, int]
    stays: int
    outcomes: dict[Outcome, int]
    quotes: int


def standing(archive: Archive, engine: sa.Engine, slots: Sequence[int]) -> Standing:
    """Return what the archive and the store have for some slots."""
    first, last = (slots[0], slots[-1]) if slots else (0, -1)
    imported: dict[int, dict[str, int]] = defaultdict(dict)
    for key in archive.attempts(first):
        if key.slot <= last and (match := _NAME.fullmatch(key.attempt)):
            imported[key.slot][match[2]] = int(match[1])
    return Standing(imported, _outcomes(engine, first, last))


def plan(found: Found, matches: Matches, there: Standing, advance: Callable[[int], None]) -> Plan:
    """Judge everything that was found, and write nothing; ``advance`` is told of each slot.

    Raises:
        CoinlogError: what was found cannot be read again, or not as it is asked for.
    """
    attempts = [
        attempt for slot in found.slots() for attempt in _planned(found, matches, slot, advance)
    ]
    new = [each for each in attempts if each.digest not in there.imported.get(each.slot, {})]
    standing_slots = {each.slot for each in new if there.outcomes.get(each.slot) is Outcome.STORED}
    return Plan(
        attempts=attempts,
        new=new,
        newest={slot: max(digests.values()) for slot, digests in there.imported.items()},
        stays=len(standing_slots),
        outcomes=Counter(each.outcome for each in new),
        quotes=sum(each.quotes for each in attempts),
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
    found: Found, matches: Matches, slot: int, advance: Callable[[int], None]
) -> Iterable[Planned]:
    planned: dict[str, Planned] = {}
    for captured in captured_and_matched(found, matches, slot):
        digest = captured.digest(matches)
        if digest not in planned:
            verdict = judge_imported(captured.with_matches(matches))
            planned[digest] = _plan_of(slot, digest, verdict)
    advance(1)
    return planned.values()


def _plan_of(slot: int, digest: str, verdict: Verdict) -> Planned:
    ids = [quote.asset_id for quote in verdict.snapshot.quotes] if verdict.snapshot else []
    return Planned(
        slot,
        digest,
        verdict.outcome,
        verdict.reason,
        verdict.detail,
        _selection(ids),
        len(ids),
        beside=verdict.beside,
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


def _outcomes(engine: sa.Engine, first: int, last: int) -> dict[int, Outcome]:
    table = schema.slot.c
    query = sa.select(table.slot, table.outcome).where(table.slot.between(first, last))
    try:
        with store_errors(), engine.connect() as connection:
            return {row.slot: Outcome(row.outcome) for row in connection.execute(query)}
    except SchemaError:
        return {}


def _selection(ids: Sequence[int]) -> str:
    """Return what was captured as a selection of assets: by id where they are few."""
    if 0 < len(ids) <= _IDS_LISTED:
        return f"id:{','.join(map(str, sorted(ids)))}"
    return f"top:{max(1, min(len(ids), MAX_TOP))}"
