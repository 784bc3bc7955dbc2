"""``coinlog backup`` and ``coinlog restore``: everything in one file, and back again."""

from __future__ import annotations

import sys
import time
from typing import Any

import click
from rich.markup import escape

from coinlog.backups.making import make_backup, newest_in, place_for
from coinlog.backups.manifest import Manifest, Objects
from coinlog.backups.reading import Backup, open_backup, prove
from coinlog.backups.remembering import remember
from coinlog.backups.restoring import Restored, restore_backup
from coinlog.cli import report
from coinlog.cli.progress import progress
from coinlog.cli.report import say
from coinlog.cli.shared import json_option, resumable, stoppable, with_parts
from coinlog.errors import UsageError
from coinlog.market import SourceKind
from coinlog.notice import SIMULATED
from coinlog.parts import Parts
from coinlog.slots import iso
from coinlog.sources.texts import counted

DIFFERENCES_SHOWN = 10


@click.command()
@click.argument("place", metavar="FILE|DIR")
@click.option("--without-archive", is_flag=True, help="Leave out the raw answers: the store alone.")
@click.option("--check", is_flag=True, help="Read an existing backup and prove it; write nothing.")
@json_option
@with_parts
def backup(parts: Parts, place: str, *, without_archive: bool, check: bool, as_json: bool) -> None:
    """Write store and archive into one file, and prove it.

    It gets its name once it is proven. Recording goes on meanwhile: the backup is of one moment.
    In a folder the file is called after the time. It is a plain tar, restores into SQLite, MariaDB
    and MySQL alike, and holds no key and no password. Exit code 0: it is whole; 1: it is not, and
    which part is damaged.

    \b
    Examples:
      coinlog backup /mnt/backups/
      coinlog backup coinlog.tar --without-archive
      coinlog backup --check /mnt/backups/     (the newest one there)
      30 3 * * *  cd ~/coinlog && .venv/bin/coinlog backup /mnt/backups/     (crontab)
    """
    simulated, begun = parts.plan.source is SourceKind.SIMULATED, time.time()
    with stoppable("stopped: no backup was written"):
        if check:
            path = newest_in(place, simulated=simulated)
        else:
            path = place_for(place, begun, simulated=simulated)
            archive = None if without_archive else parts.settings.archive
            make_backup(path, parts.settings.database_url, archive, progress)
            remember(parts.settings.data, path, begun, whole=archive is not None)
        with open_backup(path) as made:
            if check:
                prove(made, progress)
            facts = _facts(made) | {"seconds": round(time.time() - begun, 3)}
    if as_json:
        report.as_json(facts)
    else:
        done = "whole" if check else "backed up, and proven"
        say(f"[green]✓[/] {done}: {_amount(made.manifest, made.manifest.archive)}")
        say(f"  {escape(str(path))}, {facts['bytes'] / 1e6:,.1f} MB, {_whose(made.manifest)}")


@click.command()
@click.argument("place", metavar="FILE|DIR")
@click.option("--without-archive", is_flag=True, help="Leave the archive alone: the store only.")
@json_option
@with_parts
def restore(parts: Parts, place: str, *, without_archive: bool, as_json: bool) -> None:
    """Put a backup back into an empty store and archive.

    They are those of the settings. All of the backup is proven first: a damaged one changes
    nothing. What is not empty is refused.
    Stopped at any moment, the same command goes on where it stopped; until then nobody else
    uses the half of a store. In a folder the newest backup is taken.

    \b
    Examples:
      coinlog restore /mnt/backups/coinlog-20261124T033000Z.tar
      coinlog restore /mnt/backups/
      DB_HOST=127.0.0.1 DB_NAME=coinlog coinlog restore coinlog.tar --without-archive
    """
    simulated = parts.plan.source is SourceKind.SIMULATED
    with resumable(), open_backup(newest_in(place, simulated=simulated)) as found:
        _refuse_the_other_kind(found.manifest, simulated=simulated)
        archive = None if without_archive else parts.settings.archive
        restored = restore_backup(found, parts.settings.database_url, archive, progress)
    if as_json:
        report.as_json(_restored_facts(found, restored))
    else:
        _tell(found.manifest, restored, parts)
    if restored.differences:
        sys.exit(1)


def _refuse_the_other_kind(manifest: Manifest, *, simulated: bool) -> None:
    """Refuse to put a made-up market where the real one belongs, and the other way round."""
    if manifest.source is None or (manifest.source is SourceKind.SIMULATED) == simulated:
        return
    if simulated:
        raise UsageError(
            "this backup is of the real market, and --simulated names the made-up one's own "
            "folder: leave --simulated out"
        )
    raise UsageError(
        f"this backup is {SIMULATED}, a made-up market: give --simulated, which puts it into that "
        "market's own folder"
    )


def _amount(manifest: Manifest, kept: Objects | None) -> str:
    archive = f"; {kept.objects:,} objects, {kept.bytes / 1e6:,.1f} MB of archive" if kept else ""
    slots = counted(manifest.slots, "slot")
    return f"{manifest.rows:,} rows, quotes of {slots}{archive or '; without the archive'}"


def _whose(manifest: Manifest) -> str:
    kind = f"[bold yellow]{SIMULATED}[/], " if manifest.source is SourceKind.SIMULATED else ""
    return f"{kind}as it was at {iso(manifest.made_at)}"


def _facts(found: Backup) -> dict[str, Any]:
    """Return what a backup holds, for programs."""
    manifest = found.manifest
    return {
        "file": str(found.path.absolute()),
        "bytes": found.path.stat().st_size,
        "sha256": found.id,
        "format": manifest.format,
        "program": manifest.program,
        "revision": manifest.revision,
        "made_at": iso(manifest.made_at),
        "source": manifest.source,
        "rows": manifest.rows,
        "slots": manifest.slots,
        "newest_slot": None if manifest.newest_slot is None else iso(manifest.newest_slot),
        "tables": {table.name: table.rows for table in manifest.tables},
        "archive": manifest.archive,
    }


def _restored_facts(found: Backup, restored: Restored) -> dict[str, Any]:
    fields = {name: getattr(restored, name) for name in restored.__struct_fields__}
    differences = [str(difference) for difference in restored.differences]
    return {
        "file": str(found.path.absolute()),
        "sha256": found.id,
        "made_at": iso(found.manifest.made_at),
        "equal": not differences,
        **fields,
        "differences": differences,
    }


def _tell(manifest: Manifest, restored: Restored, parts: Parts) -> None:
    for difference in restored.differences[:DIFFERENCES_SHOWN]:
        say(f"  [red]✗[/] {escape(str(difference))}")
    if restored.differences:
        say(
            f"[red]✗ not equal[/]: {len(restored.differences):,} differences (here is the backup); "
            "the database did not keep what it was given: `coinlog migrate --down` empties it"
        )
        return
    say(f"[green]✓[/] restored, and proven equal: {_amount(manifest, restored.archive)}")
    say(f"  store    {escape(parts.settings.database_url.render_as_string())}")
    if restored.archive:
        say(f"  archive  {escape(parts.settings.archive)}")
    say(f"  {_whose(manifest)}; `coinlog load` brings in what an archive has beyond that")
