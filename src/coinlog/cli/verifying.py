"""``coinlog verify``: the store against the archive, the archive against its hashes."""

from __future__ import annotations

import re
import sys

import click
import msgspec
import sqlalchemy as sa
from rich.markup import escape

from coinlog.cli import report
from coinlog.cli.cures import BRING_BACK, from_backup, texts_of_archive
from coinlog.cli.progress import progress
from coinlog.cli.report import say
from coinlog.cli.shared import json_option, stoppable, with_parts
from coinlog.errors import UsageError
from coinlog.parts import Parts
from coinlog.sources.texts import counted
from coinlog.store.engine import open_engine
from coinlog.store.existing import refuse_absent
from coinlog.verify.findings import KEPT
from coinlog.verify.flow import verify as verify_store
from coinlog.verify.notes import DETAILS, Verified
from coinlog.verify.sample import Sample
from coinlog.verify.standing import newest_share

_ALL_PERCENT = 100


@click.command()
@click.option(
    "--sample", metavar="N|N%", help="Compare so many slots, or such a share, chosen by chance."
)
@click.option(
    "--next",
    "share",
    metavar="N|N%",
    help="Compare what comes next after the last such run; some runs see everything.",
)
@json_option
@with_parts
def verify(parts: Parts, sample: str | None, share: str | None, *, as_json: bool) -> None:
    """Compare store with archive, and archive with its hashes.

    Every number is compared to its last bit, and every file with what was kept. Attempts that
    wait to be loaded are differences too; what `coinlog thin` dropped is none. The result is in
    `coinlog status`. Exit code 0: all of it is equal; 1: something differs, or there was nothing
    to compare, or store or archive could not be read; 2: used wrongly.

    \b
    Examples:
      coinlog verify
      coinlog verify --sample 100
      coinlog verify --sample 5% --json
      coinlog verify --next 10%     (from cron: every tenth run has seen everything)
    """
    url = parts.settings.database_url
    chosen = _sample(sample, "--sample") or _next(url, share)
    if sample and share:
        raise UsageError("--sample and --next are both given: expected one of them")
    with stoppable("stopped; nothing is changed"):
        verified = verify_store(url, parts.archive, progress, sample=chosen)
    if as_json:
        report.as_json(msgspec.structs.asdict(verified))
    else:
        _tell_verified(parts, verified)
    if verified.differences:
        sys.exit(1)
    if not verified.slots:
        report.fail(
            "there was nothing to compare: neither the store nor the archive holds anything; are "
            "COINLOG_DATA, COINLOG_DATABASE_URL and COINLOG_ARCHIVE right?"
        )


def _next(url: sa.URL, text: str | None) -> Sample | None:
    """Return the share that comes next."""
    wanted = _sample(text, "--next")
    if wanted is None:
        return None
    refuse_absent(url)
    reader = open_engine(url, read_only=True)
    last = newest_share(reader)
    reader.dispose()
    after = last.to_slot if last and last.to_slot is not None else -1
    return msgspec.structs.replace(wanted, after=after)


def _sample(text: str | None, option: str) -> Sample | None:
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
            f"{option} {text[:40]!r} cannot be used: expected a number of slots or a share, "
            "for example 100 or 5%"
        )
    return Sample(share=number / _ALL_PERCENT) if match[2] else Sample(slots=int(number))


def _tell_verified(parts: Parts, verified: Verified) -> None:
    sampled = "a share of " if verified.to_slot is not None else "a sample of "
    sampled = sampled if verified.sampled else ""
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
        say(f"  {escape(report.short_hashes(text))}")
    if verified.differences > DETAILS:
        say(f"  and {verified.differences - DETAILS:,} more; --json names up to {KEPT:,}")
    if verified.uncompared:
        slots = counted(verified.uncompared, "slot")
        say(f"  [yellow]{slots} not compared:[/] what stands there is damaged or gone")
    if verified.unsettled:
        waiting = counted(verified.unsettled, "attempt")
        say(f"  [yellow]{waiting} not loaded yet:[/] `coinlog load` settles them")
    _tell_cures(parts, verified)


def _tell_cures(parts: Parts, verified: Verified) -> None:
    """Say what helps: a replay does only where the archive is sound."""
    lost = texts_of_archive(verified.first)
    if lost:
        _tell_copy(parts, lost)
    elif verified.differences > verified.unsettled:
        say("  what the archive tells is brought back by `coinlog replay`: see docs/verify.md")


def _tell_copy(parts: Parts, lost: list[str]) -> None:
    if not parts.archive.attempts():
        say(f"  [yellow]the archive is empty:[/] {escape(parts.archive.location)}; was it moved?")
    say(f"  [yellow]the archive is damaged:[/] {BRING_BACK}, and verify again: see docs/verify.md")
    if (do := from_backup(parts, lost)) is not None:
        say(f"  [bold]→ {escape(do)}[/]")
