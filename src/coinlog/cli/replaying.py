"""``coinlog replay``: the whole store anew from the archive."""

from __future__ import annotations

import click
import msgspec
from rich.markup import escape

from coinlog.cli import report
from coinlog.cli.hints import hints
from coinlog.cli.progress import progress
from coinlog.cli.report import err, say
from coinlog.cli.shared import json_option, stoppable, with_parts
from coinlog.parts import Parts
from coinlog.replay import Replayed
from coinlog.replay import replay as replay_archive


@click.command()
@click.option("--force", is_flag=True, help="Replay even where the store would lose something.")
@json_option
@with_parts
def replay(parts: Parts, *, force: bool, as_json: bool) -> None:
    """Build the whole store anew from the archive.

    The new store is built beside the live one and then takes its place at once, so the page and
    a recorder go on meanwhile. Stopped at any moment, it leaves the store as it was. Refused
    where the archive lacks what the store holds. What `coinlog thin` dropped comes back.

    \b
    Examples:
      coinlog replay
      coinlog replay --json
      coinlog replay --simulated
    """
    url = parts.settings.database_url
    with stoppable("stopped; the store is as it was"):
        replayed = replay_archive(url, parts.archive, progress, force=force)
    if as_json:
        report.as_json(msgspec.structs.asdict(replayed))
    else:
        _tell(replayed)
    if replayed.trouble:
        report.fail(f"not everything could be settled: {replayed.trouble}")


def _tell(replayed: Replayed) -> None:
    pace = replayed.quotes / max(replayed.seconds, 1)
    say(
        f"[green]✓[/] {replayed.attempts:,} attempts replayed: {replayed.slots:,} slots, "
        f"{replayed.quotes:,} quotes in {report.duration(replayed.seconds)} ({pace:,.0f} a second)"
    )
    if replayed.thinned:
        err.print(
            f"[yellow]note:[/] {replayed.thinned:,} quotes that had been thinned are back: "
            f"{escape(hints.of_this_market('`coinlog thin`'))} drops them again"
        )
