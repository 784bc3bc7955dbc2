"""``coinlog export``: the record as CSV, JSON lines or Parquet."""

from __future__ import annotations

import time

import click
import msgspec
from rich.markup import escape

from coinlog.cli import report
from coinlog.cli.progress import progress
from coinlog.cli.report import err, say
from coinlog.cli.shared import json_option, stoppable, with_parts
from coinlog.errors import UsageError
from coinlog.export.carrying_out import FORMATS, STDOUT, Delivery, Exported
from coinlog.export.carrying_out import export as export_table
from coinlog.export.opening import TAKES, Request
from coinlog.parts import Parts


@click.command()
@click.argument("destination", required=False)
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), help="Unless the destination's name says it."
)
@click.option(
    "--what", type=click.Choice([*TAKES]), default="quotes", show_default=True, help="Which table."
)
@click.option("--assets", metavar="ASSETS", help="id:1,1027, top:50, both with +, or all.")
@click.option("--range", "range_", metavar="RANGE", help="1d, 7d, 30d, 90d, 1y or all.")
@click.option("--from", "start", metavar="TIME", help="From this slot on (ISO 8601, UTC).")
@click.option("--to", "end", metavar="TIME", help="Up to this slot, included.")
@click.option("--fields", metavar="FIELDS", help="Fields of a quote: price,market_cap; else all.")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
@json_option
@with_parts
def export(  # noqa: PLR0913, PLR0917  one for each option
    parts: Parts,
    destination: str | None,
    format_: str | None,
    what: str,
    assets: str | None,
    range_: str | None,
    start: str | None,
    end: str | None,
    fields: str | None,
    *,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Write the record, or a part of it, to a file, a folder or stdout.

    DESTINATION is a file (.csv, .jsonl; with .gz it is compressed), a folder for Parquet, or -
    for stdout. A file or folder appears whole or not at all. The store is only read, as it was
    at one moment, and recording goes on meanwhile.

    \b
    Examples:
      coinlog export                                     everything, to coinlog-quotes.csv
      coinlog export - --assets id:1 --range 30d --fields price
      coinlog export top50.jsonl.gz --assets top:50 --from 2026-01-01
      coinlog export history --format parquet            a table for DuckDB, Athena, Spark
      coinlog export log.csv --what log
    """
    if destination == STDOUT and as_json:
        raise UsageError("--json and - would both write to stdout: expected one of them")
    request = Request(what=what, assets=assets, range=range_, start=start, end=end, fields=fields)
    delivery = Delivery(destination=destination, format=format_, overwrite=overwrite)
    with stoppable("stopped; nothing was left behind"):
        done = export_table(parts.settings.database_url, request, delivery, time.time(), progress)
    _tell(done, as_json=as_json)


def _tell(done: Exported, *, as_json: bool) -> None:
    if as_json:
        report.as_json({**msgspec.structs.asdict(done), **done.notes})
    elif done.destination != STDOUT:
        size = f"{(done.bytes or 0) / 1e6:,.1f} MB"
        files = f" in {done.files} files" if done.files > 1 else ""
        where = escape(done.destination)
        say(f"[green]✓[/] {done.rows:,} rows of {done.what} exported to {where}{files}, {size}")
    # On stderr, so that what is piped on holds nothing but data.
    err.print(f"[dim]{escape(done.notes['attribution'])}. {escape(done.notes['terms'])}[/]")
