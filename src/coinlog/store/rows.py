"""The quotes of a slot, in the history and as the newest ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

import msgspec
import sqlalchemy as sa

from coinlog.market import QUOTE_FIELDS, Origin, Quote
from coinlog.store import schema
from coinlog.store.names import chunks
from coinlog.store.room import make_room

# In the order of a Quote's own fields, so that a row is its tuple and three more values.
COLUMNS = ("asset_id", *QUOTE_FIELDS, "slot", "origin", "resolution")
_NAMES = ", ".join(f"`{name}`" for name in COLUMNS)
_INSERT = f"INSERT INTO quote ({_NAMES}) VALUES "  # noqa: S608  the column names are ours
_JSON_TO_SQL = str.maketrans('[]"', "()'")

# Who has a quote at a slot: one look-up an asset. SQLite takes a CROSS JOIN in the order written;
# any other join it turns around where it knows no numbers, and scans the whole history.
_AT_SLOT = "asset CROSS JOIN quote ON quote.asset_id = asset.id AND quote.slot = :slot"
_MEMBERS = sa.text(f"SELECT asset.id FROM {_AT_SLOT} WHERE quote.origin = 'observed'")  # noqa: S608  our own words

# REPLACE is the one upsert that SQLite, MariaDB and MySQL write alike.
_RENEW_LATEST = f"""
    REPLACE INTO latest ({_NAMES})
    SELECT {", ".join(f"quote.`{name}`" for name in COLUMNS)}
    FROM asset CROSS JOIN quote ON quote.asset_id = asset.id AND quote.slot = {{slot}}
    WHERE asset.id IN ({{ids}}) AND NOT EXISTS (
        SELECT 1 FROM latest AS held WHERE held.asset_id = asset.id AND held.slot > {{slot}}
        AND held.origin = 'observed'
    )
    """  # noqa: S608  the column names are ours

Line = tuple[Any, ...]
_SLOT = COLUMNS.index("slot")
_place = itemgetter(0, _SLOT)


class Quotes:
    """The quotes that one transaction writes: gathered first, then written in asset order.

    The table is clustered by asset, so many slots at once cost little more than one. Whoever
    reads quotes in the same transaction flushes first.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._lines: list[Line] = []

    def add(self, slot: int, quotes: Iterable[Quote], resolution_seconds: int) -> None:
        """Add the quotes observed at a slot."""
        self._lines += lines_of(slot, quotes, resolution_seconds)

    def flush(self) -> None:
        """Write what has been gathered, and make the newest quotes the latest ones."""
        lines, self._lines = sorted(self._lines, key=_place), []
        self._make_room(lines)
        insert_lines(self._connection, lines)
        newest = {line[0]: line[_SLOT] for line in lines}
        by_slot: dict[object, list[object]] = {}
        for asset_id, slot in newest.items():
            by_slot.setdefault(slot, []).append(asset_id)
        for slot, ids in by_slot.items():
            for some in chunks(ids):
                listed = ",".join(map(str, some))
                self._connection.exec_driver_sql(_RENEW_LATEST.format(slot=slot, ids=listed))

    def _make_room(self, lines: Sequence[Line]) -> None:
        """Let what is observed take the place of what was backfilled."""
        ids: dict[tuple[int, int], list[int]] = {}
        for line in lines:
            ids.setdefault((line[_SLOT], line[-1]), []).append(line[0])
        for (slot, resolution_seconds), some in ids.items():
            make_room(self._connection, slot, resolution_seconds, some)

    def count_at(self, slot: int, ids: set[int]) -> int:
        """Return how many of some assets were observed at a slot."""
        self.flush()
        table = schema.quote.c
        here = (table.slot == slot) & (table.origin == Origin.OBSERVED.value)
        query = sa.select(sa.func.count()).select_from(schema.quote).where(here)
        return sum(
            int(self._connection.execute(query.where(table.asset_id.in_(some))).scalar_one())
            for some in chunks(sorted(ids))
        )

    def clear_slot(self, slot: int) -> set[int]:
        """Remove what a lower outcome wrote at a slot, so that a higher one can take its place.

        Returns the assets that had a quote there.
        """
        self.flush()
        return _clear_slot(self._connection, slot)


def lines_of(slot: int, quotes: Iterable[Quote], resolution_seconds: int) -> Iterator[Line]:
    """Yield the rows that the quotes observed at a slot become, in the order of ``COLUMNS``."""
    fixed = (slot, Origin.OBSERVED.value, resolution_seconds)
    return ((*msgspec.structs.astuple(quote), *fixed) for quote in quotes)


def _clear_slot(connection: sa.Connection, slot: int) -> set[int]:
    ids = [asset_id for (asset_id,) in connection.execute(_MEMBERS, {"slot": slot})]
    for some in chunks(ids):
        for table in (schema.quote, schema.latest):
            here = (table.c.slot == slot) & table.c.asset_id.in_(some)
            connection.execute(table.delete().where(here))
    connection.execute(schema.missing.delete().where(schema.missing.c.slot == slot))
    for table in (schema.global_metrics, schema.fear_and_greed):
        observed = table.c.origin == Origin.OBSERVED.value
        connection.execute(table.delete().where(table.c.slot == slot, observed))
    for asset_id in ids:
        restore_latest(connection, asset_id)
    return set(ids)


def insert_lines(connection: sa.Connection, lines: Sequence[Line]) -> None:
    """Insert rows of ``quote`` given in the order of ``COLUMNS``; fastest in asset order."""
    if connection.dialect.name == "sqlite":
        _insert_bound(connection, lines)
    else:
        _insert_written_out(connection, lines)


def _insert_bound(connection: sa.Connection, lines: Sequence[Line]) -> None:
    marks = ", ".join("?" * len(COLUMNS))
    if lines:
        connection.exec_driver_sql(f"{_INSERT}({marks})", [*lines])


def _insert_written_out(connection: sa.Connection, lines: Sequence[Line]) -> None:
    """Insert quotes as literals: three times as fast as the driver's own way of binding them.

    All values are whole numbers, finite doubles, None or a word of ours, so nothing needs
    escaping. JSON writes them as SQL does, and a double so that it is read back the same.
    """
    for some in chunks(lines):
        written = msgspec.json.encode(some).decode()[1:-1].translate(_JSON_TO_SQL)
        # The driver takes % for a placeholder only where parameters are given; there are none.
        connection.exec_driver_sql(_INSERT + written)


def restore_latest(connection: sa.Connection, asset_id: int) -> None:
    """Make an asset's newest remaining quote its latest one: see ``newest_of``."""
    connection.execute(schema.latest.delete().where(schema.latest.c.asset_id == asset_id))
    for query in newest_of(asset_id):
        copied = schema.latest.insert().from_select(COLUMNS, query)
        if connection.execute(copied).rowcount:
            return


def newest_of(asset_id: int) -> tuple[sa.Select[Any], sa.Select[Any]]:
    """Return the queries for an asset's newest quote: the second where the first finds none.

    A backfilled quote is the newest one only of an asset that was never observed: the market is
    what was seen, and a slot that failed did not see it.
    """
    table = schema.quote.c
    query = sa.select(*(table[name] for name in COLUMNS)).where(table.asset_id == asset_id)
    newest = query.order_by(table.slot.desc()).limit(1)
    return newest.where(table.origin == Origin.OBSERVED.value), newest
