"""The page on AWS, as its template says: who reaches it, what it may do, how it is kept alive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aws_templates import (
    ADMITTED,
    Template,
    container_of,
    environment_of,
    rights_of,
    statements,
    task_called,
    template_of,
)
from coinlog.web.admission import RATE
from coinlog.web.patience import IDLE_SECONDS
from coinlog.web.server import STOP_SECONDS
from coinlog_infra.sizes import TASK_CPU, TASK_MEMORY_MB
from coinlog_infra.template import Map, target, targets

ALL = ("page", "mariadb", "domain", "edition", "edition-domain")

WITHOUT_RESOURCE = {
    "ecr:GetAuthorizationToken",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
}
"""Actions that AWS lets nobody limit to a resource, or asks for so."""


@pytest.fixture(scope="module")
def page(shapes: Path) -> Template:
    return template_of(shapes, "page")


@pytest.fixture(scope="module")
def domain(shapes: Path) -> Template:
    return template_of(shapes, "domain")


def ingress(found: Map) -> list[tuple[str, str, int]]:
    """Return who comes in where: the security group, from where, and to which port."""
    within = [
        (group, rule)
        for group, properties in found.of_type("AWS::EC2::SecurityGroup")
        for rule in properties.get("SecurityGroupIngress", [])
    ]
    beside = [
        (target(rule["GroupId"]), rule)
        for _, rule in found.of_type("AWS::EC2::SecurityGroupIngress")
    ]
    return [
        (group, str(rule.get("CidrIp") or target(rule["SourceSecurityGroupId"])), rule["ToPort"])
        for group, rule in [*within, *beside]
    ]


def egress(found: Map, group: str) -> set[tuple[str, int]]:
    rules = list(found.resources[group]["Properties"].get("SecurityGroupEgress", []))
    rules += [
        rule
        for _, rule in found.of_type("AWS::EC2::SecurityGroupEgress")
        if target(rule["GroupId"]) == group
    ]
    return {
        (str(rule.get("CidrIp") or target(rule["DestinationSecurityGroupId"])), rule["ToPort"])
        for rule in rules
    }


def balancer_of(found: Map) -> dict[str, Any]:
    [(_, balancer)] = found.of_type("AWS::ElasticLoadBalancingV2::LoadBalancer")
    return dict(balancer)


def service_of(found: Map) -> tuple[str, dict[str, Any]]:
    [(logical_id, service)] = found.of_type("AWS::ECS::Service")
    return logical_id, dict(service)


@pytest.mark.parametrize("shape", ALL)
def test_nothing_is_open_to_networks_but_the_balancer_to_those_who_may_look(
    shapes: Path, shape: str
) -> None:
    found = template_of(shapes, shape)
    from_networks = {one for one in ingress(found) if "." in one[1]}
    balancers = [one for _, one in found.of_type("AWS::ElasticLoadBalancingV2::LoadBalancer")]
    groups = [group for one in balancers for group in targets(one["SecurityGroups"])]
    may_look = {
        "domain": {("0.0.0.0/0", 80), ("0.0.0.0/0", 443)},
        "edition": set(),
        "edition-domain": set(),
    }.get(shape, {(network, 80) for network in ADMITTED if ":" not in network})

    assert {(network, port) for _, network, port in from_networks} == may_look
    assert {group for group, _, _ in from_networks} == set(groups)


def test_the_page_is_reached_by_the_balancer_alone_and_reaches_aws_and_the_database(
    page: Map,
) -> None:
    _, service = service_of(page)
    network = service["NetworkConfiguration"]["AwsvpcConfiguration"]
    [group], [balancers] = (
        targets(network["SecurityGroups"]),
        targets(balancer_of(page)["SecurityGroups"]),
    )
    [database] = [
        group
        for _, instance in page.of_type("AWS::RDS::DBInstance")
        for group in targets(instance["VPCSecurityGroups"])
    ]

    assert [rule for rule in ingress(page) if rule[0] == group] == [(group, balancers, 5000)]
    assert egress(page, group) == {("0.0.0.0/0", 443), (database, 3306)}
    assert egress(page, balancers) == {(group, 5000)}
    assert network["AssignPublicIp"] == "ENABLED"
    place = next(one for one in page.places() if one.called == "coinlog-page")
    assert page.way_out(place)
    assert page.way_to_database(place)


def test_the_pages_container_can_write_nowhere_but_its_scratch_and_is_nobody(page: Map) -> None:
    task = task_called(page, "page")
    container = container_of(task)

    assert container["User"] == "10001:10001"
    assert container["ReadonlyRootFilesystem"] is True
    assert container["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    assert container["MountPoints"] == [
        {"ContainerPath": "/tmp", "ReadOnly": False, "SourceVolume": "tmp"}  # noqa: S108
    ]
    assert task["Volumes"] == [{"Name": "tmp"}]
    assert not {"Privileged", "Secrets", "Command", "EntryPoint"} & container.keys()
    assert [one["ContainerPort"] for one in container["PortMappings"]] == [5000]
    assert container["StopTimeout"] > STOP_SECONDS
    assert (task["Cpu"], task["Memory"]) == (str(TASK_CPU), str(TASK_MEMORY_MB))


def test_the_page_signs_in_as_its_reader_and_may_do_nothing_else(page: Map) -> None:
    environment = environment_of(task_called(page, "page"))

    assert environment["DB_USER"] == "coinlog_page"
    assert environment["AWS_REGION"] == {"Ref": "AWS::Region"}
    assert environment["COINLOG_DATABASE_SIGNIN"] == "iam"
    assert environment["COINLOG_DATABASE_CA"] == "rds"
    assert environment["COINLOG_HOST"] == "0.0.0.0"  # noqa: S104  the security group decides
    # The balancer's nodes are in the VPC, and X-Forwarded-Proto counts from there alone.
    [(vpc, _)] = page.of_type("AWS::EC2::VPC")
    assert environment["COINLOG_PROXIES"] == {"Fn::GetAtt": [vpc, "CidrBlock"]}
    assert not {"COINLOG_ARCHIVE", "COINLOG_API_KEY_PARAMETER"} & environment.keys()
    [(action, resource)] = rights_of(page, task_called(page, "page")["TaskRoleArn"])
    assert action == "rds-db:connect"
    assert resource.endswith("/coinlog_page")


@pytest.mark.parametrize(("shape", "cpu"), [("page", "ARM64"), ("mariadb", "X86_64")])
def test_every_task_is_of_the_chosen_architecture(shapes: Path, shape: str, cpu: str) -> None:
    tasks = [task for _, task in template_of(shapes, shape).of_type("AWS::ECS::TaskDefinition")]

    assert len(tasks) == 4
    assert {task["RuntimePlatform"]["CpuArchitecture"] for task in tasks} == {cpu}
    assert {str(container_of(task)["Image"]) for task in tasks} == {
        str(container_of(tasks[0])["Image"])
    }


def test_a_version_that_does_not_answer_is_rolled_back_and_none_goes_before_it(page: Map) -> None:
    logical_id, service = service_of(page)
    deployment = service["DeploymentConfiguration"]

    assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (100, 200)
    # A number here would take tasks away at each deployment while readers need them.
    assert "DesiredCount" not in service
    listeners = {one for one, _ in page.of_type("AWS::ElasticLoadBalancingV2::Listener")}
    assert listeners <= set(page.resources[logical_id]["DependsOn"])


def test_tasks_follow_load_between_the_bounds_by_processor_and_by_requests(page: Map) -> None:
    [(_, scaling)] = page.of_type("AWS::ApplicationAutoScaling::ScalableTarget")
    policies = [
        one["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"]
        for _, one in page.of_type("AWS::ApplicationAutoScaling::ScalingPolicy")
    ]

    assert (scaling["MinCapacity"], scaling["MaxCapacity"]) == (1, 4)
    assert {one["PredefinedMetricType"] for one in policies} == {
        "ECSServiceAverageCPUUtilization",
        "ALBRequestCountPerTarget",
    }


def test_the_balancer_asks_live_and_lets_go_before_the_page_does(page: Map) -> None:
    [(_, group)] = page.of_type("AWS::ElasticLoadBalancingV2::TargetGroup")
    balancer = balancer_of(page)
    told = {one["Key"]: one["Value"] for one in balancer["LoadBalancerAttributes"]}
    leaving = {one["Key"]: one["Value"] for one in group["TargetGroupAttributes"]}

    assert (group["HealthCheckPath"], group["Port"]) == ("/live", 5000)
    assert (group["Protocol"], group["TargetType"]) == ("HTTP", "ip")
    # A connection that the page closes first, while a request comes, is a 502 for somebody.
    assert int(told["idle_timeout.timeout_seconds"]) < IDLE_SECONDS
    assert told["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert told["routing.http.desync_mitigation_mode"] == "strictest"
    assert int(leaving["deregistration_delay.timeout_seconds"]) <= 30
    assert balancer["Scheme"] == "internet-facing"


def test_before_a_public_page_an_address_that_asks_too_often_gets_429(domain: Map) -> None:
    [(made, acl)] = domain.of_type("AWS::WAFv2::WebACL")
    [(_, association)] = domain.of_type("AWS::WAFv2::WebACLAssociation")
    [(balancer, _)] = domain.of_type("AWS::ElasticLoadBalancingV2::LoadBalancer")
    [rule] = acl["Rules"]
    response = rule["Action"]["Block"]["CustomResponse"]
    body = acl["CustomResponseBodies"][response["CustomResponseBodyKey"]]

    assert (acl["Scope"], acl["DefaultAction"]) == ("REGIONAL", {"Allow": {}})
    # The same limit as a server's own, whose tasks count apart from each other.
    assert rule["Statement"] == {
        "RateBasedStatement": {"AggregateKeyType": "IP", "EvaluationWindowSec": 60, "Limit": RATE}
    }
    assert response["ResponseCode"] == 429
    headers = {one["Name"]: one["Value"] for one in response["ResponseHeaders"]}
    assert headers == {
        "Retry-After": "60",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    }
    assert body["ContentType"] == "APPLICATION_JSON"
    assert (
        json.loads(body["Content"])["error"].items() >= {"status": 429, "code": "too_many"}.items()
    )
    assert association["ResourceArn"] == {"Ref": balancer}
    assert association["WebACLArn"] == {"Fn::GetAtt": [made, "Arn"]}


def test_a_page_for_few_pays_for_no_limit_before_it(page: Map) -> None:
    assert [*page.of_type("AWS::WAFv2::WebACL")] == []


def test_without_a_domain_port_80_leads_to_the_page(page: Map) -> None:
    [(_, listener)] = page.of_type("AWS::ElasticLoadBalancingV2::Listener")

    assert (listener["Port"], listener["Protocol"]) == (80, "HTTP")
    assert [one["Type"] for one in listener["DefaultActions"]] == ["forward"]
    assert [*page.of_type("AWS::CertificateManager::Certificate")] == []


def test_with_a_domain_everything_is_https_and_port_80_only_says_so(domain: Map) -> None:
    listeners = {
        one["Port"]: one for _, one in domain.of_type("AWS::ElasticLoadBalancingV2::Listener")
    }
    [(certificate, made)] = domain.of_type("AWS::CertificateManager::Certificate")
    [(_, record)] = domain.of_type("AWS::Route53::RecordSet")
    [redirect] = listeners[80]["DefaultActions"]

    assert listeners.keys() == {80, 443}
    assert redirect["Type"] == "redirect"
    assert redirect["RedirectConfig"] == {
        "Port": "443",
        "Protocol": "HTTPS",
        "StatusCode": "HTTP_301",
    }
    assert targets([one["CertificateArn"] for one in listeners[443]["Certificates"]]) == (
        certificate,
    )
    assert listeners[443]["SslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-2-Res")
    assert (made["DomainName"], made["ValidationMethod"]) == ("coins.example.org", "DNS")
    assert (record["Name"], record["Type"]) == ("coins.example.org.", "A")
    assert "AliasTarget" in record


def test_port_80_is_one_listener_so_that_a_domain_can_come_later(page: Map, domain: Map) -> None:
    [before] = [one for one, _ in page.of_type("AWS::ElasticLoadBalancingV2::Listener")]
    after = {
        one: listener["Port"]
        for one, listener in domain.of_type("AWS::ElasticLoadBalancingV2::Listener")
    }

    assert after[before] == 80
    assert {one for one, _ in page.of_type("AWS::ElasticLoadBalancingV2::TargetGroup")} == {
        one for one, _ in domain.of_type("AWS::ElasticLoadBalancingV2::TargetGroup")
    }


def test_the_master_password_is_handed_to_the_preparing_task_alone(page: Map) -> None:
    with_secrets = {
        task["Family"]: [one["Name"] for one in container_of(task)["Secrets"]]
        for _, task in page.of_type("AWS::ECS::TaskDefinition")
        if "Secrets" in container_of(task)
    }
    readers = {
        role
        for role, statement in statements(page)
        if any(one.startswith("secretsmanager:") for one in statement["Action"])
    }
    prepare = task_called(page, "prepare")

    assert with_secrets == {"coinlog-prepare": ["DB_PASSWORD"]}
    # ECS itself fetches it: what runs in the task has no right to.
    assert readers == {target(prepare["ExecutionRoleArn"])}
    assert rights_of(page, prepare["TaskRoleArn"]) == []
    assert environment_of(prepare)["DB_USER"] == "coinlog_admin"
    assert environment_of(prepare)["COINLOG_DATABASE_SIGNIN"] == "password"
    assert whole_command(prepare) == ["env", "python", "-m", "coinlog.aws.prepare"]


def whole_command(task: dict[str, Any]) -> list[str]:
    container = container_of(task)
    return [*container["EntryPoint"], *container["Command"]]


def test_commands_run_as_the_loader_with_the_archive(page: Map) -> None:
    ops = task_called(page, "ops")
    rights = rights_of(page, ops["TaskRoleArn"])

    assert {action for action, _ in rights} == {
        "rds-db:connect",
        "ssm:GetParameter",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
        "s3:DeleteObject",
    }
    [removed] = [one for action, one in rights if action == "s3:DeleteObject"]
    assert removed.endswith("/check")
    [user] = [one for action, one in rights if action == "rds-db:connect"]
    assert user.endswith("/coinlog_load")
    assert environment_of(ops).keys() >= {"COINLOG_ARCHIVE", "COINLOG_INTERVAL", "COINLOG_ASSETS"}
    # ``make ops`` replaces the command, which begins with the name of the program.
    assert whole_command(ops) == ["env", "coinlog", "status"]


def test_the_tunnel_may_be_led_through_and_do_nothing(page: Map) -> None:
    tunnel = task_called(page, "tunnel")
    container = container_of(tunnel)

    assert {action for action, _ in rights_of(page, tunnel["TaskRoleArn"])} == {
        one for one in WITHOUT_RESOURCE if one.startswith("ssmmessages:")
    }
    # ECS Exec writes its agent into the container.
    assert container["ReadonlyRootFilesystem"] is False
    assert container["LinuxParameters"]["InitProcessEnabled"] is True
    assert "Environment" not in container
    # It ends by itself where nobody ends it.
    assert whole_command(tunnel) == ["env", "sleep", str(8 * 3600)]


def test_one_off_tasks_are_reached_by_nobody_and_admitted_by_the_database(page: Template) -> None:
    group = target(page.outputs["TaskSecurityGroups"]["Value"])
    [database] = [
        group
        for _, instance in page.of_type("AWS::RDS::DBInstance")
        for group in targets(instance["VPCSecurityGroups"])
    ]

    assert [rule for rule in ingress(page) if rule[0] == group] == []
    assert (database, group, 3306) in ingress(page)
    assert egress(page, group) == {("0.0.0.0/0", 443), (database, 3306)}


@pytest.mark.parametrize("shape", ALL)
def test_no_right_is_on_everything_but_those_that_know_no_resource(
    shapes: Path, shape: str
) -> None:
    found = template_of(shapes, shape)
    everywhere = {
        action
        for _, statement in statements(found)
        for action in statement["Action"]
        if "*" in statement["Resource"] and statement["Effect"] == "Allow"
    }

    assert everywhere <= WITHOUT_RESOURCE
    assert not [
        action
        for _, statement in statements(found)
        for action in statement["Action"]
        if "*" in action
    ]


@pytest.mark.parametrize("shape", ALL)
def test_every_log_ends_and_every_container_has_one(shapes: Path, shape: str) -> None:
    found = template_of(shapes, shape)
    kept = {
        group: log.get("RetentionInDays") for group, log in found.of_type("AWS::Logs::LogGroup")
    }
    used = {
        target(container_of(task)["LogConfiguration"]["Options"]["awslogs-group"])
        for _, task in found.of_type("AWS::ECS::TaskDefinition")
    }

    assert set(kept.values()) == {30}
    assert used <= kept.keys()
    assert len(used) == 4


def test_who_may_look_must_be_able_to_come(refused: dict[str, list[str]]) -> None:
    assert "expected an IPv4 network too" in refused["page_ipv6"][0]
    assert "there is no Dockerfile" in refused["no_image"][0]
