"""``coinlog doctor``: is everything in order, and if not, what to do."""

from __future__ import annotations

import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import click
import msgspec
from rich.markup import escape

from coinlog.cli import report
from coinlog.cli.doctor.alerts import examine_alerts
from coinlog.cli.doctor.archive import examine_archive, left_as_it_was
from coinlog.cli.doctor.database import WHAT as DATABASE
from coinlog.cli.doctor.database import examine_database
from coinlog.cli.doctor.findings import PROBLEMS, Finding, Level, wrong
from coinlog.cli.doctor.ledger import UNREADABLE, examine_ledger
from coinlog.cli.doctor.machine import (
    examine_backup,
    examine_disk,
    examine_memory,
    examine_port,
)
from coinlog.cli.doctor.settings import examine_settings, unusable
from coinlog.cli.doctor.source import examine_source
from coinlog.cli.hints import hints
from coinlog.cli.report import out, say
from coinlog.cli.shared import chosen_parts, json_option, usable_settings
from coinlog.errors import SettingError
from coinlog.parts import Parts
from coinlog.sources.texts import counted

_MARKS = {Level.FINE: "[green]✓[/]", Level.LOOK: "[yellow]![/]", Level.WRONG: "[red]✗[/]"}
_INDENT, _WIDEST, _NARROWEST = 12, 100, 40

LOOKS: tuple[tuple[str, Callable[[Parts], Iterable[Finding]]], ...] = (
    ("settings", lambda parts: examine_settings(parts.settings)),
    ("archive", examine_archive),
    ("database", examine_database),
    ("ledger", examine_ledger),
    ("alerts", examine_alerts),
    ("backup", examine_backup),
    ("disk", examine_disk),
    ("machine", examine_memory),
    ("port", examine_port),
    ("source", examine_source),
)


@click.command()
@click.option("--simulated", is_flag=True, help="Use the made-up market's own folder and store.")
@json_option
def doctor(*, simulated: bool, as_json: bool) -> None:
    """Check that everything is in order, and say what to do if not.

    A tick: in order; an exclamation mark: it works, and somebody should look at it; a cross:
    something is wrong. Below it stands the command that helps. It takes some seconds, changes
    nothing, and with a key costs at most one credit.

    Exit code 0: nothing is wrong; 1: something is.

    \b
    Examples:
      coinlog doctor
      coinlog doctor --json
    """
    findings = [*_examine(simulated=simulated)]
    if as_json:
        report.as_json([{**msgspec.structs.asdict(one), "fine": one.fine} for one in findings])
    else:
        for finding in findings:
            _tell(finding)
        _sum_up(findings)
    if not all(finding.fine for finding in findings):
        sys.exit(1)


def _examine(*, simulated: bool) -> Iterator[Finding]:
    try:
        parts = chosen_parts(usable_settings(), simulated=simulated)
    except SettingError as error:
        # Everything else is made from the settings.
        yield unusable(error)
        return
    with left_as_it_was(parts.settings.archive):
        yield from map(_of_this_market, _without_echoes(_looked(parts)))


def _looked(parts: Parts) -> Iterator[Finding]:
    for what, look in LOOKS:
        try:
            yield from look(parts)
        except PROBLEMS as error:
            yield wrong(what, f"{what}_unusable", str(error))


def _without_echoes(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Leave out that the ledger cannot be read where the database has told why."""
    told = False
    for finding in findings:
        told = told or (finding.what == DATABASE and not finding.fine)
        if not (told and finding.code == UNREADABLE):
            yield finding


def _of_this_market(finding: Finding) -> Finding:
    """Return a finding whose commands are of the market looked at; programs read them too."""
    do = finding.do and hints.of_this_market(finding.do)
    return msgspec.structs.replace(finding, text=hints.of_this_market(finding.text), do=do)


def _tell(finding: Finding) -> None:
    """Print a finding: its text beside its name, the command that helps below."""
    width = max(_NARROWEST, min(out.width, _WIDEST)) - _INDENT
    first, *more = _wrapped(finding.text, width)
    say(f"{_MARKS[finding.level]} {finding.what:9} {escape(first)}")
    for line in more:
        say(" " * _INDENT + escape(line))
    if finding.do:
        say(f"{' ' * _INDENT}[bold]→ {escape(finding.do)}[/]")


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def _sum_up(findings: Sequence[Finding]) -> None:
    counts = Counter(finding.level for finding in findings)
    to_see = f", {counted(counts[Level.LOOK], 'thing')} to look at" if counts[Level.LOOK] else ""
    if counts[Level.WRONG]:
        say(f"[red]{counted(counts[Level.WRONG], 'thing')} wrong[/]{to_see}")
    else:
        say(f"[green]nothing is wrong[/]{to_see}")
