"""What an attempt amounts to: the same verdict at every reading of the same bytes."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from coinlog.archive import Archive
from coinlog.attempts import AttemptKey, total_bytes
from coinlog.errors import BrokenAnswerError, DamagedError, SourceError
from coinlog.market import Outcome, Reason, Snapshot, SourceKind
from coinlog.slots import Schedule, parse_assets
from coinlog.sources.answers import Answer
from coinlog.sources.coinmarketcap import check_clock, read_market
from coinlog.sources.imported import read_with_beside
from coinlog.sources.table import Beside
from coinlog.store.settlements import Settlement

DETAILS_NAMED = 3


def read_attempt(archive: Archive, key: AttemptKey, altered: list[str] | None = None) -> Settlement:
    """Read an attempt from the archive and judge it: the same verdict at every reading.

    Files that are not as they were kept, though their bodies are, are noted in ``altered``.
    """
    try:
        manifest, digest = archive.manifest(key)
    except DamagedError as error:
        return damaged(key, str(error))
    try:
        asked = Schedule(key.slot, manifest.interval_seconds, manifest.assets, manifest.source)
        answers = archive.answers(key, manifest, altered)
        if manifest.reason is Reason.NOT_KEPT and not answers:
            verdict = Verdict(Outcome.FAILED, Reason.NOT_KEPT, manifest.detail)
        else:
            verdict = judge_imported(answers) if manifest.imported else judge(answers, asked)
    except DamagedError as error:
        verdict = Verdict(Outcome.FAILED, Reason.DAMAGED, str(error))
    source = verdict.snapshot.source if verdict.snapshot else manifest.source
    return Settlement(
        slot=key.slot,
        attempt=key.attempt,
        outcome=verdict.outcome,
        reason=verdict.reason,
        detail=_detailed(verdict, manifest.imported),
        captured_at=int(manifest.captured_at),
        schedule=Schedule(key.slot, manifest.interval_seconds, manifest.assets, source),
        credits=manifest.credits,
        body_bytes=total_bytes(manifest.answers),
        duration_ms=round(1000 * (manifest.captured_at - manifest.started_at)),
        sha256=digest,
        snapshot=_noted(verdict.snapshot, manifest.imported),
        imported=manifest.imported is not None,
    )


class Verdict(msgspec.Struct, frozen=True):
    """What answers amount to: an outcome, its reason, and the snapshot unless they failed.

    ``beside`` is what the rows of an imported table say that is in no quote.
    """

    outcome: Outcome
    reason: Reason | None
    detail: str
    snapshot: Snapshot | None = None
    beside: Beside = Beside()


def judge(answers: Sequence[Answer], asked: Schedule) -> Verdict:
    """Judge raw answers: a pure function, used at capture and at every load.

    ``asked`` is the schedule of the attempt, from its slot on.
    """
    try:
        check_clock(answers, asked.from_slot, asked.interval_seconds)
        snapshot = read_market(answers, parse_assets(asked.assets))
        if asked.source is SourceKind.SIMULATED is not snapshot.source:
            raise BrokenAnswerError(
                "the simulated market was asked, and the answer does not say that it is simulated: "
                "start `coinlog simulate`, or record without --simulated"
            )
    except SourceError as error:
        return Verdict(Outcome.FAILED, error.reason, str(error))
    return _verdict_on(snapshot)


def judge_imported(answers: Sequence[Answer]) -> Verdict:
    """Judge what others captured: we asked for nothing, so what they hold is all there is."""
    try:
        snapshot, beside = read_with_beside(answers)
    except SourceError as error:
        return Verdict(Outcome.FAILED, error.reason, str(error))
    return msgspec.structs.replace(_verdict_on(snapshot), beside=beside)


def _verdict_on(snapshot: Snapshot) -> Verdict:
    if not snapshot.missing:
        return Verdict(snapshot.outcome, None, "", snapshot)
    named = "; ".join(missing.detail for missing in snapshot.missing[:DETAILS_NAMED])
    others = len(snapshot.missing) - DETAILS_NAMED
    detail = f"{named}; and {others} more" if others > 0 else named
    return Verdict(snapshot.outcome, Reason.INCOMPLETE, detail, snapshot)


def _detailed(verdict: Verdict, imported: str | None) -> str:
    """Return a verdict's detail; what failed has no notes to say where it was imported from."""
    if imported is None or verdict.snapshot:
        return verdict.detail
    return f"imported from {imported}: {verdict.detail}"


def _noted(snapshot: Snapshot | None, imported: str | None) -> Snapshot | None:
    if snapshot is None or imported is None:
        return snapshot
    notes = (f"imported from {imported}", *snapshot.notes)
    return msgspec.structs.replace(snapshot, notes=notes)


def damaged(key: AttemptKey, detail: str) -> Settlement:
    """Return what is left to say of an attempt whose manifest cannot be read."""
    return Settlement(
        slot=key.slot,
        attempt=key.attempt,
        outcome=Outcome.FAILED,
        reason=Reason.DAMAGED,
        detail=detail,
        captured_at=key.slot,
    )
