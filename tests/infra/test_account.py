"""The template, really created in a stand-in for an account, and read back through AWS's API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_account import NUMBER, REGION, Account
from aws_makers import MAKERS
from aws_templates import ADMITTED

ROOT = Path(__file__).resolve().parents[2]
ISOLATED, PUBLIC = "isolatedSubnet", "publicSubnet"


@pytest.fixture(scope="module")
def account(shapes: Path, template: dict[str, Any]) -> Iterator[Account]:
    account = Account()
    try:
        account.upload(shapes / "page")
        account.create(template)
        yield account
    finally:
        account.stop()


def subnets(account: Account, kind: str) -> set[str]:
    return {made for key, made in account.ids.items() if re.search(rf"{kind}\dSubnet\w{{8}}$", key)}


def groups(account: Account) -> dict[str, Any]:
    found = account.client("ec2").describe_security_groups()["SecurityGroups"]
    return {group["GroupId"]: group for group in found}


def test_everything_in_the_template_came_to_be(account: Account, template: dict[str, Any]) -> None:
    assert account.unknown == {}
    assert template["Resources"].keys() <= account.ids.keys()


def test_what_the_stand_in_does_not_know_is_listed_in_the_docs() -> None:
    page = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")

    assert set(re.findall(r"^- `(AWS::\w+::\w+)`", page, re.MULTILINE)) == MAKERS.keys()


def test_the_database_is_private_encrypted_and_kept(account: Account) -> None:
    [database] = account.client("rds").describe_db_instances()["DBInstances"]
    group = database["DBSubnetGroup"]

    assert not database["PubliclyAccessible"]
    assert database["StorageEncrypted"]
    assert database["DeletionProtection"]
    assert database["BackupRetentionPeriod"] == 7
    assert database["IAMDatabaseAuthenticationEnabled"]
    assert database["MasterUserSecret"]["SecretArn"].startswith("arn:aws:secretsmanager:")
    assert (database["Engine"], database["EngineVersion"][:3]) == ("mysql", "8.4")
    assert {one["SubnetIdentifier"] for one in group["Subnets"]} == subnets(account, ISOLATED)


def test_the_database_takes_tls_alone(account: Account) -> None:
    rds = account.client("rds")
    [database] = rds.describe_db_instances()["DBInstances"]
    [group] = [one["DBParameterGroupName"] for one in database["DBParameterGroups"]]
    found = rds.describe_db_parameters(DBParameterGroupName=group)["Parameters"]
    values = {one["ParameterName"]: one.get("ParameterValue") for one in found}

    assert values["require_secure_transport"] == "1"
    # Signing in by IAM takes memory beside the engine, which would take three quarters of it.
    assert values["innodb_buffer_pool_size"] == "{DBInstanceClassMemory/4}"
    assert values["performance_schema"] == "0"


def test_the_database_is_reached_by_those_admitted_and_reaches_nothing(account: Account) -> None:
    [database] = account.client("rds").describe_db_instances()["DBInstances"]
    [own] = [one["VpcSecurityGroupId"] for one in database["VpcSecurityGroups"]]
    known = groups(account)
    load = account.client("lambda").get_function_configuration(FunctionName="coinlog-load")
    [loader] = load["VpcConfig"]["SecurityGroupIds"]
    rules = known[own]["IpPermissions"]

    assert loader in {pair["GroupId"] for rule in rules for pair in rule["UserIdGroupPairs"]}
    assert [rule["IpRanges"] + rule["Ipv6Ranges"] for rule in rules] == [[] for _ in rules]
    assert {(rule["FromPort"], rule["ToPort"]) for rule in rules} == {(3306, 3306)}
    # What stands for "nothing": one address that no packet can have.
    assert [
        cidr["CidrIp"] for rule in known[own]["IpPermissionsEgress"] for cidr in rule["IpRanges"]
    ] == ["255.255.255.255/32"]


def test_isolated_subnets_lead_to_s3_and_nowhere_else(account: Account) -> None:
    ec2 = account.client("ec2")
    isolated = {
        table["RouteTableId"]: table["Routes"]
        for table in ec2.describe_route_tables()["RouteTables"]
        for link in table["Associations"]
        if link.get("SubnetId") in subnets(account, ISOLATED)
    }
    [endpoint] = ec2.describe_vpc_endpoints()["VpcEndpoints"]

    assert len(isolated) == 2
    for routes in isolated.values():
        ways = {route.get("GatewayId") for route in routes}
        assert ways == {"local", endpoint["VpcEndpointId"]}
    assert set(endpoint["RouteTableIds"]) == isolated.keys()
    assert endpoint["ServiceName"] == f"com.amazonaws.{REGION}.s3"
    assert ec2.describe_nat_gateways()["NatGateways"] == []
    assert ec2.describe_addresses()["Addresses"] == []


def test_the_functions_run_where_they_should(account: Account) -> None:
    client = account.client("lambda")
    found = {
        name: client.get_function_configuration(FunctionName=f"coinlog-{name}")
        for name in ("capture", "load", "send")
    }

    for name, function in found.items():
        assert function["Handler"] == f"coinlog.aws.{name}.handler"
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]
        assert len(function["Layers"]) == (2 if name == "send" else 1)
    assert set(found["load"]["VpcConfig"]["SubnetIds"]) == subnets(account, ISOLATED)
    for name in ("capture", "send"):
        assert not found[name].get("VpcConfig", {}).get("SubnetIds")
    assert found["load"]["Timeout"] == 900
    told = found["load"]["Environment"]["Variables"]
    assert told["DB_HOST"].endswith(".rds.amazonaws.com")
    assert (told["DB_USER"], told["COINLOG_DATABASE_SIGNIN"]) == ("coinlog_load", "iam")
    assert "DB_PASSWORD" not in told


def test_events_that_fail_are_tried_again_and_then_kept(account: Account) -> None:
    client = account.client("lambda")
    queue = f"arn:aws:sqs:{REGION}:{NUMBER}:coinlog-dead-letters"

    for name in ("capture", "load", "send"):
        config = client.get_function_event_invoke_config(FunctionName=f"coinlog-{name}")
        assert config["MaximumRetryAttempts"] == 2
        assert config["DestinationConfig"]["OnFailure"]["Destination"] == queue
    for name in ("slots", "again", "sweep", "alerts-again"):
        target = account.client("scheduler").get_schedule(Name=f"coinlog-{name}")["Target"]
        assert target["DeadLetterConfig"]["Arn"] == queue
    for name in ("dead-letters", "load-waiting"):
        policy = attributes_of_queue(account, f"coinlog-{name}")
        assert policy["SqsManagedSseEnabled"] == "true"
        assert '"aws:SecureTransport": "false"' in policy["Policy"]


def attributes_of_queue(account: Account, name: str) -> dict[str, str]:
    sqs = account.client("sqs")
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    found: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])[
        "Attributes"
    ]
    return found


def test_new_objects_wait_for_the_loader_in_a_queue_that_is_read_by_two_at_most(
    account: Account, template: dict[str, Any]
) -> None:
    """An archive of years that is moved in must leave ``capture`` the runs that it needs."""
    waiting = attributes_of_queue(account, "coinlog-load-waiting")
    [reading] = account.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    [made] = [
        one["Properties"]
        for one in template["Resources"].values()
        if one["Type"] == "AWS::Lambda::EventSourceMapping"
    ]
    dead = f"arn:aws:sqs:{REGION}:{NUMBER}:coinlog-dead-letters"

    assert reading["EventSourceArn"] == waiting["QueueArn"]
    assert reading["FunctionArn"].endswith(":function:coinlog-load")
    assert made["ScalingConfig"] == {"MaximumConcurrency": 2}
    assert made["BatchSize"] == 1000
    assert made["MaximumBatchingWindowInSeconds"] == 5
    # Six timeouts of the function that reads it.
    assert int(waiting["VisibilityTimeout"]) == 6 * 900
    assert json.loads(waiting["RedrivePolicy"]) == {
        "deadLetterTargetArn": dead,
        "maxReceiveCount": 3,
    }


def test_the_schedules_hand_over_their_own_time(account: Account) -> None:
    found = {
        name: account.client("scheduler").get_schedule(Name=f"coinlog-{name}")
        for name in ("slots", "again", "sweep", "alerts-again")
    }

    assert found["slots"]["ScheduleExpression"] == "cron(0 0/6 * * ? *)"
    assert found["again"]["ScheduleExpression"] == "cron(10 0/6 * * ? *)"
    assert found["sweep"]["ScheduleExpression"] == "rate(15 minutes)"
    assert found["alerts-again"]["ScheduleExpression"] == "rate(15 minutes)"
    for name, function in (
        ("slots", "capture"),
        ("again", "capture"),
        ("sweep", "load"),
        ("alerts-again", "send"),
    ):
        schedule = found[name]
        assert schedule["ScheduleExpressionTimezone"] == "UTC"
        assert schedule["FlexibleTimeWindow"]["Mode"] == "OFF"
        assert schedule["Target"]["Arn"].endswith(f":function:coinlog-{function}")
        assert json.loads(schedule["Target"]["Input"]) == {
            "scheduled_time": "<aws.scheduler.scheduled-time>"
        }


WOKEN_BY = {
    "captures/20260126T180000Z/1/manifest.json": ["coinlog-load"],
    "captures/20260126T180000Z/1/listings-1.json.gz": [],
    "captures/20260126T180000Z/claim-1": [],
    "alerts/20260126T180000Z-failing-fired.json": ["coinlog-send"],
    "alerts/sent/20260126T180000Z-failing-fired": [],
    "alerts/looked": [],
    "loaded/20260126T180000Z": [],
}


@contextmanager
def without_policy(account: Account, bucket: str) -> Iterator[Any]:
    """Take away a bucket's policy, which refuses this server: it speaks no TLS."""
    s3 = account.client("s3")
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    with pytest.raises(ClientError, match="Forbidden"):
        s3.put_object(Bucket=bucket, Key="refused", Body=b"{}")
    s3.delete_bucket_policy(Bucket=bucket)
    yield s3
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)


