"""What a look must not be misled by: clocks that jump, slots that wait, rules that come and go."""

from __future__ import annotations

import os
from pathlib import Path

from coinlog.alerts.drift_rule import Drift
from coinlog.alerts.market_rules import Price
from coinlog.alerts.recorder_rules import Database, Disk, Failing, Missed
from coinlog.attempts import slot_name
from coinlog.slots import DAY, HOUR, MINUTE, iso
from market import put_attempt
from ringing import AFTER, Makes
from samples import SLOT, STEP, listings_body


def nth(number: int) -> int:
    return SLOT + number * STEP


def test_a_clock_that_was_a_year_ahead_silences_nothing(makes: Makes) -> None:
    ringing = makes([Failing(), Missed()])
    ringing.at(nth(0))
    ringing.at(nth(1), status=401)
    ringing.desk.now = nth(1) + 365.0 * DAY
    assert ringing.ring() == [f"coinlog: slot {iso(nth(2))} was missed"]

    assert ringing.at(nth(2)) == [
        f"coinlog: recording again since slot {iso(nth(2))}",
        f"coinlog: slots are recorded again since {iso(nth(2))}",
    ]
    assert ringing.at(nth(3), status=401) == [f"coinlog: slot {iso(nth(3))} failed: wrong_key"]


def test_what_a_clock_that_was_ahead_has_told_is_not_there_until_then(makes: Makes) -> None:
    ringing = makes([Missed()])
    ringing.at(nth(0))
    # By a clock that is 12 hours ahead, two slots are missed and the third is recorded.
    assert len(ringing.at(nth(3))) == 2

    # Nothing is recorded until that slot, so as not to be told of it again.
    ringing.at(nth(1))
    assert ringing.later(nth(1)) == []
    assert ringing.later(nth(2)) == [f"coinlog: slot {iso(nth(2))} was missed"]
    assert ringing.at(nth(3)) == [f"coinlog: slots are recorded again since {iso(nth(3))}"]


def test_an_incident_of_a_time_to_come_hides_none_of_now(makes: Makes) -> None:
    ringing = makes([Failing()])
    ringing.at(nth(0))
    assert len(ringing.at(nth(5), status=401)) == 1

    assert ringing.at(nth(1), status=401) == [f"coinlog: slot {iso(nth(1))} failed: wrong_key"]
    assert ringing.at(nth(2)) == [f"coinlog: recording again since slot {iso(nth(2))}"]
    assert ringing.at(nth(5)) == [f"coinlog: recording again since slot {iso(nth(5))}"]


def test_an_answer_that_cannot_be_read_says_nothing_of_its_shape(makes: Makes) -> None:
    ringing = makes([Drift()])
    for number in range(3):
        told = ringing.at(nth(number), keys={"moon": 1} if number else {})
    assert told == [f"coinlog: the source's answers keep the same shape since slot {iso(nth(2))}"]
    assert len(ringing.at(nth(3), keys={"sun": 1})) == 1

    ringing.record(nth(4))
    archive = ringing.desk.archive
    for path in list(archive.objects.paths(f"captures/{slot_name(nth(4))}/")):
        archive.objects.remove(path)
    assert ringing.ring([nth(4)]) == []
    assert len(ringing.at(nth(5))) == 1


def test_an_incident_is_sent_in_the_order_in_which_it_went(makes: Makes) -> None:
    ringing = makes([Failing()])
    for number, status in enumerate([500, 401, 200]):
        ringing.record(nth(number), status=status)

    assert ringing.ring([nth(0), nth(1), nth(2)]) == [
        f"coinlog: slot {iso(nth(0))} failed: server_error",
        f"coinlog: slot {iso(nth(1))} failed: wrong_key",
        f"coinlog: recording again since slot {iso(nth(2))}",
    ]


def test_slots_that_wait_to_be_loaded_are_not_missed_and_are_looked_at_when_they_are(
    makes: Makes,
) -> None:
    ringing = makes([Missed(), Price(asset=1, above=100), Failing()])
    ringing.at(nth(0), price=90)
    for number, said in enumerate([{"price": 90}, {"price": 110}, {"status": 401}], 1):
        ringing.capture(nth(number), **said)
    # By then they are long late, another is really missed, and only the first is loaded.
    ringing.desk.now = nth(5) - 1.0
    assert ringing.ring(ringing.load(until=nth(1))) == [f"coinlog: slot {iso(nth(4))} was missed"]

    ringing.load()
    assert ringing.ring() == [
        "coinlog: Asset 1 (A1, id 1) is above 100 USD: 110 USD",
        f"coinlog: slot {iso(nth(3))} failed: wrong_key",
    ]
    assert ringing.ring() == []


def test_what_is_loaded_after_later_slots_were_looked_at_is_news_all_the_same(makes: Makes) -> None:
    ringing = makes([Price(asset=1, above=150)])
    ringing.at(nth(0))
    ringing.at(nth(2))
    body = listings_body((1, 1027), nth(1) + AFTER, 200.0)
    put_attempt(ringing.desk.archive, nth(1), body=body)

    assert ringing.ring(ringing.load()) == [
        "coinlog: Asset 1 (A1, id 1) is above 150 USD: 200 USD",
        "coinlog: Asset 1 (A1, id 1) is no longer above 150 USD: 100.5 USD",
    ]


