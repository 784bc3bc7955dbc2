"""Schedule arithmetic: slots, intervals, times and selections, also of hostile texts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinlog.errors import UsageError
from coinlog.market import SourceKind
from coinlog.slots import (
    DAY,
    HOUR,
    MINUTE,
    AssetSelection,
    Schedule,
    due_slots,
    floor_slot,
    format_interval,
    grace_seconds,
    iso,
    parse_assets,
    parse_interval,
    parse_time,
    schedule_at,
)

MINUTES = [n for n in range(1, 61) if 60 % n == 0]
HOURS = [n for n in range(1, 25) if 24 % n == 0]
INTERVALS = [*(f"{n}m" for n in MINUTES), *(f"{n}h" for n in HOURS), "1d"]
TIMES = st.integers(1_230_768_000, 4_133_980_799)


def schedule(from_slot: int, interval: str) -> Schedule:
    seconds = parse_interval(interval)
    return Schedule(from_slot, seconds, "top:5", SourceKind.COINMARKETCAP)


@pytest.mark.parametrize("text", INTERVALS)
def test_every_interval_divides_a_day_and_is_written_as_it_is_read(text: str) -> None:
    seconds = parse_interval(text)

    assert DAY % seconds == 0
    assert parse_interval(format_interval(seconds)) == seconds


def test_an_interval_may_be_written_with_room_and_in_capitals() -> None:
    assert parse_interval(" 6H ") == 6 * HOUR


@pytest.mark.parametrize(
    "text", ["", "h", "6", "0h", "7h", "90m", "2d", "25h", "-6h", "6 h", "1.5h", "٦h", "6h6h", "6s"]
)
def test_another_interval_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UsageError, match=r"expected minutes that divide an hour .* 5m, 1h"):
        parse_interval(text)


@given(TIMES, st.sampled_from(INTERVALS))
def test_a_time_belongs_to_the_last_slot_before_it(time: int, text: str) -> None:
    interval = parse_interval(text)

    slot = floor_slot(time, interval)

    assert slot <= time < slot + interval
    assert slot % interval == 0
    assert floor_slot(slot, interval) == slot == floor_slot(slot + interval - 0.001, interval)


@pytest.mark.parametrize(("interval", "grace"), [("1m", 120), ("15m", 120), ("6h", 2160)])
def test_grace_is_two_minutes_or_a_tenth_of_the_interval(interval: str, grace: int) -> None:
    assert grace_seconds(parse_interval(interval)) == grace


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-26T18:00:00Z",
        "2026-01-26 18:00",
        "2026-01-26T13:00:00-05:00",
        "20260126T180000Z",
        "1769450400",
    ],
)
def test_a_time_is_read_as_iso_or_seconds_and_utc_where_it_names_no_zone(text: str) -> None:
    assert parse_time(text) == 1_769_450_400
    assert iso(parse_time(text)) == "2026-01-26T18:00:00Z"


@given(TIMES)
def test_a_time_is_read_as_it_is_written(time: int) -> None:
    assert parse_time(iso(time)) == parse_time(str(time)) == time


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "0", "123", "99999999999", "2008-12-31", "2101-01-01"),
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        "2026-02-30",
        "2026-01-26T25:00",
        "nan",
        "١٧٦٩٤٥٠٤٠٠",
        "9" * 5000,
    ],
)
def test_another_time_is_refused_briefly(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time: expected ISO 8601") as refused:
        parse_time(text)

    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("text", "top", "ids"),
    [
        ("top:200", 200, ()),
        ("top:10000", 10_000, ()),
        ("id:1,1027,1", 0, (1, 1027)),
        ("top:200+id:4687", 200, (4687,)),
        ("id:4687+top:200", 200, (4687,)),
        (" top:5 + id:2, 3 ", 5, (2, 3)),
        ("id:2147483647", 0, (2_147_483_647,)),
    ],
)
def test_a_selection_is_the_top_or_ids_or_both(text: str, top: int, ids: tuple[int, ...]) -> None:
    assert parse_assets(text) == AssetSelection(top, ids)


@pytest.mark.parametrize(
    "text",
    [
        *("", "top", "top:", "top:0", "top:10001", "top:-5", "top:٥", "BTC", "top:5top:5"),
        *("id:", "id:0", "id:2147483648", "id:1,", "id:,1", "id:1;2", "id:" + "9" * 5000),
        *("top:5+", "+id:1", "top:5id:1", "top:0+id:1", "id:1+id:5", "top:1+top:5"),
        "top:5+id:" + "1," * 10_001 + "1",
    ],
)
def test_another_selection_is_refused_briefly(text: str) -> None:
    with pytest.raises(UsageError, match=r"expected top:N .* for example top:200") as refused:
        parse_assets(text)

    assert len(str(refused.value)) < 250


def test_bitcoin_and_ethereum_are_always_recorded() -> None:
    assert parse_assets("top:5").explicit_ids == (1, 1027)
    assert parse_assets("id:7,1").explicit_ids == (1, 1027, 7)


@given(st.text(max_size=50))
def test_any_text_is_read_or_refused_in_our_words(text: str) -> None:
    for parse in (parse_interval, parse_time, parse_assets):
        try:
            parse(text)
        except UsageError as refused:
            assert "expected" in str(refused)


def test_what_was_due_follows_the_schedule_in_force_at_each_time() -> None:
    noon = parse_time("2026-01-26T12:00Z")
    schedules = [schedule(noon - DAY, "6h"), schedule(noon, "4h")]

    due = [iso(slot)[8:13] for slot in due_slots(schedules, noon - 12 * HOUR, noon + 9 * HOUR)]

    assert due == ["26T00", "26T06", "26T12", "26T16", "26T20"]


def test_nothing_was_due_before_the_first_schedule_or_without_one() -> None:
    noon = parse_time("2026-01-26T12:00Z")

    assert list(due_slots([], 0, noon)) == []
    assert list(due_slots([schedule(noon, "6h")], 0, noon - 1)) == []
    assert list(due_slots([schedule(noon, "6h")], noon + 1, noon)) == []
    assert schedule_at([schedule(noon, "6h")], noon - 1) is None


def test_a_schedule_that_begins_between_its_slots_is_due_from_its_next_one() -> None:
    start = parse_time("2026-01-26T12:05Z")

    assert next(due_slots([schedule(start, "1h")], 0, start + DAY)) == start + 55 * MINUTE


@given(st.lists(st.tuples(TIMES, st.sampled_from(["1h", "6h", "1d"])), max_size=4), TIMES)
def test_due_slots_rise_and_each_fits_its_schedule(
    starts: list[tuple[int, str]], time: int
) -> None:
    schedules = sorted((schedule(*start) for start in starts), key=lambda s: s.from_slot)

    due = list(due_slots(schedules, time, time + 3 * DAY))

    assert due == sorted(set(due))
    for slot in due:
        in_force = schedule_at(schedules, slot)
        assert in_force is not None
        assert slot % in_force.interval_seconds == 0


def test_slots_do_not_move_with_daylight_saving_time() -> None:
    spring = int(datetime(2026, 3, 28, tzinfo=UTC).timestamp())

    hours = {iso(slot)[11:13] for slot in due_slots([schedule(0, "6h")], spring, spring + 3 * DAY)}

    assert hours == {"00", "06", "12", "18"}
