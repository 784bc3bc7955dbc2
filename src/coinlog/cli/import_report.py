"""What ``coinlog import`` says: its summary, its questions and its refusals."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable

import click
import msgspec
from rich.markup import escape

from coinlog.cli.report import err, say
from coinlog.errors import NothingToImportError, UsageError
from coinlog.imports.adopting import Plan
from coinlog.imports.assets import Matching, Unmatched
from coinlog.imports.found import Found
from coinlog.market import Asset, Outcome
from coinlog.slots import MAX_ASSET_ID, format_interval, iso
from coinlog.sources.labels import Label
from coinlog.sources.texts import counted, one_line

SHOWN = 5
NAMED = 20
MANY = 10
"""Rows that are not drawn are mentioned where they are more than one in so many."""


def say_summary(found: Found, matching: Matching, plan: Plan | None, interval_seconds: int) -> None:
    """Say what was found and, where every asset is told, what would become of it."""
    span = found.span()
    when = f", {iso(span[0])} to {iso(span[1])}" if span else ""
    say(f"[bold]{_shown(found.imported)}[/]: {counted(found.count, found.unit)}{when}")
    for note in found.notes:
        say(f"  note     {_shown(note)}")
    if found.seen:
        say(f"  assets   {len(matching.matches):,} matched{_matched(matching)}")
    for each in matching.unmatched[:SHOWN]:
        say(f"  [yellow]unknown[/]  {escape(_doubt(each))}")
    _say_more(len(matching.unmatched))
    for refusal in found.refusals.first[:SHOWN]:
        say(f"  [yellow]refused[/]  {_shown(f'{refusal.place}: {refusal.why}', 300)}")
    _say_more(found.refusals.count)
    say(f"  slots    {len(found.slots()):,}, one every {format_interval(interval_seconds)}")
    if plan is None:
        option = escape(_map_option(matching, found))
        say(f"  next     say which assets those are: [bold]{option}[/]")
        return
    say(f"  attempts {_attempts(plan)}")
    for conflict in plan.conflicts:
        say(f"  [red]refused[/]  {_shown(conflict, 600)}")
    if later := _later(plan):
        say(
            f"  note     {counted(later, 'row')} came after another of their asset in a slot: "
            "kept in the archive, and drawn with a shorter --interval"
        )
    unread = [each for each in plan.attempts if each.beside.unread]
    for attempt in unread[:SHOWN]:
        why = "; ".join(attempt.beside.unread)
        say(f"  [yellow]left out[/] {iso(attempt.slot)}: {_shown(why, 300)}")
    _say_more(len(unread))
    for attempt in [each for each in plan.attempts if each.outcome is not Outcome.STORED][:SHOWN]:
        say(f"  [yellow]{attempt.outcome}[/]  {iso(attempt.slot)}: {_shown(attempt.detail, 300)}")


def say_outcome(plan: Plan, loaded: int) -> None:
    """Say in one line what was done."""
    if not plan.new and not loaded:
        say("[green]✓[/] nothing to do: all of it was imported before")
        return
    slots = len({each.slot for each in plan.attempts})
    new = counted(len(plan.new), "attempt")
    say(f"[green]✓[/] {new} in {counted(slots, 'slot')} imported, {loaded:,} loaded")


def refuse_useless(found: Found, plan: Plan) -> None:
    """End with the reason where there is not one quote, neither new nor imported before.

    Raises:
        NothingToImportError: there is none.
    """
    if not _useful(plan):
        raise NothingToImportError(f"nothing could be imported: {_useless(found, plan)}")


def _useful(plan: Plan) -> bool:
    return any(each.outcome is not Outcome.FAILED for each in plan.attempts)


def _useless(found: Found, plan: Plan) -> str:
    if plan.attempts:
        many = counted(len(plan.attempts), "attempt")
        return f"{many} failed ({one_line(plan.attempts[0].detail, 300)})"
    if not found.count:
        return f"there is no {found.unit} to import in {one_line(found.imported, 80)}"
    if not found.slots():
        return _refused(found)
    return "no row is about an asset that was told, and the others were left out"


def _refused(found: Found) -> str:
    """Return how much was refused, and why the first of it."""
    count, first = found.refusals.count, found.refusals.first[0]
    were = "was refused:" if count == 1 else "were refused, the first one"
    return f"{counted(count, found.unit)} {were} {one_line(f'{first.place}: {first.why}', 300)}"


def refuse_unused(found: Found, unused: Iterable[str]) -> None:
    """Refuse names of ``--map`` that no row has, after the rows that could not be read.

    Raises:
        UsageError: always.
    """
    refused = f"{_refused(found)}; and " if found.refusals.count else ""
    raise UsageError(
        f"{refused}--map names {', '.join(sorted(map(repr, unused)))}, and no row is about that: "
        "symbols, names and slugs must be written as they are in the rows"
    )


def facts(
    found: Found, matching: Matching, plan: Plan | None, loaded: int | None
) -> dict[str, object]:
    """Return what was found and done, for programs."""
    span = found.span()
    return {
        "source": found.imported,
        "counted": found.unit,
        "count": found.count,
        "from": iso(span[0]) if span else None,
        "to": iso(span[1]) if span else None,
        "slots": len(found.slots()),
        "notes": found.notes,
        "matched": [_match_facts(label, asset) for label, asset in matching.matches.items()],
        "unresolved": [msgspec.to_builtins(each) for each in matching.unmatched],
        "refused": found.refusals.count,
        "refusals": found.refusals.first,
        "plan": _plan_facts(plan) if plan else None,
        "imported": plan is not None and loaded is not None and _useful(plan),
        "settled_attempts": loaded or 0,
    }


def _plan_facts(plan: Plan) -> dict[str, object]:
    return {
        "attempts": len(plan.attempts),
        "new_attempts": len(plan.new),
        "outcomes": {outcome: plan.outcomes.get(outcome, 0) for outcome in _OUTCOMES},
        "slots_stored_already": plan.stays,
        "slots_partial_already": plan.partial,
        "conflicts": plan.conflicts,
        "quotes": plan.quotes,
    }


_OUTCOMES = (Outcome.STORED, Outcome.PARTIAL, Outcome.FAILED)


def refuse_unmatched(matching: Matching, found: Found) -> None:
    """Refuse to guess, with everything that is needed to say it.

    Raises:
        UsageError: always.
    """
    doubts = "; ".join(_doubt(each) for each in matching.unmatched[:NAMED])
    more = len(matching.unmatched) - NAMED
    raise UsageError(
        f"nothing was imported: which assets these are cannot be told, and none is guessed: "
        f"{doubts}{f'; and {more} more' if more > 0 else ''}. Say which they are, for example "
        f"{_map_option(matching, found)}, make them known with --assets-file (a saved answer of "
        "/v1/cryptocurrency/map, which tells since when each has quotes), or leave them out with "
        "--skip-unresolved"
    )


def refuse_conflicts(plan: Plan) -> None:
    """Refuse an import that would lose or double something.

    Raises:
        UsageError: it would.
    """
    if plan.conflicts:
        raise UsageError(f"nothing was imported: {'; '.join(plan.conflicts)}")


def ask(each: Unmatched) -> int | None:
    """Ask which asset a label means; None leaves it out."""
    err.print(
        f"[bold]{_shown(str(each.label))}[/] ({counted(each.rows, 'row')}): which asset is it?"
    )
    for number, asset in enumerate(each.candidates, 1):
        err.print(f"  {number}) {escape(_named(asset))}")
    while True:
        answer = click.prompt("a number above, id:N, or s to leave it out", err=True).strip()
        if answer == "s":
            return None
        if answer.isdecimal() and 0 < int(answer) <= len(each.candidates):
            return each.candidates[int(answer) - 1].id
        told = answer.removeprefix("id:")
        if told != answer and told.isdecimal() and 0 < int(told) <= MAX_ASSET_ID:
            return int(told)


def _map_option(matching: Matching, found: Found) -> str:
    """Return the option that says who the unknown are, with ``ID`` where there is more than one.

    Each goes by its symbol, or by its name where others share that.
    """
    symbols = Counter(label.symbol for label in found.seen)
    pairs = []
    for each in matching.unmatched[:NAMED]:
        label = each.label
        own = label.symbol and symbols[label.symbol] == 1
        key = label.symbol if own else label.name or label.slug or label.symbol
        pairs.append(f"{one_line(key, 40)}={_first_id(each)}")
    return f"--map {shlex.quote(','.join(pairs))}"


def _first_id(each: Unmatched) -> str:
    if each.agreed:
        return str(each.agreed.id)
    return str(each.candidates[0].id) if len(each.candidates) == 1 else "ID"


def _doubt(each: Unmatched) -> str:
    who = f"{one_line(str(each.label), 80)} ({counted(each.rows, 'row')})"
    if not each.candidates:
        return f"{who} is not known"
    if each.agreed:
        return (
            f"{who} is called as {_named(each.agreed)} is, which this store knows since "
            f"{iso(each.since)} alone, and its rows are older: it may be another"
        )
    return f"{who} could be {' or '.join(map(_named, each.candidates))}"


def _named(asset: Asset) -> str:
    return one_line(f"{asset.id} {asset.name} ({asset.symbol})", 80)


def _matched(matching: Matching) -> str:
    pairs = list(matching.matches.items())
    named = ", ".join(f"{one_line(str(label), 40)} → {asset.id}" for label, asset in pairs[:SHOWN])
    more = f" and {len(pairs) - SHOWN:,} more" if len(pairs) > SHOWN else ""
    return escape(f": {named}{more}") if pairs else ""


def _later(plan: Plan) -> int:
    """Return how many rows of a table are beside their slots' quotes, if that is many of them."""
    later = sum(each.beside.later for each in plan.attempts)
    return later if later * MANY > later + plan.quotes else 0


def _attempts(plan: Plan) -> str:
    if not plan.attempts:
        return "none: there is nothing to import"
    told = [f"{plan.outcomes[o]:,} {o}" for o in _OUTCOMES if plan.outcomes.get(o)]
    before = len(plan.attempts) - len(plan.new)
    line = f"{len(plan.new):,} new ({', '.join(told) or 'none'})"
    if before:
        line += f", {before:,} imported before"
    if plan.stays:
        line += f"; {counted(plan.stays, 'slot')} stored already, which stay as they are"
    if plan.partial:
        line += f"; {counted(plan.partial, 'slot')} partial already, which stay as they are"
    return line


def _say_more(count: int) -> None:
    if count > SHOWN:
        say(f"           [dim]and {count - SHOWN:,} more; --json names more of them[/]")


def _match_facts(label: Label, asset: Asset) -> dict[str, object]:
    return {"label": label, "asset_id": asset.id, "name": asset.name, "symbol": asset.symbol}


def _shown(text: str, limit: int = 200) -> str:
    return escape(one_line(text, limit))
