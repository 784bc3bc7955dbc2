"""Candles and thinned lines next to an independent computation with pandas, on both databases."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest
import sqlalchemy as sa

from coinlog import sampling
from coinlog.sampling import Reading, read_thinned
from coinlog.series import buckets_for
from coinlog.slots import DAY, HOUR, parse_time
from coinlog.store.candles import INTERVALS, Candle, candle_start, read_candles
from coinlog.store.engine import open_engine
from coinlog.store.ledger import read_head
from coinlog.store.reader import Reader
from coinlog.timeline import Window, read_timeline
from histories import Values, eventful, history, put_history
from samples import SLOT, STEP

RULES = {"1w": "W-MON", "1mo": "MS", "1d": "D"}
SERIES = ("eth", "hype", "pepe")


@pytest.fixture
def reader(store_url: sa.URL) -> Iterator[Reader]:
    """Return a reader of a store that a test fills."""
    reader = Reader(open_engine(store_url, read_only=True))
    yield reader
    reader.engine.dispose()


def by_pandas(rows: Sequence[Values], interval: str) -> list[tuple[Any, ...]]:
    """Return start, open, high, low, close and count of each interval that has a quote."""
    times = pd.to_datetime([row["slot"] for row in rows], unit="s")
    prices = pd.Series([row["price"] for row in rows], index=times)
    rule = RULES.get(interval, interval)
    groups = prices.resample(rule, closed="left", label="left")
    found = pd.concat([groups.ohlc(), groups.count().rename("points")], axis=1)
    found = found[found["points"] > 0]
    starts = [int(time.timestamp()) for time in found.index]
    return list(zip(starts, *(found[name].tolist() for name in found.columns), strict=True))


def facts(candles: Sequence[Candle]) -> list[tuple[Any, ...]]:
    return [(one.start, one.open, one.high, one.low, one.close, one.points) for one in candles]


def check_candles(reader: Reader, rows: Mapping[int, Sequence[Values]]) -> None:
    """Check all candles of all assets, to the last bit."""
    for asset_id, some in rows.items():
        for interval in INTERVALS:
            start = candle_start(some[0]["slot"], interval)
            found = read_candles(reader, asset_id, start, some[-1]["slot"], interval)

            assert facts(found) == by_pandas(some, interval)
            assert [one.complete for one in found[:-1]] == [True] * (len(found) - 1)


def check_thinning(reader: Reader, rows: Mapping[int, Sequence[Values]], points: int) -> None:
    """Check that a line thinned by the database keeps the extremes that pandas finds."""
    end = max(row["slot"] for some in rows.values() for row in some)
    head, window = read_head(reader), Window(0, end)
    timeline = partial(read_timeline, reader, head, window, end + HOUR)
    for asset_id, some in rows.items():
        reading = Reading(reader, head, window, end + HOUR, timeline)
        (found,) = read_thinned(reading, [asset_id], ["price"], points)
        real = {row["slot"]: row["price"] for row in some}
        width = buckets_for(min(real), max(real), points, 1).width
        prices = pd.Series(real)
        groups = prices.groupby((prices.index - min(real)) // width)
        shown = set(found.slots)

        assert [real[slot] for slot in found.slots] == found.fields["price"]
        assert {min(real), max(real)} <= shown
        assert {*groups.idxmin(), *groups.idxmax()} <= shown
        assert len(shown) <= points


@pytest.fixture(autouse=True)
def in_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let even short lines be thinned by the database."""
    monkeypatch.setattr(sampling, "READ_AT_ONCE", 0)


def test_candles_and_thinned_lines_of_a_made_up_history(store_url: sa.URL, reader: Reader) -> None:
    rows, ledger = eventful(500)
    put_history(store_url, rows, ledger)

    check_candles(reader, rows)
    check_thinning(reader, rows, 40)


@pytest.mark.shared
def test_candles_and_thinned_lines_of_real_polls(
    store_url: sa.URL, reader: Reader, shared: Path
) -> None:
    rows: dict[int, list[Values]] = {}
    path = shared / "cmc" / "listings_first_10_polls_2026-01-26_to_02-03_top5000.csv.gz"
    with gzip.open(path, "rt") as lines:
        for line in csv.DictReader(lines):
            slot = parse_time(line["snapshot_utc"])
            rows.setdefault(int(line["id"]), []).append(
                {"slot": slot, "price": float(line["price"])}
            )
    some = {one: sorted(rows[one], key=lambda row: row["slot"]) for one in list(rows)[::311]}
    put_real(store_url, some)

    check_candles(reader, some)
    check_thinning(reader, some, 10)


@pytest.mark.shared
def test_candles_and_thinned_lines_of_real_series(
    store_url: sa.URL, reader: Reader, shared: Path
) -> None:
    rows: dict[int, list[Values]] = {}
    for number, name in enumerate(SERIES, 1):
        path = shared / "cmc" / "quotes_historical" / f"{name}_historical_daily.json.gz"
        answer = msgspec.json.decode(gzip.decompress(path.read_bytes()))
        rows[number] = [
            {"slot": parse_time(one["timestamp"]), "price": one["quote"]["USD"]["price"]}
            for one in answer["data"]["quotes"]
        ]
    put_real(store_url, rows)

    check_candles(reader, rows)
    check_thinning(reader, rows, 50)


def put_real(url: sa.URL, rows: dict[int, list[Values]]) -> None:
    """Put real prices into a store at their own times."""
    whole = {
        one: history((row["slot"] for row in some), {row["slot"]: row for row in some}.__getitem__)
        for one, some in rows.items()
    }
    slots = sorted({row["slot"] for some in rows.values() for row in some})
    put_history(url, whole, dict.fromkeys([slots[0] - STEP, *slots], "stored"))


def test_a_candle_cut_off_by_the_end_of_the_range_says_so(
    store_url: sa.URL, reader: Reader
) -> None:
    start = SLOT - SLOT % DAY - 3 * DAY
    slots = [start, start + STEP, start + 2 * DAY]
    rows = history(slots, lambda slot: {"price": float(slot)})
    put_history(store_url, {1: rows}, dict.fromkeys([start - STEP, *slots], "stored"))

    found = read_candles(reader, 1, start, start + 2 * DAY + HOUR, "1d")
    months = read_candles(reader, 1, start, start + 2 * DAY + HOUR, "1mo")

    assert [(one.start, one.points, one.complete) for one in found] == [
        (start, 2, True),
        (start + 2 * DAY, 1, False),
    ]
    assert [(one.points, one.complete) for one in months] == [(3, False)]


@pytest.mark.parametrize(
    ("interval", "start", "day"),
    [
        ("1w", "2026-01-26", "Monday"),
        ("1mo", "2026-01-01", "Thursday"),
        ("1d", "2026-01-26", "Monday"),
    ],
)
def test_weeks_begin_on_monday_and_months_on_their_first(
    interval: str, start: str, day: str
) -> None:
    found = datetime.fromtimestamp(candle_start(SLOT, interval), UTC)

    assert (found.strftime("%Y-%m-%d"), found.strftime("%A")) == (start, day)
