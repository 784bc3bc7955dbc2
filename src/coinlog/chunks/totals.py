"""A month of the whole market's figures, by recorded slot."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from coinlog.chunks.names import Month, month_of
from coinlog.chunks.record import Record, deltas, is_complete
from coinlog.store import schema

METRICS = ("total_market_cap", "total_volume_24h", "bitcoin_dominance", "ethereum_dominance")
_TABLES = (schema.global_metrics, schema.fear_and_greed)


def months_of_totals(record: Record) -> tuple[Month, Month] | None:
    """Return the first and the last month with any of the figures."""
    found: list[int] = []
    with record.reader.connected() as connection:
        for table in _TABLES:
            slot = table.c.slot
            # One look-up each; asked for together, SQLite would read all that lies between.
            for order in (slot, slot.desc()):
                query = sa.select(slot).where(slot <= record.end).order_by(order).limit(1)
                found += connection.execute(query).scalars()
    return (month_of(min(found)), month_of(max(found))) if found else None


def totals_chunk(record: Record, month: Month) -> dict[str, Any] | None:
    """Return a month's file; ``None`` before the first and after the last recorded figures."""
    known = months_of_totals(record)
    if known is None or not known[0] <= month <= known[1]:
        return None
    metrics, fear = _read(record, month)
    slots = sorted({*metrics, *fear})
    unknown = (None,) * len(METRICS)
    rows = [metrics.get(slot, unknown) for slot in slots]
    return {
        "month": month.name,
        "complete": is_complete(record.head, month, record.now),
        "slots": deltas(slots),
        **{name: [row[place] for row in rows] for place, name in enumerate(METRICS)},
        "fear_and_greed": [fear.get(slot) for slot in slots],
    }


def _read(
    record: Record, month: Month
) -> tuple[dict[int, tuple[float | None, ...]], dict[int, float]]:
    """Return the figures and the fear and greed index of a month, by slot."""
    end = min(month.end - 1, record.end)
    names = ([schema.global_metrics.c[name] for name in METRICS], [schema.fear_and_greed.c.value])
    rows: list[list[Any]] = []
    with record.reader.connected() as connection:
        for table, columns in zip(_TABLES, names, strict=True):
            query = sa.select(table.c.slot, *columns).where(table.c.slot.between(month.start, end))
            rows.append(list(connection.execute(query)))
    return {row[0]: tuple(row[1:]) for row in rows[0]}, {row[0]: row[1] for row in rows[1]}
