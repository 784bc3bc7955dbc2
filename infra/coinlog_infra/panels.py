"""The dashboard: the alarms, and the curves that explain them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elb

from coinlog_infra.edition import Edition
from coinlog_infra.page import Page

if TYPE_CHECKING:
    from coinlog_infra.watching import Watched

SOON = Duration.minutes(5)
HOURLY = Duration.hours(1)
HALF, WHOLE = 12, 24
"""A dashboard is 24 columns wide."""

CLOUDFRONT_REGION = "us-east-1"
"""Where CloudFront's measures are, wherever the rest is."""


def panels(
    alarms: Sequence[cloudwatch.IAlarm], stored: cloudwatch.IMetric, watched: Watched
) -> list[list[cloudwatch.IWidget]]:
    """Return the rows of the dashboard."""
    shape = _of_page(watched.page) if watched.page else []
    if watched.edition:
        shape = _of_edition(watched.edition)
    return [
        [cloudwatch.AlarmStatusWidget(alarms=list(alarms), title="Alarms", width=WHOLE)],
        [_curves("Slots stored", [stored]), _curves("Functions that failed", _errors(watched))],
        [_curves("Functions, how long (ms)", _durations(watched)), *_of_database(watched)],
        shape,
    ]


def failed_answers(page: Page) -> cloudwatch.MathExpression:
    """Return how many answers were errors of the page's or the balancer's own."""
    ours = page.targets.metrics.http_code_target(
        elb.HttpCodeTarget.TARGET_5XX_COUNT, statistic="Sum"
    )
    balancers = page.balancer.metrics.http_code_elb(elb.HttpCodeElb.ELB_5XX_COUNT, statistic="Sum")
    return cloudwatch.MathExpression(
        expression="FILL(ours, 0) + FILL(balancers, 0)",
        using_metrics={"ours": ours, "balancers": balancers},
        period=SOON,
        label="answers 5xx",
    )


def _curves(
    title: str, left: Sequence[cloudwatch.IMetric], right: Sequence[cloudwatch.IMetric] = ()
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(left), right=list(right), width=HALF)


def _errors(watched: Watched) -> list[cloudwatch.IMetric]:
    functions = watched.functions
    return [
        one.function.metric_errors(period=HOURLY, label=one.name)
        for one in (functions.capture, functions.load, functions.send)
    ]


def _durations(watched: Watched) -> list[cloudwatch.IMetric]:
    functions = watched.functions
    return [
        one.function.metric_duration(period=HOURLY, statistic="Maximum", label=one.name)
        for one in (functions.capture, functions.load, functions.send)
    ]


def _of_database(watched: Watched) -> list[cloudwatch.IWidget]:
    instance = watched.database.instance
    space = instance.metric_free_storage_space(period=SOON)
    load = [instance.metric_cpu_utilization(period=SOON), instance.metric_database_connections()]
    return [_curves("Database: free space; processor and connections", [space], load)]


def _of_page(page: Page) -> list[cloudwatch.IWidget]:
    balancer, group = page.balancer.metrics, page.targets.metrics
    requests = balancer.request_count(period=SOON)
    slow = group.target_response_time(period=SOON, statistic="p99")
    tasks = [
        page.service.metric_cpu_utilization(period=SOON),
        page.service.metric_memory_utilization(period=SOON),
    ]
    return [
        _curves(
            "Page: requests, 5xx; slowest hundredth (s)", [requests, failed_answers(page)], [slow]
        ),
        _curves("Page: processor and memory (%)", tasks, [group.healthy_host_count(period=SOON)]),
    ]


def _of_edition(edition: Edition) -> list[cloudwatch.IWidget]:
    dimensions = {"DistributionId": edition.distribution.distribution_id, "Region": "Global"}

    def measured(name: str, statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/CloudFront",
            metric_name=name,
            dimensions_map=dimensions,
            statistic=statistic,
            period=HOURLY,
            region=CLOUDFRONT_REGION,
        )

    return [
        _curves("Edition: requests", [measured("Requests", "Sum")]),
        _curves("Edition: answers 4xx and 5xx (%)", [measured("TotalErrorRate", "Average")]),
    ]
