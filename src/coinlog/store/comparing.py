"""What the store holds for a stretch of slots, read for comparing, and differences in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from coinlog.market import Origin
from coinlog.slots import iso
from coinlog.store import schema
from coinlog.store.names import chunks
from coinlog.store.rows import COLUMNS, newest_of

Row = Mapping[str, Any]
Line = tuple[Any, ...]

_PARTS = (schema.missing, schema.global_metrics, schema.fear_and_greed)
_SLOT = COLUMNS.index("slot")
_TEXT_SHOWN = 60

# By lists of assets: told the stretch alone, MariaDB would read the whole history of each.
# Points of the source's history are compared with the answers that told them.
_NAMES = ", ".join(f"`{name}`" for name in COLUMNS)
_QUOTES = (
    f"SELECT {_NAMES} FROM quote WHERE asset_id IN ({{ids}}) "  # noqa: S608  our own words
    f"AND slot BETWEEN {{low}} AND {{high}} AND origin <> '{Origin.BACKFILLED}'"
)
_LATEST = sa.text(f"SELECT {_NAMES} FROM latest")  # noqa: S608
_NEXT_ASSET = sa.text("SELECT MIN(asset_id) FROM quote WHERE asset_id > :asset_id")


class Stretch(msgspec.Struct, frozen=True):
    """What the store holds from one time to another: by slot, and quotes by asset as well."""

    ledger: dict[int, Row]
    attempts: dict[int, dict[str, Row]]
    parts: dict[str, dict[int, list[Row]]]
    quotes: dict[int, dict[int, Line]]

    @property
    def slots(self) -> set[int]:
        """Every time at which it holds anything."""
        parts = (slot for held in self.parts.values() for slot in held)
        return {*self.ledger, *self.attempts, *parts, *self.quotes}


def read_stretch(
    connection: sa.Connection, asset_ids: Sequence[int], low: int, high: int
) -> Stretch:
    """Read what the store holds from ``low`` to ``high``, both included, of these assets."""
    attempts: dict[int, dict[str, Row]] = {}
    for row in _rows(connection, schema.attempt, low, high):
        attempts.setdefault(row["slot"], {})[row["attempt"]] = row
    parts: dict[str, dict[int, list[Row]]] = {table.name: {} for table in _PARTS}
    for table in _PARTS:
        for row in _rows(connection, table, low, high):
            parts[table.name].setdefault(row["slot"], []).append(row)
    quotes: dict[int, dict[int, Line]] = {}
    for line in _quotes(connection, asset_ids, low, high):
        quotes.setdefault(line[_SLOT], {})[line[0]] = line
    ledger = {row["slot"]: row for row in _rows(connection, schema.slot, low, high)}
    return Stretch(ledger, attempts, parts, quotes)


def assets_with_quotes(connection: sa.Connection) -> list[int]:
    """Return every asset that has a quote, each found by one look into the table."""
    found: list[int] = []
    asset_id: int | None = -1
    while asset_id is not None:
        asset_id = connection.execute(_NEXT_ASSET, {"asset_id": asset_id}).scalar()
        if asset_id is not None:
            found.append(asset_id)
    return found


def newest_line(connection: sa.Connection, asset_id: int) -> Line | None:
    """Return an asset's newest quote, as the table of the newest ones must have it."""
    for query in newest_of(asset_id):
        if found := connection.execute(query).first():
            return tuple(found)
    return None


def latest_lines(connection: sa.Connection) -> Iterator[Line]:
    """Yield what the store holds as the newest quote of each asset."""
    return map(tuple, connection.execute(_LATEST))


def unequal(
    held: Row, told: Row, leave_out: Iterable[str] = ()
) -> Iterator[tuple[str, object, object]]:
    """Yield each column that is not equal to the last bit: its name, the store's, the archive's."""
    for name, value in told.items():
        if name not in leave_out and held[name] != value:
            yield name, held[name], value


def as_row(line: Line) -> Row:
    """Return a quote's line by its columns' names."""
    return dict(zip(COLUMNS, line, strict=True))


def words(slot: int, what: str, column: str, held: object, told: object) -> str:
    """Return a difference in plain words."""
    subject = f"slot {iso(slot)}, {what}{', ' if what else ''}{column}"
    return f"{subject}: store {_shown(held)}, archive {_shown(told)}"


def _rows(connection: sa.Connection, table: sa.Table, low: int, high: int) -> list[Row]:
    query = sa.select(table).where(table.c.slot.between(low, high)).order_by(*table.primary_key)
    return [dict(row) for row in connection.execute(query).mappings()]


def _quotes(
    connection: sa.Connection, asset_ids: Sequence[int], low: int, high: int
) -> Iterator[Line]:
    for some in chunks(asset_ids):
        listed = ",".join(map(str, some))
        query = _QUOTES.format(ids=listed, low=low, high=high)
        yield from map(tuple, connection.exec_driver_sql(query))


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, str):
        text = str(value)
        return repr(text if len(text) <= _TEXT_SHOWN else f"{text[:_TEXT_SHOWN]}...")
    return repr(value)
