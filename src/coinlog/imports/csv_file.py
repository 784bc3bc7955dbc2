"""A CSV file, plain or gzipped, or what comes through a pipe: read line by line, never whole."""

from __future__ import annotations

import csv
import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO, cast

import msgspec

from coinlog.errors import UsageError
from coinlog.imports.columns import can_map, is_export, map_columns
from coinlog.imports.rows import Line, Sheet
from coinlog.sources.numbers import POINT

STDIN = "-"
GZIP_MAGIC = b"\x1f\x8b"
_DELIMITERS = (",", ";", "\t", "|")


class CsvOptions(msgspec.Struct, frozen=True):
    """How a CSV file is written; ``delimiter`` and ``decimal`` are found out where ``None``."""

    encoding: str = "utf-8"
    delimiter: str | None = None
    decimal: str | None = None


@contextmanager
def open_csv(source: str, options: CsvOptions, given: dict[str, str]) -> Iterator[Sheet]:
    """Open a CSV file, or stdin for ``-``, as a sheet.

    Raises:
        UsageError: it cannot be read, or its columns are not those of a price list.
    """
    with _opened(source, _encoding(options.encoding)) as text:
        name = "stdin" if source == STDIN else Path(source).name
        first = _first_line(text, name, options.encoding)
        delimiter = options.delimiter or _sniff(first, given)
        header = tuple(next(csv.reader([first], delimiter=delimiter), []))
        columns = map_columns(header, given)
        # Ours has commas between cells; with another mark a spreadsheet wrote it anew.
        ours = POINT if is_export(header) and delimiter == "," else None
        yield Sheet(
            imported=name,
            unit="line",
            header=header,
            columns=columns,
            lines=_lines(text, delimiter, len(header), name, options.encoding),
            decimal=options.decimal or ours,
        )


@contextmanager
def _opened(source: str, encoding: str) -> Iterator[TextIO]:
    """Open a file as text, inflated where it is gzip by its first bytes."""
    with ExitStack() as stack:
        with _told(source, 1, encoding):
            buffered = stack.enter_context(_bytes_of(source))
            zipped = buffered.peek(2)[:2] == GZIP_MAGIC
        plain = cast("BinaryIO", gzip.GzipFile(fileobj=buffered) if zipped else buffered)
        yield stack.enter_context(io.TextIOWrapper(plain, encoding=encoding, newline=""))


def _bytes_of(source: str) -> io.BufferedReader:
    if source == STDIN:
        return open(sys.stdin.fileno(), "rb", closefd=False)
    return Path(source).open("rb")


@contextmanager
def _told(name: str, line: int, encoding: str) -> Iterator[None]:
    """Say in plain words why a file cannot be read, and near which line."""
    try:
        yield
    except UnicodeError as error:
        why = getattr(error, "reason", error)
        raise UsageError(
            f"{name} is not written in {encoding} ({why}, at line {line} or soon after): say "
            "how with --encoding, for example latin-1 or utf-16"
        ) from error
    except csv.Error as error:
        raise UsageError(
            f"{name} cannot be read from line {line} on ({error}): is a quotation mark open, or is "
            "it another kind of file?"
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UsageError(f"{name} is no whole gzip file ({error}): was it cut off?") from error
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror or error}") from error


def _encoding(name: str) -> str:
    """Return an encoding that passes over the mark at the beginning of a file."""
    try:
        "".encode(name)
    except (LookupError, ValueError) as error:
        raise UsageError(
            f"--encoding {name[:40]!r} is not known: expected for example utf-8, latin-1 or utf-16"
        ) from error
    return "utf-8-sig" if name.lower().replace("_", "-") in {"utf-8", "utf8"} else name


def _first_line(text: TextIO, name: str, encoding: str) -> str:
    with _told(name, 1, encoding):
        line = text.readline(1_000_000)
    if not line.strip():
        raise UsageError(f"{name} is empty: expected a line with the names of its columns")
    return line


def _sniff(first: str, given: dict[str, str]) -> str:
    """Return the delimiter by which the first line is split into columns that we know."""
    split = {mark: next(csv.reader([first], delimiter=mark), []) for mark in _DELIMITERS}
    known = [mark for mark in _DELIMITERS if can_map(split[mark], given)]
    return max(known or _DELIMITERS, key=lambda mark: len(split[mark]))


def _lines(text: TextIO, delimiter: str, width: int, name: str, encoding: str) -> Iterator[Line]:
    """Yield each row with the number of its first line."""
    reader = csv.reader(text, delimiter=delimiter)
    while True:
        # The first line, with the names, was read before.
        number = reader.line_num + 2
        with _told(name, number, encoding):
            cells = next(reader, None)
        if cells is None:
            return
        # Some programs end every line with the delimiter.
        while len(cells) > width and not cells[-1]:
            cells.pop()
        if cells:
            yield number, [*cells]
