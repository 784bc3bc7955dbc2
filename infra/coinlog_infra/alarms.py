"""Alarms: when one goes off, what silence means to it, and whom it tells."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from coinlog.slots import HOUR, MINUTE, grace_seconds

BREACHING = cloudwatch.TreatMissingData.BREACHING
QUIET = cloudwatch.TreatMissingData.NOT_BREACHING
AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
OVER = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD

MOST_PERIODS = 100


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When an alarm goes off: ``count`` periods in a row, and what silence means."""

    name: str
    says: str
    threshold: float
    compared: cloudwatch.ComparisonOperator = AT_LEAST
    count: int = 1
    silence: cloudwatch.TreatMissingData = QUIET


class Alarms(Construct):
    """The alarms of a stack, in the order they were made; each tells one topic, both ways."""

    def __init__(self, scope: Construct, construct_id: str, stack: str, topic: sns.ITopic) -> None:
        """Begin without any; ``stack`` is what their names begin with."""
        super().__init__(scope, construct_id)
        self.stack, self.topic = stack, topic
        self.made: list[cloudwatch.IAlarm] = []

    def add(self, metric: cloudwatch.IMetric, rule: Rule) -> None:
        """Watch a metric by a rule."""
        alarm = cloudwatch.Alarm(
            self,
            rule.name,
            alarm_name=f"{self.stack}-{rule.name}",
            alarm_description=f"{rule.says} docs/operations.md says what to do.",
            metric=metric,
            threshold=rule.threshold,
            comparison_operator=rule.compared,
            evaluation_periods=rule.count,
            treat_missing_data=rule.silence,
        )
        tell = actions.SnsAction(self.topic)
        alarm.add_alarm_action(tell)
        alarm.add_ok_action(tell)
        self.made.append(alarm)


def patience(interval_seconds: int) -> tuple[int, int]:
    """Return how long no slot may be stored, as a number of periods and the seconds of one.

    It is an interval and its grace, and one period more, because slots fall anywhere in a period.
    CloudWatch looks back a day, or seven of them with periods of an hour.
    """
    seconds = interval_seconds + grace_seconds(interval_seconds)
    period = next(one for one in (MINUTE, 5 * MINUTE, HOUR) if seconds <= MOST_PERIODS * one)
    return -(-seconds // period) + 1, period
