"""``coinlog publish``: the static edition."""

from __future__ import annotations

import re
import sys

import click
import msgspec
from rich.markup import escape

from coinlog.cli import report
from coinlog.cli.progress import progress
from coinlog.cli.report import err, say
from coinlog.cli.shared import json_option, resumable, with_parts
from coinlog.parts import Parts
from coinlog.publish.carrying_out import Published
from coinlog.publish.carrying_out import publish as publish_edition
from coinlog.slots import iso

_ORIGIN = re.compile(r"https?://[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?")


def origin_given(text: str) -> str:
    """Return the scheme and host that pages are to name.

    Raises:
        BadParameter: it is no such address, or has a path: pages lie at the top of their host.
    """
    origin = text.lower().rstrip("/")
    if origin and not _ORIGIN.fullmatch(origin):
        raise click.BadParameter(f"{text!r} is not like https://coinlog.example")
    return origin


@click.command()
@click.argument("folder")
@click.option("--yes", is_flag=True, help="Agree beforehand to what is asked the first time.")
@click.option(
    "--url",
    "origin",
    default="",
    callback=lambda _context, _option, text: origin_given(text),
    help="Where it will be served, https://coinlog.example: pages then name their own address.",
)
@click.option("--all", "everything", is_flag=True, help="Look at every month of every asset again.")
@json_option
@with_parts
def publish(  # noqa: PLR0913  its options
    parts: Parts, folder: str, *, yes: bool, origin: str, everything: bool, as_json: bool
) -> None:
    """Write the page and its data, for any static host.

    It goes into FOLDER or s3://BUCKET/PREFIX.

    The first time everything is written; from then on only what has changed: after a slot, the
    current month's files, the market and the pages that show it. Months of the past are written
    again when slots, backfilled answers or imports were settled in them since, or quotes
    thinned; what was changed in the database by hand only --all finds. An asset's page is
    rewritten when its name or facts change: its numbers come from the newest data files.

    Each file appears whole or not at all. Stopped, the same command goes on where it was. Only
    files that coinlog wrote are ever removed; a folder with anything else in it is refused.

    \b
    Examples:
      coinlog publish site
      coinlog publish site --yes                     from cron, after each slot
      coinlog publish site --url https://coinlog.example
      coinlog publish site --all                     after changes by hand
      coinlog publish s3://bucket --url https://coinlog.example
      coinlog publish demo --simulated
    """

    def consent(terms: str) -> bool:
        if yes:
            return True
        if not sys.stdin.isatty():
            return False
        err.print(f"{escape(terms)}.")
        return click.confirm("Publish all the same?", default=False, err=True)

    with resumable():
        done = publish_edition(
            parts.settings.database_url,
            folder,
            progress,
            consent=consent,
            everything=everything,
            origin=origin,
        )
    _tell(done, as_json=as_json)


def _tell(done: Published, *, as_json: bool) -> None:
    if as_json:
        slot = None if done.slot is None else iso(done.slot)
        report.as_json({**msgspec.structs.asdict(done), "slot": slot})
        return
    where = escape(done.folder)
    if not done.written and not done.removed:
        say(f"[green]✓[/] {where} is up to date")
        return
    removed = f", {done.removed:,} removed" if done.removed else ""
    mark = "[bold yellow]SIMULATED[/] market " if done.simulated else ""
    say(
        f"[green]✓[/] {mark}published to {where}: {done.written:,} files written "
        f"({done.bytes / 1e6:,.1f} MB), {done.unchanged:,} as they were{removed}, "
        f"{done.seconds:.1f} s"
    )
