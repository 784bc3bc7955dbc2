"""What is tried again and what is not: by whom it may have been taken, and who waits for whom."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import pytest

from coinlog.alerts.delivering import DOUBTFUL_PAUSES, Deliverer, Delivery, kept_seconds
from coinlog.alerts.left import Alert, leave_alert
from coinlog.alerts.recorder_rules import Failing
from coinlog.alerts.targets import Target, open_targets
from coinlog.archive import Archive, open_archive
from coinlog.slots import DAY, HOUR, MINUTE
from receivers import Receiver
from ringing import Makes
from samples import SLOT
from waiting import until


@pytest.fixture
def archive() -> Archive:
    made = open_archive("memory://")
    leave(made, "20260126T180000Z-failing-fired", "one")
    return made


def leave(archive: Archive, name: str, subject: str) -> None:
    alert = Alert(f"coinlog: {subject}", "Something.", float(SLOT), SLOT)
    assert leave_alert(archive, f"alerts/{name}.json", alert)


def targets_at(*urls: str) -> list[Target]:
    return open_targets(urls, "COINLOG_ALERT_URLS")


def deliver(archive: Archive, targets: list[Target], now: float = SLOT + 1) -> Delivery:
    """Deliver as a newly started program would."""
    return Deliverer(archive, targets, clock=lambda: now).deliver()


def over_a_day(archive: Archive, targets: list[Target]) -> None:
    for now in range(SLOT + 1, SLOT + DAY, 5 * MINUTE):
        deliver(archive, targets, now)


def test_who_took_it_gets_it_once_though_another_recipient_of_the_address_never_does(
    archive: Archive, receiver: Receiver
) -> None:
    receiver.refused = {"blocked"}
    targets = targets_at(f"{receiver.channels_url}good,blocked,fine")
    [failed] = deliver(archive, targets).failed
    over_a_day(archive, targets)

    assert "for some of its recipients and not for all (HTTP 403)" in failed
    assert sorted(message["channel"] for message in receiver.messages) == ["fine", "good"]


def test_what_no_recipient_of_an_address_took_is_tried_again(
    archive: Archive, receiver: Receiver
) -> None:
    receiver.status = 500
    targets = targets_at(f"{receiver.channels_url}good,fine")
    assert deliver(archive, targets).again_at == SLOT + 1 + 30
    receiver.status = 200
    assert len(deliver(archive, targets, SLOT + 40).sent) == 1

    assert sorted(message["channel"] for message in receiver.messages) == ["fine", "good"]


def test_who_takes_it_and_answers_too_late_gets_it_a_few_times_and_no_more(
    archive: Archive, receiver: Receiver
) -> None:
    receiver.answers_late = True
    receiver.go_on.clear()
    targets = targets_at(f"{receiver.url}?rto=0.05")
    first = deliver(archive, targets)
    over_a_day(archive, targets)

    assert first.failed == ("address 1, JSON at 127.0.0.1, gave no answer in time",)
    assert first.again_at == pytest.approx(SLOT + 1 + DOUBTFUL_PAUSES[0])
    assert receiver.subjects == ["coinlog: one"] * (1 + len(DOUBTFUL_PAUSES))


def test_who_is_down_for_most_of_a_day_gets_it_then(archive: Archive, receiver: Receiver) -> None:
    targets = targets_at(receiver.url)
    receiver.stop()
    for now in range(SLOT + 1, SLOT + DAY - HOUR, HOUR):
        assert deliver(archive, targets, now).sent == ()
    receiver.start()
    assert len(deliver(archive, targets, SLOT + DAY - 1).sent) == 1


def test_an_answer_is_waited_for_nearly_as_long_as_a_message_may_take(receiver: Receiver) -> None:
    [usual, own] = targets_at(receiver.url, f"{receiver.url}?rto=3")

    assert usual.patience == 18
    assert own.patience == 3


def test_an_alert_that_is_refused_holds_up_no_other(archive: Archive, receiver: Receiver) -> None:
    receiver.refused = {"coinlog: one"}
    leave(archive, "20260126T180000Z-missed-fired", "two")
    delivered = deliver(archive, targets_at(receiver.url))

    assert (len(delivered.sent), len(delivered.failed)) == (1, 1)
    assert receiver.subjects == ["coinlog: two"]


def test_what_was_never_tried_goes_before_what_was_refused(
    archive: Archive, receiver: Receiver
) -> None:
    names = ("two", "three", "four", "five")
    receiver.refused = {f"coinlog: {name}" for name in ("one", *names)}
    for number, name in enumerate(names):
        leave(archive, f"202601{number + 27}T180000Z-failing-fired", name)
    targets = targets_at(receiver.url)
    # Three were refused: the rest is left alone for now.
    assert len(deliver(archive, targets).failed) == receiver.asked == 3
    receiver.refused -= {"coinlog: five"}
    deliver(archive, targets, SLOT + HOUR)

    assert receiver.subjects == ["coinlog: five"]


def test_an_incident_is_told_in_its_order(archive: Archive, receiver: Receiver) -> None:
    receiver.refused = {"coinlog: one"}
    leave(archive, "20260126T180000Z-failing-changed-timeout", "then")
    leave(archive, "20260126T180000Z-failing-recovered", "over")
    targets = targets_at(receiver.url)
    deliver(archive, targets)
    assert receiver.subjects == []
    receiver.refused = set()
    deliver(archive, targets, SLOT + HOUR)

    assert receiver.subjects == ["coinlog: one", "coinlog: then", "coinlog: over"]


def test_none_waits_for_one_that_is_slow(archive: Archive, receiver: Receiver) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(Receiver()) for _ in range(3)]
        for one in slow:
            one.go_on.clear()
        targets = targets_at(*(one.url for one in slow), receiver.url)
        at_work = Thread(target=deliver, args=(archive, targets))
        at_work.start()
        until(lambda: receiver.messages, "the message, while three others hang")
        assert [one.messages for one in slow] == [[], [], []]
        for one in slow:
            one.go_on.set()
        at_work.join()
        assert [len(one.messages) for one in slow] == [1, 1, 1]


def test_who_records_once_a_day_tries_again_the_next_day(
    archive: Archive, receiver: Receiver
) -> None:
    targets = targets_at(receiver.url)
    receiver.stop()
    deliver(archive, targets)
    receiver.start()
    tomorrow = SLOT + DAY + 10
    assert deliver(archive, targets, tomorrow).sent == ()
    kept = kept_seconds(DAY)
    daily = Deliverer(archive, targets, kept=kept, clock=lambda: tomorrow).deliver()

    assert len(daily.sent) == 1
    assert kept_seconds(5 * MINUTE) == DAY


def test_of_what_was_written_long_ago_nothing_is_read(own_world: Path, receiver: Receiver) -> None:
    archive = open_archive(str(own_world / "archive"))
    for name, days in (("old", 2), ("new", 0)):
        path = f"alerts/{name}.json"
        leave_alert(archive, path, Alert(f"coinlog: {name}", "Something."))
        file = own_world / "archive" / path
        written = file.stat().st_mtime - days * DAY
        os.utime(file, (written, written))
    Deliverer(archive, targets_at(receiver.url)).deliver()

    assert receiver.subjects == ["coinlog: new"]


def test_what_was_left_is_delivered_though_a_rule_cannot_be_looked_at(
    makes: Makes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("made up for a test")

    ringing = makes([Failing()])
    leave(ringing.desk.archive, "20260126T180000Z-failing-fired", "one")
    ringing.desk.now = SLOT + 1.0
    monkeypatch.setattr("coinlog.alerts.bell.look", fail)

    assert ringing.ring() == ["coinlog: one"]
