"""Logs in CloudWatch: kept for a month and then gone."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from coinlog_infra.accepted import accept


def passing_log(scope: Construct, name: str, construct_id: str = "log") -> logs.LogGroup:
    """Make a log whose lines go after a month."""
    group = logs.LogGroup(
        scope,
        construct_id,
        log_group_name=name,
        retention=logs.RetentionDays.ONE_MONTH,
        removal_policy=RemovalPolicy.DESTROY,
    )
    accept(group, "CKV_AWS_158", "encrypted by CloudWatch; a key of our own costs monthly")
    return group
