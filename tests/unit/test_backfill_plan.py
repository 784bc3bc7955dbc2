"""Which requests a backfill needs, and what they cost: nothing twice, nothing for nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinlog.backfill.kept import Request
from coinlog.backfill.offer import Offer, reserved_for
from coinlog.backfill.plan import Known, Span, Stretch, credits_of, finest, requests, total
from coinlog.errors import QuotaError
from coinlog.market import Outcome, SourceKind
from coinlog.slots import DAY, HOUR, MINUTE, Schedule, parse_time
from coinlog.sources.key_info import KeyInfo
from coinlog.store.ledger import Head, LedgerRow
from coinlog.store.targets import FEAR_AND_GREED, GLOBAL_METRICS
from samples import STEP, asset

NOW = parse_time("2026-11-24T15:20:00Z")
TODAY = NOW // DAY * DAY
YEAR = Span(TODAY - 364 * DAY, TODAY, DAY, STEP)


def schedule(from_slot: int, interval_seconds: int = STEP) -> Schedule:
    return Schedule(from_slot, interval_seconds, "top:2", SourceKind.COINMARKETCAP)


def planned(span: Span, known: Known, target: str = "asset-1") -> list[Request]:
    about = asset(1) if target == "asset-1" else None
    return list(requests(target, about, span, known))


def stretches(span: Span, known: Known) -> list[tuple[int, int]]:
    return [(one.from_time, one.to_time) for one in planned(span, known)]


def marks(some: list[Request]) -> list[int]:
    return [mark for one in some for mark in range(one.from_time, one.to_time + 1, one.resolution)]


def test_a_year_is_daily_and_its_last_four_weeks_come_as_often_as_slots() -> None:
    daily, fine = Stretch(NOW - 365 * DAY, NOW).spans([schedule(TODAY)], NOW)

    assert (daily.start, daily.resolution) == (TODAY - 364 * DAY, DAY)
    assert (fine.resolution, fine.end) == (STEP, TODAY + 2 * STEP)
    assert fine.start == daily.end + DAY
    assert NOW - 28 * DAY <= fine.start < NOW - 27 * DAY


def test_daily_slots_need_one_span() -> None:
    assert len(Stretch(NOW - 365 * DAY, NOW).spans([schedule(TODAY, DAY)], NOW)) == 1


def test_what_is_fresh_is_not_asked_for_yet() -> None:
    (span,) = Stretch(NOW - DAY, NOW, 5 * MINUTE).spans([schedule(TODAY)], NOW)

    assert span.end == NOW - 15 * MINUTE


def test_each_schedule_has_spans_of_its_own() -> None:
    changed = TODAY - 10 * DAY
    schedules = [schedule(changed - DAY), schedule(changed, HOUR), schedule(TODAY - DAY, HOUR)]

    spans = Stretch(TODAY - 20 * DAY, NOW).spans(schedules, NOW)

    assert [(span.start, span.end, span.resolution, span.interval_seconds) for span in spans] == [
        (TODAY - 20 * DAY, changed - STEP, STEP, STEP),
        (changed, TODAY + 15 * HOUR, HOUR, HOUR),
    ]


@pytest.mark.parametrize(
    ("interval", "source_interval"),
    [(6 * HOUR, 6 * HOUR), (8 * HOUR, 4 * HOUR), (20 * MINUTE, 10 * MINUTE), (MINUTE, 5 * MINUTE)],
)
def test_an_interval_that_the_source_lacks_is_asked_for_in_a_finer_one(
    interval: int, source_interval: int
) -> None:
    assert finest(interval) == source_interval


def test_a_gap_is_asked_for_alone() -> None:
    gap = (TODAY - 100 * DAY, TODAY - 40 * DAY)
    slots = [*range(YEAR.start, gap[0], STEP), *range(gap[1] + DAY, TODAY + DAY, STEP)]

    assert stretches(YEAR, Known(slots)) == [(gap[0] - DAY, gap[1] + DAY)]


def test_only_what_is_nearest_to_a_slot_that_is_lacking_is_asked_for_in_fine_points() -> None:
    span = Span(TODAY - 2 * DAY, TODAY, HOUR, STEP)
    slots = [slot for slot in range(span.start, TODAY + DAY, STEP) if slot != TODAY - DAY]

    assert stretches(span, Known(slots)) == [(TODAY - DAY - 3 * HOUR, TODAY - DAY + 2 * HOUR)]


def test_what_is_observed_between_gaps_is_included_where_that_costs_no_more() -> None:
    near, far = TODAY - 10 * DAY, TODAY - 360 * DAY
    slots = [
        day for day in range(YEAR.start, TODAY + DAY, DAY) if day not in {near, near + 3 * DAY}
    ]

    assert stretches(YEAR, Known(slots)) == [(near - DAY, near + 4 * DAY)]
    slots = [day for day in slots if day != far]
    assert stretches(YEAR, Known(slots)) == [
        (far - DAY, far + DAY),
        (near - DAY, near + 4 * DAY),
    ]


def test_many_points_are_asked_for_in_several_requests() -> None:
    span = Span(TODAY - 10 * DAY, TODAY, 5 * MINUTE, 5 * MINUTE)

    some = planned(span, Known())

    assert [one.most_points for one in some] == [1001, 1001, 882]
    assert total(some) == 11 + 11 + 9


def test_fear_and_greed_costs_one_credit_for_hundreds_of_days() -> None:
    span = Span(TODAY - 600 * DAY, TODAY, DAY, STEP)

    some = planned(span, Known(), FEAR_AND_GREED)

    assert (len(some), total(some)) == (2, 2)
    assert total(planned(span, Known(), GLOBAL_METRICS)) == 7


@given(
    st.lists(st.integers(0, 59), max_size=40),
    st.lists(st.tuples(st.integers(0, 59), st.integers(0, 9), st.sampled_from([HOUR, DAY]))),
)
def test_all_that_is_lacking_is_asked_for_once_and_nothing_that_was_asked(
    observed: list[int], before: list[tuple[int, int, int]]
) -> None:
    span = Span(TODAY - 59 * DAY, TODAY, DAY, STEP)
    seen = sorted(span.start + day * DAY for day in observed)
    asked = [
        (span.start + day * DAY, span.start + (day + days) * DAY, resolution)
        for day, days, resolution in before
    ]

    some = planned(span, Known(seen, asked))

    found = marks(some)
    done = {mark for start, end, _ in asked for mark in range(start, end + 1, DAY)}
    lacking = set(range(span.start, span.end + 1, DAY)) - done - set(seen)
    assert len(found) == len(set(found))
    assert lacking <= set(found)
    assert not done & set(found)
    singly = sum(credits_of(Request("asset-1", None, mark, mark, DAY, STEP)) for mark in lacking)
    assert total(some) <= singly


def test_coarser_answers_do_not_stand_for_finer_ones() -> None:
    span = Span(TODAY - DAY, TODAY, STEP, STEP)

    assert stretches(span, Known(asked=[(span.start, span.end, DAY)])) == [(span.start, span.end)]
    assert stretches(span, Known(asked=[(span.start, span.end, HOUR)])) == []


def offered(left: int | None, reserved: int = 0, today: int | None = None) -> Offer:
    some = [
        Request(f"asset-{number}", asset(number), TODAY - 98 * DAY, TODAY, DAY, STEP)
        for number in (1, 2, 3)
    ]
    info = KeyInfo(None, 50, 15_000, None, left, today, parse_time("2026-12-01"))
    return Offer(some, info, reserved)


def test_credits_that_suffice_are_no_matter_and_unknown_ones_neither() -> None:
    offered(3).check()
    offered(None).check()
    assert (offered(3).credits, offered(3).pause_seconds) == (3, 1.5)


def test_credits_that_do_not_suffice_are_refused_with_how_far_they_reach() -> None:
    with pytest.raises(QuotaError) as told:
        offered(2).check()

    assert str(told.value) == (
        "this takes up to 3 credits, and 2 are left until 2026-12-01T00:00:00Z: they suffice for "
        "--assets top:2; take a shorter --range, or wait until they are renewed"
    )


@pytest.mark.parametrize(
    ("offer", "said"),
    [
        (offered(0), "0 are left until"),
        (offered(100, reserved=98), "2 are left besides 98 for the recorder"),
        (offered(100, today=1), "1 are left"),
    ],
)
def test_what_the_recorder_needs_is_left_to_it(offer: Offer, said: str) -> None:
    with pytest.raises(QuotaError, match=said):
        offer.check()


def test_the_recorder_needs_what_its_newest_slot_cost_until_the_month_is_over() -> None:
    newest = LedgerRow(slot=TODAY, outcome=Outcome.STORED, credits=4)
    head = Head(1, "coinmarketcap", (schedule(TODAY),), newest, newest, TODAY, ())

    def need(resets_at: int | None) -> int:
        return reserved_for(head, KeyInfo(month_resets_at=resets_at), TODAY)

    assert (need(TODAY + 7 * DAY), need(TODAY - DAY), need(None)) == (112, 0, 0)
