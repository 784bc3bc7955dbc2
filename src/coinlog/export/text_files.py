"""Tables as CSV and as JSON lines: times in ISO 8601, numbers in full precision.

In CSV unknown is an empty cell, and text that a spreadsheet would run as a formula begins with a
tab. In JSON lines unknown is ``null`` and text is as it is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, BinaryIO

import msgspec

from coinlog.export.columns import Kind
from coinlog.export.tables import Table
from coinlog.notice import safe_cell
from coinlog.slots import iso
from coinlog.watching import Advance

Make = Callable[[Any], Any]

# The same times and names come again and again.
_iso = lru_cache(100_000)(iso)
_safe_cell = lru_cache(100_000)(safe_cell)


def write_csv(table: Table, out: BinaryIO, advance: Advance) -> int:
    """Write a table as CSV in UTF-8, with a heading and CRLF line ends; return its rows."""
    cells: dict[Kind, Make] = {
        Kind.TIME: _iso,
        Kind.TEXT: _safe_cell,
        Kind.FLAG: lambda value: "true" if value else "false",
    }
    makers = [cells.get(column.kind) for column in table.columns]
    out.write(_csv([[column.name for column in table.columns]]))
    rows = 0
    for part in table.parts():
        out.write(_csv(_made(part.rows, makers)))
        rows += len(part.rows)
        advance(part.assets_done)
    return rows


def write_lines(table: Table, out: BinaryIO, advance: Advance) -> int:
    """Write a table as JSON lines, an object for each row; return its rows."""
    names = [column.name for column in table.columns]
    cells: dict[Kind, Make] = {Kind.TIME: _iso}
    makers = [cells.get(column.kind) for column in table.columns]
    encoder = msgspec.json.Encoder()
    rows = 0
    for part in table.parts():
        made = _made(part.rows, makers)
        out.write(encoder.encode_lines([dict(zip(names, row, strict=True)) for row in made]))
        rows += len(part.rows)
        advance(part.assets_done)
    return rows


def _csv(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _made(rows: Sequence[Sequence[Any]], makers: Sequence[Make | None]) -> Sequence[Sequence[Any]]:
    """Return rows with each column's values as they are written."""
    columns = [
        [None if value is None else make(value) for value in column] if make else column
        for column, make in zip(zip(*rows, strict=True), makers, strict=False)
    ]
    return list(zip(*columns, strict=True))
