"""``coinlog alerts``: read the file back in words, try the addresses, rehearse on the past."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import click
import msgspec
import sqlalchemy as sa
from rich.markup import escape

from coinlog.alerts.config import Alerting
from coinlog.alerts.example import EXAMPLE
from coinlog.alerts.left import SIMULATED, Alert
from coinlog.alerts.market_rules import Change, MarketRule, Price, Rank
from coinlog.alerts.rehearsing import Incident, Rehearsal, rehearse
from coinlog.alerts.rule import Rule
from coinlog.cli import report
from coinlog.cli.bells import alerting, targets_of
from coinlog.cli.report import out, say
from coinlog.cli.shared import json_option, with_parts
from coinlog.errors import AlertError, SettingError, StoreError
from coinlog.market import SourceKind
from coinlog.parts import Parts
from coinlog.settings.parsers import format_assets
from coinlog.slots import AssetSelection, format_interval, iso, parse_time
from coinlog.sources.texts import counted
from coinlog.store.engine import open_engine
from coinlog.store.existing import refuse_absent
from coinlog.store.reader import Reader, StoredAsset


@click.group()
def alerts() -> None:
    """Be told of trouble in recording, and of moves in the market.

    Rules stand in a file, alerts.toml in the data folder or where COINLOG_ALERTS says. Messages
    go to the addresses in COINLOG_ALERT_URLS, by Apprise: ntfy, Telegram, mail, Slack and a
    hundred more. Each incident is one message, and one more when it is over.

    \b
    Examples:
      coinlog alerts init        write an example of the file
      coinlog alerts check       say in words what it watches, and where messages go
      coinlog alerts try         send a message to every address
      coinlog alerts dry-run     what it would have told of what is recorded
    """


@alerts.command()
@click.option("--print", "shown", is_flag=True, help="Print it instead of writing it.")
@with_parts
def init(parts: Parts, *, shown: bool) -> None:
    """Write an example of the file, unless there is one.

    \b
    Examples:
      coinlog alerts init
      coinlog alerts init --print > my-alerts.toml
    """
    if shown:
        click.echo(EXAMPLE, nl=False)
        return
    path = parts.settings.alerts
    assert path  # noqa: S101  it has a default
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(EXAMPLE)
    except FileExistsError:
        raise SettingError(f"{path} is there already, and stays as it is") from None
    except OSError as error:
        raise SettingError(f"{path} cannot be written ({error.strerror or error})") from None
    say(f"[green]✓[/] {escape(str(path))} is written: change it, then run `coinlog alerts check`")


@alerts.command()
@json_option
@with_parts
def check(parts: Parts, *, as_json: bool) -> None:
    """Read the file, and say in words what is watched and where messages go.

    Exit code 0: it can be used; 2: it cannot, and the line and the key are named.

    \b
    Examples:
      coinlog alerts check
      COINLOG_ALERTS=new.toml coinlog alerts check
    """
    found = _needed(parts)
    targets = [target.label for target in targets_of(parts.settings, found)]
    known = _known_assets(parts, found)
    notes = _notes(parts, found, known, targets)
    if as_json:
        rules = [{"rule": rule.key, "watched": rule.watched()} for rule in found.rules]
        report.as_json({"rules": rules, "targets": targets, "notes": notes})
        return
    say(f"{escape(str(parts.settings.alerts))}: {len(found.rules)} rules")
    for rule in found.rules:
        name = (known or {}).get(rule.asset) if isinstance(rule, MarketRule) else None
        called = f" [dim]({escape(name.name)} now)[/]" if name else ""
        say(f"  {escape(rule.kind):10} {escape(rule.watched())}{called}")
    for target in targets:
        say(f"  [bold]to[/]         {escape(target)}")
    for note in notes:
        say(f"  [yellow]note[/]       {escape(note)}")


@alerts.command(name="try")
@with_parts
def try_(parts: Parts) -> None:
    """Send a message to every address, and tell which took it.

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
    """Say what the file would have told of what is recorded; nothing is sent.

    A disk that was full is not recorded, so it is left out; credits are judged where the file
    says what a month has.

    \b
    Examples:
      coinlog alerts dry-run
      coinlog alerts dry-run --from 2026-01-01 --to 2026-02-01
      coinlog alerts dry-run --json
      coinlog alerts dry-run --simulated
    """
    found = _needed(parts)
    done = rehearse(
        _store_of(parts),
        parts.archive,
        found.rules,
        time.time(),
        start=parse_time(start) if start else None,
        end=parse_time(end) if end else None,
    )
    if as_json:
        report.as_json(_facts(done))
    else:
        _tell(done)


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


def _notes(
    parts: Parts, found: Alerting, known: dict[int, StoredAsset] | None, targets: list[str]
) -> list[str]:
    """Return what looks like a mistake."""
    notes = []
    if not targets:
        notes.append("messages go nowhere: put addresses into COINLOG_ALERT_URLS")
    interval = parts.plan.interval_seconds
    for rule in found.rules:
        if isinstance(rule, MarketRule) and known is not None and rule.asset not in known:
            notes.append(f"asset {rule.asset} is not among what is recorded")
        if isinstance(rule, Change) and rule.window_seconds < interval:
            window, every = format_interval(rule.window_seconds), format_interval(interval)
            notes.append(f"a change in {window} is never known: slots are {every} apart")
        notes += _unseen(rule, parts.plan.selection)
    return list(dict.fromkeys(notes))


def _unseen(rule: Rule, selection: AssetSelection) -> Iterator[str]:
    """Yield what a rule would not see, as an asset below the top ones is not recorded."""
    top = selection.top
    if not isinstance(rule, MarketRule) or not top or rule.asset in selection.explicit_ids:
        return
    wider = AssetSelection(top, (*selection.ids, rule.asset))
    always = f"COINLOG_ASSETS={format_assets(wider)} records it always"
    if isinstance(rule, Rank) and rule.deepest > top:
        yield f"asset {rule.asset} is not recorded below rank {top}, so this cannot work; {always}"
    elif _looks_down(rule):
        yield f"asset {rule.asset} is not recorded while it is below rank {top}; {always}"


def _looks_down(rule: Rule) -> bool:
    """Return whether a rule is about what becomes of an asset that falls."""
    if isinstance(rule, Price):
        return rule.below is not None
    return isinstance(rule, Rank) or (isinstance(rule, Change) and rule.percent < 0)


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
        say(f"  [dim]not told by what is recorded: {', '.join(done.unjudged)}[/]")


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
