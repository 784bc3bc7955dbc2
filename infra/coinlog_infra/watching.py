"""Watching: what is measured, when somebody is told, and one page that shows it all.

Everything goes to the one topic. What each alarm means, and what to do, is in
``docs/operations.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from coinlog_infra.alarms import BELOW, BREACHING, OVER, Alarms, Rule, patience
from coinlog_infra.database import Database
from coinlog_infra.deadletters import DeadLetters
from coinlog_infra.edition import Edition
from coinlog_infra.functions import Functions
from coinlog_infra.options import Options
from coinlog_infra.page import Page
from coinlog_infra.panels import SOON, failed_answers, panels

STORED = "StoredSlots"
GIGABYTE = 1024**3
LEAST_SPACE = 0.05
"""Of the disk's first size. RDS makes it larger at a tenth: below, that has failed."""

LEAST_MEMORY = 64 * 1024**2
"""Below this the database swaps, and signing in by IAM begins to fail."""

ERRORS_5XX = 5


@dataclass(frozen=True)
class Watched:
    """The parts that are watched; of page and edition there is one."""

    functions: Functions
    database: Database
    dead_letters: DeadLetters
    page: Page | None = None
    edition: Edition | None = None


class Watching(Construct):
    """The alarms, the notices and the dashboard."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        watched: Watched,
        topic: sns.Topic,
        options: Options,
    ) -> None:
        """Make them, all telling the topic."""
        super().__init__(scope, construct_id)
        self.watched, self.topic, self.options = watched, topic, options
        self.alarms = Alarms(self, "alarms", options.name, topic)
        self._let_alarms_publish()
        self.stored = self._stored()
        self._watch_slots()
        self._watch_functions()
        self._watch_database()
        if watched.page:
            self._watch_page(watched.page)
        if watched.edition:
            self._watch_edition(watched.edition)
        self.dashboard = cloudwatch.Dashboard(
            self,
            "dashboard",
            dashboard_name=options.name,
            widgets=panels(self.alarms.made, self.stored, watched),
        )

    def _let_alarms_publish(self) -> None:
        """Let CloudWatch publish: a topic with a policy of its own admits nobody else."""
        here = {"aws:SourceAccount": Stack.of(self).account}
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Alarms",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": here},
            )
        )

    def _stored(self) -> cloudwatch.Metric:
        """Count the slots that ``load`` stored while they were the newest due, by what it logs.

        Old slots that it catches up with say nothing of whether the schedule is alive.
        """
        namespace = f"coinlog/{self.options.name}"
        logs.MetricFilter(
            self,
            "stored",
            log_group=self.watched.functions.load.log,
            filter_name=STORED,
            filter_pattern=logs.FilterPattern.literal(
                '{ $.function = "load" && $.stored_due = "*" }'
            ),
            metric_namespace=namespace,
            metric_name=STORED,
            metric_value="1",
            default_value=0,
        )
        return cloudwatch.Metric(
            namespace=namespace, metric_name=STORED, statistic="Sum", label="slots stored"
        )

    def _watch_slots(self) -> None:
        """Tell when no slot was stored for an interval and its grace.

        Silence is filled with zeros, or CloudWatch would look for older points and wait longer.
        Where there never was a point there is nothing to fill: then silence itself is an alarm.
        """
        count, period = patience(self.options.interval_seconds)
        stored = cloudwatch.MathExpression(
            expression="FILL(stored, 0)",
            using_metrics={"stored": self.stored},
            period=Duration.seconds(period),
            label="slots stored",
        )
        rule = Rule(
            name="nothing-stored",
            says="No slot was stored within the interval and its grace: the record has a gap.",
            threshold=1,
            compared=BELOW,
            count=count,
            silence=BREACHING,
        )
        self.alarms.add(stored, rule)

    def _watch_functions(self) -> None:
        functions = self.watched.functions
        for function in (functions.capture, functions.load, functions.send):
            name = function.name.removeprefix(f"{self.options.name}-")
            says = f"The function {name} failed; Lambda tries twice more."
            self.alarms.add(
                function.function.metric_errors(period=SOON, statistic="Sum"),
                Rule(name=f"{name}-fails", says=says, threshold=1),
            )
        letters = self.watched.dead_letters.queue
        self.alarms.add(
            letters.metric_approximate_number_of_messages_visible(period=SOON, statistic="Maximum"),
            Rule(name="dead-letters", says="Something was given up after all tries.", threshold=1),
        )

    def _watch_database(self) -> None:
        instance = self.watched.database.instance
        least = self.options.database_storage_gb * GIGABYTE * LEAST_SPACE
        self.alarms.add(
            instance.metric_free_storage_space(period=SOON, statistic="Minimum"),
            Rule(
                name="database-space",
                says="The database has no room left, or sends no measures: it may be away.",
                threshold=least,
                compared=BELOW,
                count=3,
                silence=BREACHING,
            ),
        )
        self.alarms.add(
            instance.metric_freeable_memory(period=SOON, statistic="Average"),
            Rule(
                name="database-memory",
                says="The database has hardly any memory left: sign-ins may begin to fail.",
                threshold=LEAST_MEMORY,
                compared=BELOW,
                count=3,
            ),
        )
        # Only burstable classes have credits.
        if self.options.database_class.startswith("db.t"):
            # Not the balance: that of a new instance begins at nothing, and takes hours to rise.
            paid = instance.metric("CPUSurplusCreditsCharged", period=SOON, statistic="Maximum")
            says = "The database uses more processor than its class has, which is paid for."
            rule = Rule(name="database-credits", says=says, threshold=0, compared=OVER)
            self.alarms.add(paid, rule)

    def _watch_page(self, page: Page) -> None:
        self.alarms.add(
            failed_answers(page),
            Rule(
                name="page-fails",
                says="The page answers with errors of its own (5xx).",
                threshold=ERRORS_5XX,
            ),
        )
        self.alarms.add(
            page.targets.metrics.unhealthy_host_count(
                period=Duration.minutes(1), statistic="Maximum"
            ),
            Rule(
                name="page-unhealthy",
                says="A task of the page does not answer on /live, or there is none.",
                threshold=1,
                count=5,
                silence=BREACHING,
            ),
        )
        text = "coinlog: a new version of the page did not start; the one before goes on serving."
        failed = events.EventPattern(
            source=["aws.ecs"],
            detail_type=["ECS Deployment State Change"],
            resources=[page.service.service_arn],
            detail={"eventName": ["SERVICE_DEPLOYMENT_FAILED"]},
        )
        self._notice("deployment", failed, text)

    def _watch_edition(self, edition: Edition) -> None:
        self.alarms.add(
            cloudwatch.Metric(
                namespace="AWS/Events",
                metric_name="FailedInvocations",
                dimensions_map={"RuleName": edition.rule.rule_name},
                period=SOON,
                statistic="Sum",
            ),
            Rule(
                name="publishing-unstarted",
                says="The task that publishes the edition could not be started.",
                threshold=1,
            ),
        )
        failed = {
            "lastStatus": ["STOPPED"],
            "taskDefinitionArn": [edition.task.definition.task_definition_arn],
            "$or": [
                {"containers": {"exitCode": [{"anything-but": 0}]}},
                {"stopCode": ["TaskFailedToStart"]},
            ],
        }
        pattern = events.EventPattern(
            source=["aws.ecs"], detail_type=["ECS Task State Change"], detail=failed
        )
        group = edition.task.log_name
        text = f"coinlog: publishing the edition failed; the log group {group} says why."
        self._notice("publishing", pattern, text)

    def _notice(self, name: str, pattern: events.EventPattern, text: str) -> None:
        """Tell the topic of an event, in words of ours."""
        message = events.RuleTargetInput.from_text(text)
        events.Rule(
            self,
            name,
            description=text,
            event_pattern=pattern,
            targets=[targets.SnsTopic(self.topic, message=message)],
        )
