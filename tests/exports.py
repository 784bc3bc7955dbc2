"""A store that is hard to export: odd numbers, hostile names, a rename, backfilled points."""

from __future__ import annotations

import struct
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import duckdb
import sqlalchemy as sa

from coinlog.export.carrying_out import Delivery, Exported, export
from coinlog.export.opening import Request
from coinlog.market import Asset, Snapshot, SourceKind
from coinlog.slots import DAY
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from coinlog.store.writer import settle
from samples import SLOT, STEP, quote, settlement

HOSTILE = (
    *('=HYPERLINK("http://x")', "+1", "-2", "@SUM(A1)", "\t=1", 'quo"te', "com,ma", "semi;colon"),
    *(
        "line\nbreak",
        "null",
        "NaN",
        "🪙 עברית",
        "'; DROP TABLE quote; --",
        "\\N",
        "{}[]:",
        " edge ",
    ),
)
EXTREMES = (5e-324, 1.2e-19, 0.1 + 0.2, 2.9e24, 1.7976931348623157e308, 9007199254740993.0)

OLD = SLOT - 40 * DAY
"""A slot of the month before that of ``SLOT``; a daily point was backfilled there."""


def fill(url: sa.URL, source: SourceKind = SourceKind.COINMARKETCAP) -> None:
    """Fill a store: 16 assets at four slots around the end of a month, one renamed midway."""
    engine = open_engine(url)
    migrate(engine)
    ids = range(1, len(HOSTILE) + 1)
    for number in (0, 1, 20, 30):
        slot = SLOT + number * STEP
        quotes = [quote(one, EXTREMES[one % 6], **odd_values(one)) for one in ids]
        names = [name if number < 20 else f"New {name}" for name in HOSTILE]
        assets = tuple(Asset(one, names[one - 1], HOSTILE[-one], f"slug-{one}") for one in ids)
        found = Snapshot(slot + 12, source, assets, tuple(quotes))
        settle(engine, settlement(slot, found=found, source=source), slot + 20)
    with engine.begin() as connection:
        point = {"price": 7 / 3, "last_updated": OLD + 61, "origin": "backfilled"}
        row = {"asset_id": 3, "slot": OLD, "resolution": DAY, **point}
        connection.execute(schema.quote.insert(), row)
        index = {"value": 41.5, "classification": "Fear", "updated_at": OLD + 5}
        row = {"slot": OLD, "origin": "backfilled", "resolution": DAY, **index}
        connection.execute(schema.fear_and_greed.insert(), row)
    engine.dispose()


def odd_values(number: int) -> dict[str, Any]:
    """Return fields of a quote, every third of them unknown."""
    values = {"market_cap": 1e9 / 7, "rank": number, "percent_change_1h": -5.5e19}
    values |= {"last_updated": SLOT - number, "max_supply": 0.0}
    return {name: value for at, (name, value) in enumerate(values.items()) if (at + number) % 3}


def exported(url: sa.URL, request: Request | None = None, **delivery: Any) -> Exported:  # noqa: ANN401  a delivery's own
    """Export from a store, as the command does."""
    return export(
        url,
        request or Request(),
        Delivery(**delivery),
        time.time(),
        lambda _what, _steps: nullcontext(lambda _done: None),
    )


def bits(value: object) -> object:
    """Return a value so that two doubles are equal only to the last bit."""
    return struct.pack("<d", value) if isinstance(value, float) else value


def stored_quotes(url: sa.URL) -> list[tuple[object, ...]]:
    """Return the quotes of a store, read apart from the exporter, in the order of the key."""
    query = sa.select(schema.quote).order_by("asset_id", "slot")
    engine = open_engine(url, read_only=True)
    with engine.connect() as connection:
        rows = [tuple(map(bits, row)) for row in connection.execute(query)]
    engine.dispose()
    return rows


def ask_duckdb(query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the names of an answer's columns, and its rows."""
    with duckdb.connect() as connection:
        answer = connection.execute(query)
        return [column[0] for column in answer.description or ()], answer.fetchall()


def duckdb_quotes(folder: Path) -> list[tuple[object, ...]]:
    """Return the quotes of a Parquet folder as DuckDB reads them, with times in seconds."""
    times = ("slot", "last_updated")
    names = ", ".join(
        f'epoch_us("{name}") // 1000000' if name in times else f'"{name}"'
        for name in schema.quote.c.keys()  # noqa: SIM118  its columns are no mapping of names
    )
    files = f"read_parquet('{folder}/*/*.parquet', hive_partitioning = true)"
    rows = ask_duckdb(f"SELECT {names} FROM {files} ORDER BY asset_id, slot")[1]  # noqa: S608  our own names
    return [tuple(map(bits, row)) for row in rows]
