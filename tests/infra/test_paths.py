"""Each part of the stack reaches what it needs and nothing else, or the synthesis is refused."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from coinlog_infra.paths import findings
from coinlog_infra.template import Map, Place

Template = dict[str, Any]
Change = Callable[[Template], None]


def place(template: Template, handler: str) -> Place:
    [found] = [p for p in Map(template).places() if p.handler == f"coinlog.aws.{handler}.handler"]
    return found


def sentences(template: Template) -> list[str]:
    return [finding.sentence for finding in findings(template)]


def resources(template: Template, kind: str) -> dict[str, Any]:
    found = template["Resources"].items()
    return {key: value["Properties"] for key, value in found if value["Type"] == kind}


def function(template: Template, handler: str) -> Template:
    found: Template = template["Resources"][place(template, handler).logical_id]["Properties"]
    return found


def test_a_synthesis_with_an_isolated_capture_is_refused(refused: dict[str, list[str]]) -> None:
    source, parameter = refused["isolated_capture"]

    assert source.startswith("coinlog-capture runs in networkvpcisolatedSubnet1")
    assert "has no way to its source on the internet: take it out of the VPC" in source
    assert "has no way to the parameter with its key" in parameter


def test_a_synthesis_without_built_code_says_what_to_do(refused: dict[str, list[str]]) -> None:
    [sentence] = refused["not_built"]

    assert "nothing/function: run make lambda first" in sentence


def test_each_function_reaches_what_it_needs_and_nothing_else(template: Template) -> None:
    ways = Map(template)
    reached = {
        handler: (ways.way_out(found), ways.way_to_bucket(found), ways.way_to_database(found))
        for handler in ("capture", "load", "send")
        for found in [place(template, handler)]
    }

    assert reached == {
        "capture": (True, True, False),
        "load": (False, True, True),
        "send": (True, True, False),
    }
    assert sentences(template) == []


def capture_in_public_subnets(template: Template) -> None:
    subnets = [{"Ref": key} for key in resources(template, "AWS::EC2::Subnet") if "public" in key]
    function(template, "capture")["VpcConfig"] = {"SubnetIds": subnets}


def load_outside(template: Template) -> None:
    del function(template, "load")["VpcConfig"]


def load_without_endpoint(template: Template) -> None:
    for endpoint in resources(template, "AWS::EC2::VPCEndpoint").values():
        endpoint["RouteTableIds"] = []


def load_beside_one_route_table(template: Template) -> None:
    for endpoint in resources(template, "AWS::EC2::VPCEndpoint").values():
        endpoint["RouteTableIds"].pop()


def load_not_admitted(template: Template) -> None:
    for rule in resources(template, "AWS::EC2::SecurityGroupIngress").values():
        rule["SourceSecurityGroupId"] = "sg-0"


def load_admitted_at_another_port(template: Template) -> None:
    for rule in resources(template, "AWS::EC2::SecurityGroupIngress").values():
        rule.update(FromPort=5432, ToPort=5432)


def load_not_let_out(template: Template) -> None:
    for rule in resources(template, "AWS::EC2::SecurityGroupEgress").values():
        rule.update(FromPort=5432, ToPort=5432)


def send_isolated(template: Template) -> None:
    function(template, "send")["VpcConfig"] = function(template, "load")["VpcConfig"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (capture_in_public_subnets, "has no way to its source on the internet"),
        (load_outside, "runs outside the VPC and has no way to its database"),
        (load_without_endpoint, "has no way to its bucket: give the route tables"),
        (load_beside_one_route_table, "has no way to its bucket: give the route tables"),
        (load_not_admitted, "has no way to its database: run it in the database's VPC"),
        (load_admitted_at_another_port, "has no way to its database"),
        (load_not_let_out, "has no way to its database"),
        (send_isolated, "has no way to the topic it publishes to"),
    ],
)
def test_a_way_that_is_missing_is_named(template: Template, change: Change, expected: str) -> None:
    broken = deepcopy(template)
    change(broken)

    assert any(expected in sentence for sentence in sentences(broken))


def test_a_nat_gateway_is_a_way_out(template: Template) -> None:
    """It costs, so the stack has none; but who adds one is not refused."""
    mended = deepcopy(template)
    function(mended, "capture")["VpcConfig"] = function(mended, "load")["VpcConfig"]
    assert sentences(mended)

    for table in resources(mended, "AWS::EC2::RouteTable"):
        mended["Resources"][f"nat{table}"] = {
            "Type": "AWS::EC2::Route",
            "Properties": {
                "RouteTableId": {"Ref": table},
                "DestinationCidrBlock": "0.0.0.0/0",
                "NatGatewayId": "nat-0",
            },
        }

    assert sentences(mended) == []
