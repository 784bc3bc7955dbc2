"""The commands that run until stopped: ``up``, ``serve`` and ``simulate``."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import click
import sqlalchemy as sa
from rich.markup import escape

from coinlog import __version__
from coinlog.alerts.bell import Bell
from coinlog.cli import credits as credits_
from coinlog.cli import report
from coinlog.cli.backfill import RANGES
from coinlog.cli.bells import bell_of, slots_of
from coinlog.cli.credits import foresee
from coinlog.cli.filling_in import try_to_fill_in
from coinlog.cli.history import Past
from coinlog.cli.lines import lines
from coinlog.cli.progress import progress
from coinlog.cli.report import errors_explained, say, tell, warn
from coinlog.cli.rounds import Rounds
from coinlog.cli.shared import chosen_parts, ready_settings, recorded_row, with_parts
from coinlog.errors import NewerSchemaError, StoreUnavailableError
from coinlog.market import Reason
from coinlog.parts import Parts
from coinlog.recorder import Recording
from coinlog.scheduler import Turn, turns
from coinlog.simulated.process import simulated_process
from coinlog.simulated.server import DEFAULT_ASSETS, DEFAULT_PORT, DEFAULT_SEED, run
from coinlog.slots import format_interval, iso
from coinlog.store.migrate import migrate
from coinlog.store.seen import Seen
from coinlog.web.admission import Admission
from coinlog.web.listening import listen
from coinlog.web.server import serve as serve_page
from coinlog.web.server import start_workers


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """End quietly at Ctrl-C and SIGTERM: whatever is half done has left nothing behind."""
    # A shell starts background jobs with SIGINT ignored; both signals must end us all the same.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        if lines.json:
            lines.event("stop")
        tell("\n[dim]stopped; nothing is lost[/]")


@click.command()
@click.option(
    "--simulated", is_flag=True, help="Record a made-up market, offline, with a year of history."
)
@click.option("--no-page", is_flag=True, help="Record alone: the page is served elsewhere.")
@click.option(
    "--backfill",
    "history",
    type=click.Choice(["ask", "none", *RANGES]),
    help="Fetch the past too, with a key: asked at the first start unless COINLOG_BACKFILL says.",
)
def up(*, simulated: bool, no_page: bool, history: str | None) -> None:
    """Record the market, serve the page, and go on recording.

    Needs no account and no key. Ctrl-C stops it; starting again goes on where it stopped, and
    what was due meanwhile is shown as missed.

    \b
    Examples:
      coinlog up
      coinlog up --simulated
      COINLOG_INTERVAL=1h COINLOG_ASSETS=top:1000 coinlog up
      COINLOG_PORT=8080 coinlog up
      COINLOG_API_KEY=... coinlog up --backfill 1y
      coinlog up --no-page     (elsewhere: coinlog serve)
    """
    with errors_explained(), ended_by_signals(), ExitStack() as stack:
        settings = ready_settings()
        url = stack.enter_context(simulated_process()) if simulated else None
        parts = chosen_parts(settings, simulated=simulated, url=url)
        if not no_page:
            _try_port(parts)
        _try_to_migrate(parts)
        if not no_page:
            stack.callback(start_workers(*_site(parts)).stop)
        _introduce(parts, simulated=simulated, page=not no_page)
        _foresee(parts)
        if simulated:
            try_to_fill_in(parts)
        past = Past(parts, "none" if simulated else history or settings.backfill)
        stack.callback(past.stop)
        rounds = Rounds(parts, settings.verify_seconds, simulated=simulated)
        stack.callback(rounds.stop)
        bell = bell_of(parts)
        if bell:
            stack.callback(bell.stop)
            bell.start()
        _keep_recording(parts, past, rounds, bell)


@click.command()
@with_parts
def serve(parts: Parts) -> None:
    """Serve the page alone, reading the store and never writing to it.

    \b
    Examples:
      coinlog serve
      COINLOG_HOST=0.0.0.0 COINLOG_PORT=8080 coinlog serve
    """
    _try_port(parts)
    tell(f"coinlog {__version__} serves {_address(parts)}; Ctrl-C stops it")
    _tell_start(parts, page=True)
    with ended_by_signals():
        serve_page(*_site(parts))


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=DEFAULT_PORT, show_default=True, help="Port to listen at.")
@click.option(
    "--seed", default=DEFAULT_SEED, show_default=True, help="Another seed, another market."
)
@click.option("--assets", default=DEFAULT_ASSETS, show_default=True, help="How many assets it has.")
@click.option("--fault", multiple=True, metavar="FAULT:SHARE", help="Fail for a share of requests.")
def simulate(host: str, port: int, seed: int, assets: int, fault: tuple[str, ...]) -> None:
    """Serve a made-up market the way CoinMarketCap serves its own.

    Every answer says that it is simulated. The same seed gives the same market, at any time.

    \b
    Examples:
      coinlog simulate
      coinlog simulate --seed 7 --fault 1008:0.1 --fault slow:0.05
      coinlog record --simulated     (in another terminal, asks it)
    """
    with errors_explained(), ended_by_signals():
        run(host, port, seed=seed, assets=assets, faults=fault, announce=_announce_market)


def _announce_market(url: str) -> None:
    say(f"[bold yellow]SIMULATED[/] market at [bold cyan]{url}[/]; Ctrl-C stops it")


def _try_port(parts: Parts) -> None:
    """Refuse a port that is taken before anything is said or made.

    Raises:
        SettingError: it cannot be opened.
    """
    for opened in listen(parts.settings.host, parts.settings.port):
        opened.close()


def _try_to_migrate(parts: Parts) -> None:
    """Bring the schema up to date; a database that is no use must not keep us from recording."""
    try:
        migrate(parts.engine, watch=progress)
    except StoreUnavailableError as error:
        warn(str(error), "[yellow]the database is away:[/] ")
    except NewerSchemaError as error:
        warn(str(error), "[yellow]recording into the archive alone:[/] ")
    # The workers are forked from this process and must not share its connections.
    parts.engine.dispose()


def _introduce(parts: Parts, *, simulated: bool, page: bool) -> None:
    settings = parts.settings
    market = "[bold yellow]SIMULATED[/] market" if simulated else "CoinMarketCap"
    access = "" if simulated else ", with your key" if settings.api_key else ", keyless"
    every = format_interval(settings.interval_seconds)
    tell(
        f"[bold]coinlog {__version__}[/] records {market}{access}: {settings.assets} every {every}"
    )
    served = f"[bold cyan]{_address(parts)}[/]" if page else "not here: `coinlog serve` serves it"
    tell(f"  page     {served}")
    tell(f"  store    {escape(settings.database_url.render_as_string())}")
    tell(f"  archive  {escape(settings.archive)}")
    _tell_start(parts, page=page)


def _tell_start(parts: Parts, *, page: bool) -> None:
    """Tell programs what begins, in one line."""
    if lines.json:
        lines.event(
            "start",
            version=__version__,
            source=parts.plan.source,
            assets=parts.settings.assets,
            interval_seconds=parts.settings.interval_seconds,
            page=_address(parts) if page else None,
            store=parts.settings.database_url.render_as_string(),
            archive=parts.settings.archive,
        )


def _foresee(parts: Parts) -> None:
    """Tell what the schedule costs, and refuse one that the plan cannot pay for."""
    foreseen = foresee(parts)
    credits_.tell(foreseen, "  credits  ")
    if foreseen:
        foreseen.forecast.check()


def _site(parts: Parts) -> tuple[sa.URL, str, int, int, Admission]:
    """Return what the page is made from, where it listens, and what it allows whom."""
    s = parts.settings
    admission = Admission(s.proxies, s.rate, s.connections)
    return s.database_url, s.host, s.port, s.workers, admission


def _address(parts: Parts) -> str:
    host = parts.settings.host
    shown = "localhost" if host in {"127.0.0.1", "0.0.0.0", "::1", "::"} else host  # noqa: S104  compared, not bound
    return f"http://{shown}:{parts.settings.port}"


def _keep_recording(parts: Parts, past: Past, rounds: Rounds, bell: Bell | None) -> None:
    for number, turn in enumerate(turns(_Recorder(parts), parts.plan)):
        if bell:
            bell.ring(slots_of(turn.recording))
        _tell_turn(parts, turn)
        if number == 0 and _out_of_reach(turn.recording):
            tell("  [yellow]offline?[/] `make up SIMULATED=1` shows a made-up market instead")
        if number == 0 and turn.recording.done:
            past.offer(turn.next_look_at)
        rounds.begin()
        tell(f"  [dim]{_what_next(turn)}[/]")


def _tell_turn(parts: Parts, turn: Turn) -> None:
    if turn.recording.anew:
        warn(
            "the store is not the one of the last slot: a new one is in its place, and is filled "
            "from the archive",
            "  [yellow]note:[/] ",
        )
    tell(f"{report.day_and_time(time.time())}  {report.recording_line(turn.recording)}")
    if lines.json:
        look_at, row = int(turn.next_look_at), recorded_row(parts, turn.recording)
        report.slot_event(turn.recording, row, next_look_at=iso(look_at))


def _out_of_reach(recording: Recording) -> bool:
    manifest = recording.captured.manifest
    return manifest is not None and manifest.reason in {Reason.UNREACHABLE, Reason.TIMEOUT}


def _what_next(turn: Turn) -> str:
    pause = report.duration(turn.next_look_at - time.time())
    if turn.next_look_at < turn.next_slot:
        return f"trying again in {pause}"
    return f"next slot {report.day_and_time(turn.next_slot)}, in {pause}; Ctrl-C stops"


class _Recorder:
    """Records a slot; remembers which store it was, and from where on it may lack something."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._since_slot = 0
        self._seen: Seen | None = None

    def __call__(self, slot: int) -> Recording:
        recording = self._parts.recorder(since_slot=self._since_slot, seen=self._seen)(slot)
        if recording.trouble is None:
            # All before this slot is settled; a late writer gets one more interval.
            self._since_slot = slot - self._parts.plan.interval_seconds
            self._seen = recording.seen
        else:
            # What was captured or noted now may lie before what was to be settled so far.
            self._since_slot = min(self._since_slot, recording.since_slot)
        return recording
