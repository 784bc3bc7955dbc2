"""Sessions of AWS's Session Manager: from a port of this machine, through a task, to a database.

The program ``session-manager-plugin`` is AWS's own and not ours to bring: it is looked for.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from coinlog_infra import given
from coinlog_infra.aws import Account
from coinlog_infra.errors import DeployError
from coinlog_infra.tasks import Clock, Task, container_of, describe

PLUGIN = "session-manager-plugin"
DOCUMENT = "AWS-StartPortForwardingSessionToRemoteHost"
RESPONSE = "AWS_SSM_START_SESSION_RESPONSE"

LAST_WITHOUT_RESPONSE = (1, 2, 497, 0)
"""From the version after this one on, the plugin takes a session's token from its environment."""

AGENT = "ExecuteCommandAgent"
AGENT_SECONDS = 180.0
POLL_SECONDS = 2.0
END_SECONDS = 10.0

INSTALL = (
    f"{PLUGIN} is not installed: it is AWS's own program for such connections. "
    "macOS: brew install --cask session-manager-plugin. Debian and Ubuntu: the .deb, and every "
    "other system: https://docs.aws.amazon.com/systems-manager/latest/userguide/"
    "session-manager-working-with-install-plugin.html"
)


@dataclass(frozen=True)
class Far:
    """What is to be reached: a host and a port that the task can reach, and a port here."""

    host: str
    port: int
    here: int


def find_plugin() -> str:
    """Return where the plugin is.

    Raises:
        DeployError: nowhere; the message says how to install it.
    """
    path = shutil.which(PLUGIN)
    if path is None:
        raise DeployError(INSTALL)
    return path


def wait_for_agent(account: Account, task: Task, clock: Clock) -> str:
    """Return a task's target for sessions, once the agent in it answers.

    Raises:
        DeployError: the task ended, or its agent did not come up in time.
    """
    until = clock.now() + AGENT_SECONDS
    while clock.now() < until:
        found = describe(account, task)
        if found["lastStatus"] in {"STOPPED", "DEPROVISIONING"}:
            raise DeployError(f"the task ended: {found.get('stoppedReason') or 'no reason told'}")
        target = _target(task, found)
        if target:
            return target
        clock.wait(POLL_SECONDS)
    raise DeployError(
        f"the agent in the task {task.id} did not come up within {AGENT_SECONDS:.0f} s: try again, "
        "and look at its log if it stays so"
    )


def _target(task: Task, found: dict[str, Any]) -> str | None:
    container = container_of(found)
    agents = {one["name"]: one.get("lastStatus") for one in container.get("managedAgents", [])}
    if agents.get(AGENT) != "RUNNING" or not container.get("runtimeId"):
        return None
    cluster = task.cluster.rpartition("/")[2]
    return f"ecs:{cluster}_{task.id}_{container['runtimeId']}"


@contextmanager
def forwarding(account: Account, target: str, far: Far) -> Iterator[subprocess.Popen[bytes]]:
    """Open a port here that leads to what is far away; the session ends with the block."""
    plugin = find_plugin()
    request = {
        "Target": target,
        "DocumentName": DOCUMENT,
        "Parameters": {
            "host": [far.host],
            "portNumber": [str(far.port)],
            "localPortNumber": [str(far.here)],
        },
    }
    session = account.client("ssm").start_session(**request)
    process = None
    try:
        process = _start(plugin, account, session, request)
        yield process
    finally:
        _end(process)
        _forget(account, session["SessionId"])


def _start(
    plugin: str, account: Account, session: dict[str, Any], request: dict[str, Any]
) -> subprocess.Popen[bytes]:
    answer = json.dumps({key: session[key] for key in ("SessionId", "TokenValue", "StreamUrl")})
    modern = _version(plugin) > LAST_WITHOUT_RESPONSE
    command = (
        plugin,
        # In a command everybody on this machine could read the token.
        RESPONSE if modern else answer,
        str(account.region),
        "StartSession",
        "",  # the profile: the plugin asks nothing of AWS by itself
        json.dumps(request),
        account.client("ssm").meta.endpoint_url,
    )
    return subprocess.Popen(  # noqa: S603  a program that the user has installed for this
        command,
        env=given.environment(**({RESPONSE: answer} if modern else {})),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        # Ctrl-C is for us: we end the plugin, and the task after it.
        start_new_session=True,
    )


def _version(plugin: str) -> tuple[int, ...]:
    """Return the plugin's version; one that cannot be read counts as old."""
    try:
        told = subprocess.run(  # noqa: S603  a program that the user has installed for this
            (plugin, "--version"), capture_output=True, text=True, timeout=10, check=False
        ).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return (0,)
    return (
        tuple(map(int, told.split("."))) if re.fullmatch(r"\d{1,9}(\.\d{1,9}){0,3}", told) else (0,)
    )


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _forget(account: Account, session: str) -> None:
    """Tell AWS that a session is over; where that fails it ends by itself after a while."""
    try:
        account.client("ssm").terminate_session(SessionId=session)
    except (ClientError, BotoCoreError):
        return
