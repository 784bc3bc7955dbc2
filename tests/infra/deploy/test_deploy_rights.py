"""What a pipeline's role may do, as the documentation lists it, suffices for what deploy asks.

Only names of actions and resources are compared, as no account is there that would refuse.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from botocore.model import OperationModel

from aws_server import AWSServer
from coinlog_infra import deploy, steps
from coinlog_infra.aws import Account
from coinlog_infra.options import Options
from coinlog_infra.outputs import Deployed
from coinlog_infra.prerequisites import Ready
from coinlog_infra.tasks import Clock

from .conftest import define

PAGE = Path(__file__).resolve().parents[3] / "docs" / "deploying-regularly.md"
ARN = "arn:aws:"
NAMES = {"s3:HeadObject": "s3:GetObject", "lambda:Invoke": "lambda:InvokeFunction"}
SERVICES = {"elasticloadbalancingv2": "elasticloadbalancing", "elbv2": "elasticloadbalancing"}
FREE = {"sts:GetCallerIdentity"}
"""Everybody may ask who they are."""


def statements() -> list[dict[str, Any]]:
    blocks = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    found: list[dict[str, Any]] = json.loads(blocks[-1])["Statement"]
    return found


def listed(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def allowing(action: str) -> Iterator[str]:
    for one in statements():
        if action in listed(one["Action"]):
            yield from listed(one["Resource"])


def may(action: str, resource: str) -> bool:
    real = resource.replace("123456789012", "ACCOUNT").replace("us-east-1", "REGION")
    return any(fnmatchcase(real, pattern) for pattern in allowing(action))


def test_every_action_of_a_deployment_is_allowed(
    aws: AWSServer,
    account: Account,
    deployed: Deployed,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One with a page: an edition's publishing is started as its preparing is."""
    asked: set[str] = set()

    def note(model: OperationModel, **_: object) -> None:
        service = model.service_model.endpoint_prefix
        action = f"{SERVICES.get(service, service)}:{model.name}"
        asked.add(NAMES.get(action, action))

    for service in ("cloudformation", "ecs", "logs", "lambda", "s3", "ssm", "elbv2", "rds"):
        account.client(service).meta.events.register("before-call", note)
    monkeypatch.setattr(steps.cdk, "deploy", lambda *_: None)
    monkeypatch.setattr(steps, "pack_functions", lambda: None)
    monkeypatch.setattr(deploy, "_may_look", lambda _: False)
    options = Options(region="us-east-1", admitted=("203.0.113.7/32",))
    aws.ends_with, aws.captured = 0, {"slot": "2026-01-26T18:00:00Z", "outcome": "stored"}

    assert deployed.prepare_task
    ready = Ready(options, "123456789012", bootstrapped=True, zone_id=None)
    steps.has_key(account, options)
    deploy.deploy(account, ready, None, clock)

    assert {"ecs:RunTask", "ecs:ListTasks", "s3:GetObject", "lambda:InvokeFunction"} <= asked
    assert {action for action in asked - FREE if not list(allowing(action))} == set()


def test_the_rights_fit_what_they_are_for(aws: AWSServer, deployed: Deployed) -> None:
    stream = "log-group:/ecs/coinlog-prepare:log-stream:coinlog-prepare/coinlog/1"
    assert may("logs:GetLogEvents", f"{ARN}logs:us-east-1:123456789012:{stream}")
    assert may("ecs:RunTask", deployed.prepare_task)
    assert may("ecs:RunTask", define(aws, "publish"))
    assert not may("ecs:RunTask", deployed.ops_task), "which reads and writes everything"
    # Who may not list is told 403 where an object is not there yet.
    assert may("s3:ListBucket", f"{ARN}s3:::coinlog-archive")
    assert may("s3:GetObject", f"{ARN}s3:::coinlog-archive/loaded/20260126T180000Z")
    cluster = f"{ARN}ecs:REGION:ACCOUNT:cluster/coinlog"
    for one in statements():
        if "ecs:StopTask" in listed(one["Action"]):
            assert one["Condition"] == {"ArnEquals": {"ecs:cluster": cluster}}, "tasks have no tags"
