"""What comes from outside, made up at random: it is read, or refused in our words; never invented.

What a test here finds once stays found: the examples are the same in each run.
"""

from __future__ import annotations

import gzip
import io
import json
import math
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adopting import csv_rows, snapshot_of
from coinlog.errors import BrokenAnswerError, CoinlogError, SourceError
from coinlog.gaps import breaks_in, find_gaps
from coinlog.market import SourceKind
from coinlog.slots import DAY, HOUR, MINUTE, AssetSelection, Schedule, due_slots, schedule_at
from coinlog.sources.answers import Answer
from coinlog.sources.inflate import Inflater
from coinlog.sources.reading import read_market
from coinlog.sources.waiting import asked_wait
from coinlog.store.ledger import due_range
from coinlog.store.reader import Columns
from coinlog.timeline import Timeline, Window, drawn_at, widest_step
from samples import SLOT

QUICK = settings(max_examples=150, derandomize=True, database=None, deadline=None)
LIMIT = 50_000
EVERYTHING = AssetSelection(200, ())


@QUICK
@given(st.binary(max_size=2000), st.lists(st.integers(1, 300), max_size=20), st.integers(0, 9))
def test_a_packed_body_comes_out_as_it_was_however_it_arrives(
    body: bytes, cuts: list[int], level: int
) -> None:
    packed = gzip.compress(body, level)
    inflater = Inflater("gzip", LIMIT)
    for chunk in chunked(packed, cuts):
        inflater.feed(chunk)

    assert inflater.finish() == body


@QUICK
@given(st.binary(max_size=300), st.integers(0, 400), st.binary(max_size=4))
def test_a_damaged_body_is_refused_or_whole(body: bytes, place: int, noise: bytes) -> None:
    packed = gzip.compress(body)
    damaged = packed[:place] + noise + packed[place + len(noise) :]
    inflater = Inflater("gzip", LIMIT)

    try:
        inflater.feed(damaged)
        found = inflater.finish()
    except CoinlogError:
        return
    # Only bytes that no checksum covers may differ: those of gzip's own head.
    assert found == body or damaged[:10] != packed[:10] or len(damaged) != len(packed)


@QUICK
@given(st.integers(LIMIT + 1, 3_000_000), st.sampled_from([zlib.Z_BEST_COMPRESSION, 1]))
def test_no_bomb_takes_more_than_its_limit(size: int, level: int) -> None:
    inflater = Inflater("gzip", LIMIT)

    with pytest.raises(BrokenAnswerError):
        inflater.feed(gzip.compress(bytes(size), level))
    assert len(inflater.body) <= LIMIT


def chunked(body: bytes, cuts: list[int]) -> list[bytes]:
    stream = io.BytesIO(body)
    return [*(stream.read(cut) for cut in cuts), stream.read()]


CELLS = st.text(max_size=15) | st.sampled_from(
    ["1.5", "-1", "1e999", "NaN", "1,5", "1.234,5", "BTC", "2026-01-26 18:00:05", '"', "=1", "\0"]
)


@QUICK
@given(st.lists(st.lists(CELLS, max_size=5), max_size=5), st.sampled_from([",", ";", "\t"]))
def test_a_file_of_any_cells_is_read_or_refused(lines: list[list[str]], mark: str) -> None:
    path = Path("cells.csv")
    text = "\n".join(mark.join(line) for line in [["Name", "Symbol", "Price", "Time"], *lines])
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        with csv_rows(path) as rows:
            found = [snapshot_of(one, {}) for slot in rows.slots() for one in rows.captured(slot)]
    except CoinlogError as refused:
        assert "\n" not in str(refused).strip()
        return
    for quote in (quote for snapshot in found for quote in snapshot.quotes):
        assert math.isfinite(quote.price)
        assert quote.price >= 0


NUMBERS = (
    st.floats()
    | st.integers(-(10**20), 10**20)
    | st.none()
    | st.sampled_from(["1", "NaN", "", 1e308, -0.0, 5e-324, 2**63, True])
)
WORDS = st.text(max_size=12) | st.none() | st.integers()
ROWS = st.fixed_dictionaries(
    {
        "id": st.integers(-1, 12) | NUMBERS,
        "name": WORDS,
        "symbol": WORDS,
        "quote": st.lists(
            st.fixed_dictionaries(
                {"price": NUMBERS},
                optional={
                    "symbol": st.sampled_from(["USD", "EUR", None, 1]),
                    "market_cap": NUMBERS,
                    "volume_24h": NUMBERS,
                    "percent_change_24h": NUMBERS,
                    "last_updated": WORDS,
                },
            ),
            max_size=3,
        )
        | st.dictionaries(
            st.sampled_from(["USD", "EUR", ""]), st.builds(lambda p: {"price": p}, NUMBERS)
        ),
    },
    optional={
        "slug": WORDS,
        "cmc_rank": NUMBERS,
        "circulating_supply": NUMBERS,
        "max_supply": NUMBERS,
        "is_fiat": NUMBERS,
        "num_market_pairs": NUMBERS,
    },
)


