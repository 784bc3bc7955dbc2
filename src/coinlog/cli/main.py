"""The ``coinlog`` command: all commands, in the order in which a newcomer needs them."""

from __future__ import annotations

import click

from coinlog import __version__
from coinlog.cli.backfill import backfill
from coinlog.cli.doctor import doctor
from coinlog.cli.exporting import export
from coinlog.cli.importing import import_
from coinlog.cli.moving import move
from coinlog.cli.recording import capture, load, migrate, record
from coinlog.cli.replaying import replay, verify
from coinlog.cli.running import serve, simulate, up
from coinlog.cli.status import status
from coinlog.cli.thinning import thin

COMMANDS = (
    up,
    record,
    capture,
    load,
    backfill,
    serve,
    status,
    doctor,
    migrate,
    replay,
    verify,
    export,
    move,
    import_,
    thin,
    simulate,
)


class InOrder(click.Group):
    """A group that lists its commands as they were added, not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click hands it over
        """Return the commands' names."""
        return list(self.commands)


@click.group(
    cls=InOrder,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Settings come from the environment and from .env: see docs/settings.md.",
)
@click.version_option(__version__, prog_name="coinlog")
def main() -> None:
    """A logbook of the crypto market that you own.

    Records CoinMarketCap on a schedule, keeps every raw answer, stores it in your own
    database and shows it as a web page with charts.

    \b
    Examples:
      coinlog up               record, serve http://localhost:5000, keep recording
      coinlog up --simulated   the same with a made-up market, offline
      coinlog status           what has been recorded, and what is next
    """


for command in COMMANDS:
    main.add_command(command)
