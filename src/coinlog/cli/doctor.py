"""``coinlog doctor``: is everything in order, and if not, what to do."""

from __future__ import annotations

import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import msgspec
from rich.markup import escape

from coinlog.cli import report
from coinlog.cli.credits import foresee
from coinlog.cli.report import say
from coinlog.cli.shared import json_option, with_parts
from coinlog.errors import CoinlogError
from coinlog.parts import Parts
from coinlog.sources.answers import Answer
from coinlog.store.ledger import read_head
from coinlog.store.migrate import current_revision
from coinlog.store.reader import Reader
from coinlog.store.schema import REVISION

ROOM_NEEDED_MB = 500
SKEW_SECONDS = 120
PROBLEMS = (CoinlogError, OSError)
"""What a look may raise: each becomes a finding, so that the others are still told."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at: whether it is in order, and what to say about it."""

    what: str
    fine: bool
    text: str


@click.command()
@json_option
@with_parts
def doctor(parts: Parts, *, as_json: bool) -> None:
    """Check that everything is in order, and say what to do if not.

    Exit code 0: all in order; 1: something is not.

    \b
    Examples:
      coinlog doctor
      coinlog doctor --json
    """
    findings = list(examine(parts))
    if as_json:
        report.as_json(findings)
    else:
        for finding in findings:
            mark = "[green]✓[/]" if finding.fine else "[red]✗[/]"
            say(f"{mark} {finding.what:9} {escape(finding.text)}")
    if not all(finding.fine for finding in findings):
        sys.exit(1)


def examine(parts: Parts) -> Iterator[Finding]:
    """Yield a finding for each part, looked at one after another."""
    for what, look in (
        ("archive", _look_at_archive),
        ("database", _look_at_database),
        ("ledger", _look_at_ledger),
        ("disk", _look_at_disk),
        ("port", _look_at_port),
    ):
        yield _finding(what, look, parts)
    try:
        answer = _ask_source(parts)
    except PROBLEMS as error:
        yield Finding("source", fine=False, text=str(error))
        return
    yield _finding("source", lambda _: _source_text(answer), parts)
    if answer.server_date is not None:
        yield _finding("clock", lambda _: _clock_text(answer), parts)
    yield _finding("credits", _look_at_credits, parts)


def _finding(what: str, look: Callable[[Parts], str], parts: Parts) -> Finding:
    try:
        return Finding(what, fine=True, text=look(parts))
    except PROBLEMS as error:
        return Finding(what, fine=False, text=str(error))


def _look_at_archive(parts: Parts) -> str:
    attempts = parts.archive.attempts()
    parts.archive.objects.check_writable()
    return f"{len(attempts)} attempts in {parts.archive.location}"


def _look_at_database(parts: Parts) -> str:
    where = parts.settings.database_url.render_as_string()
    have, need = current_revision(parts.engine), REVISION
    if have != need:
        raise CoinlogError(
            f"{where} is at schema {have or 'none'}, this program needs {need}: "
            "run `coinlog migrate`"
        )
    return f"{where}, schema {have}"


def _look_at_ledger(parts: Parts) -> str:
    now = time.time()
    head = read_head(Reader(parts.engine))
    missed = head.missed_since_newest(now)
    if head.newest is None:
        raise CoinlogError("nothing is recorded yet: run `coinlog up` or `coinlog record`")
    if missed:
        why = head.last.detail if head.last and head.last.detail else "no recorder ran"
        raise CoinlogError(f"{missed} slots were due since the newest stored one: {why}")
    return f"fresh: newest slot {report.day_and_time(head.newest.slot)}"


def _look_at_disk(parts: Parts) -> str:
    folder: Path = parts.settings.data
    while not folder.exists():
        folder = folder.parent
    free_mb = shutil.disk_usage(folder).free // 1_000_000
    if free_mb < ROOM_NEEDED_MB:
        raise CoinlogError(
            f"{free_mb} MB free in {folder}: make room, {ROOM_NEEDED_MB} MB at least"
        )
    return f"{free_mb / 1000:,.1f} GB free in {folder}"


def _look_at_port(parts: Parts) -> str:
    host, port = parts.settings.host, parts.settings.port
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared, not bound
    try:
        socket.create_connection((reached, port), timeout=1).close()
    except socket.gaierror as error:
        raise CoinlogError(
            f"the host {host} is not known here ({error.strerror}): expected an address of this "
            "machine, for example COINLOG_HOST=127.0.0.1"
        ) from error
    except OSError:
        return f"nothing answers at {host} port {port}: `coinlog up` will when it runs"
    return f"something answers at {host} port {port}: `coinlog up`, or another program"


def _ask_source(parts: Parts) -> Answer:
    """Ask for the smallest answer that shows whether recording would work."""
    with parts.connect() as client:
        return client.get(
            "doctor", "/v3/cryptocurrency/listings/latest", {"start": "1", "limit": "1"}
        )


def _source_text(answer: Answer) -> str:
    if answer.reason:
        raise CoinlogError(answer.detail)
    return f"answered in {answer.elapsed_seconds * 1000:.0f} ms"


def _look_at_credits(parts: Parts) -> str:
    foreseen = foresee(parts)
    if foreseen is None:
        return "a made-up market costs nothing"
    foreseen.forecast.check()
    text = f"{foreseen.words()}{foreseen.standing()}"
    notes = foreseen.forecast.notes(time.time())
    if foreseen.unknown or notes:
        raise CoinlogError("; ".join((text, *notes)))
    return text


def _clock_text(answer: Answer) -> str:
    skew = round(answer.received_at - (answer.server_date or answer.received_at))
    if abs(skew) > SKEW_SECONDS:
        raise CoinlogError(
            f"our clock is {abs(skew)} s {'ahead' if skew > 0 else 'behind'}: set it by NTP, or "
            "slots will be missed"
        )
    return f"within {max(abs(skew), 1)} s of the source's"
