"""``coinlog alerts``: read the file back in words, try the addresses, rehearse on the past."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
import sqlalchemy as sa
from rich.markup import escape

from coinlog.alerts.config import Alerting
from coinlog.alerts.example import EXAMPLE
from coinlog.alerts.left import SIMULATED, Alert
from coinlog.alerts.market_rules import MarketRule
from coinlog.alerts.rehearsing import Incident, Rehearsal, rehearse
from coinlog.cli import report
from coinlog.cli.alert_notes import notes_on, unrecorded
from coinlog.cli.bells import alerting, targets_of
from coinlog.cli.report import errors_explained, out, say
from coinlog.cli.shared import json_option, ready_settings, with_parts
from coinlog.errors import AlertError, SettingError, StoreError, UsageError
from coinlog.market import SourceKind
from coinlog.parts import Parts
from coinlog.slots import iso, parse_time
from coinlog.sources.texts import counted
from coinlog.store.engine import open_engine
from coinlog.store.existing import refuse_absent
from coinlog.store.reader import Reader, StoredAsset


@click.group()
def alerts() -> None:
    """Be told of trouble in recording, and of moves in the market.

    Rules stand in a file, alerts.toml in the data folder or where COINLOG_ALERTS says. Messages
    go to the addresses in COINLOG_ALERT_URLS, by Apprise: ntfy, Telegram, mail, Slack and a
    hundred more. Each incident is one message, and one more when it is over. The same file holds
    for the made-up market, whose messages say SIMULATED.

    \b
    Examples:
      coinlog alerts init        write an example of the file
      coinlog alerts check       say what is watched, and where messages go
      coinlog alerts try         send a message to every address
      coinlog alerts dry-run     say what it would have told of the past
    """


@alerts.command()
@click.option("--print", "shown", is_flag=True, help="Print it instead of writing it.")
def init(*, shown: bool) -> None:
    """Write an example of the file.

    One that is there stays as it is. The made-up market is watched by the same file.

    \b
    Examples:
      coinlog alerts init
      coinlog alerts init --print > my-alerts.toml
    """
    if shown:
        click.echo(EXAMPLE, nl=False)
        return
    with errors_explained():
        path = ready_settings().alerts
        assert path  # noqa: S101  it has a default
        _write_example(path)
    say(f"[green]✓[/] {escape(str(path))} is written: change it, then run `coinlog alerts check`")


def _write_example(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(EXAMPLE)
    except FileExistsError:
        raise SettingError(f"{path} is there already, and stays as it is") from None
    except OSError as error:
        raise SettingError(f"{path} cannot be written ({error.strerror or error})") from None


@alerts.command()
@json_option
@with_parts
def check(parts: Parts, *, as_json: bool) -> None:
    """Say what is watched, and where messages go.

    Exit code 0: it can be used; 2: it cannot, and the line and the key are named.

    \b
    Examples:
      coinlog alerts check
      COINLOG_ALERTS=new.toml coinlog alerts check
    """
    found = _needed(parts)
    targets = [target.label for target in targets_of(parts.settings, found)]
    known = _known_assets(parts, found)
    notes = notes_on(parts.plan, found.rules, known, targets)
    if as_json:
        rules = [{"rule": rule.key, "watched": rule.watched()} for rule in found.rules]
        report.as_json({"rules": rules, "targets": targets, "notes": notes})
        return
    say(f"{escape(str(parts.settings.alerts))}: {counted(len(found.rules), 'rule')}")
    for rule in found.rules:
        name = (known or {}).get(rule.asset) if isinstance(rule, MarketRule) else None
        called = f" [dim]({escape(name.name)} now)[/]" if name else ""
        say(f"  {escape(rule.kind):10} {escape(rule.watched())}{called}")
    for target in targets:
        say(f"  [bold]to[/]         {escape(target)}")
    _tell_notes(notes)


@alerts.command(name="try")
@with_parts
def try_(parts: Parts) -> None:
    """Send a message to every address.

    It says of each whether it took it, and where not why.

    Exit code 0: all did; 1: some did not.

    \b
    Examples:
      coinlog alerts try
      COINLOG_ALERT_URLS=ntfy://ntfy.sh/a-topic-nobody-guesses coinlog alerts try
    """
    targets = targets_of(parts.settings, alerting(parts.settings) or Alerting())
    if not targets:
        raise SettingError(
            "there is nowhere to send to: expected Apprise addresses in COINLOG_ALERT_URLS, one a "
            "line, or in the file that urls_file names"
        )
    mark = SIMULATED if parts.plan.source is SourceKind.SIMULATED else ""
    alert = Alert(
        f"coinlog: {mark}this is a try", "Messages of coinlog arrive here. Nothing is wrong.\n"
    )
    failed = False
    for target in targets:
        try:
            target.send(alert)
            say(f"[green]✓[/] {escape(target.label)}, took it")
        except AlertError as error:
            failed = True
            say(f"[red]✗[/] {escape(str(error))}")
    if failed:
        sys.exit(1)


@alerts.command(name="dry-run")
@click.option("--from", "start", metavar="TIME", help="From this slot on (ISO 8601, UTC).")
@click.option("--to", "end", metavar="TIME", help="Up to this slot.")
@json_option
@with_parts
def dry_run(parts: Parts, start: str | None, end: str | None, *, as_json: bool) -> None:
    """Say what it would have told of the past.

    It looks at all that is recorded, and sends nothing. A disk that was full is not recorded, so
    it is left out; credits are judged where the file says what a month has.

    \b
    Examples:
      coinlog alerts dry-run
      coinlog alerts dry-run --from 2026-01-01 --to 2026-02-01
      coinlog alerts dry-run --json
      coinlog alerts dry-run --simulated
    """
    found = _needed(parts)
    begin, until = _span(start, end)
    done = rehearse(
        _store_of(parts),
        parts.archive,
        found.rules,
        time.time(),
        start=begin,
        end=until,
    )
    known = _known_assets(parts, found)
    notes = list(dict.fromkeys(unrecorded(found.rules, known, parts.plan.selection)))
    if as_json:
        report.as_json(_facts(done) | {"notes": notes})
    else:
        _tell(done)
        _tell_notes(notes)


def _span(start: str | None, end: str | None) -> tuple[int | None, int | None]:
    """Return the slots to look at from and to."""
    begin, until = parse_time(start) if start else None, parse_time(end) if end else None
    if begin is not None and until is not None and begin > until:
        raise UsageError(f"--from {start} is after --to {end}: expected the earlier time in --from")
    return begin, until


def _needed(parts: Parts) -> Alerting:
    found = alerting(parts.settings)
    if found is None:
        raise SettingError(
            f"{parts.settings.alerts} is not there: `coinlog alerts init` writes an example"
        )
    return found


def _known_assets(parts: Parts, found: Alerting) -> dict[int, StoredAsset] | None:
    """Return the assets of the rules that the store knows; ``None`` where it cannot tell."""
    ids = sorted({rule.asset for rule in found.rules if isinstance(rule, MarketRule)})
    try:
        return {one.id: one for one in Reader(_store_of(parts)).assets(ids)}
    except StoreError:
        return None


def _store_of(parts: Parts) -> sa.Engine:
    url = parts.settings.database_url
    refuse_absent(url)
    return open_engine(url, read_only=True)


def _tell_notes(notes: Sequence[str]) -> None:
    for note in notes:
        say(f"  [yellow]note[/]       {escape(note)}")


def _tell(done: Rehearsal) -> None:
    mark = "[bold yellow]SIMULATED[/] " if done.simulated else ""
    say(f"{mark}{counted(done.slots, 'slot')}, {counted(len(done.incidents), 'incident')}")
    for one in done.incidents:
        over = f"over {iso(one.recovered)} {one.recovered_value}" if one.recovered else "goes on"
        out.print(f"  {iso(one.first)}  {escape(one.headline)}")
        for change in one.changes:
            out.print(f"  [dim]{'':20}  then {escape(change)}[/]")
        out.print(f"  [dim]{'':20}  {escape(over)}[/]")
    if done.unjudged:
        say(f"  [dim]the record cannot tell about: {', '.join(done.unjudged)}[/]")


def _facts(done: Rehearsal) -> dict[str, object]:
    return {
        "slots": done.slots,
        "simulated": done.simulated,
        "incidents": [_incident_facts(one) for one in done.incidents],
        "unjudged": done.unjudged,
    }


def _incident_facts(one: Incident) -> dict[str, object]:
    recovered = iso(one.recovered) if one.recovered is not None else None
    return msgspec.structs.asdict(one) | {"first": iso(one.first), "recovered": recovered}
