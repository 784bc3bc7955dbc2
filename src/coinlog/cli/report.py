"""What commands print: for people with colour, for programs as JSON."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NoReturn

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from coinlog.attempts import Manifest
from coinlog.capturing import Captured, Standing
from coinlog.cli.hints import hints
from coinlog.cli.lines import MOST_TEXT, lines
from coinlog.errors import CoinlogError, UsageError
from coinlog.market import Outcome
from coinlog.recorder import Recording
from coinlog.settings.secret import HIDDEN
from coinlog.slots import iso
from coinlog.sources.texts import one_line
from coinlog.store.ledger import LedgerRow
from coinlog.telling import MOST_DETAIL, captured_facts, loaded_facts

_HASH = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class _Paper(Console):
    """A console that no foreign text can steer: what is no letter to print is replaced."""

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401  rich's own
        return super().render_str(_CONTROLS.sub("\ufffd", text), **options)


out = _Paper(highlight=False, soft_wrap=True)
err = _Paper(stderr=True, highlight=False, soft_wrap=True)

MARKS = {
    Outcome.STORED: "[green]✓ stored[/]",
    Outcome.PARTIAL: "[yellow]◐ partial[/]",
    Outcome.FAILED: "[red]✗ failed[/]",
}


@contextmanager
def errors_explained() -> Iterator[None]:
    """Turn coinlog's errors into one sentence and an exit code: 2 for wrong use, else 1."""
    try:
        yield
    except CoinlogError as error:
        fail(str(error), code=2 if isinstance(error, UsageError) else 1)


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what went wrong and end."""
    message = hints.of_this_market(_without_logins(message))
    if lines.json:
        lines.complaint("error", "error", message=one_line(message, MOST_TEXT), exit_code=code)
    else:
        err.print(f"[red]coinlog:[/] {escape(message)}")
    sys.exit(code)


def _without_logins(message: str) -> str:
    """Return a message without the names and passwords of addresses in it.

    What was given in a command comes back in what is said about it, in words of libraries too.
    """
    return re.sub(r"(:/+)[^\s:/@]*:[^\s@]*@", rf"\1{HIDDEN}@", message)


def say(line: str) -> None:
    """Print a line that may hold markup."""
    out.print(hints.of_this_market(line))


def tell(line: str) -> None:
    """Print a line that may hold markup, unless programs alone listen."""
    if not lines.json:
        say(line)


def warn(message: str, head: str = "", console: Console = out, style: str | None = None) -> None:
    """Say what should be known; ``head`` with its markup is for people alone."""
    message = hints.of_this_market(message)
    if lines.json:
        lines.complaint("warning", "warning", message=one_line(message, MOST_TEXT))
    else:
        console.print(f"{head}{escape(message)}", style=style)


def as_json(value: object) -> None:
    """Print a value as JSON for programs."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def day_and_time(moment: float) -> str:
    """Return ``24 Nov 18:00 UTC``, without the day where it is today, with the year if another."""
    then = datetime.fromtimestamp(moment, UTC)
    today = datetime.fromtimestamp(time.time(), UTC)
    if then.date() == today.date():
        return then.strftime("%H:%M UTC")
    return then.strftime("%-d %b %H:%M UTC" if then.year == today.year else "%-d %b %Y %H:%M UTC")


def duration(seconds: float) -> str:
    """Return a stretch of time in words: ``3 days 4 h``, ``1 h 12 min``, ``45 s``."""
    whole = max(0, round(seconds))
    if whole < 60:  # noqa: PLR2004  a minute
        return f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    if hours >= 48:  # noqa: PLR2004  two days
        return f"{hours // 24:,} days {hours % 24} h"
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def short_hashes(text: str) -> str:
    """Return a text for people, with the beginnings of the SHA-256 in it."""
    return _HASH.sub(r"\1…", text)


def recording_line(recording: Recording) -> str:
    """Return what a recording did, in one line."""
    captured = recording.captured
    trouble = escape(one_line(recording.trouble or "", MOST_TEXT))
    line = f"slot {iso(captured.slot)} {_standing(captured)}"
    if not trouble:
        return line
    if captured.standing is Standing.NOT_KEPT:
        return f"{line}: {trouble}"
    return f"{line}\n  [yellow]kept in the archive, not yet loaded:[/] {trouble}"


def _standing(captured: Captured) -> str:
    match captured.standing:
        case Standing.OURS if captured.manifest:
            return f"{MARKS[captured.manifest.outcome]} {_facts(captured.manifest)}"
        case Standing.STORED:
            return "[green]✓ stored already[/], nothing asked"
        case Standing.NOT_KEPT:
            return "[red]✗ not recorded[/]"
        case other:
            return f"[yellow]{other}[/], nothing asked"


def _facts(manifest: Manifest) -> str:
    seconds = manifest.captured_at - manifest.started_at
    size = sum(answer.body_bytes for answer in manifest.answers) / 1000
    facts = f"{manifest.credits} credits, {size:,.0f} kB, {seconds:.1f} s"
    detail = escape(one_line(manifest.detail, MOST_DETAIL))
    return f"{facts}: {detail}" if detail else facts


def recording_facts(recording: Recording) -> dict[str, object]:
    """Return what a recording did, for programs."""
    captured, manifest = recording.captured, recording.captured.manifest
    return {
        "slot": iso(captured.slot),
        "outcome": manifest.outcome if manifest else None,
        "reason": manifest.reason if manifest else None,
        "detail": manifest.detail if manifest else captured.standing,
        "ours": captured.ours,
        "credits": manifest.credits if manifest and captured.ours else 0,
        "settled_attempts": len(recording.settled),
        "trouble": recording.trouble,
    }


def slot_event(recording: Recording, row: LedgerRow | None, **more: object) -> None:
    """Tell programs what became of a slot, in one line; ``row`` is what the ledger has of it."""
    captured, manifest = recording.captured, recording.captured.manifest
    unknown = dict.fromkeys(("outcome", "reason", "detail", "source", "credits", "attempt"))
    facts = captured_facts(manifest) if manifest else unknown
    trouble = recording.trouble and one_line(recording.trouble, MOST_TEXT)
    level = "info" if recording.done else "warning"
    told = {
        "slot": iso(captured.slot),
        **facts,
        **loaded_facts(row),
        "load_seconds": recording.load_seconds,
        "ours": captured.ours,
        "standing": captured.standing,
        "trouble": trouble,
        **more,
    }
    lines.event("slot", level, **told)
