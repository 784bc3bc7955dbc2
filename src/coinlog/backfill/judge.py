"""What a backfilled answer amounts to: the same verdict at every reading of the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import msgspec

from coinlog.archive import Archive
from coinlog.backfill.kept import BackfillKey, BackfillManifest, read_manifest, span_of
from coinlog.errors import BrokenAnswerError, DamagedError, SourceError
from coinlog.market import Outcome, Reason, SourceKind
from coinlog.sources.answers import Answer
from coinlog.sources.coinmarketcap import read_history
from coinlog.sources.past_metrics import read_fear_history, read_global_history
from coinlog.sources.status import read_status
from coinlog.store.backfilled import BackfillSettlement, Points
from coinlog.store.targets import FEAR_AND_GREED, GLOBAL_METRICS

DETAILS_NAMED = 3


class Verdict(msgspec.Struct, frozen=True):
    """An outcome, its reason, the points, and whose they are."""

    outcome: Outcome
    reason: Reason | None
    detail: str
    points: Points
    simulated: bool = False


def judge(
    target: str, asset_id: int | None, source: SourceKind, answers: Sequence[Answer]
) -> Verdict:
    """Judge raw answers: a pure function, used when asking and at every load.

    ``source`` is the one that was asked.
    """
    points: Points = {}
    refused: list[str] = []
    simulated = False
    try:
        for answer in answers:
            found, wrong = _read(target, asset_id, answer)
            points = {**points, **found}
            refused += wrong
            simulated = simulated or read_status(answer.body).simulated
        if source is SourceKind.SIMULATED and not simulated:
            raise BrokenAnswerError(
                "the simulated market was asked, and the answer does not say that it is simulated"
            )
    except SourceError as error:
        return Verdict(Outcome.FAILED, error.reason, str(error), {})
    if not refused:
        return Verdict(Outcome.STORED, None, "", points, simulated)
    detail = "; ".join(refused[:DETAILS_NAMED])
    return Verdict(Outcome.PARTIAL, Reason.INCOMPLETE, detail, points, simulated)


def _read(target: str, asset_id: int | None, answer: Answer) -> tuple[Points, list[str]]:
    if target == GLOBAL_METRICS:
        return cast("tuple[Points, list[str]]", read_global_history(answer))
    if target == FEAR_AND_GREED:
        return cast("tuple[Points, list[str]]", read_fear_history(answer))
    history = read_history(answer)
    mine = history.points.get(asset_id or 0, ())
    wrong = [f"asset {one.asset_id}: {one.why}" for one in history.refused]
    return {point.time: point.quote for point in mine}, wrong


def read_backfill(
    archive: Archive, key: BackfillKey, altered: list[str] | None = None
) -> BackfillSettlement:
    """Read a backfilled answer from the archive and judge it.

    Files that are not as they were kept, though their bodies are, are noted in ``altered``.
    """
    try:
        manifest, digest = read_manifest(archive, key)
    except DamagedError as error:
        return damaged(key, str(error))
    try:
        answers = archive.answers(key, manifest, altered)
        asset_id = manifest.asset.id if manifest.asset else None
        verdict = judge(key.target, asset_id, manifest.source, answers)
    except DamagedError as error:
        verdict = Verdict(Outcome.FAILED, Reason.DAMAGED, str(error), {})
    return _settlement(manifest, verdict, digest)


def _settlement(manifest: BackfillManifest, verdict: Verdict, digest: str) -> BackfillSettlement:
    # What lies outside of what was asked for is no answer to it: fear and greed comes by number.
    # Other points may be near the times asked for, on either side.
    spread = 0 if manifest.target == FEAR_AND_GREED else manifest.resolution
    first, last = manifest.from_time - spread, manifest.to_time + spread
    wanted = {time: point for time, point in verdict.points.items() if first <= time <= last}
    simulated = SourceKind.SIMULATED if verdict.simulated else manifest.source
    return BackfillSettlement(
        target=manifest.target,
        attempt=manifest.attempt,
        asset=manifest.asset,
        from_time=manifest.from_time,
        to_time=manifest.to_time,
        resolution=manifest.resolution,
        interval_seconds=manifest.interval_seconds,
        outcome=verdict.outcome,
        reason=verdict.reason,
        detail=verdict.detail,
        source=simulated,
        captured_at=int(manifest.captured_at),
        credits=manifest.credits,
        sha256=digest,
        points=wanted,
    )


def damaged(key: BackfillKey, detail: str) -> BackfillSettlement:
    """Return what is left to say of an answer whose manifest cannot be read."""
    start, end, resolution = span_of(key)
    return BackfillSettlement(
        target=key.target,
        attempt=key.attempt,
        asset=None,
        from_time=start,
        to_time=end,
        resolution=resolution,
        interval_seconds=resolution,
        outcome=Outcome.FAILED,
        reason=Reason.DAMAGED,
        detail=detail,
        source=SourceKind.COINMARKETCAP,
        captured_at=end,
        credits=0,
        sha256="",
        points={},
    )
