"""A deployed coinlog in an account on this machine, and a clock that nobody waits for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from aws_server import REGION, SIGNED_IN, AWSServer
from coinlog_infra import given
from coinlog_infra.aws import Account
from coinlog_infra.outputs import OUTPUTS, Deployed, read_deployed
from coinlog_infra.parts import Parts, read_parts
from coinlog_infra.tasks import Clock

TRUST = "AWS_CA_BUNDLE"


@pytest.fixture(scope="session")
def aws_server() -> Iterator[AWSServer]:
    server = AWSServer()
    yield server
    server.stop()


@pytest.fixture
def aws(aws_server: AWSServer, monkeypatch: pytest.MonkeyPatch) -> AWSServer:
    """Lead boto3 to an empty account on this machine."""
    monkeypatch.delenv(TRUST, raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_server.url)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    for name, value in SIGNED_IN.items():
        monkeypatch.setenv(name.upper(), value)
    aws_server.forget()
    return aws_server


@pytest.fixture(autouse=True)
def own_options(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the developer's own deployment and key out of every test."""
    monkeypatch.setattr(given, "FILE", tmp_path / "deploy.toml")
    monkeypatch.setattr(given, "DOTENV", tmp_path / ".env")


@pytest.fixture(scope="session")
def accounts() -> dict[str, Account]:
    """Keep the one account: making boto3's clients takes longer than all that they are asked."""
    return {}


@pytest.fixture
def account(aws: AWSServer, accounts: dict[str, Account]) -> Account:
    return accounts.setdefault(aws.url, Account(REGION))


@pytest.fixture
def outputs(aws: AWSServer) -> dict[str, str]:
    """Return what a stack says that is deployed whole, its tasks known to ECS."""
    network = aws.client("ec2").describe_subnets()["Subnets"][0]
    groups = aws.client("ec2").describe_security_groups()["SecurityGroups"]
    cluster = aws.client("ecs").create_cluster(clusterName="coinlog")["cluster"]["clusterArn"]
    tasks = {f"{kind.capitalize()}Task": define(aws, kind) for kind in ("ops", "prepare", "tunnel")}
    return {
        **tasks,
        "Url": f"{aws.url}/",
        "Bucket": "coinlog-archive",
        "Cluster": cluster,
        "TaskSubnets": network["SubnetId"],
        "TaskSecurityGroups": groups[0]["GroupId"],
        "CaptureFunction": "coinlog-capture",
        "DatabaseHost": "coinlog.abc.us-east-1.rds.amazonaws.com",
        "DatabasePort": "3306",
        "DatabaseName": "coinlog",
        "DatabaseInstance": "coinlog",
        "Targets": "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/coinlog/1",
    }


def define(aws: AWSServer, kind: str) -> str:
    """Define a task that logs, and return its ARN."""
    aws.client("logs").create_log_group(logGroupName=f"/ecs/coinlog-{kind}")
    options = {
        "awslogs-group": f"/ecs/coinlog-{kind}",
        "awslogs-stream-prefix": f"coinlog-{kind}",
        "awslogs-region": REGION,
    }
    logged = {"logDriver": "awslogs", "options": options}
    defined = aws.client("ecs").register_task_definition(
        family=f"coinlog-{kind}",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="512",
        memory="1024",
        containerDefinitions=[
            {"name": "coinlog", "image": "made-up", "memory": 512, "logConfiguration": logged}
        ],
    )
    return str(defined["taskDefinition"]["taskDefinitionArn"])


def template(outputs: dict[str, str], **more: object) -> str:
    """Return a template whose stack says these outputs and keeps the bucket when it goes.

    ``more`` are further resources, by the names that the real template's begin with.
    """
    assert set(outputs) >= set(OUTPUTS)
    bucket = {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": "Retain",
        "Properties": {"BucketName": outputs["Bucket"]},
    }
    instance = {
        "Type": "AWS::RDS::DBInstance",
        # moto knows no other policy, and cannot take away what is gone already.
        "DeletionPolicy": "Retain",
        "Properties": {
            "DBInstanceIdentifier": outputs["DatabaseInstance"],
            "DBInstanceClass": "db.t4g.micro",
            "Engine": "mysql",
            "AllocatedStorage": "20",
            "MasterUsername": "coinlog_admin",
            "MasterUserPassword": "made-up-password",
        },
    }
    said = {name: {"Value": value} for name, value in outputs.items()}
    resources = {"archivebucket0": bucket, "databaseinstance0": instance, **more}
    return json.dumps({"Resources": resources, "Outputs": said})


@pytest.fixture
def deployed(aws: AWSServer, account: Account, outputs: dict[str, str]) -> Deployed:
    """Return coinlog deployed: a stack, a database that is protected, a bucket."""
    stacks = aws.client("cloudformation")
    stacks.create_stack(StackName="coinlog", TemplateBody=template(outputs))
    # moto's CloudFormation leaves this out.
    aws.client("rds").modify_db_instance(DBInstanceIdentifier="coinlog", DeletionProtection=True)
    return read_deployed(account, "coinlog")


@pytest.fixture
def parts(account: Account, deployed: Deployed) -> Parts:
    """Return the parts of what is deployed."""
    found = read_parts(account, "coinlog")
    assert (found.bucket, found.database) == (deployed.bucket, deployed.database_instance)
    return found


@pytest.fixture
def clock() -> Clock:
    """Return a clock whose waiting passes at once."""
    passed = [0.0]
    return Clock(lambda: passed[0], lambda seconds: passed.__setitem__(0, passed[0] + seconds))


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that comes first on PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


@pytest.fixture
def docker(programs: Path) -> Path:
    """Return a docker that answers."""
    path = programs / "docker"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path