def test_new_objects_wake_who_waits_for_them(account: Account) -> None:
    """Each rule is led to a queue instead of its function, and objects are put into the bucket."""
    events, sqs = account.client("events"), account.client("sqs")
    queues = {}
    for rule in events.list_rules()["Rules"]:
        for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
            if ":function:" in target["Arn"] or target["Arn"].endswith("-waiting"):
                assert "DeadLetterConfig" in target
                name = target["Arn"].rpartition(":")[2].removesuffix("-waiting")
                queues[name] = sqs.create_queue(QueueName=f"seen-{name}")["QueueUrl"]
                # The stand-in stops at a function, which it could run in a container alone.
                events.remove_targets(Rule=rule["Name"], Ids=[target["Id"]])
                arn = f"arn:aws:sqs:{REGION}:{NUMBER}:seen-{name}"
                events.put_targets(Rule=rule["Name"], Targets=[{"Id": "seen", "Arn": arn}])

    [bucket] = account.ids_of("AWS::S3::Bucket")
    with without_policy(account, bucket) as s3:
        for key in WOKEN_BY:
            s3.put_object(Bucket=bucket, Key=key, Body=b"{}")

    seen: dict[str, list[str]] = {key: [] for key in WOKEN_BY}
    for name, url in queues.items():
        told = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in told:
            seen[json.loads(message["Body"])["detail"]["object"]["key"]].append(name)
    assert seen == WOKEN_BY