def answer_of(rows: Any) -> Answer:  # noqa: ANN401  whatever was drawn
    body = json.dumps(
        {"status": {"error_code": 0, "timestamp": "2026-01-26T18:00:12.000Z"}, "data": rows}
    )
    return Answer("listings-1", "/v3", {}, 200, body.encode(), float(SLOT), 0.1)


@QUICK
@given(st.lists(ROWS, max_size=5))
def test_no_quote_is_invented_and_each_is_what_a_row_says(rows: list[dict[str, Any]]) -> None:
    try:
        market = read_market([answer_of(rows)], EVERYTHING)
    except SourceError:
        return
    ids = [quote.asset_id for quote in market.quotes]

    assert len(ids) == len(set(ids))
    assert set(ids) <= {asset.id for asset in market.assets}
    for quote in market.quotes:
        said = [row for row in rows if row["id"] == quote.asset_id and row["id"] is not True]
        prices = [price for row in said for price in prices_of(row)]
        assert math.isfinite(quote.price)
        assert quote.price >= 0
        assert quote.price.hex() in [float(price).hex() for price in prices]
        for field in ("market_cap", "volume_24h", "circulating_supply", "max_supply"):
            value = getattr(quote, field)
            assert value is None or (math.isfinite(value) and value >= 0)


def prices_of(row: dict[str, Any]) -> list[float]:
    quotes = row["quote"].values() if isinstance(row["quote"], dict) else row["quote"]
    return [one["price"] for one in quotes if isinstance(one["price"], int | float)]


ALMOST_DATES = (
    r"(Mon|Thu)?,? ?[0-9]{1,3} [A-Z][a-z]{2} [0-9]{1,6} [0-9:]{0,9}( [-+]?[A-Z0-9]{1,6})?"
)


@QUICK
@given(
    st.sampled_from(["retry-after", "x-ratelimit-reset"]),
    st.text(max_size=40)
    | st.from_regex(r"[0-9]{1,400}(\.[0-9]*)?", fullmatch=True)
    | st.datetimes().map(lambda then: then.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    | st.from_regex(ALMOST_DATES, fullmatch=True),
)
@example("retry-after", "9" * 400)
@example("x-ratelimit-reset", "9" * 400)
def test_what_a_header_asks_us_to_wait_is_seconds_or_nothing(name: str, text: str) -> None:
    wait = asked_wait({name: text}, float(SLOT))

    assert wait is None or (math.isfinite(wait) and wait >= 0)


STEPS = st.sampled_from([5 * MINUTE, HOUR, 6 * HOUR])
PLANS = st.lists(st.tuples(st.integers(0, 10), STEPS), min_size=1, max_size=3)


def schedules_of(plan: list[tuple[int, int]]) -> list[Schedule]:
    begins = sorted(dict(plan).items())
    return [Schedule(day * DAY, step, "top:2", SourceKind.COINMARKETCAP) for day, step in begins]


@QUICK
@given(PLANS, st.integers(-DAY, 12 * DAY), st.integers(0, 3 * DAY))
def test_due_slots_are_those_of_the_ranges_that_nobody_walks(
    plan: list[tuple[int, int]], start: int, length: int
) -> None:
    schedules = schedules_of(plan)
    ranges = [due_range(schedules, at, start, start + length) for at in range(len(schedules))]

    walked = list(due_slots(schedules, start, start + length))

    assert [slot for one in ranges for slot in one] == walked
    assert walked == sorted(set(walked))


def resolution_at(schedules: list[Schedule], slot: int) -> int:
    found = schedule_at(schedules, slot)
    assert found
    return found.interval_seconds


@QUICK
@given(PLANS, st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)))
def test_gaps_are_ordered_apart_and_where_no_quote_is(
    plan: list[tuple[int, int]], failed: set[int], missed: set[int], absent: set[int]
) -> None:
    schedules = schedules_of(plan)
    due = list(due_slots(schedules, 0, 11 * DAY))[:60]
    lost = {slot for at, slot in enumerate(due) if at in failed | missed}
    had = [slot for at, slot in enumerate(due) if slot not in lost and at not in absent]
    observed = {slot: slot + 12 for slot in due if slot not in lost}
    timeline = Timeline(
        window=Window(0, 11 * DAY),
        observed_at=observed,
        failed={slot: "timeout" for at, slot in enumerate(due) if at in failed},
        over=due,
        over_observed_at=drawn_at(observed, due),
        widest_step=widest_step(due),
        schedules=tuple(schedules),
    )
    columns = Columns(
        had, ["observed"] * len(had), [resolution_at(schedules, slot) for slot in had], {}
    )

    gaps = find_gaps(columns, timeline, dict)

    assert all(gap.start < gap.end for gap in gaps)
    assert all(left.end <= right.start for left, right in pairwise(gaps))
    assert not [slot for slot in had for gap in gaps if gap.start <= slot < gap.end]
    inside = [
        slot for slot in due if slot not in had and (not had or slot < had[0] or slot > had[-1])
    ]
    assert all(any(gap.start <= slot < gap.end for gap in gaps) for slot in inside)
    for one in breaks_in(had, columns.resolutions):
        assert any(one.left < gap.start <= one.right for gap in gaps)
