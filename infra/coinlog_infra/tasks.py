"""One-off tasks in the account: start one, follow what it prints, take its exit code, stop it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from coinlog_infra.aws import Account, code_of
from coinlog_infra.errors import DeployError
from coinlog_infra.outputs import CONTAINER, Deployed

POLL_SECONDS = 2.0


@dataclass(frozen=True)
class Clock:
    """How time is told and waited for; tests have their own."""

    now: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Task:
    """A task that was started."""

    arn: str
    cluster: str

    @property
    def id(self) -> str:
        """The last part of its ARN, by which logs and sessions call it."""
        return self.arn.rpartition("/")[2]


def start_task(
    account: Account,
    deployed: Deployed,
    definition: str,
    command: Sequence[str] = (),
    mark: str = "coinlog",
) -> Task:
    """Start a task with a public address, so that it can fetch its image, and without ingress.

    Raises:
        DeployError: ECS has no place for it.
    """
    network = {
        "subnets": deployed.task_subnets.split(","),
        "securityGroups": deployed.task_security_groups.split(","),
        "assignPublicIp": "ENABLED",
    }
    override: dict[str, Any] = {"name": CONTAINER}
    if command:
        override["command"] = list(command)
    answer = account.client("ecs").run_task(
        cluster=deployed.cluster,
        taskDefinition=definition,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": network},
        overrides={"containerOverrides": [override]},
        enableExecuteCommand=definition == deployed.tunnel_task,
        startedBy=mark,
    )
    if not answer["tasks"]:
        reasons = (
            ", ".join(one.get("reason", "?") for one in answer["failures"]) or "no reason told"
        )
        raise DeployError(f"ECS has started no task: {reasons}; try again in a minute")
    return Task(answer["tasks"][0]["taskArn"], deployed.cluster)


def describe(account: Account, task: Task) -> dict[str, Any]:
    """Return a task as it is now.

    Raises:
        DeployError: ECS no longer knows it.
    """
    answer = account.client("ecs").describe_tasks(cluster=task.cluster, tasks=[task.arn])
    if not answer["tasks"]:
        raise DeployError(f"ECS no longer knows the task {task.id}: start the command again")
    found: dict[str, Any] = answer["tasks"][0]
    return found


def stop_task(account: Account, task: Task, reason: str) -> str | None:
    """Stop a task; return why it could not be stopped, ``None`` where it was."""
    try:
        account.client("ecs").stop_task(cluster=task.cluster, task=task.arn, reason=reason)
    except (ClientError, BotoCoreError) as error:
        return str(error)
    return None


def container_of(found: dict[str, Any]) -> dict[str, Any]:
    """Return the one container of a task, empty where ECS has not made it yet."""
    return next((one for one in found["containers"] if one["name"] == CONTAINER), {})


def exit_code(found: dict[str, Any]) -> int:
    """Return the exit code of a task that has ended.

    Raises:
        DeployError: its program never ran to an end.
    """
    container = container_of(found)
    code = container.get("exitCode")
    if code is None:
        why = container.get("reason") or found.get("stoppedReason") or "no reason told"
        raise DeployError(f"the task ended before its program did: {why}")
    return int(code)


def wait_until_ended(
    account: Account, task: Task, on_news: Callable[[str], None], clock: Clock, seconds: float
) -> int:
    """Follow a task until it ends and return its exit code; ``on_news`` gets each line it prints.

    Raises:
        DeployError: it never started, was ended from outside, or takes longer than ``seconds``.
    """
    log = Log(account, task)
    until = clock.now() + seconds
    while True:
        found = describe(account, task)
        ended = found["lastStatus"] == "STOPPED"
        # Looked at once more after the end: the last lines are often the ones that matter.
        for line in log.news():
            on_news(line)
        if ended:
            return exit_code(found)
        if clock.now() > until:
            raise DeployError(f"the task {task.id} has not ended within {seconds:.0f} s")
        clock.wait(POLL_SECONDS)


class Log:
    """What a task prints, read from CloudWatch."""

    def __init__(self, account: Account, task: Task) -> None:
        self.account, self.token = account, None
        found = describe(account, task)
        definition = account.client("ecs").describe_task_definition(
            taskDefinition=found["taskDefinitionArn"]
        )["taskDefinition"]
        container = next(c for c in definition["containerDefinitions"] if c["name"] == CONTAINER)
        options = container["logConfiguration"]["options"]
        self.group = options["awslogs-group"]
        self.stream = f"{options['awslogs-stream-prefix']}/{CONTAINER}/{task.id}"

    def news(self) -> Iterator[str]:
        """Yield the lines printed since the last time."""
        while True:
            before = self.token
            page = self._page()
            for event in page.get("events", []):
                yield event["message"].rstrip("\n")
            self.token = page.get("nextForwardToken", before)
            # The same token twice is CloudWatch's way to say that this is all for now.
            if self.token == before:
                return

    def _page(self) -> dict[str, Any]:
        further: dict[str, str] = {"nextToken": self.token} if self.token else {}
        try:
            page: dict[str, Any] = self.account.client("logs").get_log_events(
                logGroupName=self.group,
                logStreamName=self.stream,
                startFromHead=True,
                **further,
            )
        except ClientError as error:
            # The stream is made with the first line.
            if code_of(error) == "ResourceNotFoundException":
                return {}
            raise
        return page


@contextmanager
def running(
    account: Account,
    deployed: Deployed,
    definition: str,
    on_left_behind: Callable[[str], None],
    command: Sequence[str] = (),
) -> Iterator[Task]:
    """Start a task and stop it at the end, however that comes: also at Ctrl-C and failure."""
    mark = f"coinlog-{uuid4().hex[:16]}"
    try:
        yield start_task(account, deployed, definition, command, mark)
    finally:
        for trouble in _stop_all(account, deployed.cluster, mark):
            on_left_behind(trouble)


def _stop_all(account: Account, cluster: str, mark: str) -> Iterator[str]:
    """Stop what was started under a mark, even if ECS's answer to the start was never read."""
    try:
        tasks = account.client("ecs").list_tasks(
            cluster=cluster, startedBy=mark, desiredStatus="RUNNING"
        )["taskArns"]
    except (ClientError, BotoCoreError) as error:
        yield f"tasks started by {mark} could not be looked for, and may cost some cents: {error}"
        return
    for arn in tasks:
        task = Task(arn, cluster)
        if trouble := stop_task(account, task, "what it was for is over"):
            yield (
                f"the task {task.id} could not be stopped and costs some cents a day ({trouble}): "
                f"aws ecs stop-task --cluster {cluster} --task {task.id}"
            )
