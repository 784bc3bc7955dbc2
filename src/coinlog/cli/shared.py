"""What commands share: their parts, their errors and their ``--json``."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import wraps
from typing import Any

import click
import sqlalchemy as sa

from coinlog.cli.hints import hints
from coinlog.cli.lines import lines, log_to_stderr
from coinlog.cli.report import err, errors_explained, fail, warn
from coinlog.errors import StoreError
from coinlog.market import SourceKind
from coinlog.parts import Parts
from coinlog.recorder import Recording
from coinlog.settings import PRO_URL, Secret, Settings, load_settings
from coinlog.settings.stored_secrets import with_key
from coinlog.simulated.server import DEFAULT_PORT
from coinlog.store.ledger import LedgerRow, read_rows_of

SIMULATED_URL = f"http://127.0.0.1:{DEFAULT_PORT}"

Command = Callable[..., None]

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def with_parts(command: Command) -> Command:
    """Hand the parts to a command; ``--simulated`` makes them those of the made-up market."""

    @click.option(
        "--simulated", is_flag=True, help="Use the made-up market's own folder and store."
    )
    @wraps(command)
    def run(*args: Any, simulated: bool, **kwargs: Any) -> None:  # noqa: ANN401  what click hands over
        with errors_explained():
            command(chosen_parts(ready_settings(), simulated=simulated), *args, **kwargs)

    return run


def chosen_parts(settings: Settings, *, simulated: bool, url: str | None = None) -> Parts:
    """Return the parts of the real market or of the made-up one.

    The made-up market is asked at ``url``, else where ``coinlog simulate`` listens, unless
    COINLOG_CMC_URL names another place: never at CoinMarketCap's.
    """
    hints.follow(simulated=simulated)
    if not simulated:
        return Parts(settings)
    elsewhere = None if settings.cmc_url.startswith(PRO_URL) else settings.cmc_url
    made_up = settings.for_simulated_market(url or elsewhere or SIMULATED_URL)
    return Parts(made_up, SourceKind.SIMULATED)


def ready_settings() -> Settings:
    """Return the settings, with what looks like a mistake said aloud and logging set up."""
    settings = usable_settings()
    for note in settings.notes:
        warn(note, "[yellow]note:[/] ", err)
    return settings


def usable_settings() -> Settings:
    """Return the settings, for who tells their notes in another way, with logging set up."""
    settings = with_key(load_settings())
    lines.follow(settings)
    log_to_stderr(settings.log_level)
    return settings


def recorded_row(parts: Parts, recording: Recording) -> LedgerRow | None:
    """Return what the ledger has of a slot; ``None`` while the database is away."""
    if recording.trouble is not None:
        return None
    with suppress(StoreError):
        return next(iter(read_rows_of(parts.engine, [recording.captured.slot])), None)
    return None


def with_password(url: sa.URL, secret: Secret | None, setting: str) -> sa.URL:
    """Return the address of a database with the password of a setting, where it has none."""
    if url.password is not None:
        err.print(
            "[yellow]note:[/] everybody on this machine can read the password in a command: leave "
            f"it out and set {setting}"
        )
    elif url.get_backend_name() != "sqlite" and secret:
        return url.set(password=secret.reveal())
    return url


@contextmanager
def stoppable(said: str) -> Iterator[None]:
    """End at Ctrl-C and SIGTERM with a sentence that says what has become of the work."""
    # A shell starts background jobs with SIGINT ignored; both signals must end us all the same.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        fail(said)


def resumable() -> AbstractContextManager[None]:
    """End at Ctrl-C and SIGTERM with a sentence, where the same command goes on later."""
    return stoppable("stopped; the same command goes on where it stopped")
