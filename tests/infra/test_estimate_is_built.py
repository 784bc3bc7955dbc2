"""What the estimate adds up is what the template builds, and the commands find what they read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coinlog_infra import sizes
from coinlog_infra.options import Options
from coinlog_infra.outputs import OUTPUTS
from coinlog_infra.parts import ARCHIVE, BUCKET, EDITION

from .conftest import read_template

WEB_ACL = "WAFv2::WebACL"


def resources(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    found = template["Resources"].values()
    return [one.get("Properties", {}) for one in found if one["Type"] == f"AWS::{kind}"]


def test_sizes_and_counts_are_those_of_the_template(template: dict[str, Any]) -> None:
    tasks = resources(template, "ECS::TaskDefinition")
    memory = {
        one["FunctionName"].rpartition("-")[2]: one["MemorySize"]
        for one in resources(template, "Lambda::Function")
    }
    [database] = resources(template, "RDS::DBInstance")

    assert {(one["Cpu"], one["Memory"]) for one in tasks} == {
        (str(sizes.TASK_CPU), str(sizes.TASK_MEMORY_MB))
    }
    assert memory["capture"] == sizes.CAPTURE_MEMORY_MB
    assert memory["load"] == sizes.LOAD_MEMORY_MB
    assert memory["send"] == sizes.SEND_MEMORY_MB
    assert len(resources(template, "CloudWatch::Alarm")) == sizes.ALARMS
    assert len(resources(template, "Logs::MetricFilter")) == sizes.METRICS
    assert database["DBInstanceClass"] == Options().database_class
    assert int(database["AllocatedStorage"]) == Options().database_storage_gb
    [balancer] = resources(template, "ElasticLoadBalancingV2::LoadBalancer")
    assert len(balancer["Subnets"]) == sizes.BALANCER_ZONES
    sweeps = [one["ScheduleExpression"] for one in resources(template, "Scheduler::Schedule")]
    assert sweeps.count(f"rate({60 // sizes.SWEEPS_AN_HOUR} minutes)") == 2


@pytest.mark.parametrize("shape", ["page", "edition"])
def test_nothing_that_costs_was_left_out_of_the_estimate(shapes: Path, shape: str) -> None:
    template = read_template(shapes / shape)
    costly = (
        *("EC2::NatGateway", "EC2::EIP", "SecretsManager::Secret", WEB_ACL, "KMS::Key"),
        *("ECS::CapacityProvider", "EFS::FileSystem", "ElastiCache::CacheCluster", "EC2::Instance"),
    )
    endpoints = resources(template, "EC2::VPCEndpoint")

    assert {kind: resources(template, kind) for kind in costly} == {kind: [] for kind in costly}
    assert [one["VpcEndpointType"] for one in endpoints] == ["Gateway"]
    assert len(resources(template, "ElasticLoadBalancingV2::LoadBalancer")) == (shape == "page")


def test_a_public_page_has_one_web_acl_and_no_other_shape_has(shapes: Path) -> None:
    rules = {
        shape: [len(one["Rules"]) for one in resources(read_template(shapes / shape), WEB_ACL)]
        for shape in ("page", "domain", "edition", "edition-domain")
    }

    assert rules == {"page": [], "domain": [1], "edition": [], "edition-domain": []}
    assert sum(rules["domain"]) == sizes.FIREWALL_RULES


@pytest.mark.parametrize("shape", ["page", "edition"])
def test_the_stack_says_what_the_commands_read(shapes: Path, shape: str) -> None:
    template = read_template(shapes / shape)
    said = set(template["Outputs"])

    assert set(OUTPUTS) <= said
    assert ("EditionBucket" in said) == ("PublishTask" in said) == (shape == "edition")
    assert ("Targets" in said) == (shape == "page")
    buckets = [name for name, one in template["Resources"].items() if one["Type"] == BUCKET]
    beginnings = [ARCHIVE, EDITION] if shape == "edition" else [ARCHIVE]
    for beginning in beginnings:
        assert len([name for name in buckets if name.startswith(beginning)]) == 1, "for destroy"
