"""The whole of ``make deploy`` and ``make destroy`` against a stand-in for AWS.

CDK cannot deploy into the stand-in: a small program stands in for it that creates the stack there,
as CloudFormation would. Everything else is what runs at a user's.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from aws_server import AWSServer
from coinlog.errors import UsageError
from coinlog.settings import Secret
from coinlog_infra import cdk, deploy, destroy, given, steps
from coinlog_infra.aws import Account
from coinlog_infra.errors import DeployError, NotDeployedError
from coinlog_infra.options import Options
from coinlog_infra.outputs import Deployed
from coinlog_infra.prerequisites import Ready
from coinlog_infra.tasks import Clock

from .conftest import template

CANARY = "00000000-canary-4000-8000-000000000000"
OPTIONS = Options(region="us-east-1", admitted=("203.0.113.7/32",))

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
    if os.path.exists("{folder}/broken"):
        print("UPDATE_ROLLBACK_COMPLETE: the page did not become healthy", file=sys.stderr)
        raise SystemExit(1)
    if "StackName>coinlog<" not in ask(Action="ListStacks"):
        template = open("{folder}/template").read()
        ask(Action="CreateStack", StackName="coinlog", TemplateBody=template)
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
    assert text.count("✓") == 8
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
    edition = replace(ready, options=replace(OPTIONS, shape="edition"))
    assert deploy.deploy(account, edition, None, ticking(works)) == 1, "it has nothing to show"

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


def test_without_a_key_it_is_warned_and_costs_come_before_anything(
    aws: AWSServer,
    programs: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    docker = programs / "docker"
    docker.write_text("#!/bin/sh\n")
    docker.chmod(0o755)
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
    aws: AWSServer, account: Account, deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    steps.write_key(account, OPTIONS, Secret(CANARY))
    put(aws, deployed.bucket, "captures/20260126T180000Z/1/manifest.json")

    assert destroy.destroy(account, OPTIONS, deployed, delete=False) == 0

    rds = aws.client("rds")
    [snapshot] = rds.describe_db_snapshots()["DBSnapshots"]
    assert snapshot["DBSnapshotIdentifier"].startswith("coinlog-final-")
    assert rds.describe_db_instances()["DBInstances"] == []
    assert aws.client("s3").list_objects_v2(Bucket=deployed.bucket)["KeyCount"] == 1
    assert aws.client("ssm").describe_parameters()["Parameters"] == []
    text = capsys.readouterr().out
    assert f"s3://{deployed.bucket}" in text
    assert snapshot["DBSnapshotIdentifier"] in text
    assert "up to $1.90" in text


def put(aws: AWSServer, bucket: str, key: str) -> None:
    aws.client("s3").put_object(Bucket=bucket, Key=key, Body=b"{}")


def test_destroy_removes_the_data_only_where_that_was_asked(
    aws: AWSServer, account: Account, deployed: Deployed
) -> None:
    s3 = aws.client("s3")
    s3.put_bucket_versioning(Bucket=deployed.bucket, VersioningConfiguration={"Status": "Enabled"})
    for _ in range(2):
        put(aws, deployed.bucket, "captures/20260126T180000Z/1/manifest.json")
    s3.delete_object(Bucket=deployed.bucket, Key="captures/20260126T180000Z/1/manifest.json")
    s3.create_bucket(Bucket="other")
    put(aws, "other", "mine")

    assert destroy.destroy(account, OPTIONS, deployed, delete=True) == 0

    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == ["other"]
    assert aws.client("rds").describe_db_snapshots()["DBSnapshots"] == []
    assert aws.client("rds").describe_db_instances()["DBInstances"] == []


def test_an_editions_files_go_with_the_stack(
    aws: AWSServer, account: Account, deployed: Deployed
) -> None:
    aws.client("s3").create_bucket(Bucket="coinlog-edition")
    put(aws, "coinlog-edition", "index.html")
    edition = replace(deployed, edition_bucket="coinlog-edition")

    destroy.destroy(account, OPTIONS, edition, delete=False)

    assert aws.client("s3").list_objects_v2(Bucket="coinlog-edition")["KeyCount"] == 0


def test_a_snapshot_that_fails_keeps_everything(
    aws: AWSServer, account: Account, deployed: Deployed
) -> None:
    aws.refused["CreateDBSnapshot"] = "SnapshotQuotaExceeded"

    with pytest.raises(DeployError, match="SnapshotQuotaExceeded"):
        destroy.destroy(account, OPTIONS, deployed, delete=False)

    [instance] = aws.client("rds").describe_db_instances()["DBInstances"]
    assert instance["DeletionProtection"]
    assert "DeleteStack" not in aws.asked


def test_a_database_that_was_lost_keeps_nothing_from_going(
    aws: AWSServer, account: Account, deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    rds = aws.client("rds")
    rds.modify_db_instance(DBInstanceIdentifier="coinlog", DeletionProtection=False)
    rds.delete_db_instance(DBInstanceIdentifier="coinlog", SkipFinalSnapshot=True)

    assert destroy.destroy(account, OPTIONS, deployed, delete=False) == 0

    assert "the database is gone already" in capsys.readouterr().out
    assert aws.client("cloudformation").list_stacks()["StackSummaries"][0]["StackStatus"] == (
        "DELETE_COMPLETE"
    )


@pytest.mark.parametrize("yes", ["", "1", "coinlogg"])
def test_destroy_wants_the_name_typed(
    aws: AWSServer,
    deployed: Deployed,
    yes: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert deployed.bucket
    monkeypatch.setenv("DEPLOY_DATA", "delete")
    monkeypatch.setenv("DEPLOY_YES", yes)

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
