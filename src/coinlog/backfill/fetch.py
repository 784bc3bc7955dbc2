"""Asking for history: one request after the other, each kept as it came and settled at once.

It can be stopped between two requests, and killed at any moment. What was answered is in the
archive; what was not is asked the next time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from threading import Event

import msgspec
import sqlalchemy as sa

from coinlog import __version__
from coinlog.archive import Archive
from coinlog.attempts import MAX_CREDITS
from coinlog.backfill.judge import Verdict, judge
from coinlog.backfill.kept import BackfillKey, BackfillManifest, Request, claim, finish
from coinlog.backfill.load import load_backfill
from coinlog.errors import PlanError, QuotaError, SourceError, UnavailableError, WrongKeyError
from coinlog.market import Outcome, SourceKind
from coinlog.slots import iso
from coinlog.sources.answers import Answer
from coinlog.sources.client import Client
from coinlog.sources.coinmarketcap import credits_of, error_of, fetch_history
from coinlog.sources.history import INTERVALS, HistoryWanted
from coinlog.sources.past_metrics import fetch_fear_history, fetch_global_history
from coinlog.store.targets import FEAR_AND_GREED, GLOBAL_METRICS

FAILURES_IN_A_ROW = 3
_HOPELESS = (WrongKeyError, PlanError, QuotaError)


class Done(msgspec.Struct, frozen=True):
    """What became of a request; ``busy`` where another backfill is at work on it."""

    request: Request
    outcome: Outcome | None
    points: int = 0
    credits: int = 0
    detail: str = ""

    @property
    def busy(self) -> bool:
        """Whether another backfill has it in hand."""
        return self.outcome is None


class Desk(msgspec.Struct, frozen=True):
    """What a backfill works with; ``pause_seconds`` lie between the starts of two requests.

    Once ``stopping`` is set, nothing more is asked.
    """

    engine: sa.Engine
    archive: Archive
    connect: Callable[[], Client]
    source: SourceKind
    deadline_seconds: float
    pause_seconds: float = 0.0
    clock: Callable[[], float] = time.time
    stopping: Event = msgspec.field(default_factory=Event)


def fetch_all(desk: Desk, some: Sequence[Request]) -> Iterator[Done]:
    """Ask for each request in turn, keep and settle its answer, and yield what became of it.

    Raises:
        SourceError: going on makes no sense: a wrong key, a plan that does not allow it, spent
            credits, or nobody there several times in a row.
        ArchiveError: an answer could not be kept.
        StoreUnavailableError: the database is away; the answer is in the archive.
    """
    failures = 0
    for request in some:
        if desk.stopping.is_set():
            return
        begun = time.monotonic()
        done, error = _one(desk, request)
        failures = failures + 1 if isinstance(error, UnavailableError) else 0
        yield done
        if isinstance(error, _HOPELESS) or (error and failures >= FAILURES_IN_A_ROW):
            raise error
        rest = desk.pause_seconds - (time.monotonic() - begun)
        if rest > 0 and request is not some[-1]:
            desk.stopping.wait(rest)


def _one(desk: Desk, request: Request) -> tuple[Done, SourceError | None]:
    attempt = claim(desk.archive, request, desk.deadline_seconds, time.time())
    if attempt is None:
        return Done(request, None), None
    key = BackfillKey(request.target, attempt)
    with desk.connect() as client:
        answer = ask(client, request, desk.clock())
    kept = desk.archive.keep(key, answer)
    verdict = judge(request.target, request.asset_id, desk.source, [answer])
    manifest = _manifest(desk, request, key, answer, verdict)
    finish(desk.archive, msgspec.structs.replace(manifest, answers=(kept,)))
    load_backfill(desk.engine, desk.archive, key, int(desk.clock()))
    done = Done(request, verdict.outcome, len(verdict.points), manifest.credits, verdict.detail)
    return done, error_of(answer)


def ask(client: Client, request: Request, now: float) -> Answer:
    """Ask one request of the source; a failure is an answer too."""
    start, end = request.from_time, request.to_time
    if request.target == FEAR_AND_GREED:
        return fetch_fear_history(client, "fear-and-greed-history", start, end, now)
    ids = [request.asset.id] if request.asset else []
    interval, most = INTERVALS[request.resolution], request.most_points
    wanted = HistoryWanted(ids, start, end, interval, most)
    if request.target == GLOBAL_METRICS:
        return fetch_global_history(client, "global-metrics-history", wanted)
    return fetch_history(client, "quotes-history", wanted)


def _manifest(
    desk: Desk, request: Request, key: BackfillKey, answer: Answer, verdict: Verdict
) -> BackfillManifest:
    return BackfillManifest(
        target=request.target,
        attempt=key.attempt,
        asset=request.asset,
        from_time=request.from_time,
        to_time=request.to_time,
        resolution=request.resolution,
        interval_seconds=request.interval_seconds,
        outcome=verdict.outcome,
        reason=verdict.reason,
        detail=verdict.detail,
        source=SourceKind.SIMULATED if verdict.simulated else desk.source,
        captured_at=desk.clock(),
        credits=min(credits_of([answer]), MAX_CREDITS),
        answers=(),
        program=f"coinlog {__version__}",
    )


def named(request: Request) -> str:
    """Return a request in words."""
    of = request.asset.name if request.asset else request.target.replace("-", " ")
    return f"{of}, {iso(request.from_time)} to {iso(request.to_time)}"
