"""``coinlog move``: a store to another database, an archive to another place."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any

import click
import sqlalchemy as sa
from rich.markup import escape

from coinlog.cli import report
from coinlog.cli.progress import progress
from coinlog.cli.report import say
from coinlog.cli.shared import json_option, resumable, with_parts, with_password
from coinlog.errors import UsageError
from coinlog.move.archives import MovedArchive, compare_archives, move_archive
from coinlog.move.stores import Moved, compare_stores, move_store
from coinlog.parts import Parts
from coinlog.settings import Settings, databases, parsers

DIFFERENCES_SHOWN = 10

Place = sa.URL | str
"""A store's address, or where an archive is."""


@click.command()
@click.argument("origin", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--check", is_flag=True, help="Compare the two and copy nothing.")
@click.option("--join", is_flag=True, help="Let an archive at TO have slots of its own: they stay.")
@json_option
@with_parts
def move(  # noqa: PLR0913  what click hands over
    parts: Parts, origin: str, target: str, *, check: bool, join: bool, as_json: bool
) -> None:
    """Copy a whole store or archive elsewhere, and prove them equal.

    FROM and TO are databases (sqlite:///file, mysql://, mariadb://) or places of archives (a
    folder, s3://bucket/prefix); `store` and `archive` are those of the settings. FROM is only
    read. Stopped at any moment, the same command goes on where it stopped. Leave passwords out
    of the command and set COINLOG_MOVE_PASSWORD.

    \b
    Examples:
      coinlog move store mysql://coinlog@127.0.0.1:3306/coinlog
      coinlog move mysql://coinlog@127.0.0.1/coinlog sqlite:///coinlog.db
      coinlog move archive s3://my-bucket/coinlog
      coinlog move --join archive s3://a-bucket-that-is-recorded-into
      coinlog move --check store sqlite:///copy.db
    """
    here, there = (_place(text, parts.settings) for text in (origin, target))
    with resumable():
        moved = _carry_out(here, there, check=check, join=join)
    facts = _facts(moved, here, there)
    if as_json:
        report.as_json(facts)
    else:
        _tell(moved, here, there, check=check)
    if moved.differences:
        sys.exit(1)


def _place(text: str, settings: Settings) -> Place:
    """Return what an argument means.

    Raises:
        UsageError: it is no address of a store and no place of an archive.
    """
    if text in {"store", "archive"}:
        return settings.database_url if text == "store" else settings.archive
    try:
        if not re.match(r"(sqlite|mysql|mariadb)[a-z+]*:", text):
            return parsers.archive(text)
        url = databases.database_url(text)
    except ValueError as error:
        why = f": {error}" if str(error) else ""
        raise UsageError(
            f"FROM or TO cannot be used{why}; expected sqlite:///file.db, "
            "mysql://user@host/database, a folder, s3://bucket/prefix, or the words store and "
            "archive for those of the settings"
        ) from None
    return with_password(url, settings.move_password, "COINLOG_MOVE_PASSWORD")


def _carry_out(here: Place, there: Place, *, check: bool, join: bool) -> Moved | MovedArchive:
    if join and (check or isinstance(here, sa.URL) or isinstance(there, sa.URL)):
        raise UsageError(
            "--join is for copying an archive into another: a store moves into an empty database, "
            "and `coinlog load` fills it with what a joined archive holds"
        )
    if isinstance(here, sa.URL) and isinstance(there, sa.URL):
        return (compare_stores if check else move_store)(here, there, progress)
    if isinstance(here, str) and isinstance(there, str):
        if check:
            return compare_archives(here, there, progress)
        return move_archive(here, there, progress, join=join)
    raise UsageError(
        "one is a store and the other an archive: a store moves to another database, an archive "
        "to another folder or bucket; `coinlog load` is what fills a store from an archive"
    )


def _tell(moved: Moved | MovedArchive, here: Place, there: Place, *, check: bool) -> None:
    if moved.differences:
        _tell_differences(moved.differences, check=check)
        return
    done = "equal" if check else "moved, and proven equal"
    say(f"[green]✓[/] {done}: {_amount(moved)}")
    if isinstance(moved, Moved) and moved.changed:
        say(
            "  [yellow]FROM was written to meanwhile[/]: this is what it held at the start; "
            "`coinlog load` brings the rest from the archive, once this is the store"
        )
    if not check:
        say(f"  to use it, put into .env: [bold]{escape(_setting(there))}[/]")
        say(f"  {escape(_shown(here))} is as it was")


def _tell_differences(differences: Sequence[object], *, check: bool) -> None:
    for difference in differences[:DIFFERENCES_SHOWN]:
        say(f"  [red]✗[/] {escape(str(difference))}")
    if (further := len(differences) - DIFFERENCES_SHOWN) > 0:
        say(f"  [dim]and {further:,} more[/]")
    next_step = "" if check else "; nothing at FROM has changed, so go on using it"
    say(f"[red]✗ not equal[/]: {len(differences):,} differences (here is FROM){next_step}")


def _amount(moved: Moved | MovedArchive) -> str:
    if isinstance(moved, Moved):
        anew = f", {moved.mended:,} slots and tables anew" if moved.mended else ""
        return f"{moved.rows:,} rows, quotes of {moved.slots:,} slots{anew}"
    others = f"; TO has {moved.others:,} others besides" if moved.others else ""
    left = f"; {moved.left:,} slots are recorded in both, and TO's stay" if moved.left else ""
    return f"{moved.objects:,} objects, {moved.bytes / 1e6:,.1f} MB{others}{left}"


def _facts(moved: Moved | MovedArchive, here: Place, there: Place) -> dict[str, Any]:
    """Return what a move did, for programs."""
    fields = {name: getattr(moved, name) for name in moved.__struct_fields__}
    return {
        "from": _shown(here),
        "to": _shown(there),
        "equal": not moved.differences,
        **fields,
        "differences": [str(difference) for difference in moved.differences],
        "setting": _setting(there),
    }


def _shown(place: Place) -> str:
    return place.render_as_string() if isinstance(place, sa.URL) else place


def _setting(place: Place) -> str:
    """Return the line of ``.env`` that puts a place to use, with PASSWORD for the password."""
    if isinstance(place, str):
        return f"COINLOG_ARCHIVE={place}"
    if place.get_backend_name() == "sqlite":
        return f"COINLOG_DATABASE_URL={place}"
    shown = place.set(drivername="mysql", password="PASSWORD" if place.password else None)
    return f"COINLOG_DATABASE_URL={shown.render_as_string(hide_password=False)}"
