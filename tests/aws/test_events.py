"""Events: whose time counts, and that nothing odd is taken for one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from coinlog.aws.events import event_slot, object_keys, scheduled_time
from coinlog.errors import EventError
from coinlog.slots import HOUR, MINUTE
from lambdas import s3
from samples import SLOT, STEP

CONSOLE = {"key1": "value1", "key2": "value2", "key3": "value3"}
RULE = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-01-26T19:37:12Z",
    "region": "eu-west-1",
    "resources": ["arn:aws:events:eu-west-1:123456789012:rule/coinlog"],
    "detail": {},
}


def scheduler(time: object) -> dict[str, object]:
    return {"scheduled_time": time, "execution_id": "d32c5kddcf5bb8c3", "attempt": "1"}


ON_A_BUS = {
    "detail-type": "Object Created",
    "source": "aws.s3",
    "time": "2026-01-26T18:00:20Z",
    "detail": {"bucket": {"name": "coinlog"}, "object": {"key": "alerts/x.json"}},
}


@pytest.mark.parametrize("event", [{}, CONSOLE])
def test_a_test_from_the_console_means_now(event: dict[str, str]) -> None:
    assert scheduled_time(event) is None
    assert event_slot(event, STEP, SLOT + 4321.5) == SLOT


@pytest.mark.parametrize("time", ["2026-01-26T18:00:00Z", "2026-01-26T18:00:00.000+00:00"])
@pytest.mark.parametrize("now", [SLOT - 59.0, SLOT + 5.0, SLOT + 3 * STEP])
def test_a_slot_is_the_schedules_own_time_and_never_now(time: str, now: float) -> None:
    assert event_slot(scheduler(time), STEP, now) == SLOT


def test_a_hand_made_rate_is_floored_to_the_interval() -> None:
    assert event_slot(RULE, STEP, SLOT + 2 * HOUR) == SLOT
    assert event_slot(RULE, 5 * MINUTE, SLOT + 2 * HOUR) == SLOT + 95 * MINUTE


def test_a_slot_of_a_time_to_come_is_refused() -> None:
    with pytest.raises(EventError, match="expected one that is due"):
        event_slot(scheduler("2026-01-26T18:00:00Z"), STEP, SLOT - 121.0)


def waited(*events: object) -> dict[str, object]:
    """Return the event of a queue in which others have waited."""
    return {
        "Records": [
            {"messageId": "1", "eventSource": "aws:sqs", "body": json.dumps(event)}
            for event in events
        ]
    }


def test_objects_are_named_as_they_are_called_in_the_bucket() -> None:
    assert object_keys(s3("a/captures%2F2026+01/x.json", "%C3%B1")) == [
        "a/captures/2026 01/x.json",
        "ñ",
    ]
    assert object_keys(ON_A_BUS) == ["alerts/x.json"]
    assert object_keys(waited(ON_A_BUS, s3("a+b"), ON_A_BUS)) == [
        "alerts/x.json",
        "a b",
        "alerts/x.json",
    ]
    assert scheduled_time(waited(ON_A_BUS)) is None
    assert object_keys({"Service": "Amazon S3", "Event": "s3:TestEvent"}) == []
    assert [object_keys(event) for event in ({}, CONSOLE, RULE)] == [[], [], []]


ODD: dict[str, object] = {
    "nothing": None,
    "text": "now",
    "list": [{"scheduled_time": "2026-01-26T18:00:00Z"}],
    "number": 1,
    "a misspelt name": {"scheduledTime": "2026-01-26T18:00:00Z"},
    "a web request": {"httpMethod": "GET", "path": "/"},
    "the placeholder": scheduler("<aws.scheduler.scheduled-time>"),
    "no time": scheduler(""),
    "null": scheduler(None),
    "a number": scheduler(1769450400),
    "true": scheduler(time=True),
    "a list for a time": {"time": ["2026-01-26T18:00:00Z"]},
    "before there was a market": scheduler("1999-01-01T00:00:00Z"),
    "the year 9999": scheduler("9999-12-31T23:59:59Z"),
    "digits without end": scheduler("9" * 5000),
    "SQL": {"time": "'; DROP TABLE quote; --"},
    "new objects": s3("captures/20260126T180000Z/1/manifest.json"),
    "a key that is no key": {"key1": "value1", "key2\n": "value2"},
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_event_is_refused_with_what_is_expected(name: str) -> None:
    with pytest.raises(EventError, match="expected") as refused:
        event_slot(ODD[name], STEP, SLOT + 5.0)

    assert len(str(refused.value)) < 600
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "records",
    [[{}], [None], ["x"], [{"s3": {"object": {}}}], [{"s3": {"object": {"key": 7}}}], [{"s3": []}]],
)
def test_records_that_are_not_of_s3_are_refused(records: list[Any]) -> None:
    with pytest.raises(EventError, match="not of S3"):
        object_keys({"Records": records})


@pytest.mark.parametrize("body", ["", "now", "[]", "[" * 5000, None, 7, '{"scheduledTime": "x"}'])
def test_messages_that_are_no_events_are_refused(body: object) -> None:
    with pytest.raises(EventError, match="cannot be used: expected"):
        object_keys({"Records": [{"eventSource": "aws:sqs", "body": body}]})
