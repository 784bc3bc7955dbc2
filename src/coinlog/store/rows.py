"""The quotes of a slot, in the history and as the newest ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa

from coinlog.market import QUOTE_FIELDS, Origin, Quote
from coinlog.store import schema
from coinlog.store.names import CHUNK, chunks

# In the order of a Quote's own fields, so that a row is its tuple and three more values.
_COLUMNS = ("asset_id", *QUOTE_FIELDS, "slot", "origin", "resolution")
_NAMES = ", ".join(f"`{name}`" for name in _COLUMNS)
_INSERT = f"INSERT INTO quote ({_NAMES}) VALUES "  # noqa: S608  the column names are ours
_JSON_TO_SQL = str.maketrans('[]"', "()'")

# Who has a quote at a slot: one look-up an asset. SQLite takes a CROSS JOIN in the order written;
# any other join it turns around where it knows no numbers, and scans the whole history.
_AT_SLOT = "asset CROSS JOIN quote ON quote.asset_id = asset.id AND quote.slot = :slot"
_MEMBERS = sa.text(f"SELECT asset.id FROM {_AT_SLOT}")  # noqa: S608  our own words

# REPLACE is the one upsert that SQLite, MariaDB and MySQL write alike.
_RENEW_LATEST = sa.text(
    f"""
    REPLACE INTO latest ({_NAMES})
    SELECT {", ".join(f"quote.`{name}`" for name in _COLUMNS)}
    FROM {_AT_SLOT}
    WHERE NOT EXISTS (
        SELECT 1 FROM latest AS held WHERE held.asset_id = asset.id AND held.slot > :slot
    )
    """  # noqa: S608  the column names are ours
)


def write_quotes(
    connection: sa.Connection, slot: int, quotes: Iterable[Quote], resolution_seconds: int
) -> None:
    """Write the quotes observed at a slot, in asset order, and make them the newest ones."""
    ordered = sorted(quotes, key=lambda quote: quote.asset_id)
    if connection.dialect.name == "sqlite":
        _insert_bound(connection, slot, ordered, resolution_seconds)
    else:
        _insert_written_out(connection, slot, ordered, resolution_seconds)
    connection.execute(_RENEW_LATEST, {"slot": slot})


def clear_slot(connection: sa.Connection, slot: int) -> None:
    """Remove what a lower outcome wrote at a slot, so that a higher one can take its place."""
    ids = [asset_id for (asset_id,) in connection.execute(_MEMBERS, {"slot": slot})]
    for some in chunks(ids):
        for table in (schema.quote, schema.latest):
            here = (table.c.slot == slot) & table.c.asset_id.in_(some)
            connection.execute(table.delete().where(here))
    for table in (schema.missing, schema.global_metrics, schema.fear_and_greed):
        connection.execute(table.delete().where(table.c.slot == slot))
    for asset_id in ids:
        _restore_latest(connection, asset_id)


def _insert_bound(
    connection: sa.Connection, slot: int, quotes: Sequence[Quote], resolution_seconds: int
) -> None:
    fixed = (slot, Origin.OBSERVED.value, resolution_seconds)
    marks = ", ".join("?" * len(_COLUMNS))
    lines = [(*msgspec.structs.astuple(quote), *fixed) for quote in quotes]
    if lines:
        connection.exec_driver_sql(f"{_INSERT}({marks})", lines)


def _insert_written_out(
    connection: sa.Connection, slot: int, quotes: Sequence[Quote], resolution_seconds: int
) -> None:
    """Insert quotes as literals: three times as fast as the driver's own way of binding them.

    All values are whole numbers, finite doubles, None or a word of ours, so nothing needs
    escaping. JSON writes them as SQL does, and a double so that it is read back the same.
    """
    fixed = (slot, Origin.OBSERVED.value, resolution_seconds)
    for start in range(0, len(quotes), CHUNK):
        lines = [
            (*msgspec.structs.astuple(quote), *fixed) for quote in quotes[start : start + CHUNK]
        ]
        written = msgspec.json.encode(lines).decode()[1:-1].translate(_JSON_TO_SQL)
        # The driver takes % for a placeholder only where parameters are given; there are none.
        connection.exec_driver_sql(_INSERT + written)


def _restore_latest(connection: sa.Connection, asset_id: int) -> None:
    """Make an asset's newest remaining quote its latest one."""
    table = schema.quote
    newest = (
        sa.select(*(table.c[name] for name in _COLUMNS))
        .where(table.c.asset_id == asset_id)
        .order_by(table.c.slot.desc())
        .limit(1)
    )
    connection.execute(schema.latest.delete().where(schema.latest.c.asset_id == asset_id))
    connection.execute(schema.latest.insert().from_select(_COLUMNS, newest))
