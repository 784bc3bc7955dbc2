"""The commands that hold the store against the archive: ``replay`` and ``verify``."""

from __future__ import annotations

import re
import sys

import click
import msgspec
from rich.markup import escape

from coinlog.cli import report
from coinlog.cli.progress import progress
from coinlog.cli.report import err, say
from coinlog.cli.shared import json_option, stoppable, with_parts
from coinlog.errors import UsageError
from coinlog.parts import Parts
from coinlog.replay import Replayed
from coinlog.replay import replay as replay_archive
from coinlog.sources.texts import counted
from coinlog.verify.findings import KEPT
from coinlog.verify.flow import Sample
from coinlog.verify.flow import verify as verify_store
from coinlog.verify.notes import DETAILS, Verified

_ALL_PERCENT = 100


@click.command()
@click.option("--force", is_flag=True, help="Replay even where the store would lose something.")
@json_option
@with_parts
def replay(parts: Parts, *, force: bool, as_json: bool) -> None:
    """Build the whole store anew from the archive.

    The new store is built beside the live one and then takes its place at once, so the page and
    a recorder go on meanwhile. Stopped at any moment, it leaves the store as it was. Refused
    where the archive lacks what the store holds. What `coinlog thin` dropped comes back.

    \b
    Examples:
      coinlog replay
      coinlog replay --json
      coinlog replay --simulated
    """
    url = parts.settings.database_url
    with stoppable("stopped; the store is as it was"):
        replayed = replay_archive(url, parts.archive, progress, force=force)
    if as_json:
        report.as_json(msgspec.structs.asdict(replayed))
    else:
        _tell(replayed)
    if replayed.trouble:
        report.fail(f"not everything could be settled: {replayed.trouble}")


@click.command()
@click.option(
    "--sample", metavar="N|N%", help="Compare so many slots, or such a share, chosen by chance."
)
@json_option
@with_parts
def verify(parts: Parts, sample: str | None, *, as_json: bool) -> None:
    """Compare store with archive, and archive with its hashes.

    Every number is compared to its last bit, and every file with what was kept. Exit code 1
    where anything differs. Attempts that wait to be loaded are differences too; what `coinlog
    thin` dropped is none. The result is in `coinlog status`.

    \b
    Examples:
      coinlog verify
      coinlog verify --sample 100
      coinlog verify --sample 5% --json
    """
    url = parts.settings.database_url
    with stoppable("stopped; nothing is changed"):
        verified = verify_store(url, parts.archive, progress, sample=_sample(sample))
    if as_json:
        report.as_json(msgspec.structs.asdict(verified))
    else:
        _tell_verified(verified)
    if verified.differences:
        sys.exit(1)
    if not verified.slots:
        report.fail(
            "there was nothing to compare: neither the store nor the archive holds anything; are "
            "COINLOG_DATA, COINLOG_DATABASE_URL and COINLOG_ARCHIVE right?"
        )


def _sample(text: str | None) -> Sample | None:
    """Return how much to compare.

    Raises:
        UsageError: it is neither a number of slots nor a share.
    """
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,9}|[0-9]{1,2}\.[0-9]{1,6}(?=%))(%?)", text.strip())
    number = float(match[1]) if match else 0
    if not match or not number or (match[2] and number > _ALL_PERCENT):
        raise UsageError(
            f"--sample {text[:40]!r} cannot be used: expected a number of slots or a share, "
            "for example 100 or 5%"
        )
    return Sample(share=number / _ALL_PERCENT) if match[2] else Sample(slots=int(number))


def _tell_verified(verified: Verified) -> None:
    sampled = "a sample of " if verified.sampled else ""
    slots, quotes = counted(verified.slots, "slot"), counted(verified.quotes, "quote")
    what = f"{sampled}{slots} with {quotes}"
    thinned = f"; {verified.thinned:,} more were thinned on purpose" if verified.thinned else ""
    took = report.duration(verified.ended_at - verified.started_at)
    if not verified.slots and not verified.differences:
        return
    if not verified.differences:
        say(f"[green]✓[/] {what} are equal in store and archive, in {took}{thinned}")
        return
    found = counted(verified.differences, "difference")
    say(f"[red]✗[/] {found} in {what}, in {took}{thinned}")
    for text in verified.first[:DETAILS]:
        say(f"  {escape(text)}")
    if verified.differences > DETAILS:
        say(f"  and {verified.differences - DETAILS:,} more; --json names up to {KEPT:,}")
    if verified.unsettled:
        waiting = counted(verified.unsettled, "attempt")
        say(f"  [yellow]{waiting} not loaded yet:[/] `coinlog load` settles them")
    if verified.differences > verified.unsettled:
        say("  what the archive tells is brought back by `coinlog replay`: see docs/verify.md")


def _tell(replayed: Replayed) -> None:
    pace = replayed.quotes / max(replayed.seconds, 1)
    say(
        f"[green]✓[/] {replayed.attempts:,} attempts replayed: {replayed.slots:,} slots, "
        f"{replayed.quotes:,} quotes in {report.duration(replayed.seconds)} ({pace:,.0f} a second)"
    )
    if replayed.thinned:
        err.print(
            f"[yellow]note:[/] {replayed.thinned:,} quotes that had been thinned are back: "
            f"{escape('`coinlog thin`')} drops them again"
        )
