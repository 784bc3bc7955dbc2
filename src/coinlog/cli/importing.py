"""``coinlog import``: what people already have becomes attempts, and is loaded like any other."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from coinlog.cli import report
from coinlog.cli.import_report import (
    ask,
    facts,
    refuse_conflicts,
    refuse_unmatched,
    refuse_unused,
    refuse_useless,
    say_outcome,
    say_summary,
)
from coinlog.cli.import_source import Options, interval_of, open_source
from coinlog.cli.progress import progress
from coinlog.cli.shared import json_option, resumable, with_parts
from coinlog.errors import UsageError
from coinlog.imports.adopting import Plan, adopt, plan
from coinlog.imports.apart import check_apart
from coinlog.imports.assets import (
    Directory,
    Matching,
    add_map,
    add_stored,
    choose,
    match_labels,
)
from coinlog.imports.csv_file import STDIN
from coinlog.imports.found import Found
from coinlog.imports.given import parse_map
from coinlog.imports.standing import standing
from coinlog.loading import sweep
from coinlog.parts import Parts
from coinlog.store.migrate import migrate


@click.command("import")
@click.argument("source")
@click.option("--dry-run", is_flag=True, help="Say what would be imported, and write nothing.")
@click.option("--interval", metavar="5m|1h|…", help="Between slots.  [default: the settings']")
@click.option("--map", "maps", multiple=True, metavar="BTC=1,…|FILE", help="Which asset is which.")
@click.option("--assets-file", metavar="FILE", help="A saved answer of /v1/cryptocurrency/map.")
@click.option("--skip-unresolved", is_flag=True, help="Leave out assets that cannot be told.")
@click.option("--table", metavar="NAME", help="The table.  [default: the one that holds prices]")
@click.option("--columns", multiple=True, metavar="price=Precio,…", help="Which column is what.")
@click.option("--timezone", default="UTC", show_default=True, help="Of times that name none.")
@click.option("--time-format", metavar="FORM", help="Of times, as strptime has it: '%d/%m/%Y'.")
@click.option(
    "--time-from",
    type=click.Choice(["answer", "name"]),
    default="answer",
    show_default=True,
    help="Where a saved answer's time stands.",
)
@click.option(
    "--decimal", type=click.Choice([".", ","]), help="The decimal mark.  [default: found]"
)
@click.option("--delimiter", metavar="MARK", help="Between a CSV file's cells.  [default: found]")
@click.option("--encoding", default="utf-8", show_default=True, help="Of a CSV file.")
@json_option
@with_parts
def import_(  # noqa: PLR0913  one for each option that is not about reading the source
    parts: Parts,
    source: str,
    *,
    dry_run: bool,
    maps: tuple[str, ...],
    assets_file: str | None,
    skip_unresolved: bool,
    as_json: bool,
    **reading: Any,  # noqa: ANN401  the options that ``Options`` lists
) -> None:
    """Adopt what you have: old tables, CSV files, saved answers.

    SOURCE is the address of a database (mysql://, mariadb://, sqlite:///file), `store` for the one
    in the settings, a CSV file (also .gz, or - for a pipe), or a folder, a zip or a file of saved
    JSON answers (listings/latest of v1 and v3, and the retired ticker). It is only read. First
    comes a summary; nothing is written before every asset is known by its CoinMarketCap id.
    Importing the same again changes nothing. Leave passwords out of the command and set
    COINLOG_IMPORT_PASSWORD.

    \b
    Examples:
      coinlog import store --dry-run                 (finds the table Monedas there)
      coinlog import mysql://me@127.0.0.1/precios --table cryptos --timezone America/Bogota
      coinlog import precios.csv --columns price=Precio,time=Fecha --map BTC=1,ETH=1027
      coinlog import answers/ --interval 1h
      zcat old.csv.gz | coinlog import - --map BTC=1
    """
    options = Options(**reading)
    interval_seconds = interval_of(options, parts)
    with resumable(), open_source(source, options, parts, interval_seconds) as found:
        if not dry_run:
            migrate(parts.engine)
        questions = sys.stdin.isatty() and source != STDIN and not (as_json or dry_run)
        matching = _match(found, parts, maps, assets_file, questions=questions)
        doubt = bool(matching.unmatched) and not (skip_unresolved or questions)
        if doubt and not dry_run:
            refuse_unmatched(matching, found)
        there = standing(parts.archive, parts.engine, found.slots(), interval_seconds)
        with progress("judging", total=len(found.slots())) as advance:
            planned = None if doubt else plan(found, matching.matches, there, advance)
        if not as_json:
            say_summary(found, matching, planned, interval_seconds)
        loaded = None
        if planned and not dry_run:
            refuse_conflicts(planned)
            loaded = _carry_out(parts, found, matching, planned, interval_seconds)
        if as_json:
            report.as_json(facts(found, matching, planned, loaded))
        if planned and loaded is not None:
            refuse_useless(found, planned)
            if not as_json:
                say_outcome(planned, loaded)


def _match(
    found: Found,
    parts: Parts,
    maps: tuple[str, ...],
    assets_file: str | None,
    *,
    questions: bool,
) -> Matching:
    """Return whom the labels mean, asked for where that is possible.

    Raises:
        UsageError: the user's own map cannot be used.
    """
    directory = Directory()
    add_stored(directory, parts.engine)
    if assets_file:
        add_map(directory, _read(assets_file))
    given = parse_map(maps)
    used: set[str] = set()
    matching = match_labels(found.seen, directory, given, used)
    written = {key for text in maps if "=" in text for key in parse_map([text])}
    # Where nothing was found at all, its refusals are the reason, and they are told.
    if written - used and found.slots():
        refuse_unused(found, written - used)
    check_apart(found, given)
    if questions and matching.unmatched:
        return choose(matching, directory, ask)
    return matching


def _read(path: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise UsageError(
            f"--assets-file {path[:80]!r} cannot be read: {error.strerror or error}"
        ) from error


def _carry_out(
    parts: Parts, found: Found, matching: Matching, planned: Plan, interval_seconds: int
) -> int:
    """Write the attempts, load them, and return how many the store settled."""
    with progress("importing", total=len(planned.new)) as advance:
        for _ in adopt(parts.archive, found, matching.matches, planned, interval_seconds):
            advance(1)
    settled = 0
    first = planned.attempts[0].slot if planned.attempts else 0
    with progress("loading", total=len(planned.new)) as advance:
        for _ in sweep(parts.engine, parts.archive, first):
            settled += 1
            advance(1)
    return settled
