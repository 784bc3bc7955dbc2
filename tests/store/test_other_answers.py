"""What is told twice, late or by a wrong clock: the first answer stands and nothing is lost."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import msgspec
import pytest

import cmc_server
from cmc_server import CMCServer, Reply
from coinlog.attempts import AttemptKey
from coinlog.capturing import current_slot
from coinlog.errors import NotCurrentSlotError
from coinlog.loading import sweep
from coinlog.market import SourceKind
from coinlog.slots import DAY, HOUR, Schedule, due_slots, floor_slot, iso, parse_time
from coinlog.store import schema
from market import LISTINGS, Desk, put_attempt
from samples import SLOT, STEP, listings_body


def test_another_answer_to_a_stored_slot_is_kept_counted_and_changes_nothing(desk: Desk) -> None:
    for name, price in (("1", 1.0), ("2", 2.0)):
        put_attempt(desk.archive, SLOT, name, body=listings_body([1, 1027], SLOT + 12, price))
    list(sweep(desk.engine, desk.archive, clock=desk.clock))

    first, second = (desk.archive.manifest(AttemptKey(SLOT, name)) for name in ("1", "2"))
    (row,) = desk.mappings(schema.slot)
    assert {row["price"] for row in desk.mappings(schema.quote)} == {1.0}
    assert first[0].answers[0].sha256 != second[0].answers[0].sha256
    assert (row["attempt"], row["attempts"], row["sha256"]) == ("1", 2, first[1])
    assert {one["sha256"] for one in desk.mappings(schema.attempt)} == {first[1], second[1]}
    for name, price in (("1", 1.0), ("2", 2.0)):
        key = AttemptKey(SLOT, name)
        (kept,) = list(desk.archive.answers(key, desk.archive.manifest(key)[0]))
        assert kept.body == listings_body([1, 1027], SLOT + 12, price)


@pytest.mark.parametrize("hours", [-3, 3])
@pytest.mark.parametrize("interval", [HOUR, STEP])
def test_a_clock_hours_off_files_nothing_into_a_wrong_slot(
    desk: Desk, source: CMCServer, hours: int, interval: int
) -> None:
    true = SLOT + 5.0
    date = datetime.fromtimestamp(true, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    source.on(LISTINGS, Reply(listings_body([1, 1027], true), headers={"Date": date}))
    desk.plan = msgspec.structs.replace(desk.plan, interval_seconds=interval)
    desk.now = true + hours * HOUR
    slot = current_slot(desk.plan, desk.now, None)
    desk.record(slot)

    (row,) = desk.mappings(schema.slot)
    if slot == floor_slot(true, interval):
        assert (row["outcome"], row["slot"], row["observed_at"]) == ("stored", SLOT, true)
    else:
        assert (row["outcome"], row["reason"]) == ("failed", "clock_skew")
        assert desk.mappings(schema.quote) == []


def test_a_minute_before_a_slot_is_the_slot_before(desk: Desk) -> None:
    early = SLOT - 59.0

    assert current_slot(desk.plan, early, None) == SLOT - STEP
    with pytest.raises(NotCurrentSlotError):
        current_slot(desk.plan, early, SLOT)


def test_three_times_are_kept_of_each_slot(desk: Desk, source: CMCServer) -> None:
    source.on(LISTINGS, Reply(listings_body([1, 1027], SLOT - 1200 + 5)))
    desk.record()

    (row,) = desk.mappings(schema.slot)
    assert row["outcome"] == "stored"
    assert (row["observed_at"], row["captured_at"]) == (SLOT - 1195, SLOT + 5)
    assert row["stored_at"] == SLOT + 5


@pytest.mark.parametrize("zone", ["Europe/Madrid", "America/Bogota", "Australia/Lord_Howe"])
@pytest.mark.parametrize("night", ["2026-03-29", "2026-10-25", "2026-04-05", "2026-10-04"])
def test_slots_are_the_same_in_every_zone_on_nights_when_clocks_change(
    monkeypatch: pytest.MonkeyPatch, zone: str, night: str
) -> None:
    def told() -> list[object]:
        at = parse_time(f"{night}T00:00")
        hourly = Schedule(at - DAY, HOUR, "top:5", SourceKind.COINMARKETCAP)
        due = due_slots([hourly], at - DAY, at + DAY)
        return [at, *[(slot, iso(slot), floor_slot(slot + 59, HOUR)) for slot in due]]

    expected = told()
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert time.tzname[0] != "UTC"
        assert told() == expected
    finally:
        monkeypatch.undo()
        time.tzset()
    assert len(expected) > 2 * 24


def test_a_rate_limit_without_end_costs_four_requests_a_slot(desk: Desk, source: CMCServer) -> None:
    source.on(LISTINGS, cmc_server.error_reply(429, 1008, "too fast"))
    desk.record()

    (row,) = desk.mappings(schema.slot)
    assert (row["outcome"], row["reason"], row["credits"]) == ("failed", "rate_limited", 0)
    assert len(source.requests) <= 4
