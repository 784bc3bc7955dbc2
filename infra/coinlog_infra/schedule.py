"""When things happen: the slots, the sweeps, and what a new object in the bucket sets off."""

from __future__ import annotations

import json

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from coinlog.alerts.left import FOLDER as ALERTS
from coinlog.slots import DAY, MINUTE
from coinlog_infra.accepted import accept
from coinlog_infra.archive import CAPTURES, ArchiveBucket
from coinlog_infra.cron import again_minutes, slots_cron
from coinlog_infra.deadletters import DeadLetters
from coinlog_infra.function import Function
from coinlog_infra.functions import LOAD_SIZE, Functions
from coinlog_infra.options import Options

SCHEDULED_TIME = {"scheduled_time": "<aws.scheduler.scheduled-time>"}
"""What a function is handed: the schedule's own moment, however late or often it comes."""

SWEEP_MINUTES = 15
RETRIES = 3
LEAST_AGE_SECONDS, MOST_AGE_SECONDS = 60, DAY
"""What EventBridge Scheduler accepts."""

AT_ONCE = 2
"""How many calls of ``load`` new objects may lead to at a time: the least that Lambda offers."""

GATHERED, GATHER_SECONDS = 1000, 5
"""How many new objects lead to one call, and how long Lambda waits for more of them."""

PATIENCE = 6
"""A queue's patience, in timeouts of the function that reads it: what Lambda asks for."""


class Schedule(Construct):
    """Schedules at the slots, a little after them, and that sweep; and the rules of the bucket."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        functions: Functions,
        archive: ArchiveBucket,
        dead_letters: DeadLetters,
        options: Options,
    ) -> None:
        """Make the schedules and rules."""
        super().__init__(scope, construct_id)
        self.options, self.queue = options, dead_letters.queue
        interval = options.interval_seconds
        # The slot of an older event has passed.
        age = min(interval, MOST_AGE_SECONDS)
        self.slots = self._schedule("slots", functions.capture, slots_cron(interval), age=age)
        # A slot that is stored costs nothing the second time; one that failed is not lost yet.
        if after := again_minutes(interval):
            self._schedule("again", functions.capture, slots_cron(interval, after), age=age)
        self.sweep = self._schedule(
            "sweep", functions.load, f"rate({SWEEP_MINUTES} minutes)", age=SWEEP_MINUTES * MINUTE
        )
        # A receiver that is down for longer than an event is tried again: what is due is sent then.
        self._schedule(
            "alerts-again",
            functions.send,
            f"rate({SWEEP_MINUTES} minutes)",
            age=SWEEP_MINUTES * MINUTE,
        )
        self._on_object(
            archive, "loads", f"{CAPTURES}*/manifest.json", self._by_queue(functions.load)
        )
        # Without an end, the marks that send writes itself would call it again.
        self._on_object(archive, "alerts", f"{ALERTS}*.json", self._at_once(functions.send))

    def _schedule(
        self, name: str, function: Function, expression: str, *, age: int
    ) -> scheduler.CfnSchedule:
        return scheduler.CfnSchedule(
            self,
            name,
            name=f"{self.options.name}-{name}",
            description=f"Calls {function.name}",
            schedule_expression=expression,
            schedule_expression_timezone="UTC",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=function.function.function_arn,
                role_arn=self._role(f"{name}-role", function).role_arn,
                input=json.dumps(SCHEDULED_TIME),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_retry_attempts=RETRIES,
                    maximum_event_age_in_seconds=max(age, LEAST_AGE_SECONDS),
                ),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                    arn=self.queue.queue_arn
                ),
            ),
        )

    def _role(self, name: str, function: Function) -> iam.Role:
        """Make the role of a schedule: it may call its function, and give up into the queue."""
        account = {"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
        principal = iam.ServicePrincipal("scheduler.amazonaws.com", conditions=account)
        role = iam.Role(self, name, assumed_by=principal)
        for action, on in (
            ("lambda:InvokeFunction", function.function.function_arn),
            ("sqs:SendMessage", self.queue.queue_arn),
        ):
            role.add_to_policy(iam.PolicyStatement(actions=[action], resources=[on]))
        return role

    def _at_once(self, function: Function) -> events.IRuleTarget:
        """Return the target that calls a function for each object."""
        return targets.LambdaFunction(
            function.function,
            dead_letter_queue=self.queue,
            retry_attempts=RETRIES,
            max_event_age=Duration.hours(6),
        )

    def _by_queue(self, function: Function) -> events.IRuleTarget:
        """Return the target that calls a function for many objects together.

        An archive of years that is moved into the bucket brings thousands of objects at once. A
        call for each would take every run that a new account has, and leave ``capture`` none.
        """
        waiting = self._waiting(function)
        function.allow(
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            on=waiting.queue_arn,
        )
        lambda_.CfnEventSourceMapping(
            self,
            "reading",
            event_source_arn=waiting.queue_arn,
            function_name=function.function.function_name,
            batch_size=GATHERED,
            maximum_batching_window_in_seconds=GATHER_SECONDS,
            scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(
                maximum_concurrency=AT_ONCE
            ),
        )
        return targets.SqsQueue(
            waiting,
            dead_letter_queue=self.queue,
            retry_attempts=RETRIES,
            max_event_age=Duration.hours(6),
        )

    def _waiting(self, function: Function) -> sqs.Queue:
        """Make the queue in which new objects wait for a function."""
        waiting = sqs.Queue(
            self,
            "waiting",
            queue_name=f"{function.name}-waiting",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=Duration.seconds(PATIENCE * LOAD_SIZE.timeout.to_seconds()),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.queue, max_receive_count=RETRIES),
        )
        accept(waiting, "CKV_AWS_27", "it is, by SQS's own key, which checkov does not know")
        return waiting

    def _on_object(
        self, archive: ArchiveBucket, name: str, keys: str, target: events.IRuleTarget
    ) -> None:
        """Tell a target of every new object whose key is like ``keys``."""
        pattern = events.EventPattern(
            source=["aws.s3"],
            detail_type=["Object Created"],
            detail={
                "bucket": {"name": [archive.bucket.bucket_name]},
                "object": {"key": [{"wildcard": keys}]},
            },
        )
        events.Rule(
            self,
            name,
            description=f"New objects like {keys}",
            event_pattern=pattern,
            targets=[target],
        )
