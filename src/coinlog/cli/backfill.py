"""``coinlog backfill``: the past from the source's own history."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from threading import Event

import click
from rich.markup import escape

from coinlog.backfill.fetch import Desk, Done, fetch_all, named
from coinlog.backfill.offer import Offer, reserved_for
from coinlog.backfill.plan import FIRST_TIME, Stretch
from coinlog.backfill.wanted import plan_requests
from coinlog.cli import report
from coinlog.cli.progress import progress
from coinlog.cli.report import err, say
from coinlog.cli.shared import json_option, resumable, with_parts
from coinlog.errors import CoinlogError, UsageError, WrongKeyError
from coinlog.loading import sweep
from coinlog.market import Outcome, SourceKind
from coinlog.parts import Parts
from coinlog.slots import DAY, iso, parse_assets, parse_interval, parse_time
from coinlog.sources.coinmarketcap import key_info
from coinlog.sources.history import INTERVALS
from coinlog.sources.texts import counted
from coinlog.store.ledger import read_head
from coinlog.store.migrate import migrate
from coinlog.store.reader import Reader

RANGES = {"30d": 30 * DAY, "90d": 90 * DAY, "1y": 365 * DAY, "3y": 3 * 365 * DAY, "all": None}
NO_KEY = (
    "CoinMarketCap gives its history to keys only, and none is set: the history begins with what "
    "is recorded. A free key (a year of daily quotes) is at https://pro.coinmarketcap.com; put it "
    "into .env as COINLOG_API_KEY=..."
)


class Tally:
    """What has become of the requests so far."""

    def __init__(self) -> None:
        self.asked = self.points = self.credits = self.answered = self.busy = 0
        self.failed: list[str] = []
        self.stopped: str | None = None

    def add(self, done: Done) -> None:
        """Count one."""
        self.asked += 1
        self.points += done.points
        self.credits += done.credits
        self.busy += done.busy
        self.answered += done.outcome in (Outcome.STORED, Outcome.PARTIAL)
        if done.outcome is Outcome.FAILED:
            self.failed.append(f"{named(done.request)}: {done.detail}")


@click.command()
@click.option(
    "--range",
    "range_",
    type=click.Choice([*RANGES]),
    help="How far back: a year unless told otherwise.",
)
@click.option("--from", "from_", metavar="TIME", help="Instead: from when (ISO 8601, UTC).")
@click.option("--to", metavar="TIME", help="Until when, now unless given.")
@click.option("--assets", help="For whom: top:50, id:1,1027; everybody recorded unless given.")
@click.option(
    "--interval",
    default="auto",
    show_default=True,
    help="Between points: 1h, 6h, 1d; auto is daily, and as often as slots in the last 28 days.",
)
@click.option("--dry-run", is_flag=True, help="Say what it would cost, and ask for nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before spending credits.")
@json_option
@with_parts
def backfill(  # noqa: PLR0913, PLR0917  one for each option
    parts: Parts,
    range_: str | None,
    from_: str | None,
    to: str | None,
    assets: str | None,
    interval: str,
    *,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Fill gaps and the time before from the source's own history.

    Says first what it costs at most. Every answer is kept in the archive; what was observed is
    never overwritten. Ctrl-C stops it, and the next run goes on: nothing is asked or paid twice.

    \b
    Examples:
      coinlog backfill --dry-run
      coinlog backfill --range 1y --yes
      coinlog backfill --from 2026-01-01 --to 2026-02-01 --assets id:1,1027 --interval 6h
    """
    with resumable():
        offer = make_offer(parts, asked_stretch(range_, from_, to, interval), assets)
        if not as_json:
            say_offer(offer)
        if dry_run or not offer.requests:
            _report(offer, Tally(), as_json=as_json)
            return
        offer.check()
        if not yes and not _agreed():
            raise UsageError("nothing was asked for: say --yes to spend credits without a question")
        tally = _fetch_shown(parts, offer)
    _report(offer, tally, as_json=as_json)
    if tally.stopped or tally.failed:
        report.fail(tally.stopped or f"{len(tally.failed)} requests failed: {tally.failed[0]}")


def asked_stretch(
    range_: str | None,
    from_: str | None = None,
    to: str | None = None,
    interval: str = "auto",
) -> Stretch:
    """Return the stretch that options ask for.

    Raises:
        UsageError: one of them cannot be used.
    """
    if range_ and from_:
        raise UsageError("--range and --from say the same twice: expected one of them")
    now = int(time.time())
    end = min(parse_time(to), now) if to else now
    back = RANGES[range_ or "1y"]
    start = parse_time(from_) if from_ else FIRST_TIME if back is None else end - back
    if start > end:
        raise UsageError(f"from {iso(start)} to {iso(end)} is no stretch: --from must be before")
    if interval == "auto":
        return Stretch(start, end)
    seconds = parse_interval(interval)
    if seconds not in INTERVALS:
        raise UsageError(
            f"the source has no history every {interval}: expected auto or one of "
            f"{', '.join(INTERVALS.values())}"
        )
    return Stretch(start, end, seconds)


