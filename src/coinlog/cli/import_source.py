"""What ``coinlog import`` is given: a database, a file, a folder or a pipe, opened and read."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import sqlalchemy as sa

from coinlog.cli.progress import progress
from coinlog.cli.shared import with_password
from coinlog.errors import UsageError
from coinlog.imports.columns import parse_columns
from coinlog.imports.csv_file import GZIP_MAGIC, STDIN, CsvOptions, open_csv
from coinlog.imports.database import SQLITE_MAGIC, open_table
from coinlog.imports.found import Found
from coinlog.imports.rows import Rows, Sheet
from coinlog.imports.saved import ZIP_MAGIC, SavedAnswers, SavedOptions, open_files
from coinlog.imports.times import Clock, open_zone
from coinlog.parts import Parts
from coinlog.settings import databases
from coinlog.slots import floor_slot, parse_interval

STORE = "store"
_ADDRESS = re.compile(r"(sqlite|mysql|mariadb)[a-z+]*:")
_JSON_STARTS = (b"{", b"[")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of ``coinlog import`` that say how its source is to be read."""

    table: str | None
    columns: tuple[str, ...]
    timezone: str
    time_format: str | None
    time_from: str
    delimiter: str | None
    encoding: str
    decimal: str | None
    interval: str | None


@contextmanager
def open_source(
    source: str, options: Options, parts: Parts, interval_seconds: int
) -> Iterator[Found]:
    """Read a source to its end; what was found is there while the block runs.

    Raises:
        UsageError: it cannot be read, or not as it is asked for.
        StoreUnavailableError: it is a database that cannot be used.
    """
    clock = _clock(options, parts, interval_seconds)
    url = _address(source, parts)
    path = Path(source).expanduser()
    given = parse_columns(options.columns)
    if url is not None:
        with open_table(url, options.table, given) as opened:
            zoned = clock.in_zone(open_zone("UTC")) if opened.in_utc else clock
            found = _read(opened.sheet, zoned, options, interval_seconds)
    elif source == STDIN or not _holds_answers(path):
        how = CsvOptions(options.encoding, _delimiter(options.delimiter), options.decimal)
        with open_csv(source if source == STDIN else str(path), how, given) as sheet:
            found = _read(sheet, clock, options, interval_seconds)
    else:
        yield _answers(path, clock, options, parts, interval_seconds)
        return
    with found:
        yield found


def interval_of(options: Options, parts: Parts) -> int:
    """Return the seconds between the slots that the source is sorted into."""
    return parse_interval(options.interval) if options.interval else parts.plan.interval_seconds


def _clock(options: Options, parts: Parts, interval_seconds: int) -> Clock:
    now = time.time()
    # The current slot is the recorder's, by its own interval as well as by the one asked for.
    before = min(floor_slot(now, each) for each in (interval_seconds, parts.plan.interval_seconds))
    if options.time_from == "name" and not options.time_format:
        raise UsageError(
            "--time-from name needs --time-format, the form of a name without .json or .json.gz: "
            "for example --time-format listings_%Y-%m-%d_%H%M"
        )
    return Clock(open_zone(options.timezone), before, options.time_format)


def _address(source: str, parts: Parts) -> sa.URL | None:
    """Return the address of a database, ``None`` where the source is none.

    Raises:
        UsageError: it is an address that cannot be used.
    """
    if source == STORE:
        return parts.settings.database_url
    if not _ADDRESS.match(source):
        path = Path(source).expanduser()
        return databases.sqlite_url(path) if _begins(path, SQLITE_MAGIC) else None
    try:
        url = databases.database_url(source)
    except ValueError as error:
        why = f": {error}" if str(error) else ""
        raise UsageError(
            f"the address of the database cannot be used{why}; expected "
            "mysql://user@host/database, mariadb://user@host/database or sqlite:///file.db"
        ) from None
    return with_password(url, parts.settings.import_password, "COINLOG_IMPORT_PASSWORD")


def _begins(path: Path, *starts: bytes) -> bool:
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return file.read(64).lstrip(b" \t\r\n").startswith(starts)
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {error.strerror or error}") from error


def _holds_answers(path: Path) -> bool:
    """Return whether a path is a folder, a zip or a JSON file, by its content."""
    if not path.exists():
        raise UsageError(
            f"there is no file or folder {str(path)[:200]!r}: expected one, the address of a "
            "database, `store` for the one in the settings, or - for CSV from a pipe"
        )
    if path.is_dir() or _begins(path, ZIP_MAGIC, *_JSON_STARTS):
        return True
    return path.name.lower().endswith(".json.gz") and _begins(path, GZIP_MAGIC)


def _read(sheet: Sheet, clock: Clock, options: Options, interval_seconds: int) -> Rows:
    """Read the rows of a sheet to its end; they lie in a file of ours until they are closed."""
    if options.decimal and not sheet.decimal:
        sheet = msgspec.structs.replace(sheet, decimal=options.decimal)
    rows = Rows(sheet, clock, interval_seconds)
    try:
        with progress(f"reading {sheet.imported}") as advance:
            rows.read(advance)
    except BaseException:
        rows.close()
        raise
    rows.notes.insert(0, f"times without a zone are taken as {clock.zone.key}, prices as USD")
    return rows


def _delimiter(text: str | None) -> str | None:
    mark = "\t" if text in {"\\t", "tab"} else text
    if mark is not None and (len(mark) != 1 or mark in '"\r\n'):
        raise UsageError(
            f"--delimiter {text!r} cannot be used: expected one character, or tab: for example ;"
        )
    return mark


def _answers(
    path: Path, clock: Clock, options: Options, parts: Parts, interval_seconds: int
) -> SavedAnswers:
    how = SavedOptions(
        interval_seconds,
        parts.settings.body_limit_bytes,
        parts.plan.source,
        time_from_name=options.time_from == "name",
    )
    found = SavedAnswers(open_files(path), clock, how)
    names = found.names()
    with progress(f"reading {found.imported}", total=len(names)) as advance:
        found.read(names, advance)
    return found
