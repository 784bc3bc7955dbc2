"""``coinlog thin``: dropping old quotes from the database, as an explicit choice."""

from __future__ import annotations

import time

import click

from coinlog.cli import report
from coinlog.cli.progress import progress
from coinlog.cli.report import say
from coinlog.cli.shared import json_option, resumable, with_parts
from coinlog.errors import CoinlogError, UsageError
from coinlog.parts import Parts
from coinlog.slots import DAY, format_interval, iso
from coinlog.store.migrate import migrate
from coinlog.thinning import (
    KEEP_NONE,
    Outlook,
    count_assets,
    cut_at,
    look_ahead,
    parse_age,
    parse_keep,
)
from coinlog.thinning import thin as thin_store


@click.command()
@click.option(
    "--older-than", required=True, metavar="AGE", help="Thin what is older: 90d, 26w, 1y."
)
@click.option(
    "--keep",
    required=True,
    metavar="INTERVAL",
    help="Keep the first quote of each asset and interval (1h to 1d, 1w), or none.",
)
@click.option("--yes", is_flag=True, help="Do it; without this, only say what would go.")
@json_option
@with_parts
def thin(parts: Parts, older_than: str, keep: str, *, yes: bool, as_json: bool) -> None:
    """Drop old quotes from the database, once you have said --yes.

    A kept quote is a recorded one, and stands for its whole interval from then on. The archive,
    the ledger and every asset's newest quote are never touched. Stopped in the middle, the same
    command goes on.

    \b
    Examples:
      coinlog thin --older-than 1y --keep 1d
      coinlog thin --older-than 1y --keep 1d --yes
      coinlog thin --older-than 5y --keep none --json
    """
    age, keep_seconds = parse_age(older_than), parse_keep(keep)
    if age < max(keep_seconds, DAY):
        raise UsageError(
            f"--older-than {older_than} is too short: expected at least a day and the interval "
            "to keep, for example --older-than 1y --keep 1d"
        )
    migrate(parts.engine)
    found = _look_ahead(parts, cut_at(time.time(), age, keep_seconds), keep_seconds)
    dropped = _thin(parts, found) if yes and found.quotes else 0
    if as_json:
        report.as_json(_facts(found, dropped, yes=yes))
    elif yes:
        say(_done(found, dropped))
    else:
        _say_outlook(found)


def _look_ahead(parts: Parts, cut: int, keep_seconds: int) -> Outlook:
    found, assets = Outlook(cut, keep_seconds, 0, 0, 0, 0), count_assets(parts.engine)
    if not assets:
        raise CoinlogError("nothing is recorded yet: run `coinlog up` or `coinlog record`")
    with progress("looking", total=assets) as advance:
        for found in look_ahead(parts.engine, cut, keep_seconds):  # noqa: B007  the last counts
            advance(1)
    return found


def _thin(parts: Parts, found: Outlook) -> int:
    dropped = 0
    with resumable(), progress("thinning", total=found.quotes) as advance:
        for some in thin_store(parts.engine, found.older_than, found.keep_seconds, time.time()):
            dropped += some
            advance(some)
    return dropped


def _say_outlook(found: Outlook) -> None:
    if not found.quotes:
        say(f"[green]✓[/] nothing would go: {_span(found)} is as thin as that already")
        return
    say(f"would drop  {found.quotes:,} quotes of {_span(found)}, {_size(found)}")
    say(f"would keep  {found.kept:,} quotes{_meaning(found)}")
    say("stays       the archive, the ledger, every asset's newest quote, all slots since then")
    say("[yellow]nothing is changed yet:[/] --yes does it")


def _done(found: Outlook, dropped: int) -> str:
    if not found.quotes:
        return f"[green]✓[/] nothing to drop: {_span(found)} is as thin as that already"
    return f"[green]✓[/] dropped {dropped:,} quotes of {_span(found)}, kept {found.kept:,}"


def _span(found: Outlook) -> str:
    return f"{found.slots:,} slots before {iso(found.older_than)}"


def _size(found: Outlook) -> str:
    return f"about {found.bytes / 1_000_000:,.1f} MB"


def _meaning(found: Outlook) -> str:
    if not found.keep_seconds:
        return ""
    return f": the first of each asset and {_words(found.keep_seconds)}, standing for all of it"


def _words(keep_seconds: int) -> str:
    days, rest = divmod(keep_seconds, DAY)
    if rest:
        return format_interval(keep_seconds)
    return "day" if days == 1 else "week"


def _facts(found: Outlook, dropped: int, *, yes: bool) -> dict[str, object]:
    return {
        "older_than": iso(found.older_than),
        "keep": _words(found.keep_seconds) if found.keep_seconds else KEEP_NONE,
        "slots": found.slots,
        "would_drop": found.quotes,
        "would_keep": found.kept,
        "bytes": found.bytes,
        "done": yes,
        "dropped": dropped,
    }
