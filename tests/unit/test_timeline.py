"""Where a line breaks and why, and which points a thinned one keeps: without a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from coinlog.gaps import Gap, find_gaps
from coinlog.market import SourceKind
from coinlog.series import Series, buckets_for, thinned, thinned_alike
from coinlog.slots import DAY, HOUR, Schedule
from coinlog.store.reader import Columns
from coinlog.store.thinned import Thinning, keep_of, kept, resolution_of
from coinlog.timeline import Timeline, Window, drawn_at, widest_step

STEP = 6 * HOUR
SCHEDULE = Schedule(0, STEP, "top:2", SourceKind.COINMARKETCAP)
NO_REFUSALS: Mapping[int, str] = {}


def timeline(
    over: Sequence[int], failed: Mapping[int, str] | None = None, absent: Sequence[int] = ()
) -> Timeline:
    """Return what the ledger says where ``over`` are due and ``absent`` have no row."""
    failed = dict(failed or {})
    observed = {slot: slot + 12 for slot in over if slot not in failed and slot not in absent}
    every = list(over)
    return Timeline(
        Window(0, 10 * DAY),
        observed,
        failed,
        every,
        drawn_at(observed, every),
        widest_step(every),
        (SCHEDULE,),
    )


def columns(slots: Sequence[int], resolutions: int | Sequence[int] = STEP) -> Columns:
    steps = [resolutions] * len(slots) if isinstance(resolutions, int) else list(resolutions)
    return Columns(list(slots), ["observed"] * len(slots), steps, {"price": [1.0] * len(slots)})


def gaps(found: Columns, said: Timeline, refusals: Mapping[int, str] = NO_REFUSALS) -> list[Gap]:
    return find_gaps(found, said, lambda: refusals)


def test_a_complete_line_has_no_gap_and_asks_for_no_reasons() -> None:
    slots = [STEP, 2 * STEP, 3 * STEP]

    def never() -> Mapping[int, str]:
        raise AssertionError("nobody needs to know")

    assert find_gaps(columns(slots), timeline(slots), never) == []


def test_one_missed_slot_is_a_break() -> None:
    over = [STEP, 2 * STEP, 3 * STEP]

    found = gaps(columns([STEP, 3 * STEP]), timeline(over, absent=[2 * STEP]))

    assert found == [Gap(2 * STEP, 3 * STEP, "missed")]


def test_a_year_of_daily_backfill_is_a_line() -> None:
    days = [DAY * number for number in range(1, 366)]

    assert gaps(columns(days, DAY), timeline([])) == []


def test_backfill_across_missed_slots_mends_the_line() -> None:
    over = [STEP * number for number in range(1, 9)]

    found = gaps(
        columns([STEP, 4 * STEP, 8 * STEP], [STEP, DAY, DAY]), timeline(over, absent=over[1:7])
    )

    assert found == []


def test_points_further_apart_than_any_schedule_explains_are_a_break_where_nothing_was_due() -> (
    None
):
    found = gaps(columns([DAY, 3 * DAY], DAY), timeline([]))

    assert found == [Gap(2 * DAY, 3 * DAY, "not_due")]


def test_the_reason_of_one_slot_is_not_that_of_all_the_time_around_it() -> None:
    # As after an import: nothing of it was due, and one of its slots could not be used.
    over = [0, STEP, 2 * STEP, 40 * STEP, 41 * STEP, 99 * STEP]
    said = timeline(over, failed={40 * STEP: "broken_answer"})
    said = msgspec.structs.replace(said, schedules=())

    found = gaps(columns([0, STEP, 2 * STEP, 41 * STEP, 99 * STEP]), said)

    assert found == [
        Gap(3 * STEP, 40 * STEP, "not_due"),
        Gap(40 * STEP, 41 * STEP, "broken_answer"),
        Gap(42 * STEP, 99 * STEP, "not_due"),
    ]


def test_a_change_to_a_shorter_interval_is_no_break() -> None:
    slots = [STEP, 2 * STEP, 2 * STEP + HOUR, 2 * STEP + 2 * HOUR]

    assert gaps(columns(slots, [STEP, STEP, HOUR, HOUR]), timeline(slots)) == []


def test_what_was_before_the_first_point_is_a_gap_with_its_reason() -> None:
    over = [STEP, 2 * STEP, 3 * STEP]

    assert gaps(columns([3 * STEP]), timeline(over)) == [Gap(STEP, 3 * STEP, "not_listed")]


def test_an_asset_without_any_point_is_one_gap() -> None:
    over = [STEP, 2 * STEP]

    assert gaps(columns([]), timeline(over)) == [Gap(STEP, 3 * STEP, "not_listed")]


def test_neighbouring_reasons_are_neighbouring_gaps() -> None:
    over = [STEP * number for number in range(1, 7)]
    said = timeline(over, failed={2 * STEP: "quota", 3 * STEP: "quota"}, absent=[4 * STEP])

    found = gaps(columns([STEP, 6 * STEP]), said, {5 * STEP: "refused"})

    assert found == [
        Gap(2 * STEP, 4 * STEP, "quota"),
        Gap(4 * STEP, 5 * STEP, "missed"),
        Gap(5 * STEP, 6 * STEP, "refused"),
    ]


values = st.lists(
    st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
    min_size=1,
    max_size=300,
)


def line(column: Sequence[float | None], gaps: Sequence[Gap] = ()) -> Series:
    slots = list(range(len(column)))
    return Series(slots, slots, ["observed"] * len(column), {"price": list(column)}, list(gaps))


@given(values, st.integers(10, 200))
def test_a_thinned_line_keeps_its_extremes_its_ends_and_its_order(
    column: list[float | None], points: int
) -> None:
    found = thinned(line(column), points)

    known = [value for value in column if value is not None]
    left = [value for value in found.fields["price"] if value is not None]
    assert found.slots == sorted(set(found.slots))
    assert {0, len(column) - 1} <= set(found.slots)
    if known:
        assert (min(left), max(left)) == (min(known), max(known))


@given(values, st.integers(10, 60))
def test_every_stretch_of_a_thinned_line_keeps_its_own_extremes(
    column: list[float | None], points: int
) -> None:
    kept = set(thinned(line(column), points).slots)
    width = buckets_for(0, len(column) - 1, points, 1).width

    for start in range(0, len(column), width):
        stretch = range(start, min(start + width, len(column)))
        known = [value for index in stretch if (value := column[index]) is not None]
        left = [
            value for index in stretch if index in kept and (value := column[index]) is not None
        ]
        assert not known or (min(left), max(left)) == (min(known), max(known))


@given(st.integers(10, 500), st.integers(10, 100), st.integers(1, 3))
def test_a_series_is_thinned_to_no_more_than_was_asked(
    length: int, points: int, fields: int
) -> None:
    slots = list(range(length))
    named: dict[str, list[Any]] = {
        f"field {number}": [(slot * 37 + number) % 101 for slot in slots]
        for number in range(fields)
    }
    series = Series(slots, slots, ["observed"] * length, named, [])

    found = thinned(series, points)

    assert len(found.slots) <= max(points, 2 * fields + 2)
    assert found.sampled == (length > points)


def test_of_equal_extremes_the_first_stays() -> None:
    found = thinned(line([5.0, 1.0, 9.0, 1.0, 9.0, *[5.0] * 95]), 10)

    assert found.slots[:4] == [0, 1, 2, 34]


def test_a_thinned_line_keeps_the_points_beside_its_gaps() -> None:
    slots = [slot for slot in range(1000) if not 500 <= slot < 503]
    wave = [float(slot % 50) for slot in slots]
    gap = Gap(500, 503, "missed")
    series = Series(slots, slots, ["observed"] * len(slots), {"price": wave}, [gap])

    found = thinned(series, 40)

    assert {499, 503} <= set(found.slots)
    assert len(found.slots) <= 40


def test_lines_are_thinned_at_the_same_slots() -> None:
    rising, falling = (line([float(sign * slot) for slot in range(500)]) for sign in (1, -1))

    found = thinned_alike([rising, falling], 40)

    assert found[0].slots == found[1].slots
    assert len(found[0].slots) <= 40


def thinned_timeline(over: Sequence[int], keep: int, absent: Sequence[int] = ()) -> Timeline:
    thinnings = (Thinning(0, 100 * DAY, keep),)
    return msgspec.structs.replace(timeline(over, absent=absent), thinnings=thinnings)


def test_a_thinned_stretch_has_no_gap() -> None:
    over = [STEP * number for number in range(40)]
    days = list(range(0, 10 * DAY, DAY))

    assert gaps(columns(days, DAY), thinned_timeline(over, DAY)) == []
    assert gaps(columns([9 * DAY + 3 * STEP]), thinned_timeline(over, 0)) == []


def test_what_was_missed_in_a_thinned_stretch_stays_a_gap() -> None:
    over = [STEP * number for number in range(16)]
    missed = over[3:9]

    found = gaps(columns([0, DAY * 2 + STEP, DAY * 3], DAY), thinned_timeline(over, DAY, missed))

    assert found == [Gap(missed[0], DAY * 2 + STEP, "missed")]


def test_whole_days_without_an_asset_stay_a_gap_where_days_were_kept() -> None:
    over = [STEP * number for number in range(24)]

    found = gaps(columns([0, DAY, 4 * DAY, 5 * DAY], DAY), thinned_timeline(over, DAY))

    assert found == [Gap(2 * DAY, 4 * DAY, "not_listed")]


def test_only_slots_before_the_choice_count_as_thinned() -> None:
    thinnings = [Thinning(9, 10 * DAY, DAY), Thinning(10, 5 * DAY, 0), Thinning(11, 8 * DAY, HOUR)]

    assert [kept(slot, thinnings) for slot in (10 * DAY - 1, 10 * DAY)] == [False, True]
    assert [keep_of(day * DAY, thinnings) for day in (4, 5, 9, 10)] == [0, DAY, DAY, None]
    assert [resolution_of(day * DAY, STEP, thinnings) for day in (9, 10)] == [DAY, STEP]
