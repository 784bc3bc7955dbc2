"""Alerts: each is published once, however often and by however many they are looked for."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import msgspec
import pytest
import sqlalchemy as sa

from coinlog.archive import Archive
from coinlog.aws import load, send
from coinlog.aws.send import CLAIM_SECONDS, Sent
from coinlog.errors import AlertError, EventError, SettingError
from coinlog.slots import iso
from lambdas import Context, Topic, s3
from market import put_attempt
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