def make_offer(parts: Parts, stretch: Stretch, assets: str | None = None) -> Offer:
    """Return which requests a stretch needs, what they cost and what is left for them.

    Raises:
        WrongKeyError: there is no key, and the real market is asked.
        SourceError: the plan cannot be asked for.
        UsageError: nothing is recorded yet.
    """
    if parts.plan.source is SourceKind.COINMARKETCAP and not parts.settings.api_key:
        raise WrongKeyError(NO_KEY)
    migrate(parts.engine)
    for _ in sweep(parts.engine, parts.archive):
        pass  # What the archive holds is not asked for again.
    now, interval = time.time(), parts.plan.interval_seconds
    selection = parse_assets(assets) if assets else None
    some = plan_requests(parts.engine, stretch, interval, selection, now)
    with parts.connect() as client:
        info = key_info(client)
    return Offer(some, info, reserved_for(read_head(Reader(parts.engine)), info, now))


def fetch(
    parts: Parts,
    offer: Offer,
    stopping: Event,
    told: Callable[[int], None] = lambda _: None,
) -> Tally:
    """Ask for everything offered, until ``stopping`` is set; ``told`` hears of each answer."""
    simulated = parts.plan.source is SourceKind.SIMULATED
    desk = Desk(
        parts.engine,
        parts.archive,
        parts.connect,
        parts.plan.source,
        parts.plan.deadline_seconds,
        # The made-up market is ours and has no limit by the minute.
        0.0 if simulated else offer.pause_seconds,
        stopping=stopping,
    )
    tally = Tally()
    try:
        for done in fetch_all(desk, offer.requests):
            tally.add(done)
            told(1)
    except CoinlogError as error:
        tally.stopped = f"stopped after {tally.asked} of {len(offer.requests)} requests: {error}"
    if stopping.is_set() and tally.asked < len(offer.requests):
        tally.stopped = (
            f"stopped after {tally.asked} of {len(offer.requests)} requests; the next run goes on "
            "from there"
        )
    return tally


def _fetch_shown(parts: Parts, offer: Offer) -> Tally:
    """Fetch with a progress bar; the first Ctrl-C waits for the answer that is under way."""
    stopping = Event()

    def stop(_number: int, _frame: object) -> None:
        if stopping.is_set():
            raise KeyboardInterrupt
        stopping.set()
        err.print("[dim]stopping after this answer, which is paid for; again: at once[/]")

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with progress("backfilling", len(offer.requests)) as advance:
        return fetch(parts, offer, stopping, advance)


def say_offer(offer: Offer) -> None:
    """Say what a backfill would ask for and cost."""
    if not offer.requests:
        say("[green]✓[/] nothing to backfill: the source has nothing for what the store lacks")
        return
    assets = counted(len({one.target for one in offer.requests if one.asset}), "asset")
    asked = counted(len(offer.requests), "request")
    since = iso(min(request.from_time for request in offer.requests))
    left = f" of {offer.left:,} left" if offer.left is not None else ""
    kept = f" besides {offer.reserved:,} for the recorder" if left and offer.reserved else ""
    say(
        f"backfill of {assets} since {since}: {asked}, at most "
        f"{offer.credits:,} credits{left}{kept}, about {report.duration(offer.seconds)}"
    )


def say_tally(tally: Tally) -> None:
    """Say what came of it."""
    busy = f"; {tally.busy} are in another backfill's hands" if tally.busy else ""
    say(
        f"[green]✓[/] {tally.points:,} points from {tally.answered} answers for "
        f"{tally.credits:,} credits{busy}"
    )
    for one in tally.failed[:3]:
        err.print(f"  [yellow]failed:[/] {escape(one)}")


def _agreed() -> bool:
    """Ask at a terminal whether the credits may be spent; elsewhere nobody agrees."""
    return sys.stdin.isatty() and click.confirm("Spend them?", default=True, err=True)


def _report(offer: Offer, tally: Tally, *, as_json: bool) -> None:
    if not as_json:
        if tally.asked:
            say_tally(tally)
        return
    report.as_json(
        {
            "requests": len(offer.requests),
            "most_credits": offer.credits,
            "credits_left": offer.left,
            "credits_reserved": offer.reserved,
            "answered": tally.answered,
            "points": tally.points,
            "credits": tally.credits,
            "busy": tally.busy,
            "failed": tally.failed,
            "stopped": tally.stopped,
        }
    )
