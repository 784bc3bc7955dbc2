"""What commands share: their parts, their errors and their ``--json``."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from coinlog.cli.report import err, errors_explained
from coinlog.market import SourceKind
from coinlog.parts import Parts
from coinlog.settings import PRO_URL, Settings, load_settings
from coinlog.simulated.server import DEFAULT_PORT

SIMULATED_URL = f"http://127.0.0.1:{DEFAULT_PORT}"

Command = Callable[..., None]

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def with_settings(command: Command) -> Command:
    """Hand the settings to a command as its first argument, and explain its errors."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:  # noqa: ANN401  what click hands over
        with errors_explained():
            command(ready_settings(), *args, **kwargs)

    return run


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
    if not simulated:
        return Parts(settings)
    elsewhere = None if settings.cmc_url.startswith(PRO_URL) else settings.cmc_url
    made_up = settings.for_simulated_market(url or elsewhere or SIMULATED_URL)
    return Parts(made_up, SourceKind.SIMULATED)


def ready_settings() -> Settings:
    """Return the settings, with what looks like a mistake said aloud and logging set up."""
    settings = load_settings()
    for note in settings.notes:
        err.print(f"[yellow]note:[/] {note}")
    # Other libraries' news is noise to our users; what goes wrong in them is not.
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("coinlog").setLevel(settings.log_level)
    return settings
