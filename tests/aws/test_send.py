"""Alerts: each is published once, however often and by however many they are looked for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import boto3
import msgspec
import pytest
import sqlalchemy as sa

from coinlog.alerts.delivering import CLAIM_SECONDS
from coinlog.alerts.left import alert_paths
from coinlog.alerts.marks import Sent
from coinlog.archive import Archive
from coinlog.aws import load, send
from coinlog.errors import AlertError, EventError, SettingError
from coinlog.slots import iso
from lambdas import Context, Topic, s3
from market import put_attempt
from receivers import SECRET, Receiver
from samples import STEP

_numbers = count(1)


@pytest.fixture
def topic(function: pytest.MonkeyPatch) -> Topic:
    made = Topic(f"alerts-{next(_numbers)}")
    function.setenv("COINLOG_ALERT_TOPIC", made.arn)
    return made


@pytest.fixture
def alert(database: sa.URL, archive: Archive, now_slot: int) -> str:
    """Leave an alert about the slot before this one; return its path."""
    del database
    put_attempt(archive, now_slot - STEP, body=b"damaged")
    load.handler({}, Context())
    return next(archive.objects.paths("alerts/"))


def test_an_alert_and_its_recovery_are_published_once_each(
    topic: Topic, archive: Archive, alert: str, now_slot: int
) -> None:
    assert send.handler(s3(f"ours/{alert}"), Context())["sent"] == [alert]
    assert topic.subjects() == [f"coinlog: slot {iso(now_slot - STEP)} failed: broken_answer"]

    put_attempt(archive, now_slot)
    load.handler({}, Context())
    for event in (s3("ours/alerts/x"), {}, s3("ours/alerts/sent/x")):
        send.handler(event, Context())
    assert topic.subjects() == [f"coinlog: recording again since slot {iso(now_slot)}"]


@pytest.mark.usefixtures("alert")
def test_of_many_at_once_one_publishes(topic: Topic) -> None:
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda _: send.handler({}, Context())["sent"], range(6)))

    assert sorted(map(bool, done)) == [False] * 5 + [True]
    assert len(topic.subjects()) == 1


def test_what_could_not_be_published_is_published_later(
    topic: Topic, alert: str, function: pytest.MonkeyPatch
) -> None:
    function.setenv("COINLOG_ALERT_TOPIC", topic.arn + "-that-is-not-there")
    with pytest.raises(AlertError, match="may publish to it"):
        send.handler({}, Context())

    function.setenv("COINLOG_ALERT_TOPIC", topic.arn)
    assert send.handler({}, Context())["sent"] == [alert]
    assert len(topic.subjects()) == 1


@pytest.mark.parametrize(("age", "published"), [(CLAIM_SECONDS - 20, 0), (CLAIM_SECONDS + 1, 1)])
def test_the_claim_of_a_process_that_died_is_taken_over(
    topic: Topic, archive: Archive, alert: str, age: float, published: int
) -> None:
    mark = alert.replace("alerts/", "alerts/sent/").removesuffix(".json")
    archive.objects.put(mark, msgspec.json.encode(Sent(time.time() - age)))
    send.handler({}, Context())

    assert len(topic.subjects()) == published


def test_without_a_topic_or_with_an_odd_event_nothing_is_sent(function: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingError, match="COINLOG_ALERT_TOPIC is not set"):
        send.handler({}, Context())
    function.setenv("COINLOG_ALERT_TOPIC", "arn:aws:sns:us-east-1:123456789012:none")
    with pytest.raises(EventError, match="expected"):
        send.handler("odd", Context())


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


@pytest.fixture
def parameter(function: pytest.MonkeyPatch, receiver: Receiver) -> str:
    """Put an address into a parameter that the function is told of; return its name."""
    name = f"/coinlog/alert-urls-{next(_numbers)}"
    boto3.client("ssm").put_parameter(Name=name, Value=f"{receiver.url}\n", Type="SecureString")
    function.setenv("COINLOG_ALERT_URLS_PARAMETER", name)
    return name


@pytest.mark.usefixtures("parameter")
def test_an_alert_goes_to_the_topic_and_to_each_address_once(
    topic: Topic, alert: str, receiver: Receiver, now_slot: int
) -> None:
    for _ in range(2):
        send.handler(s3(f"ours/{alert}"), Context())
    subject = f"coinlog: slot {iso(now_slot - STEP)} failed: broken_answer"

    assert topic.subjects() == receiver.subjects == [subject]


def test_an_address_that_is_down_holds_up_no_other_and_gets_it_later(
    topic: Topic, alert: str, receiver: Receiver, parameter: str, capfd: pytest.CaptureFixture[str]
) -> None:
    receiver.status = 500
    with pytest.raises(AlertError, match="did not take the message") as raised:
        send.handler({}, Context())
    assert len(topic.subjects()) == 1
    receiver.status = 200
    assert send.handler({}, Context())["sent"] == [alert]
    assert (topic.subjects(), len(receiver.subjects)) == ([], 1)
    assert SECRET not in f"{raised.value}{''.join(capfd.readouterr())}{parameter}"


def test_what_a_receiver_did_not_take_is_sent_by_the_schedule(
    topic: Topic, alert: str, receiver: Receiver, parameter: str, now_slot: int
) -> None:
    del parameter
    schedule = {"scheduled_time": iso(now_slot)}
    receiver.status = 500
    done = send.handler(schedule, Context())
    assert (done["sent"], len(topic.subjects())) == ([alert], 1)
    assert done["failed"] == ["address 1, JSON at 127.0.0.1, did not take the message (HTTP 500)"]
    receiver.status = 200
    assert send.handler(schedule, Context())["sent"] == [alert]
    assert send.handler(schedule, Context())["sent"] == []
    assert len(receiver.subjects) == 1


@pytest.mark.parametrize("more", ["jsn://typo", "typo"])
def test_an_address_that_cannot_be_used_keeps_no_other_and_no_topic_from_being_told(
    topic: Topic, alert: str, receiver: Receiver, parameter: str, more: str
) -> None:
    boto3.client("ssm").put_parameter(
        Name=parameter, Value=f"{receiver.url}\n{more}\n", Type="SecureString", Overwrite=True
    )
    with pytest.raises(AlertError) as raised:
        send.handler(s3(f"ours/{alert}"), Context())

    assert receiver.url not in str(raised.value)
    assert "COINLOG_ALERT_URLS_PARAMETER: address 2" in str(raised.value)
    assert (len(topic.subjects()), len(receiver.subjects)) == (1, 1)


def test_a_parameter_that_cannot_be_used_keeps_no_topic_from_being_told(
    topic: Topic, alert: str, receiver: Receiver, parameter: str
) -> None:
    boto3.client("ssm").put_parameter(
        Name=parameter, Value="typo", Type="SecureString", Overwrite=True
    )
    with pytest.raises(AlertError, match="number 1 is no address"):
        send.handler(s3(f"ours/{alert}"), Context())

    assert (len(topic.subjects()), receiver.asked) == (1, 0)


@pytest.mark.usefixtures("parameter")
def test_nothing_is_begun_that_could_not_be_marked_in_time(
    topic: Topic, alert: str, receiver: Receiver
) -> None:
    done = send.handler(s3(f"ours/{alert}"), Context(seconds=25.0))

    assert done["sent"] == []
    assert (topic.subjects(), receiver.asked) == ([], 0)


def test_rules_lie_in_the_bucket_and_take_the_place_of_the_usual_ones(
    database: sa.URL, archive: Archive, now_slot: int
) -> None:
    del database
    archive.objects.put("alerts.toml", b"[[price]]\nasset = 1\nabove = 100\n")
    put_attempt(archive, now_slot - STEP, body=b"damaged")
    put_attempt(archive, now_slot)
    assert load.handler({}, Context())["alerts"] == 1
    assert [path.split("-")[1] for path in alert_paths(archive)] == ["price"]


@pytest.mark.parametrize(
    "rules",
    [
        "[recorder]\nfaling = true\n",
        f"[[price]]\nasset = 1\nabove = 1{'0' * 310}\n",
        f"[[price]]\nasset = 1\nabove = 1{'0' * 5000}\n",
    ],
)
def test_rules_that_cannot_be_used_are_told_once_and_the_usual_ones_hold(
    database: sa.URL, topic: Topic, archive: Archive, now_slot: int, rules: str
) -> None:
    del database
    archive.objects.put("alerts.toml", rules.encode())
    put_attempt(archive, now_slot - STEP, body=b"damaged")
    for _ in range(2):
        load.handler({}, Context())
        send.handler({}, Context())

    assert topic.subjects() == [
        "coinlog: alerts.toml cannot be used",
        f"coinlog: slot {iso(now_slot - STEP)} failed: broken_answer",
    ]
