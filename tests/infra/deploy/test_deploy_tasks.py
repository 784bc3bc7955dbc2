"""One-off tasks: what runs in the account, what it says, and how it ended."""

from __future__ import annotations

import shutil
import subprocess
import time

import pytest

from aws_server import AWSServer
from coinlog.errors import UsageError
from coinlog_infra import given, ops, tasks
from coinlog_infra.aws import Account
from coinlog_infra.errors import DeployError
from coinlog_infra.outputs import Deployed
from coinlog_infra.tasks import Clock

MAKE = shutil.which("make") or "make"


def started(aws: AWSServer, deployed: Deployed, status: str = "RUNNING") -> list[str]:
    ecs = aws.client("ecs")
    return list(ecs.list_tasks(cluster=deployed.cluster, desiredStatus=status)["taskArns"])


def write_log(aws: AWSServer, deployed: Deployed, kind: str, *lines: str) -> None:
    """Write what a task prints, as the container's log driver does."""
    [arn] = started(aws, deployed)
    stream = {
        "logGroupName": f"/ecs/coinlog-{kind}",
        "logStreamName": f"coinlog-{kind}/coinlog/{arn.rpartition('/')[2]}",
    }
    logs = aws.client("logs")
    if not logs.describe_log_streams(logGroupName=stream["logGroupName"])["logStreams"]:
        logs.create_log_stream(**stream)
    now = int(time.time() * 1000)
    logs.put_log_events(**stream, logEvents=[{"timestamp": now, "message": x} for x in lines])


def speaking(aws: AWSServer, deployed: Deployed, code: int) -> Clock:
    """Return a clock by which a task prints a line at each look, and then ends."""
    looks = iter(range(100))

    def wait(_: float) -> None:
        number = next(looks)
        write_log(aws, deployed, "ops", f"line {number} [not markup]")
        if number == 2:
            aws.ends_with = code

    return Clock(lambda: 0.0, wait)


@pytest.mark.parametrize("code", [0, 1, 2])
def test_a_command_is_run_its_lines_are_printed_and_its_exit_code_is_ours(
    aws: AWSServer,
    account: Account,
    deployed: Deployed,
    code: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ops.parse_command("verify --sample '5 %'")

    assert ops.ops(account, deployed, command, speaking(aws, deployed, code)) == code

    text = capsys.readouterr().out
    assert [text.count(f"line {n} [not markup]") for n in range(3)] == [1, 1, 1]
    assert ("exit code" in text) == bool(code)


def test_the_task_has_the_command_a_public_address_and_no_shell(
    aws: AWSServer, account: Account, deployed: Deployed
) -> None:
    task = tasks.start_task(account, deployed, deployed.ops_task, ["coinlog", "verify"])
    found = aws.client("ecs").describe_tasks(cluster=deployed.cluster, tasks=[task.arn])["tasks"][0]

    [override] = found["overrides"]["containerOverrides"]
    assert override == {"name": "coinlog", "command": ["coinlog", "verify"]}
    assert found["launchType"] == "FARGATE"
    assert found["taskDefinitionArn"] == deployed.ops_task


def test_a_task_that_never_ran_tells_why(
    aws: AWSServer, account: Account, deployed: Deployed, clock: Clock
) -> None:
    aws.ends_because = "CannotPullContainerError: no such image"

    with pytest.raises(DeployError, match="no such image"):
        ops.ops(account, deployed, ["coinlog", "status"], clock)


def test_a_command_that_takes_too_long_is_stopped(
    aws: AWSServer,
    account: Account,
    deployed: Deployed,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ops, "LIMIT_SECONDS", 10)
    with pytest.raises(DeployError, match="has not ended within"):
        ops.ops(account, deployed, ["coinlog", "status"], clock)

    assert started(aws, deployed) == []


def test_ctrl_c_stops_the_task(aws: AWSServer, account: Account, deployed: Deployed) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ops.ops(account, deployed, ["coinlog", "status"], Clock(lambda: 0.0, interrupted))

    assert started(aws, deployed) == []


def test_a_task_whose_start_was_never_answered_is_stopped_too(
    aws: AWSServer, account: Account, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tasks.start_task

    def cut_off(*args: object, **kwargs: object) -> tasks.Task:
        real(*args, **kwargs)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(tasks, "start_task", cut_off)
    left: list[str] = []

    with (
        pytest.raises(KeyboardInterrupt),
        tasks.running(account, deployed, deployed.tunnel_task, left.append),
    ):
        pytest.fail("it never ran")

    assert started(aws, deployed) == []
    assert left == []


def test_a_task_that_cannot_be_stopped_is_told_with_what_to_type(
    aws: AWSServer, account: Account, deployed: Deployed
) -> None:
    left: list[str] = []
    with tasks.running(account, deployed, deployed.tunnel_task, left.append) as task:
        aws.refused["StopTask"] = "AccessDeniedException"

    [sentence] = left
    assert f"aws ecs stop-task --cluster {deployed.cluster} --task {task.id}" in sentence


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("verify", ["coinlog", "verify"]),
        ("coinlog status --json", ["coinlog", "status", "--json"]),
        ("export 'a b'; rm -rf /", ["coinlog", "export", "a b;", "rm", "-rf", "/"]),
    ],
)
def test_a_command_is_words_and_no_shell_sees_it(text: str, words: list[str]) -> None:
    assert ops.parse_command(text) == words


@pytest.mark.parametrize("text", ["", "   ", "coinlog", "verify 'open"])
def test_a_command_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="expected make ops"):
        ops.parse_command(text)


def test_make_hands_over_what_it_is_told_as_it_is_and_nothing_of_the_shell() -> None:
    root = given.ROOT
    print_it = "include Makefile\nshow:\n\t@env | grep ^DEPLOY_ | sort\n"
    told = ["CMD=verify 'a b' $HOME \"c\"; #d", "INTERVAL=1h"]
    done = subprocess.run(
        [MAKE, "-s", "-f", "-", "show", *told],
        input=print_it,
        cwd=root,
        env={"PATH": "/usr/bin:/bin", "NAME": "laptop", "EMAIL": "me@example.org", "CMD": "x"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines() == [f"DEPLOY_{one}" for one in told]


@pytest.mark.parametrize("target", ["estimate", "deploy", "destroy", "tunnel", "ops"])
def test_every_target_runs_its_module_with_what_it_needs(target: str) -> None:
    root = given.ROOT
    done = subprocess.run(
        [MAKE, "-n", target], cwd=root, capture_output=True, text=True, check=True
    )
    module = {"estimate": "estimating"}.get(target, target)

    assert f"PYTHONPATH=infra .venv/bin/python -m coinlog_infra.{module}" in done.stdout
    assert (root / "infra" / "coinlog_infra" / f"{module}.py").is_file()
