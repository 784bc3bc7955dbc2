"""Least privilege and nothing open, by the templates of every shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_file
from cfnlint.config import ManualArgs

from canaries import files_with
from coinlog_infra.template import target

SHAPES = {"page", "mariadb", "domain", "edition", "edition-domain"}

ROOT = Path(__file__).resolve().parents[2]
Resource = dict[str, Any]
Named = tuple[str, Resource]


@pytest.fixture(scope="module")
def templates(shapes: Path) -> dict[str, Any]:
    """Return the template of every shape but the one that was broken on purpose."""
    files = sorted(shapes.glob("*/coinlog.template.json"))
    found = {file.parent.name: json.loads(file.read_text()) for file in files}
    return {name: found[name] for name in found if name != "broken"}


def resources(templates: dict[str, Any], kind: str = "") -> Iterator[Named]:
    for shape, template in templates.items():
        for key, resource in template["Resources"].items():
            if not kind or resource["Type"] == kind:
                yield f"{shape}: {key}", resource.get("Properties", {})


def as_list(value: Any) -> list[Any]:  # noqa: ANN401  a policy has one or several
    return value if isinstance(value, list) else [value]


def statements(value: Any) -> Iterator[Resource]:  # noqa: ANN401  any JSON
    """Yield every statement of every policy in a value, wherever it stands."""
    if isinstance(value, list):
        for part in value:
            yield from statements(part)
    elif isinstance(value, dict):
        if "Effect" in value and ("Action" in value or "NotAction" in value):
            yield value
        for part in value.values():
            yield from statements(part)


def allowed(templates: dict[str, Any]) -> Iterator[tuple[str, Resource]]:
    for where, properties in resources(templates):
        for statement in statements(properties):
            if statement["Effect"] == "Allow":
                yield where, statement


def test_no_action_is_a_wildcard(templates: dict[str, Any]) -> None:
    found = [
        (where, action)
        for where, statement in allowed(templates)
        for action in as_list(statement["Action"])
        if "*" in action
    ]

    assert found == []
    assert not [where for where, one in allowed(templates) if "NotAction" in one]
    assert not [where for where, one in allowed(templates) if "NotResource" in one]


def test_only_documented_actions_are_allowed_on_everything(templates: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([a-z0-9-]+:\w+)` \|", page, re.MULTILINE))
    on_everything = {
        action
        for _, statement in allowed(templates)
        if "*" in as_list(statement.get("Resource", []))
        for action in as_list(statement["Action"])
    }

    assert on_everything == documented


def test_anybody_may_do_nothing_but_through_the_endpoint(templates: dict[str, Any]) -> None:
    """The endpoint's policy limits what goes through it; it gives nobody a right of their own."""
    everybody: list[object] = ["*", {"AWS": "*"}]
    found = {
        where.split(": ")[1]
        for where, statement in allowed(templates)
        if statement.get("Principal") in everybody
    }

    assert {re.sub(r"\w{8}$", "", key) for key in found} == {"networkvpcs3"}


def ingress(templates: dict[str, Any]) -> Iterator[tuple[str, str, Resource]]:
    """Yield every rule for what comes in: where it stands, whose it is, what it says."""
    for where, group in resources(templates, "AWS::EC2::SecurityGroup"):
        for rule in group.get("SecurityGroupIngress", []):
            yield where, where.split(": ")[1], rule
    for where, rule in resources(templates, "AWS::EC2::SecurityGroupIngress"):
        yield where, target(rule["GroupId"]), rule


def test_nothing_is_open_but_the_balancer(templates: dict[str, Any]) -> None:
    balancers = {
        target(group)
        for _, balancer in resources(templates, "AWS::ElasticLoadBalancingV2::LoadBalancer")
        for group in balancer["SecurityGroups"]
    }
    wide = [
        (where, rule)
        for where, group, rule in ingress(templates)
        if {"0.0.0.0/0", "::/0"} & {rule.get("CidrIp"), rule.get("CidrIpv6")}
        and not (group in balancers and rule["FromPort"] == rule["ToPort"] in {80, 443})
    ]

    assert wide == []


def test_only_security_groups_reach_what_is_not_the_balancer(templates: dict[str, Any]) -> None:
    balancers = {
        target(group)
        for _, balancer in resources(templates, "AWS::ElasticLoadBalancingV2::LoadBalancer")
        for group in balancer["SecurityGroups"]
    }
    by_address = [
        (where, rule)
        for where, group, rule in ingress(templates)
        if "SourceSecurityGroupId" not in rule and group not in balancers
    ]

    assert by_address == []