def test_the_bucket_is_private_versioned_encrypted_and_over_tls_alone(account: Account) -> None:
    s3, bucket = account.client("s3"), {"Bucket": account.ids_of("AWS::S3::Bucket")[0]}
    block = s3.get_public_access_block(**bucket)["PublicAccessBlockConfiguration"]
    [rule] = s3.get_bucket_encryption(**bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    statements = json.loads(s3.get_bucket_policy(**bucket)["Policy"])["Statement"]

    assert all(block.values())
    assert len(block) == 4
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert s3.get_bucket_versioning(**bucket)["Status"] == "Enabled"
    assert {statement["Effect"] for statement in statements} == {"Deny"}
    assert {"Bool": {"aws:SecureTransport": "false"}} in [s["Condition"] for s in statements]
    ends = s3.get_bucket_lifecycle_configuration(**bucket)["Rules"]
    # Raw answers are kept for ever: nothing ends what is current, but for passing notes.
    current = {rule["Filter"]["Prefix"] for rule in ends if "Days" in rule.get("Expiration", {})}
    assert current == {"loaded/", "alerts/"}


def test_logs_end(account: Account) -> None:
    found = account.client("logs").describe_log_groups()["logGroups"]

    assert {f"/aws/lambda/coinlog-{name}" for name in ("capture", "load", "send")} < {
        group["logGroupName"] for group in found
    }
    assert [group for group in found if group.get("retentionInDays") != 30] == []


EXPECTED_RIGHTS = {
    "capture": {
        ("logs:CreateLogStream", "log-group:/aws/lambda/coinlog-capture:*"),
        ("logs:PutLogEvents", "log-group:/aws/lambda/coinlog-capture:*"),
        ("s3:GetObject", "BUCKET/captures/*"),
        ("s3:ListBucket", "BUCKET"),
        ("s3:PutObject", "BUCKET/captures/*"),
        ("sqs:SendMessage", "coinlog-dead-letters"),
        ("ssm:GetParameter", "parameter/coinlog/api-key"),
    },
    "load": {
        ("ec2:AssignPrivateIpAddresses", "*"),
        ("ec2:CreateNetworkInterface", "*"),
        ("ec2:DeleteNetworkInterface", "*"),
        ("ec2:DescribeNetworkInterfaces", "*"),
        ("ec2:DescribeSubnets", "*"),
        ("ec2:UnassignPrivateIpAddresses", "*"),
        ("logs:CreateLogStream", "log-group:/aws/lambda/coinlog-load:*"),
        ("logs:PutLogEvents", "log-group:/aws/lambda/coinlog-load:*"),
        ("rds-db:connect", "dbuser:DATABASE/coinlog_load"),
        ("s3:GetObject", "BUCKET/alerts.toml"),
        ("s3:GetObject", "BUCKET/alerts/*"),
        ("s3:GetObject", "BUCKET/backfill/*"),
        ("s3:GetObject", "BUCKET/captures/*"),
        ("s3:ListBucket", "BUCKET"),
        ("s3:PutObject", "BUCKET/alerts/*"),
        ("s3:PutObject", "BUCKET/loaded/*"),
        ("sqs:DeleteMessage", "coinlog-load-waiting"),
        ("sqs:GetQueueAttributes", "coinlog-load-waiting"),
        ("sqs:ReceiveMessage", "coinlog-load-waiting"),
        ("sqs:SendMessage", "coinlog-dead-letters"),
    },
    "send": {
        ("logs:CreateLogStream", "log-group:/aws/lambda/coinlog-send:*"),
        ("logs:PutLogEvents", "log-group:/aws/lambda/coinlog-send:*"),
        ("s3:GetObject", "BUCKET/alerts/*"),
        ("s3:ListBucket", "BUCKET alerts/*"),
        ("s3:PutObject", "BUCKET/alerts/sent/*"),
        ("sns:Publish", "coinlog"),
        ("sqs:SendMessage", "coinlog-dead-letters"),
        ("ssm:GetParameter", "parameter/coinlog/alert-urls"),
    },
}


def as_list(value: Any) -> list[Any]:  # noqa: ANN401  a policy has one or several
    return value if isinstance(value, list) else [value]


def rights(account: Account, name: str) -> set[tuple[str, str]]:
    """Return what a function may do, and on what."""
    function = account.client("lambda").get_function_configuration(FunctionName=name)
    return rights_of(account, function["Role"].rpartition("/")[2])


def rights_of(account: Account, role: str) -> set[tuple[str, str]]:
    """Return what a role really may do, and on what."""
    iam = account.client("iam")
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    found = set()
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        for statement in document["Statement"]:
            when = statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix", [])
            for action in as_list(statement["Action"]):
                for resource in as_list(statement["Resource"]):
                    on = " ".join([short(account, resource), *when])
                    if statement["Effect"] == "Allow":
                        found.add((action, on))
    return found


def short(account: Account, arn: str) -> str:
    """Return a resource without what all have in common."""
    [bucket] = account.ids_of("AWS::S3::Bucket")
    [database] = account.client("rds").describe_db_instances()["DBInstances"]
    text = re.sub(rf"^arn:aws:[\w-]+:(?:{REGION})?:(?:{NUMBER})?:", "", arn)
    return text.replace(bucket, "BUCKET").replace(database["DbiResourceId"], "DATABASE")


@pytest.mark.parametrize("name", EXPECTED_RIGHTS)
def test_a_function_may_do_exactly_what_it_needs(account: Account, name: str) -> None:
    assert rights(account, f"coinlog-{name}") == EXPECTED_RIGHTS[name]


def test_the_page_is_behind_the_balancer_and_admits_those_who_may_look(account: Account) -> None:
    elb, known = account.client("elbv2"), groups(account)
    [balancer] = elb.describe_load_balancers()["LoadBalancers"]
    [listener] = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    [target] = elb.describe_target_groups()["TargetGroups"]
    [front] = balancer["SecurityGroups"]
    ecs = account.client("ecs")
    [service] = ecs.describe_services(cluster="coinlog", services=ecs_services(account))["services"]
    network = service["networkConfiguration"]["awsvpcConfiguration"]
    [back] = [known[group] for group in network["securityGroups"]]

    admitted = {
        cidr
        for rule in known[front]["IpPermissions"]
        for cidr in [one["CidrIp"] for one in rule["IpRanges"]]
    }
    assert admitted == {cidr for cidr in ADMITTED if ":" not in cidr}
    assert (listener["Port"], target["Port"], target["HealthCheckPath"]) == (80, 5000, "/live")
    assert set(network["subnets"]) == subnets(account, PUBLIC)
    assert [
        (rule["FromPort"], [pair["GroupId"] for pair in rule["UserIdGroupPairs"]], rule["IpRanges"])
        for rule in back["IpPermissions"]
    ] == [(5000, [front], [])]


def ecs_services(account: Account) -> list[str]:
    found: list[str] = account.client("ecs").list_services(cluster="coinlog")["serviceArns"]
    return found


def test_the_page_runs_read_only_and_as_nobody(account: Account) -> None:
    [task] = [
        account.client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]
        for arn in account.client("ecs").list_task_definitions()["taskDefinitionArns"]
        if "/coinlog-page:" in arn
    ]
    [container] = task["containerDefinitions"]

    assert container["readonlyRootFilesystem"]
    assert container["user"].split(":")[0] not in {"", "0", "root"}
    assert task["runtimePlatform"]["cpuArchitecture"] == "ARM64"
    assert {
        variable["value"]
        for variable in container["environment"]
        if variable["name"] in {"DB_USER", "COINLOG_DATABASE_SIGNIN"}
    } == {"coinlog_page", "iam"}
    role = task["taskRoleArn"].rpartition("/")[2]
    assert rights_of(account, role) == {("rds-db:connect", "dbuser:DATABASE/coinlog_page")}


def test_silence_is_an_alarm(account: Account) -> None:
    found = {
        alarm["AlarmName"]: alarm
        for alarm in account.client("cloudwatch").describe_alarms()["MetricAlarms"]
        # Those that scale tasks belong to AWS.
        if alarm["AlarmName"].startswith("coinlog-")
    }

    assert found["coinlog-nothing-stored"]["TreatMissingData"] == "breaching"
    assert {action for alarm in found.values() for action in alarm["AlarmActions"]} == {
        account.ids_of("AWS::SNS::Topic")[0]
    }
    [rule] = account.client("logs").describe_metric_filters()["metricFilters"]
    assert rule["logGroupName"] == "/aws/lambda/coinlog-load"
