"""The whole of ``make deploy`` and ``make destroy`` against a stand-in for AWS.

CDK cannot deploy into the stand-in: a small program stands in for it that creates the stack there,
as CloudFormation would. Everything else is what runs at a user's.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from aws_server import AWSServer
from coinlog.aws.asking import facts
from coinlog.capturing import Captured, Standing
from coinlog.errors import UsageError
from coinlog.settings import Secret
from coinlog.slots import parse_time
from coinlog_infra import cdk, deploy, destroy, given, removal, steps
from coinlog_infra.aws import Account
from coinlog_infra.errors import DeployError, NotDeployedError
from coinlog_infra.options import Options
from coinlog_infra.parts import Parts, _own, read_parts
from coinlog_infra.prerequisites import Ready
from coinlog_infra.tasks import Clock

from .conftest import define, template

CANARY = "00000000-canary-4000-8000-000000000000"
OPTIONS = Options(region="us-east-1", admitted=("203.0.113.7/32",))
EDITION = replace(OPTIONS, shape="edition")
READY = Ready(OPTIONS, "123456789012", bootstrapped=True, zone_id=None)

# Asks for the stack by plain HTTP: importing boto3 would take longer than all the rest.
FAKE_CDK = """\
#!{python} -IS
import json, os, sys
from urllib.parse import urlencode
from urllib.request import Request, urlopen

def ask(**form):
    scope = "Credential=x/20260101/us-east-1/cloudformation/aws4_request"
    headers = {{"Authorization": "AWS4-HMAC-SHA256 " + scope}}
    sent = Request(os.environ["AWS_ENDPOINT_URL"], urlencode(form).encode(), headers)
    return urlopen(sent).read().decode()

with open("{folder}/cdk.log", "a") as log:
    log.write(json.dumps([sys.argv[1:], os.environ["AWS_REGION"]]) + "\\n")
if sys.argv[1] == "deploy":
    alive = {{"StackStatusFilter.member.1": "CREATE_COMPLETE"}}
    half = os.path.exists("{folder}/half")
    if os.path.exists("{folder}/broken"):
        print("UPDATE_ROLLBACK_COMPLETE: the page did not become healthy", file=sys.stderr)
        raise SystemExit(1)
    if "StackName>coinlog<" not in ask(Action="ListStacks", **alive):
        template = open("{folder}/template").read()
        ask(Action="CreateStack", StackName="coinlog", TemplateBody=template)
    if half:
        print("ROLLBACK_FAILED: Cannot delete protected DB Instance", file=sys.stderr)
        raise SystemExit(1)
"""


@pytest.fixture
def command(
    aws: AWSServer, outputs: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Put a program in CDK's place that creates the stack, and return the folder of its log."""
    assert aws.url
    script = tmp_path / "cdk"
    script.write_text(FAKE_CDK.format(python=sys.executable, folder=tmp_path))
    script.chmod(0o755)
    (tmp_path / "template").write_text(template(outputs))
    monkeypatch.setattr(cdk, "COMMAND", str(script))
    monkeypatch.setattr(steps, "pack_functions", lambda: None)
    monkeypatch.setattr(deploy, "own_address", lambda: IPv4Address("203.0.113.7"))
    return tmp_path


def cdk_calls(folder: Path) -> list[list[str]]:
    return [json.loads(line)[0] for line in (folder / "cdk.log").read_text().splitlines()]


@pytest.fixture
def works(aws: AWSServer) -> Callable[[float], None]:
    """Let the account do what it would while somebody waits: prepare, capture, load."""
    slot = {"slot": "2026-01-26T18:00:00Z", "outcome": "stored", "detail": ""}
    aws.captured, aws.ends_with = slot, 0

    def wait(_: float) -> None:
        aws.client("s3").put_object(Bucket="coinlog-archive", Key="loaded/20260126T180000Z")

    return wait


