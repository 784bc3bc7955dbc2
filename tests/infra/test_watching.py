"""Watching on AWS: what sets off an alarm, what silence means, whom it tells, what is shown."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from aws_templates import Template, template_of, text_of
from coinlog.slots import grace_seconds
from coinlog_infra.sizes import ALARMS
from coinlog_infra.template import Map, target, targets

INTERVALS = {"page": 21_600, "mariadb": 300, "edition-domain": 86_400}

EVERY = {
    "nothing-stored",
    "capture-fails",
    "load-fails",
    "send-fails",
    "dead-letters",
    "database-space",
    "database-memory",
    "database-credits",
}


@pytest.fixture(scope="module")
def page(shapes: Path) -> Template:
    return template_of(shapes, "page")


@pytest.fixture(scope="module")
def edition(shapes: Path) -> Template:
    return template_of(shapes, "edition")


def alarms_of(found: Map) -> dict[str, dict[str, Any]]:
    """Return the alarms by the names that follow the stack's."""
    return {
        alarm["AlarmName"].removeprefix("coinlog-"): dict(alarm)
        for _, alarm in found.of_type("AWS::CloudWatch::Alarm")
    }


def topic_of(found: Map) -> str:
    [(topic, _)] = found.of_type("AWS::SNS::Topic")
    return topic


def test_each_shape_has_its_alarms(page: Template, edition: Template) -> None:
    assert alarms_of(page).keys() == EVERY | {"page-fails", "page-unhealthy"}
    assert alarms_of(edition).keys() == EVERY | {"publishing-unstarted"}
    # The estimate counts the dearer of the two.
    assert len(alarms_of(page)) == ALARMS


@pytest.mark.parametrize("shape", INTERVALS)
def test_no_stored_slot_within_interval_and_grace_is_an_alarm_and_so_is_silence(
    shapes: Path, shape: str
) -> None:
    alarm = alarms_of(template_of(shapes, shape))["nothing-stored"]
    metrics = {one["Id"]: one for one in alarm["Metrics"]}
    period = metrics["stored"]["MetricStat"]["Period"]
    patience = alarm["EvaluationPeriods"] * period
    due = INTERVALS[shape] + grace_seconds(INTERVALS[shape])
    [watched] = [one for one in metrics.values() if "Expression" in one]

    assert alarm["TreatMissingData"] == "breaching"
    # With points missing, CloudWatch looks for older ones: zeros leave it none to look for.
    assert watched["Expression"] == "FILL(stored, 0)"
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]) == alarm["EvaluationPeriods"]
    assert due < patience <= due + 2 * period
    # What CloudWatch takes: a day, or seven with periods of an hour.
    assert patience <= (7 * 86_400 if period >= 3600 else 86_400)


def matches(pattern: str, line: str) -> bool:
    """Return whether a line of a log matches a filter of CloudWatch, as far as ours go."""
    told = json.loads(line)
    conditions = re.findall(r'\$\.(\w+)(?:\[(\d+)\])? = "([^"]*)"', pattern)
    assert " && ".join(f'$.{n}{f"[{i}]" if i else ""} = "{v}"' for n, i, v in conditions) == (
        pattern.strip("{} ")
    )
    for name, index, wanted in conditions:
        found = told.get(name)
        if index:
            found = found[int(index)] if found and len(found) > int(index) else None
        if found is None or wanted not in ("*", found):
            return False
    return True


@pytest.mark.parametrize(
    ("function", "due", "counted"),
    [
        ("load", "2026-11-28T12:00:00Z", True),
        # Old slots alone were caught up with.
        ("load", None, False),
        ("capture", "2026-11-28T12:00:00Z", False),
    ],
)
def test_slots_stored_in_their_time_are_counted_by_what_the_loader_logs(
    page: Template,
    capsys: pytest.CaptureFixture[str],
    function: str,
    due: str | None,
    counted: bool,  # noqa: FBT001  a table's column
) -> None:
    [(_, filtered)] = page.of_type("AWS::Logs::MetricFilter")
    lending = pytest.importorskip("coinlog.aws.lending", reason="the functions are not there yet")

    stored = ["2026-11-28T06:00:00Z", *filter(None, [due])]
    lending.report(function, settled_attempts=1, stored=stored, stored_due=due, unfinished=False)
    [line] = capsys.readouterr().out.splitlines()

    assert matches(filtered["FilterPattern"], line) is counted


def test_the_count_is_what_the_alarm_looks_at(page: Template) -> None:
    [(_, filtered)] = page.of_type("AWS::Logs::MetricFilter")
    [counted] = filtered["MetricTransformations"]
    [metric] = [
        one["MetricStat"]["Metric"]
        for one in alarms_of(page)["nothing-stored"]["Metrics"]
        if "MetricStat" in one
    ]

    assert (counted["MetricNamespace"], counted["MetricName"]) == (
        metric["Namespace"],
        metric["MetricName"],
    )
    assert (counted["MetricValue"], counted["DefaultValue"]) == ("1", 0)
    log = page.resources[target(filtered["LogGroupName"])]["Properties"]
    assert log["LogGroupName"] == "/aws/lambda/coinlog-load"


@pytest.mark.parametrize("shape", ["page", "edition"])
def test_every_alarm_tells_the_topic_when_it_begins_and_when_it_ends(
    shapes: Path, shape: str
) -> None:
    found = template_of(shapes, shape)
    topic = (topic_of(found),)

    for alarm in alarms_of(found).values():
        assert targets(alarm["AlarmActions"]) == targets(alarm["OKActions"]) == topic
        assert alarm["AlarmDescription"].endswith("docs/operations.md says what to do.")
        assert alarm["TreatMissingData"] in ("breaching", "notBreaching")


