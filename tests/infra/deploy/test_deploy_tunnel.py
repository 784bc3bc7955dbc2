"""The tunnel: a port here, a plugin that is a real program, and a task that never stays behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aws_server import SESSION, AWSServer
from coinlog.errors import UsageError
from coinlog_infra import given, tunnel
from coinlog_infra.aws import Account
from coinlog_infra.errors import DeployError
from coinlog_infra.outputs import Deployed
from coinlog_infra.tasks import Clock
from servers import free_port

# Stands in for AWS's plugin: it is called the same way, listens at the same port, and writes down
# what it was told.
PLUGIN = """\
#!{python} -IS
import json, os, signal, socket, sys
if sys.argv[1:] == ["--version"]:
    print("{version}")
    raise SystemExit
told = {{"arguments": sys.argv[1:], "session": os.environ.get("AWS_SSM_START_SESSION_RESPONSE")}}
open("{folder}/told.json", "w").write(json.dumps(told))
port = int(json.loads(sys.argv[5])["Parameters"]["localPortNumber"][0])
if "{way}" == "refuses":
    raise SystemExit(3)
server = socket.create_server(("127.0.0.1", port))
server.accept()[0].close()
if "{way}" == "dies":
    raise SystemExit(9)
signal.pause()
"""


def install(folder: Path, way: str, version: str = "1.2.707.0") -> None:
    plugin = folder / "session-manager-plugin"
    plugin.write_text(PLUGIN.format(python=sys.executable, folder=folder, way=way, version=version))
    plugin.chmod(0o755)


def running(aws: AWSServer, deployed: Deployed) -> list[str]:
    ecs = aws.client("ecs")
    return list(ecs.list_tasks(cluster=deployed.cluster, desiredStatus="RUNNING")["taskArns"])


def test_without_the_plugin_nothing_is_started_and_it_says_how_to_install_it(
    aws: AWSServer, account: Account, deployed: Deployed, programs: Path, clock: Clock
) -> None:
    assert programs.is_dir()
    with pytest.raises(DeployError, match="brew install --cask session-manager-plugin"):
        tunnel.tunnel(account, deployed, free_port(), clock)

    assert "RunTask" not in aws.asked


@pytest.fixture(autouse=True)
def nobody_at_the_keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        yield


def test_a_plugin_that_dies_ends_the_tunnel_and_its_task(
    aws: AWSServer,
    account: Account,
    deployed: Deployed,
    programs: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    install(programs, "dies")
    port = free_port()

    assert tunnel.tunnel(account, deployed, port, Clock()) == 1

    assert running(aws, deployed) == []
    assert aws.asked.count("TerminateSession") == 1
    text = capsys.readouterr().out
    assert "exit code 9" in text
    for shown in (f"Port       {port}", "coinlog_page", "VERIFY_CA", "Cleartext", str(tunnel.CA)):
        assert shown in text
    assert tunnel.CA.is_absolute()
    assert "MySQL's own client" in text


def test_a_plugin_that_never_opens_the_port_ends_the_task(
    aws: AWSServer, account: Account, deployed: Deployed, programs: Path
) -> None:
    install(programs, "refuses")

    with pytest.raises(DeployError, match="exit code 3"):
        tunnel.tunnel(account, deployed, free_port(), Clock())

    assert running(aws, deployed) == []


def test_the_plugin_is_led_to_the_database_and_its_token_is_in_no_command(
    account: Account, deployed: Deployed, programs: Path
) -> None:
    install(programs, "dies")
    port = free_port()
    tunnel.tunnel(account, deployed, port, Clock())
    told = json.loads((programs / "told.json").read_text())

    request = json.loads(told["arguments"][4])
    assert request["DocumentName"] == "AWS-StartPortForwardingSessionToRemoteHost"
    assert request["Parameters"] == {
        "host": [deployed.database_host],
        "portNumber": ["3306"],
        "localPortNumber": [str(port)],
    }
    assert re.fullmatch(r"ecs:coinlog_[0-9a-f-]{32,36}_[0-9a-f-]+-1", request["Target"])
    assert told["arguments"][1:3] == ["us-east-1", "StartSession"]
    assert json.loads(told["session"]) == SESSION
    assert SESSION["TokenValue"] not in " ".join(told["arguments"])


def test_an_old_plugin_is_told_the_old_way(
    account: Account, deployed: Deployed, programs: Path
) -> None:
    install(programs, "dies", version="1.2.497.0")
    tunnel.tunnel(account, deployed, free_port(), Clock())
    told = json.loads((programs / "told.json").read_text())

    assert json.loads(told["arguments"][0]) == SESSION
    assert told["session"] is None


def test_an_agent_that_does_not_come_up_ends_the_task(
    aws: AWSServer, account: Account, deployed: Deployed, programs: Path, clock: Clock
) -> None:
    install(programs, "dies")
    aws.agent = "PENDING"

    with pytest.raises(DeployError, match="did not come up within 180 s"):
        tunnel.tunnel(account, deployed, free_port(), clock)

    assert running(aws, deployed) == []
    assert "StartSession" not in aws.asked


def test_a_session_that_is_refused_ends_the_task(
    aws: AWSServer, account: Account, deployed: Deployed, programs: Path, clock: Clock
) -> None:
    install(programs, "dies")
    aws.refused["StartSession"] = "TargetNotConnected"

    with pytest.raises(Exception, match="TargetNotConnected"):
        tunnel.tunnel(account, deployed, free_port(), clock)

    assert running(aws, deployed) == []


def test_a_port_that_is_taken_is_refused_before_anything_is_started(
    aws: AWSServer, account: Account, deployed: Deployed, programs: Path, clock: Clock
) -> None:
    install(programs, "dies")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"PORT={port + 1}"):
            tunnel.tunnel(account, deployed, port, clock)

    assert "RunTask" not in aws.asked


@pytest.fixture
def program(aws: AWSServer, deployed: Deployed, programs: Path) -> Iterator[subprocess.Popen[str]]:
    """Return ``make tunnel``'s program as it runs, once its tunnel is open."""
    assert aws.url
    install(programs, "stays")
    environment = {
        **os.environ,
        "PYTHONPATH": str(given.ROOT / "infra"),
        "DEPLOY_PORT": str(free_port()),
        "DEPLOY_NAME": "coinlog",
        "DEPLOY_REGION": "us-east-1",
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        (sys.executable, "-m", "coinlog_infra.tunnel"),
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    for line in process.stdout:
        if "Ctrl-C closes the tunnel" in line:
            break
    assert len(running(aws, deployed)) == 1
    yield process
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_however_it_is_ended_the_plugin_and_the_task_end_too(
    aws: AWSServer, deployed: Deployed, program: subprocess.Popen[str], number: signal.Signals
) -> None:
    # As a terminal does it, to all in the group; twice, as an impatient person does.
    os.killpg(program.pid, number)
    os.killpg(program.pid, number)
    output, _ = program.communicate(timeout=60)

    assert program.returncode == 130, output
    assert running(aws, deployed) == []
    assert aws.asked.count("TerminateSession") == 1
    # The port is free again, because the plugin is gone.
    port = int(re.findall(r'localPortNumber": \["(\d+)"', told(aws))[0])
    socket.create_server(("127.0.0.1", port)).close()


def told(aws: AWSServer) -> str:
    return aws.session_request


def test_enter_prints_a_password_for_a_user_who_only_reads(
    deployed: Deployed, program: subprocess.Popen[str]
) -> None:
    assert program.stdin
    assert program.stdout
    program.stdin.write("\n")
    program.stdin.flush()
    password = program.stdout.readline().strip()

    assert password.startswith(f"{deployed.database_host}:3306/?Action=connect&DBUser=coinlog_page")
    assert "X-Amz-Expires=900" in password
    assert "\n" not in password


@pytest.mark.parametrize(
    ("told", "sentence"),
    [({"PORT": "80"}, "PORT=3307"), ({"PORT": "x"}, "PORT=3307"), ({"HOST": "a b;c"}, "host name")],
)
def test_a_port_or_host_that_cannot_be_used_is_refused(
    told: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in told.items():
        monkeypatch.setenv(f"DEPLOY_{name}", value)

    with pytest.raises(UsageError, match=sentence):
        tunnel.main()


def test_the_password_signs_the_databases_own_name(account: Account, deployed: Deployed) -> None:
    one = tunnel.sign_in(account, deployed)
    other = tunnel.sign_in(account, replace(deployed, database_host="other.example.org"))

    signature = re.compile(r"X-Amz-Signature=(\w+)")
    assert signature.search(one)
    assert signature.findall(one) != signature.findall(other)