def test_nothing_costs_that_is_not_needed(templates: dict[str, Any]) -> None:
    kinds = {
        one["Type"] for template in templates.values() for one in template["Resources"].values()
    }

    assert not kinds & {
        "AWS::EC2::NatGateway",
        "AWS::EC2::EIP",
        "AWS::SecretsManager::Secret",
        "AWS::KMS::Key",
    }
    assert {
        endpoint["VpcEndpointType"] for _, endpoint in resources(templates, "AWS::EC2::VPCEndpoint")
    } == {"Gateway"}


def test_no_secret_is_written_down(templates: dict[str, Any]) -> None:
    text = json.dumps(templates)

    assert '"MasterUserPassword"' not in text
    assert not re.search(r"\{\{resolve:", text)
    for _, database in resources(templates, "AWS::RDS::DBInstance"):
        assert database["ManageMasterUserPassword"] is True
    for where, function in resources(templates, "AWS::Lambda::Function"):
        told = function.get("Environment", {}).get("Variables", {})
        assert not [name for name in told if re.search(r"PASSWORD|SECRET|API_KEY$", name)], where


def test_no_secret_of_who_deploys_gets_into_what_is_synthesized(shapes: Path) -> None:
    assert len(list(shapes.rglob("*.template.json"))) >= len(SHAPES)
    assert files_with(shapes) == []


def test_data_outlasts_the_stack(templates: dict[str, Any]) -> None:
    for template in templates.values():
        policies = {
            resource["Type"]: (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy"))
            for key, resource in template["Resources"].items()
            if resource["Type"] == "AWS::RDS::DBInstance" or key.startswith("archivebucket")
        }
        assert policies["AWS::RDS::DBInstance"] == ("Snapshot", "Snapshot")
        assert policies["AWS::S3::Bucket"] == ("Retain", "Retain")


def test_every_log_ends_and_every_function_has_one(templates: dict[str, Any]) -> None:
    for where, group in resources(templates, "AWS::Logs::LogGroup"):
        assert group["RetentionInDays"] <= 90, where
    for where, function in resources(templates, "AWS::Lambda::Function"):
        assert "LogGroup" in function["LoggingConfig"], where


def test_what_can_be_tagged_is(templates: dict[str, Any]) -> None:
    untagged = [
        where
        for where, properties in resources(templates)
        if isinstance(properties.get("Tags"), list)
        and {"Key": "application", "Value": "coinlog"} not in properties["Tags"]
    ]

    assert untagged == []
    assert sum("Tags" in properties for _, properties in resources(templates)) > 20


def test_options_change_what_they_say(templates: dict[str, Any]) -> None:
    [(_, database)] = resources({"": templates["mariadb"]}, "AWS::RDS::DBInstance")
    functions = [one for _, one in resources({"": templates["mariadb"]}, "AWS::Lambda::Function")]
    schedules = [
        one for _, one in resources({"": templates["mariadb"]}, "AWS::Scheduler::Schedule")
    ]

    assert (database["Engine"], database["EngineVersion"]) == ("mariadb", "11.4")
    # Ten times the first size, and never more than RDS offers.
    assert (database["AllocatedStorage"], database["MaxAllocatedStorage"]) == ("7000", 65_536)
    assert {tuple(function["Architectures"]) for function in functions} == {("arm64",)}
    assert "cron(0/5 * * * ? *)" in {one["ScheduleExpression"] for one in schedules}


def test_cfn_lint_finds_nothing(shapes: Path) -> None:
    # CDK names a role it depends on twice, which is harmless.
    config = ManualArgs(ignore_checks=["W3005"], regions=["eu-west-1", "us-east-1"])
    found = [
        str(match)
        for file in sorted(shapes.glob("*/coinlog.template.json"))
        if file.parent.name in SHAPES
        for match in lint_file(file, config)
    ]

    assert found == []


def test_every_accepted_finding_says_why(templates: dict[str, Any]) -> None:
    reasons = [
        skipped["comment"]
        for template in templates.values()
        for resource in template["Resources"].values()
        for skipped in resource.get("Metadata", {}).get("checkov", {}).get("skip", [])
    ]

    assert reasons
    assert [reason for reason in reasons if len(reason) < 20] == []