def test_silence_of_database_and_page_is_trouble_and_of_failures_is_peace(page: Template) -> None:
    silence = {name: alarm["TreatMissingData"] for name, alarm in alarms_of(page).items()}

    assert {name for name, means in silence.items() if means == "breaching"} == {
        "nothing-stored",
        "database-space",
        "page-unhealthy",
    }


def test_failures_are_told_at_the_first_and_letters_at_the_first(page: Template) -> None:
    alarms = alarms_of(page)
    told = {
        name: (alarm["Namespace"], alarm["MetricName"], alarm["Threshold"])
        for name, alarm in alarms.items()
        if name in ("capture-fails", "load-fails", "send-fails", "dead-letters")
    }

    assert told == {
        "capture-fails": ("AWS/Lambda", "Errors", 1),
        "load-fails": ("AWS/Lambda", "Errors", 1),
        "send-fails": ("AWS/Lambda", "Errors", 1),
        "dead-letters": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", 1),
    }


def test_the_databases_room_is_told_below_where_it_grows_by_itself(page: Template) -> None:
    [(_, instance)] = page.of_type("AWS::RDS::DBInstance")
    space, memory, credit = (
        alarms_of(page)[f"database-{what}"] for what in ("space", "memory", "credits")
    )
    disk = int(instance["AllocatedStorage"]) * 1024**3

    assert 0 < space["Threshold"] < disk / 10
    assert (space["MetricName"], memory["MetricName"]) == ("FreeStorageSpace", "FreeableMemory")
    assert (memory["ComparisonOperator"], memory["Threshold"]) == (
        "LessThanThreshold",
        64 * 1024**2,
    )
    # The balance of a new instance begins at nothing; what is paid for begins when it is too small.
    assert (credit["MetricName"], credit["ComparisonOperator"], credit["Threshold"]) == (
        "CPUSurplusCreditsCharged",
        "GreaterThanThreshold",
        0,
    )
    [(database, _)] = page.of_type("AWS::RDS::DBInstance")
    for alarm in (space, memory, credit):
        assert [target(one["Value"]) for one in alarm["Dimensions"]] == [database]


def test_errors_of_the_page_and_of_the_balancer_count_together(page: Template) -> None:
    metrics = alarms_of(page)["page-fails"]["Metrics"]

    assert {
        one["MetricStat"]["Metric"]["MetricName"] for one in metrics if "MetricStat" in one
    } == {
        "HTTPCode_ELB_5XX_Count",
        "HTTPCode_Target_5XX_Count",
    }


def notices(found: Map) -> dict[str, dict[str, Any]]:
    """Return the patterns of the events that the topic is told of, by their kind."""
    topic = topic_of(found)
    return {
        rule["EventPattern"]["detail-type"][0]: dict(rule["EventPattern"])
        for _, rule in found.of_type("AWS::Events::Rule")
        if target(rule["Targets"][0]["Arn"]) == topic
    }


def test_a_version_that_was_rolled_back_is_told(page: Template) -> None:
    [(service, _)] = page.of_type("AWS::ECS::Service")
    pattern = notices(page)["ECS Deployment State Change"]

    assert pattern["detail"] == {"eventName": ["SERVICE_DEPLOYMENT_FAILED"]}
    assert targets(pattern["resources"]) == (service,)


def test_a_publishing_that_failed_is_told(edition: Template) -> None:
    pattern = notices(edition)["ECS Task State Change"]
    detail = pattern["detail"]
    [publish] = [
        one
        for one, task in edition.of_type("AWS::ECS::TaskDefinition")
        if task["Family"] == "coinlog-publish"
    ]

    assert targets(detail["taskDefinitionArn"]) == (publish,)
    assert detail["$or"] == [
        {"containers": {"exitCode": [{"anything-but": 0}]}},
        {"stopCode": ["TaskFailedToStart"]},
    ]


def test_the_topic_takes_from_alarms_and_events_over_tls_alone(page: Template) -> None:
    [(_, policy)] = page.of_type("AWS::SNS::TopicPolicy")
    statements = policy["PolicyDocument"]["Statement"]
    allowed = {
        one["Principal"]["Service"]: one.get("Condition")
        for one in statements
        if one["Effect"] == "Allow"
    }
    [denied] = [one for one in statements if one["Effect"] == "Deny"]

    assert allowed.keys() == {"cloudwatch.amazonaws.com", "events.amazonaws.com"}
    assert allowed["cloudwatch.amazonaws.com"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    }
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    [(_, subscription)] = page.of_type("AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "someone@example.org")


@pytest.mark.parametrize("shape", ["page", "edition"])
def test_one_dashboard_shows_every_alarm_and_every_part(shapes: Path, shape: str) -> None:
    found = template_of(shapes, shape)
    [(_, dashboard)] = found.of_type("AWS::CloudWatch::Dashboard")
    body = text_of(dashboard["DashboardBody"])
    widgets = json.loads(body)["widgets"]
    alarms = {one for one, _ in found.of_type("AWS::CloudWatch::Alarm")}

    [states] = [one for one in widgets if one["type"] == "alarm"]
    assert {
        one.removeprefix("${").removesuffix(".Arn}") for one in states["properties"]["alarms"]
    } == alarms
    shown = {
        metric[0]
        for one in widgets
        for metric in one["properties"].get("metrics", [])
        if isinstance(metric[0], str)
    }
    own = {"AWS/ApplicationELB", "AWS/ECS"} if shape == "page" else {"AWS/CloudFront"}
    assert shown >= {"coinlog/coinlog", "AWS/Lambda", "AWS/RDS", *own}
    assert all(one["width"] + one["x"] <= 24 for one in widgets)
