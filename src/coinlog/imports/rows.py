"""The rows of somebody's table, sorted into slots on disk: they may be more than memory holds."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from coinlog.errors import UsageError
from coinlog.imports.assets import Seen
from coinlog.imports.found import Captured, Refusals
from coinlog.imports.marks import Marks
from coinlog.imports.times import Clock
from coinlog.market import Origin, SourceKind
from coinlog.notice import SIMULATED
from coinlog.slots import floor_slot, iso
from coinlog.sources.answers import Answer
from coinlog.sources.imported import Kind
from coinlog.sources.labels import Label
from coinlog.sources.numbers import POINT
from coinlog.sources.table import AMOUNTS, Cells, Reading, Table, TableRow
from coinlog.sources.texts import counted

BATCH = 10_000
MOST_LABELS = 100_000
MOST_ROWS_A_SLOT = 500_000

WHOSE = ("source", "attribution")
"""The columns of an export that say whether its market is real."""

Line = tuple[int, Cells]
"""A row's number at its origin, and its cells."""


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A table to read: what it is called, what its columns are, and its rows in any order.

    ``decimal`` is the mark that its numbers use, ``None`` to find out from them.
    """

    imported: str
    unit: str
    header: tuple[str, ...]
    columns: dict[str, str]
    lines: Iterable[Line]
    decimal: str | None = None


class Rows:
    """The rows of a sheet that can be placed in time, in a temporary file until it is closed."""

    source = SourceKind.COINMARKETCAP

    def __init__(self, sheet: Sheet, clock: Clock, interval_seconds: int) -> None:
        self._sheet = sheet
        self._clock = clock
        self._interval = interval_seconds
        self._reading = Reading(self._table([], POINT))
        self._time = sheet.header.index(sheet.columns["time"])
        names = [sheet.columns[field] for field in AMOUNTS if field in sheet.columns]
        self._numbers = {sheet.header.index(name): name for name in names}
        price = sheet.header.index(sheet.columns["price"])
        self._marks = Marks(self._numbers, price, sheet.decimal)
        self._decimal = sheet.decimal or POINT
        self._whose = _places(sheet.header, WHOSE)
        self._origin = _places(sheet.header, ("origin",))
        self._folder = tempfile.TemporaryDirectory(prefix="coinlog-import-")
        # Straight to the driver: a file of our own for a few minutes needs no second database.
        self._file = sqlite3.connect(Path(self._folder.name) / "rows.db", isolation_level=None)
        self._file.execute("PRAGMA synchronous=OFF")
        self._file.execute("PRAGMA journal_mode=OFF")
        self._file.execute("CREATE TABLE row (slot INT, time INT, number INT, cells TEXT)")
        self.imported, self.unit = sheet.imported, sheet.unit
        self.count = 0
        self.refusals = Refusals()
        self.notes: list[str] = []
        self.seen: dict[Label, Seen] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the temporary file."""
        self._file.close()
        self._folder.cleanup()

    def read(self, advance: Callable[[int], None]) -> None:
        """Read the whole sheet; ``advance`` is told how many rows are done.

        Raises:
            UsageError: it cannot be read to its end, or does not say what its numbers mean.
        """
        lines = iter(self._sheet.lines)
        while batch := list(islice(lines, BATCH)):
            placed = [row for line in batch if (row := self._place(line))]
            self._file.execute("BEGIN")
            self._file.executemany("INSERT INTO row VALUES (?, ?, ?, ?)", placed)
            self._file.execute("COMMIT")
            self.count += len(batch)
            advance(len(batch))
        self._file.execute("CREATE INDEX by_time ON row (slot, time, number)")
        self._decimal = self._marks.decimal()
        if example := self._marks.example(self._decimal):
            self.notes.append(example)

    def slots(self) -> Sequence[int]:
        """Return the slots that have rows, oldest first."""
        return [slot for (slot,) in self._file.execute("SELECT DISTINCT slot FROM row ORDER BY 1")]

    def span(self) -> tuple[int, int] | None:
        """Return the first and the last time among the rows."""
        first, last = self._file.execute("SELECT min(time), max(time) FROM row").fetchone()
        return None if first is None else (first, last)

    def captured(self, slot: int) -> Iterator[Captured]:
        """Yield the rows of a slot as one body: a table knows no runs, only rows.

        Raises:
            UsageError: the slot has more rows than one body should hold.
        """
        query = "SELECT number, time, cells FROM row WHERE slot = ? ORDER BY time, number LIMIT ?"
        found = self._file.execute(query, (slot, MOST_ROWS_A_SLOT + 1)).fetchall()
        if len(found) > MOST_ROWS_A_SLOT:
            raise UsageError(
                f"slot {iso(slot)} has more than {MOST_ROWS_A_SLOT:,} rows: choose a shorter "
                "--interval, for example --interval 5m"
            )
        rows = [TableRow(number, time, msgspec.json.decode(cells)) for number, time, cells in found]
        body = msgspec.json.encode(self._table(rows, self._decimal))
        labels = dict.fromkeys(filter(None, (self._label(row.cells) for row in rows)))
        params = {"from": self.imported}
        answer = Answer("rows-1", Kind.TABLE, params, 200, body, rows[0].time, 0.0)
        yield Captured((answer,), tuple(labels))

    def _place(self, line: Line) -> tuple[int, int, int, str] | None:
        """Return a row with its slot and time, None where it is refused."""
        number, cells = line
        try:
            if len(cells) != len(self._sheet.header):
                raise ValueError(  # noqa: TRY301  told as every other refusal
                    f"it has {counted(len(cells), 'cell')}, expected {len(self._sheet.header)}"
                )
            self._check_observed(cells)
            time = self._clock.read(cells[self._time] or "")
            label = self._reading.label(cells)
        except ValueError as error:
            self.refusals.add(f"{self.unit} {number}", str(error))
            return None
        self._see(label, time)
        for index in self._numbers:
            self._marks.weigh(index, cells[index] or "", f"{self.unit} {number}")
        packed = msgspec.json.encode(cells).decode()
        return floor_slot(time, self._interval), time, number, packed

    def _check_observed(self, cells: Cells) -> None:
        """Look at what an export says of whose a row is, and how it came.

        Raises:
            UsageError: it is of a made-up market.
            ValueError: it was not observed.
        """
        if any((cells[place] or "").startswith(SIMULATED) for place in self._whose):
            raise UsageError(
                f"{self.imported} holds rows of a simulated market ({SIMULATED} stands in them): "
                "no number in it is real, and made-up data are never imported"
            )
        if any((cells[place] or "").strip() == Origin.BACKFILLED for place in self._origin):
            raise ValueError(
                "it was backfilled and not observed: fetch it from the source with coinlog backfill"
            )

    def _see(self, label: Label, time: int) -> None:
        known = self.seen.get(label)
        if known:
            known.rows += 1
            known.first = min(known.first, time)
        elif len(self.seen) < MOST_LABELS:
            self.seen[label] = Seen(1, time)
        else:
            raise UsageError(
                f"the rows are about more than {MOST_LABELS:,} assets: check with --columns that "
                "each column is what it is taken for"
            )

    def _label(self, cells: Cells) -> Label | None:
        try:
            return self._reading.label(cells)
        except ValueError:
            return None

    def _table(self, rows: list[TableRow], decimal: str) -> Table:
        sheet = self._sheet
        return Table(
            unit=sheet.unit,
            header=sheet.header,
            columns=sheet.columns,
            decimal=decimal,
            zone=self._clock.zone.key,
            rows=rows,
        )


def _places(header: Sequence[str], names: Sequence[str]) -> list[int]:
    return [place for place, name in enumerate(header) if name.strip().casefold() in names]
