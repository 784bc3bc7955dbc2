"""The rows of somebody's own table or file, as they are kept in the archive: one body a slot.

The cells are the texts as they stood there. Beside them stand what the body needs to be read
again: which column is what, which decimal mark they use, and each row's time in seconds UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from coinlog.market import BITCOIN, QUOTE_FIELDS
from coinlog.slots import MAX_ASSET_ID, iso
from coinlog.sources.decode import AssetRow, Refused, decode
from coinlog.sources.labels import NOBODY, Label, Labelled, Matches, matched
from coinlog.sources.numbers import read_amount
from coinlog.sources.status import parse_iso

LABELS = ("symbol", "name", "slug", "id")
AMOUNTS = tuple(field for field in QUOTE_FIELDS if field != "last_updated")
FIELDS = ("time", *LABELS, *AMOUNTS, "last_updated")
"""What a column can be. Prices, caps and volumes are taken as USD."""

_IN_ROW = {
    **{name: name for name in ("circulating_supply", "total_supply", "max_supply")},
    "rank": "cmc_rank",
    "num_market_pairs": "num_market_pairs",
}

_NEVER_NEGATIVE = frozenset(
    field for field in AMOUNTS if field != "price" and not field.startswith("percent_change")
)

Cells = list[str | None]


class TableRow(msgspec.Struct, frozen=True, array_like=True):
    """One row: its number at the origin, its time in seconds UTC, and its cells as they stood."""

    number: int
    time: int
    cells: Cells


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Some rows of a table. ``columns`` says by field which column it is, ``unit`` what a row is.

    ``zone`` is what times without one were taken as; the rows' own times are UTC already.
    """

    format: int = 1
    unit: str
    header: tuple[str, ...]
    columns: dict[str, str]
    decimal: str
    zone: str
    rows: list[TableRow]


class Beside(msgspec.Struct, frozen=True):
    """What a table's rows say that is in no quote, and is no reason to refuse a row.

    ``later`` counts the rows that came after their asset's quote, ``unread`` tells of the fields
    that were left out, since they could not be read.
    """

    later: int = 0
    unread: tuple[str, ...] = ()


_TABLE = msgspec.json.Decoder(Table)


def read_table(body: bytes, matches: Matches) -> tuple[list[AssetRow], list[Refused], Beside]:
    """Return each asset's first good row, the rows refused, and what else was there.

    Raises:
        BrokenAnswerError: the body is none of ours.
    """
    table = decode(_TABLE, body)
    reading = Reading(table)
    good: list[Labelled] = []
    refused: list[Refused] = []
    settled: set[int | None] = set()
    later = 0
    for row in sorted(table.rows, key=lambda each: (each.time, each.number)):
        asset_id = reading.asset_id(row, matches)
        if asset_id in settled:
            later += 1
            continue
        try:
            good.append(reading.read(row))
        except ValueError as error:
            refused.append(Refused(asset_id, str(error)))
        else:
            settled |= {asset_id} - {None}
    rows, unmatched = matched(good, matches)
    return rows, [*refused, *unmatched], Beside(later, reading.unread())


class Reading:
    """How the rows of a table are read: which cell is what."""

    def __init__(self, table: Table) -> None:
        self.table = table
        places = {name: index for index, name in enumerate(table.header)}
        self._at = {field: places[column] for field, column in table.columns.items()}
        self._amounts = [field for field in AMOUNTS if field in self._at]
        self._who = [self._at.get(field) for field in LABELS]
        self._labels: dict[tuple[str | None, ...], Label] = {}
        self._decimal = table.decimal
        self._unread: dict[str, list[str]] = {}

    def label(self, cells: Cells) -> Label:
        """Return how a row calls its asset.

        Raises:
            ValueError: its id is none, or it calls it by nothing.
        """
        # A table says the same few labels over and over.
        said = tuple([None if place is None else cells[place] for place in self._who])
        label = self._labels.get(said)
        if label is None:
            label = self._labels[said] = _label(*((text or "").strip() for text in said))
        return label

    def read(self, row: TableRow) -> Labelled:
        """Return a row as the source's rows are.

        Raises:
            ValueError: its label or its price cannot be read.
        """
        place = f"{self.table.unit} {row.number}: "
        problems: dict[str, str] = {}
        try:
            label = self.label(row.cells)
            updated = parse_iso(self._cell(row.cells, "last_updated")) or row.time
            values = dict(self._values(row.cells, problems))
            read = Labelled(label, _asset_row(values, updated), place)
        except (ValueError, msgspec.ValidationError) as error:
            raise ValueError(f"{place}{error}".replace("`", "")) from None
        for field, why in problems.items():
            self._unread.setdefault(field, []).append(f"{place}{why}")
        return read

    def unread(self) -> tuple[str, ...]:
        """Return a sentence for each field that was left out of rows whose price is good."""
        return tuple(
            f"{field} was left out of {len(why)} {_plural(self.table.unit, len(why))} ({why[0]})"
            for field, why in self._unread.items()
        )

    def asset_id(self, row: TableRow, matches: Matches) -> int | None:
        """Return which asset a row is about, as far as that can be told."""
        try:
            label = self.label(row.cells)
        except ValueError:
            return None
        asset = matches.get(label)
        return label.id or (asset.id if asset else None)

    def _values(self, cells: Cells, problems: dict[str, str]) -> Iterator[tuple[str, float | None]]:
        """Yield the numbers of a row; of those that cannot be read only the price is needed."""
        for field in self._amounts:
            try:
                yield field, _checked(field, read_amount(self._cell(cells, field), self._decimal))
            except ValueError as error:
                if field == "price":
                    raise ValueError(f"{field} {error}") from None
                problems[field] = str(error)

    def _cell(self, cells: Cells, field: str) -> str:
        place = self._at.get(field)
        return "" if place is None else (cells[place] or "").strip()


def _checked(field: str, value: float | None) -> float | None:
    """Return a number again; only what is a change in percent can be below nothing."""
    if value is not None and value < 0 and field in _NEVER_NEGATIVE:
        raise ValueError(f"{value} is less than nothing")
    return value


def _plural(unit: str, count: int) -> str:
    return unit if count == 1 else f"{unit}s"


def _label(symbol: str, name: str, slug: str, asset_id: str) -> Label:
    if asset_id and not (asset_id.isdecimal() and 0 < int(asset_id[:12]) <= MAX_ASSET_ID):
        raise ValueError(f"id {asset_id[:40]!r} is no CoinMarketCap id")
    label = Label(symbol, name, slug, int(asset_id or NOBODY))
    if label == Label():
        raise ValueError("it does not say which asset it is about")
    return label


def _asset_row(values: dict[str, float | None], updated: int) -> AssetRow:
    price = values.get("price")
    if price is None or price < 0:
        raise ValueError("there is no price" if price is None else f"a price of {price} is refused")
    in_row: dict[str, Any] = {
        key: values.pop(field) for field, key in _IN_ROW.items() if field in values
    }
    # Name and id are the match's to give.
    whole = {**in_row, "id": BITCOIN, "name": "", "symbol": "", "quote": {"USD": values}}
    row = msgspec.convert(whole, AssetRow)
    row.last_updated = iso(updated)
    return row