def test_a_rule_that_was_out_of_the_file_for_days_begins_anew(makes: Makes) -> None:
    both = [Price(asset=1, above=100), Missed()]
    ringing = makes([*both, Failing()])
    assert len(ringing.at(nth(0), price=110)) == 1
    ringing.bell = ringing.new_bell([Failing()])
    for number in [*range(1, 5), *range(6, 18)]:
        assert ringing.at(nth(number), price=110) == []

    ringing.bell = ringing.new_bell(both)
    high = "coinlog: Asset 1 (A1, id 1) is above 100 USD: 110 USD"
    assert ringing.at(nth(18), price=110) == [high]
    assert ringing.at(nth(19), price=90) == [
        high.replace("is", "is no longer").replace("110", "90")
    ]


def test_a_recorder_that_was_off_for_days_is_none_whose_rules_were_out_of_the_file(
    makes: Makes,
) -> None:
    ringing = makes([Price(asset=1, above=100), Missed()])
    for number in range(4):
        ringing.at(nth(number), price=110)
    # It was killed before the last slots were looked at.
    ringing.record(nth(4), price=110)
    ringing.record(nth(5), price=110)

    assert ringing.at(nth(50), price=110) == [
        f"coinlog: slot {iso(nth(6))} was missed",
        f"coinlog: slots are recorded again since {iso(nth(50))}",
    ]


def test_a_database_that_is_away_for_a_moment_is_not_told(makes: Makes) -> None:
    ringing = makes([Database(minutes=15)])
    ringing.at(nth(0))
    ringing.at(nth(1), lacking=True)
    ringing.desk.now = nth(1) + 5.0 * HOUR
    with ringing.store_away():
        assert ringing.ring() == []
        ringing.desk.now += 14 * MINUTE
        assert ringing.ring() == []
    assert ringing.ring() == []
    with ringing.store_away():
        ringing.desk.now += 2 * MINUTE
        assert ringing.ring() == []


def test_a_slot_that_waits_by_plan_tells_of_a_database_only_once_it_has_been_away(
    makes: Makes,
) -> None:
    ringing = makes([Database(minutes=15)])
    ringing.at(nth(0))
    ringing.capture(nth(1))
    ringing.desk.now += HOUR
    with ringing.store_away():
        assert ringing.ring() == []
        ringing.desk.now += 16 * MINUTE
        assert ringing.ring() == [f"coinlog: the database is away since slot {iso(nth(1))}"]


def test_rules_set_up_while_the_database_is_away_call_nothing_of_before_waiting(
    makes: Makes,
) -> None:
    ringing = makes([])
    ringing.at(nth(0))
    ringing.at(nth(1))
    ringing.rules = [Database(minutes=15)]
    with ringing.store_away():
        assert ringing.ring() == ringing.later(nth(1)) == []


def test_a_database_is_back_once_what_waited_is_loaded_not_with_the_next_slot(
    makes: Makes,
) -> None:
    ringing = makes([Database(minutes=15)])
    ringing.at(nth(0))
    with ringing.store_away():
        assert ringing.record(nth(1)).trouble
        assert ringing.ring() == []
        ringing.desk.now += 2 * HOUR
        assert ringing.ring() == [f"coinlog: the database is away since slot {iso(nth(1))}"]

    over = f"coinlog: nothing waits for the database any more, up to slot {iso(nth(1))}"
    assert ringing.ring(ringing.load()) == [over]


def test_what_is_loaded_late_by_plan_is_not_called_a_database_that_is_away(makes: Makes) -> None:
    ringing = makes([Database(minutes=15)])
    ringing.at(nth(0))
    for number in range(1, 3):
        ringing.capture(nth(number))
        ringing.desk.now += HOUR
        assert ringing.ring(ringing.load()) == [
            f"coinlog: slot {iso(nth(number))} waited 60 min for the database",
            f"coinlog: nothing waits for the database any more, up to slot {iso(nth(number))}",
        ]


def test_a_disk_that_fills_up_between_two_slots_is_told_with_and_without_the_database(
    makes: Makes,
) -> None:
    ringing = makes([Disk(free_mb=1000)])
    ringing.at(nth(0))
    ringing.desk.now += HOUR
    ringing.free_mb = {"/data": 900.0}
    assert ringing.ring() == ["coinlog: the disk is nearly full: 900 MB free"]
    with ringing.store_away():
        ringing.desk.now += HOUR
        ringing.free_mb = {"/data": 2000.0}
        assert ringing.ring() == ["coinlog: the disk has room again: 2,000 MB free"]
        ringing.desk.now += HOUR
        ringing.free_mb = {"/data": 900.0}
        assert len(ringing.ring()) == 1
    assert ringing.ring() == []


def test_what_goes_on_for_months_does_not_expire_in_a_bucket(makes: Makes, own_world: Path) -> None:
    ringing = makes([Price(asset=1, above=100)])
    assert len(ringing.at(nth(0), price=110)) == 1
    file = own_world / f"archive/alerts/{slot_name(nth(0))}-{ringing.rules[0].key}-fired.json"
    left = file.read_bytes()
    os.utime(file, (0, 0))
    for number in range(0, 50, 5):
        assert ringing.at(nth(number), price=110) == []

    assert file.stat().st_mtime > 0
    assert file.read_bytes() == left
