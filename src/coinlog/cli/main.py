"""The ``coinlog`` command: all commands, by what they are for."""

from __future__ import annotations

from itertools import chain

import click

from coinlog import __version__
from coinlog.cli.alerting import alerts
from coinlog.cli.backfill import backfill
from coinlog.cli.backing_up import backup, restore
from coinlog.cli.doctor.command import doctor
from coinlog.cli.exporting import export
from coinlog.cli.importing import import_
from coinlog.cli.moving import move
from coinlog.cli.publishing import publish
from coinlog.cli.recording import capture, load, migrate, record
from coinlog.cli.replaying import replay
from coinlog.cli.running import serve, simulate, up
from coinlog.cli.status import status
from coinlog.cli.thinning import thin
from coinlog.cli.verifying import verify

SECTIONS = {
    "Recording": (up, record, capture, load, serve, simulate),
    "Looking after it": (status, doctor, alerts, verify, backup, restore, replay, migrate, thin),
    "The past, and elsewhere": (backfill, import_, export, publish, move),
}


class InSections(click.Group):
    """A group whose help lists the commands by what they are for, not by the alphabet."""

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002  click hands it over
        formatter: click.HelpFormatter,
    ) -> None:
        """Write a section for each purpose."""
        width = formatter.width - max(map(len, self.commands)) - 4
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                rows = [(one.name or "", one.get_short_help_str(width)) for one in commands]
                formatter.write_dl(rows)


@click.group(
    cls=InSections,
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


for command in chain.from_iterable(SECTIONS.values()):
    main.add_command(command)