def ticking(wait: Callable[[float], None]) -> Clock:
    """Return a clock that passes ten seconds at each look."""
    passed = iter(range(0, 1_000_000, 10))
    return Clock(lambda: float(next(passed)), wait)


def test_a_deploy_from_nothing_ends_with_a_slot_and_an_address(
    aws: AWSServer,
    account: Account,
    command: Path,
    works: Callable[[float], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    ready = Ready(OPTIONS, "123456789012", bootstrapped=False, zone_id=None)

    code = deploy.deploy(account, ready, Secret(CANARY), ticking(works))

    text = capsys.readouterr().out
    assert code == 0, text
    assert [call[0] for call in cdk_calls(command)] == ["bootstrap", "deploy"]
    assert cdk_calls(command)[0] == ["bootstrap", "aws://123456789012/us-east-1"]
    assert aws.url in text
    assert "s3://coinlog-archive" in text
    assert "make tunnel" in text
    assert text.count("✓") == 9
    assert CANARY not in text

    parameter = aws.client("ssm").get_parameter(Name="/coinlog/api-key", WithDecryption=True)
    assert parameter["Parameter"]["Type"] == "SecureString"
    assert parameter["Parameter"]["Value"] == CANARY
    assert CANARY not in (command / "cdk.log").read_text()


def test_a_second_deploy_makes_nothing_twice(
    aws: AWSServer, account: Account, command: Path, works: Callable[[float], None]
) -> None:
    ready = Ready(OPTIONS, "123456789012", bootstrapped=True, zone_id="Z1")
    codes = [deploy.deploy(account, ready, None, ticking(works)) for _ in range(2)]

    assert codes == [0, 0]
    assert len(aws.client("cloudformation").list_stacks()["StackSummaries"]) == 1
    for call in cdk_calls(command):
        assert call[:2] == ["deploy", "coinlog"]
        assert call[-1] == "--parameters=coinlog:HostedZoneId=Z1"
    assert aws.client("ssm").describe_parameters()["Parameters"] == []


def test_a_deploy_that_was_rolled_back_says_cloudformations_own_words(
    account: Account, command: Path, works: Callable[[float], None], aws: AWSServer
) -> None:
    (command / "broken").touch()
    ready = Ready(OPTIONS, "123456789012", bootstrapped=True, zone_id=None)

    with pytest.raises(DeployError, match="UPDATE_ROLLBACK_COMPLETE: the page did not become"):
        deploy.deploy(account, ready, None, ticking(works))

    assert "RunTask" not in aws.asked, "an old schema goes with the old code"


def test_a_database_that_cannot_be_prepared_ends_it_with_what_was_printed(
    aws: AWSServer, account: Account, command: Path, works: Callable[[float], None]
) -> None:
    assert command.is_dir()
    aws.ends_with = 1
    ready = Ready(OPTIONS, "123456789012", bootstrapped=True, zone_id=None)

    with pytest.raises(DeployError, match=r"could not be prepared \(exit code 1\)"):
        deploy.deploy(account, ready, None, ticking(works))


def test_a_source_that_fails_is_told_and_the_deployment_stands(
    aws: AWSServer,
    account: Account,
    command: Path,
    works: Callable[[float], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.is_dir()
    aws.captured |= {"outcome": "failed", "detail": "rate limited: shared addresses"}
    ready = Ready(OPTIONS, "123456789012", bootstrapped=True, zone_id=None)

    assert deploy.deploy(account, ready, None, ticking(works)) == 0

    text = capsys.readouterr().out
    assert "was not recorded: rate limited: shared addresses" in text
    assert aws.url in text


def test_a_function_that_breaks_ends_it(
    aws: AWSServer, account: Account, command: Path, works: Callable[[float], None]
) -> None:
    assert command.is_dir()
    aws.function_error, aws.captured = True, {"errorMessage": "no module named coinlog"}
    ready = Ready(OPTIONS, "123456789012", bootstrapped=True, zone_id=None)

    with pytest.raises(DeployError, match="capture broke: no module named coinlog"):
        deploy.deploy(account, ready, None, ticking(works))


def test_a_release_is_judged_by_the_balancer_where_we_may_not_look(
    aws: AWSServer,
    account: Account,
    works: Callable[[float], None],
    command: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A runner has an address that nobody admits: the page may not be asked, and is not."""
    assert command.is_dir()
    monkeypatch.setattr(deploy, "own_address", lambda: IPv4Address("198.51.100.9"))

    assert deploy.deploy(account, READY, None, ticking(works)) == 0
    assert "GET /live" not in aws.asked

    aws.health = "unhealthy"
    assert deploy.deploy(account, READY, None, ticking(works)) == 1


def test_a_longer_interval_is_no_failure_though_no_slot_is_captured(
    aws: AWSServer, account: Account, command: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """1h → 6h at 10:30: slot 06:00 has passed, as those of 7 to 10 o'clock are recorded."""
    assert command.is_dir()
    aws.ends_with = 0
    passed = Captured(parse_time("2026-01-26T06:00:00Z"), Standing.PASSED)
    aws.captured = facts(passed)

    assert deploy.deploy(account, READY, None, ticking(lambda _: None)) == 0
    assert "a later one is recorded already" in capsys.readouterr().out


def deploy_edition(aws: AWSServer, outputs: dict[str, str]) -> str:
    """Create the stack of an edition that is just publishing, and return that task."""
    (said := dict(outputs)).pop("Targets")
    said |= {"EditionBucket": "coinlog-edition", "PublishTask": define(aws, "publish")}
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "coinlog-edition"}}
    pattern = {"source": ["aws.s3"]}
    rule = {"Type": "AWS::Events::Rule", "Properties": {"Name": "r", "EventPattern": pattern}}
    cluster = {"Type": "AWS::ECS::Cluster", "Properties": {"ClusterName": "coinlog"}}
    more: dict[str, object] = {
        "editionbucket0": bucket,
        "editionloaded0": rule,
        "containerscluster0": cluster,
    }
    body = template(said, **more)
    aws.client("cloudformation").create_stack(StackName="coinlog", TemplateBody=body)
    put(aws, "coinlog-edition", "index.html")
    subnets, groups = [outputs["TaskSubnets"]], [outputs["TaskSecurityGroups"]]
    network = {"awsvpcConfiguration": {"subnets": subnets, "securityGroups": groups}}
    task = aws.client("ecs").run_task(
        cluster="coinlog",
        taskDefinition=said["PublishTask"],
        launchType="FARGATE",
        networkConfiguration=network,
    )
    return str(task["tasks"][0]["taskArn"])


def test_an_edition_is_published_by_its_deployment(
    aws: AWSServer,
    account: Account,
    command: Path,
    outputs: dict[str, str],
    works: Callable[[float], None],
) -> None:
    """The slot may be loaded long since: then no event comes that would start the publishing."""
    assert command.is_dir()
    deploy_edition(aws, outputs)
    aws.asked.clear()
    ready = replace(READY, options=EDITION)

    assert deploy.deploy(account, ready, None, ticking(works)) == 0
    assert aws.asked.count("RunTask") == 2, "one prepares, one publishes"
    assert "DescribeTargetHealth" not in aws.asked


def test_a_creation_that_fails_leaves_nothing_in_the_way_of_the_next(
    aws: AWSServer, account: Account, command: Path, works: Callable[[float], None]
) -> None:
    """The database is protected from its first moment on, so CloudFormation cannot take it back."""
    (command / "half").touch()
    aws.stack_status = "ROLLBACK_FAILED"

    with pytest.raises(DeployError, match=r"Cannot delete protected[\s\S]*is taken away"):
        deploy.deploy(account, READY, None, ticking(works))

    assert aws.asked.index("ModifyDBInstance") < aws.asked.index("DeleteStack")
    assert aws.client("rds").describe_db_instances()["DBInstances"] == []
    assert aws.client("rds").describe_db_snapshots()["DBSnapshots"] == []
    assert aws.client("s3").list_buckets()["Buckets"] == []
    (command / "half").unlink()
    aws.stack_status = ""
    assert deploy.deploy(account, READY, None, ticking(works)) == 0


def test_what_failed_to_be_made_is_destroyed_without_its_outputs(
    aws: AWSServer,
    parts: Parts,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What was captured meanwhile stays."""
    put(aws, parts.bucket, "captures/20260126T180000Z/1/manifest.json")
    aws.stack_status = "ROLLBACK_FAILED"
    monkeypatch.setenv("DEPLOY_YES", "coinlog")

    assert destroy.main() == 0

    assert aws.client("rds").describe_db_instances()["DBInstances"] == []
    assert "CreateDBSnapshot" not in aws.asked
    assert f"s3://{parts.bucket} stays" in capsys.readouterr().out
    assert aws.client("s3").list_objects_v2(Bucket=parts.bucket)["KeyCount"] == 1


def test_a_database_of_the_same_name_that_was_there_before_is_nobodys_to_remove(
    aws: AWSServer, account: Account, parts: Parts
) -> None:
    """A creation may fail for that very reason."""
    aws.stack_status = "ROLLBACK_COMPLETE"
    older = replace(parts, database=_own(account, parts.database, time.time() + 60))

    removal.delete_instance(account, older)

    assert len(aws.client("rds").describe_db_instances()["DBInstances"]) == 1
    assert removal.snapshots(account, older) == set()
    assert not removal.has_instance(account, older)


def test_without_a_key_it_is_warned_and_costs_come_before_anything(
    aws: AWSServer,
    docker: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert docker.exists()
    monkeypatch.setenv("DEPLOY_ADMIT", "203.0.113.7")
    monkeypatch.setenv("DEPLOY_PUBLIC", "yes")

    with pytest.raises(UsageError, match="Nobody is here to answer: say YES=1"):
        deploy.main()

    text = " ".join(capsys.readouterr().out.split())
    assert "no API key is given: keyless requests are counted by address" in text
    assert "together" in text
    assert "CoinMarketCap's API terms" in text
    changing = ("Create", "Put", "Run", "Update", "Delete", "Execute")
    assert [action for action in aws.asked if action.startswith(changing)] == []
    assert not given.FILE.exists()


def test_destroy_keeps_the_data(
    aws: AWSServer, account: Account, parts: Parts, capsys: pytest.CaptureFixture[str]
) -> None:
    steps.write_key(account, OPTIONS, Secret(CANARY))
    put(aws, parts.bucket, "captures/20260126T180000Z/1/manifest.json")

    assert destroy.destroy(account, OPTIONS, parts, delete=False) == 0

    rds = aws.client("rds")
    [snapshot] = rds.describe_db_snapshots()["DBSnapshots"]
    assert snapshot["DBSnapshotIdentifier"].startswith("coinlog-final-")
    assert rds.describe_db_instances()["DBInstances"] == []
    assert aws.client("s3").list_objects_v2(Bucket=parts.bucket)["KeyCount"] == 1
    assert aws.client("ssm").describe_parameters()["Parameters"] == []
    text = capsys.readouterr().out
    assert f"s3://{parts.bucket}" in text
    assert snapshot["DBSnapshotIdentifier"] in text
    assert "up to $1.90" in text


def put(aws: AWSServer, bucket: str, key: str) -> None:
    aws.client("s3").put_object(Bucket=bucket, Key=key, Body=b"{}")


def test_destroy_removes_the_data_only_where_that_was_asked(
    aws: AWSServer, account: Account, parts: Parts
) -> None:
    s3 = aws.client("s3")
    s3.put_bucket_versioning(Bucket=parts.bucket, VersioningConfiguration={"Status": "Enabled"})
    for _ in range(2):
        put(aws, parts.bucket, "captures/20260126T180000Z/1/manifest.json")
    s3.delete_object(Bucket=parts.bucket, Key="captures/20260126T180000Z/1/manifest.json")
    s3.create_bucket(Bucket="other")
    put(aws, "other", "mine")

    assert destroy.destroy(account, OPTIONS, parts, delete=True) == 0

    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == ["other"]
    assert aws.client("rds").describe_db_snapshots()["DBSnapshots"] == []
    assert aws.client("rds").describe_db_instances()["DBInstances"] == []


def test_an_editions_files_go_with_the_stack(
    aws: AWSServer, account: Account, outputs: dict[str, str]
) -> None:
    task = deploy_edition(aws, outputs)
    parts = read_parts(account, "coinlog")
    asked = len(aws.asked)

    destroy.destroy(account, EDITION, parts, delete=False)

    names = [one["Name"] for one in aws.client("s3").list_buckets()["Buckets"]]
    assert names == ["coinlog-archive"], "CloudFormation removes none with something in it"
    [left] = aws.client("ecs").describe_tasks(cluster="coinlog", tasks=[task])["tasks"]
    assert left["desiredStatus"] == "STOPPED"
    order = aws.asked[asked:]
    emptied = order.index("POST /coinlog-edition")
    assert order.index("DisableRule") < order.index("StopTask") < emptied, "else it fills again"


def test_a_snapshot_that_fails_keeps_everything(
    aws: AWSServer, account: Account, parts: Parts
) -> None:
    aws.refused["CreateDBSnapshot"] = "SnapshotQuotaExceeded"

    with pytest.raises(DeployError, match="SnapshotQuotaExceeded"):
        destroy.destroy(account, OPTIONS, parts, delete=False)

    [instance] = aws.client("rds").describe_db_instances()["DBInstances"]
    assert instance["DeletionProtection"]
    assert "DeleteStack" not in aws.asked


def test_a_database_that_was_lost_keeps_nothing_from_going(
    aws: AWSServer, account: Account, parts: Parts, capsys: pytest.CaptureFixture[str]
) -> None:
    rds = aws.client("rds")
    rds.modify_db_instance(DBInstanceIdentifier="coinlog", DeletionProtection=False)
    rds.delete_db_instance(DBInstanceIdentifier="coinlog", SkipFinalSnapshot=True)

    assert destroy.destroy(account, OPTIONS, parts, delete=False) == 0

    assert "the database is gone already" in capsys.readouterr().out
    assert aws.client("cloudformation").list_stacks()["StackSummaries"][0]["StackStatus"] == (
        "DELETE_COMPLETE"
    )


@pytest.mark.parametrize("yes", ["", "1", "coinlogg"])
def test_destroy_wants_the_name_typed(
    aws: AWSServer,
    parts: Parts,
    yes: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert parts.bucket
    monkeypatch.setenv("DEPLOY_DATA", "delete")
    monkeypatch.setenv("DEPLOY_YES", yes)
    aws.asked.clear()

    with pytest.raises(UsageError, match="YES=coinlog"):
        destroy.main()

    assert "Nobody can bring these back" in capsys.readouterr().out
    assert not {"DeleteStack", "ModifyDBInstance", "CreateDBSnapshot"} & set(aws.asked)


def test_destroy_of_what_is_not_there_says_so(
    aws: AWSServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert aws.url
    monkeypatch.setenv("DEPLOY_NAME", "other")

    with pytest.raises(NotDeployedError, match="no stack other in us-east-1"):
        destroy.main()


@pytest.mark.parametrize("text", ["yes", "deleted", "keep delete"])
def test_what_shall_become_of_the_data_is_said_exactly(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPLOY_DATA", text)
    monkeypatch.setenv("DEPLOY_REGION", "us-east-1")

    with pytest.raises(UsageError, match="expected keep or delete"):
        destroy.main()
