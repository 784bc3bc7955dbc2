"""Series thinned by the database: the same points as those thinned here, on both databases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product

import msgspec
import pytest
import sqlalchemy as sa

from coinlog import sampling
from coinlog.gaps import breaks_in
from coinlog.sampling import Reading, count_gaps, read_thinned
from coinlog.series import Series, buckets_for, read_series
from coinlog.store import lapses
from coinlog.store.buckets import places, summaries
from coinlog.store.engine import open_engine
from coinlog.store.ledger import Head, read_head
from coinlog.store.points import read_breaks
from coinlog.store.reader import Reader
from coinlog.timeline import Window, read_timeline
from histories import eventful, history, put_history
from samples import SLOT, STEP

COUNT = 700
NOW = SLOT + STEP // 2
FIELDS = ("price", "market_cap", "rank")


@pytest.fixture
def reader(store_url: sa.URL) -> Iterator[Reader]:
    """Return a reader of an eventful history."""
    put_history(store_url, *eventful(COUNT))
    reader = Reader(open_engine(store_url, read_only=True))
    yield reader
    reader.engine.dispose()


def reading(reader: Reader, window: Window) -> Reading:
    head = read_head(reader)
    return Reading(reader, head, window, NOW, partial(read_timeline, reader, head, window, NOW))


def both_ways(
    reader: Reader, window: Window, ids: Sequence[int], fields: Sequence[str], points: int
) -> tuple[list[Series], list[Series]]:
    """Return what is thinned here, and what the database thins."""
    asked = (reading(reader, window), ids, fields, points)
    here = read_thinned(*asked)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sampling, "READ_AT_ONCE", -1)
        patch.setattr(sampling, "_due", lambda _: 10**9)
        patch.setattr(lapses, "READ_AT_ONCE", 10)
        return here, read_thinned(*asked)


WINDOWS = [Window(0, SLOT), Window(SLOT - 600 * STEP + 1, SLOT - 50 * STEP)]


def test_the_database_thins_to_the_same_points_and_gaps(reader: Reader) -> None:
    sizes = ((FIELDS, 12), (FIELDS, 333), (("price",), 5000))
    for window, asset_id, (fields, points) in product(WINDOWS, [1, 2, 3, 4, 5, 6], sizes):
        here, there = both_ways(reader, window, [asset_id], fields, points)

        assert there == here
        assert len(here[0].slots) <= max(points, 2 * len(fields) + 2)


def test_lines_of_one_chart_are_thinned_alike_in_the_database_too(reader: Reader) -> None:
    for points in (40, 200, 2000):
        here, there = both_ways(reader, WINDOWS[0], [1, 2, 3, 4], ["price"], points)

        assert there == here
        assert any(line.sampled for line in here) == (points < 2000)


def test_every_stretch_keeps_its_lowest_and_highest_recorded_point(reader: Reader) -> None:
    window = WINDOWS[0]
    whole = reader.quotes(1, window.start, window.end, FIELDS)
    buckets = buckets_for(whole.slots[0], whole.slots[-1], 60, len(FIELDS))
    rows = {slot: values for slot, *values in zip(whole.slots, *whole.fields.values(), strict=True)}

    values, slots = summaries(reader, 1, buckets, FIELDS), places(reader, 1, buckets, FIELDS)

    assert [one.start for one in values] == [one.start for one in slots]
    for stretch, value, slot in zip(buckets.cut(whole.slots), values, slots, strict=True):
        inside = [whole.slots[index] for index in stretch]
        assert (value.points, value.first, value.last) == (len(inside), inside[0], inside[-1])
        for number in range(len(FIELDS)):
            known = [(rows[one][number], one) for one in inside if rows[one][number] is not None]
            lowest = min(known, default=(None, None))
            highest = min(known, key=lambda pair: (-pair[0], pair[1]), default=(None, None))
            assert (value.lowest[number], slot.lowest[number]) == lowest
            assert (value.highest[number], slot.highest[number]) == highest


def test_breaks_are_found_where_the_line_of_all_points_breaks(reader: Reader) -> None:
    for asset_id in range(1, 6):
        whole = reader.quotes(asset_id, 0, SLOT, ())

        found = read_breaks(reader, asset_id, 0, SLOT)

        assert found == breaks_in(whole.slots, whole.resolutions)


def test_a_complete_long_history_is_read_without_its_ledger(
    store_url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    slots = [SLOT - STEP * back for back in range(400)]
    rows = {1: history(slots, lambda slot: {"price": float(slot % 977)})}
    put_history(store_url, rows, dict.fromkeys([*slots, min(slots) - STEP], "stored"))
    reader = Reader(open_engine(store_url, read_only=True))
    monkeypatch.setattr(sampling, "READ_AT_ONCE", 100)
    asked, read = reading(reader, Window(min(slots), SLOT)), list[str]()

    @sa.event.listens_for(reader.engine, "before_cursor_execute")
    def remember(_c: object, _cursor: object, statement: str, *_: object) -> None:
        read.append(statement)

    (found,) = read_thinned(asked, [1], ["price"], 50)

    assert (found.gaps, found.sampled, found.slots[0]) == ([], True, min(slots))
    assert [one for one in read if "slot.outcome" in one] == []
    assert found.observed_at[1:-1] == [slot + 12 for slot in found.slots[1:-1]]
    reader.engine.dispose()


def test_gaps_are_counted_as_the_series_of_all_points_has_them(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    for window, asset_id in product(WINDOWS, range(1, 6)):
        asked = reading(reader, window)
        monkeypatch.setattr(sampling, "READ_AT_ONCE", 5000)
        few = count_gaps(asked, asset_id)
        monkeypatch.setattr(sampling, "READ_AT_ONCE", 0)

        assert count_gaps(asked, asset_id) == few
        timeline = asked.timeline()
        assert few == len(read_series(reader, timeline, asked.now, asset_id, ()).gaps)


@pytest.mark.parametrize("backfilled", [True, False])
def test_a_quote_that_the_ledger_does_not_tell_of_hides_no_break(
    store_url: sa.URL, monkeypatch: pytest.MonkeyPatch, *, backfilled: bool
) -> None:
    slots = [SLOT - STEP * back for back in range(399, -1, -1)]
    failed, absent = slots[200], slots[210]
    had = [one for one in slots if one != absent and (one != failed or backfilled)]
    rows = history(had, lambda slot: {"origin": "backfilled" if slot == failed else "observed"})
    put_history(store_url, {1: rows}, dict.fromkeys(slots, "stored") | {failed: "timeout"})
    reader = Reader(open_engine(store_url, read_only=True))
    asked = reading(reader, Window(slots[0], SLOT))
    whole = read_thinned(asked, [1], ["price"], 1000)[0]
    monkeypatch.setattr(sampling, "READ_AT_ONCE", 0)

    (found,) = read_thinned(asked, [1], ["price"], 50)

    assert found.gaps == whole.gaps
    assert absent in [gap.start for gap in found.gaps]
    reader.engine.dispose()


def test_no_long_history_shows_a_point_of_the_future(reader: Reader) -> None:
    early = msgspec.structs.replace(reading(reader, WINDOWS[0]), now=float(SLOT))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sampling, "READ_AT_ONCE", 0)
        (found,) = read_thinned(early, [1], ["price"], 50)

    assert max(found.observed_at) <= SLOT


def test_an_empty_store_has_no_long_history(store_url: sa.URL) -> None:
    put_history(store_url, {1: []}, {SLOT: "stored", SLOT - STEP: "quota"})
    reader = Reader(open_engine(store_url, read_only=True))

    here, there = both_ways(reader, Window(0, SLOT), [7], FIELDS, 50)

    assert there == here
    assert here[0].slots == []
    reader.engine.dispose()


def test_heads_know_no_thinning_at_first(reader: Reader) -> None:
    head: Head = read_head(reader)

    assert head.thinnings == ()
