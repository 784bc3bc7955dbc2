"""An asset's extremes next to an independent search of its quotes, on both databases."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from coinlog.market import Origin
from coinlog.store import schema
from coinlog.store.extremes import Extreme, left_after, read_extremes
from coinlog.store.reader import Reader
from coinlog.store.writer import settle
from samples import SLOT, STEP, settlement, snapshot


def quotes(asset_id: int) -> Iterator[dict[str, Any]]:
    """Yield quotes whose extremes come more than once, and whose rank comes and goes."""
    for number in range(200):
        yield {
            "asset_id": asset_id,
            "slot": SLOT + number * STEP,
            "price": round(100 + 50 * math.sin(number / 7 + asset_id), 1),
            "rank": None if number % 9 == 0 else 3 + number % 5,
            "origin": (Origin.BACKFILLED if number % 4 == 0 else Origin.OBSERVED).value,
            "resolution": STEP,
        }


def test_extremes_are_found_at_their_first_slots(engine: sa.Engine) -> None:
    asset_id = 1
    rows = list(quotes(asset_id))
    with engine.begin() as connection:
        connection.execute(schema.quote.insert(), [*rows, *quotes(asset_id + 1)])
    high = max(rows, key=lambda row: (row["price"], -row["slot"]))
    low = min(rows, key=lambda row: (row["price"], row["slot"]))
    ranked = [row for row in rows if row["rank"] is not None]
    best = min(ranked, key=lambda row: (row["rank"], row["slot"]))
    worst = max(ranked, key=lambda row: (row["rank"], -row["slot"]))

    found = read_extremes(Reader(engine), asset_id)

    assert found
    assert (found.quotes, found.backfilled) == (200, 50)
    assert found.high == Extreme(high["price"], high["slot"])
    assert found.low == Extreme(low["price"], low["slot"])
    assert found.best_rank == Extreme(best["rank"], best["slot"])
    assert found.worst_rank == Extreme(worst["rank"], worst["slot"])


def test_extremes_of_the_newest_part_of_a_record_know_nothing_older(engine: sa.Engine) -> None:
    rows = list(quotes(1))
    with engine.begin() as connection:
        connection.execute(schema.quote.insert(), rows)
    start = sorted(row["slot"] for row in rows)[150]
    newer = [row for row in rows if row["slot"] >= start]

    found = read_extremes(Reader(engine), 1, start)

    assert found
    assert (found.first, found.quotes) == (start, 50)
    assert found.high.value == max(row["price"] for row in newer)
    assert found.high.slot == min(r["slot"] for r in newer if r["price"] == found.high.value)


def test_an_asset_without_a_rank_or_a_quote_has_no_such_extreme(engine: sa.Engine) -> None:
    settle(engine, settlement(found=snapshot((1,))), SLOT + 20)

    found = read_extremes(Reader(engine), 1)

    assert found
    assert (found.best_rank, found.worst_rank) == (None, None)
    assert (found.high, found.low) == (Extreme(100.5, SLOT), Extreme(100.5, SLOT))
    assert read_extremes(Reader(engine), 2) is None


def test_an_asset_is_gone_from_the_first_slot_with_quotes_after_its_last(
    engine: sa.Engine,
) -> None:
    settle(engine, settlement(SLOT, found=snapshot((1, 2))), SLOT + 20)
    settle(engine, settlement(SLOT + STEP), SLOT + STEP + 20)
    reader = Reader(engine)
    assert left_after(reader, SLOT) is None

    settle(engine, settlement(SLOT + 2 * STEP, found=snapshot((1,))), SLOT + 2 * STEP + 20)

    assert left_after(reader, SLOT) == SLOT + 2 * STEP
