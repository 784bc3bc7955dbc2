"""Carrying out an export: from what was asked for to a file or folder that is whole."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import msgspec
import sqlalchemy as sa

from coinlog.errors import CoinlogError, UsageError
from coinlog.export.delivery import stdout, whole_file, whole_folder
from coinlog.export.notes import notes_of, readme
from coinlog.export.opening import Request, opened, table_of
from coinlog.export.parquet import arrow, steps, write_parquet
from coinlog.export.tables import Book, Table
from coinlog.export.text_files import write_csv, write_lines
from coinlog.notice import SIMULATED
from coinlog.store.finding import all_ids
from coinlog.watching import Watch

STDOUT = "-"
PARQUET = "parquet"
TEXTS = {"csv": write_csv, "jsonl": write_lines}
FORMATS = (*TEXTS, PARQUET)


class Exported(msgspec.Struct, frozen=True):
    """What was exported where to; ``destination`` is ``-`` for stdout."""

    what: str
    format: str
    destination: str
    rows: int
    files: int
    bytes: int | None
    notes: dict[str, str]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Where to and how; ``None`` lets the other decide, and both leave it to us."""

    destination: str | None = None
    format: str | None = None
    overwrite: bool = False


class Decided(msgspec.Struct, frozen=True):
    """A delivery of which nothing is left open."""

    path: Path
    format: str
    overwrite: bool


def export(url: sa.URL, request: Request, delivery: Delivery, now: float, watch: Watch) -> Exported:
    """Export what was asked for from a store, whole or not at all.

    Raises:
        UsageError: something asked for cannot be used.
        CoinlogError: it cannot be read or written, or there is nothing.
    """
    chosen = chosen_format(delivery)
    if chosen == PARQUET:
        arrow()
    with opened(url, now) as book:
        if not all_ids(book.reader):
            raise CoinlogError("nothing is recorded yet: run `coinlog up` or `coinlog record`")
        table = table_of(book, request)
        destination = delivery.destination or _usual_name(book, table, chosen)
        _refuse_disguise(book, destination, chosen)
        decided = Decided(Path(destination), chosen, delivery.overwrite)
        write = _write_folder if chosen == PARQUET else _write_text
        return write(book, table, decided, watch)


def chosen_format(delivery: Delivery) -> str:
    """Return the format asked for, or the one that the destination's name says.

    Raises:
        UsageError: the two contradict each other, or Parquet is to go to stdout.
    """
    name = (delivery.destination or "").lower().removesuffix(".gz")
    named = next((one for one in TEXTS if name.endswith(f".{one}")), None)
    if not delivery.format and not named and delivery.destination not in {None, STDOUT}:
        raise UsageError(
            f"{delivery.destination} does not say in which format: expected a name that ends in "
            ".csv or .jsonl (.gz behind it), or --format; Parquet is a folder and needs "
            "--format parquet"
        )
    chosen = delivery.format or named or "csv"
    if named is not None and chosen != named:
        raise UsageError(
            f"{delivery.destination} says {named} and --format says {chosen}: expected the same"
        )
    if chosen == PARQUET and delivery.destination == STDOUT:
        raise UsageError("Parquet is a folder of files: expected a folder instead of -")
    return chosen


def _usual_name(book: Book, table: Table, chosen: str) -> str:
    prefix = f"{SIMULATED}-" if book.head.simulated else ""
    if chosen == PARQUET:
        return f"{prefix}coinlog-export"
    return f"{prefix}coinlog-{table.what}.{chosen}"


def _refuse_disguise(book: Book, destination: str, chosen: str) -> None:
    """Refuse a name that hides that the data is made up; Parquet's own file names say it."""
    name = Path(destination).name
    if not book.head.simulated or chosen == PARQUET or destination == STDOUT:
        return
    if SIMULATED not in name.upper():
        raise UsageError(
            f"this store holds a made-up market, and {destination} does not say so: expected a "
            f"name with SIMULATED in it, for example {SIMULATED}-{name}"
        )


def _write_text(book: Book, table: Table, decided: Decided, watch: Watch) -> Exported:
    def fill(out: BinaryIO) -> int:
        with watch("exporting", table.steps) as advance:
            return TEXTS[decided.format](table, out, advance)

    path = decided.path
    if str(path) == STDOUT:
        with stdout() as out:
            rows, size = fill(out), None
    else:
        with whole_file(path, overwrite=decided.overwrite) as out:
            rows = fill(out)
        size = path.stat().st_size
    return Exported(table.what, decided.format, str(path), rows, 1, size, notes_of(book))


def _write_folder(book: Book, table: Table, decided: Decided, watch: Watch) -> Exported:
    target = decided.path / table.what
    notes = notes_of(book)
    with whole_folder(target, overwrite=decided.overwrite) as folder:
        with watch("exporting", steps(table)) as advance:
            rows, files = write_parquet(table, folder, notes, advance)
        if not files:
            raise CoinlogError("there is nothing to export: nothing is recorded of what was asked")
    # Beside the table and not in it, where engines would take it for data.
    with whole_file(decided.path / f"README-{table.what}.txt", overwrite=True) as out:
        out.write(readme(book, table, rows).encode())
    size = sum(file.stat().st_size for file in target.rglob("*.parquet"))
    return Exported(table.what, PARQUET, str(target), rows, files, size, notes)
