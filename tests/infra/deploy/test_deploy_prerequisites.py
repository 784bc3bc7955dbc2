"""What must be there before a deploy: all that is missing is told in one go, with its remedy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from aws_server import SIGNED_IN, AWSServer
from coinlog.errors import UsageError
from coinlog_infra import deploy, destroy, given, say, tunnel
from coinlog_infra.aws import Account
from coinlog_infra.cdk import BOOTSTRAPPED
from coinlog_infra.options import Options
from coinlog_infra.prerequisites import Missing, Ready, look
from servers import free_port

ADMITTED = Options(admitted=("203.0.113.7/32",), region="us-east-1")


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def teller() -> Iterator[Callable[[str], str]]:
    """Return a way to have a server tell an address, as AWS's does."""
    servers: list[HTTPServer] = []

    def tell(text: str) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                return

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield tell
    for server in servers:
        server.shutdown()
        server.server_close()


def missing(options: Options, account: Account, url: str = "http://127.0.0.1:9/") -> list[Missing]:
    found = look(options, account, url)
    assert isinstance(found, list)
    return found


def test_all_is_there(account: Account, docker: Path) -> None:
    assert docker.exists()
    found = look(ADMITTED, account)

    assert isinstance(found, Ready)
    assert found.number == "123456789012"
    assert found.options == ADMITTED
    assert not found.bootstrapped


def test_an_account_that_was_prepared_for_cdk_is_known(
    aws: AWSServer, account: Account, docker: Path
) -> None:
    assert docker.exists()
    aws.client("ssm").put_parameter(Name=BOOTSTRAPPED, Value="25", Type="String")
    found = look(ADMITTED, account)

    assert isinstance(found, Ready)
    assert found.bootstrapped


def test_docker_is_missing(
    account: Account, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(programs))
    [one] = missing(ADMITTED, account)

    assert one.what == "Docker is not installed"
    assert "get-docker" in one.remedy


def test_docker_does_not_answer(account: Account, programs: Path) -> None:
    program(programs / "docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    [one] = missing(ADMITTED, account)

    assert "does not answer" in one.what


def test_podman_alone_is_not_passed_over_and_cdks_own_variable_chooses_it(
    account: Account, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(programs))
    program(programs / "podman", "exit 0")
    [one] = missing(ADMITTED, account)

    assert "CDK_DOCKER=podman" in one.remedy
    monkeypatch.setenv("CDK_DOCKER", "podman")
    assert isinstance(look(ADMITTED, account), Ready)


def test_a_command_without_a_region_or_with_an_unknown_profile_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(say, "ENDING", ())
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    for name, value in SIGNED_IN.items():
        monkeypatch.setenv(name.upper(), value)
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for command, profile, remedy in (
        (destroy.main, "", "say REGION=us-east-1"),
        (tunnel.main, "", "say REGION=us-east-1"),
        (tunnel.main, "nobodys", "aws configure list-profiles"),
    ):
        if profile:
            monkeypatch.setenv("AWS_PROFILE", profile)
        with pytest.raises(SystemExit) as ended:
            say.run(command)
        told = " ".join(capsys.readouterr().err.split())
        assert ended.value.code == 1
        assert remedy in told
        assert "it stopped" not in told


def test_credentials_are_missing(
    aws: AWSServer, docker: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert docker.exists()
    without_credentials(monkeypatch, tmp_path)
    [one] = missing(ADMITTED, Account("us-east-1"))

    assert one.what == "there are no AWS credentials"
    assert "aws configure" in one.remedy
    assert aws.asked == ["POST /moto-api/reset"], "nothing is asked of AWS without credentials"


def without_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_credentials_are_refused(aws: AWSServer, account: Account, docker: Path) -> None:
    assert docker.exists()
    aws.refused["GetCallerIdentity"] = "ExpiredToken"
    [one] = missing(ADMITTED, account)

    assert "AWS refuses the credentials" in one.what
    assert "aws sso login" in one.remedy


def test_the_region_is_missing(
    aws: AWSServer, docker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert aws.url
    assert docker.exists()
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    [one] = missing(replace(ADMITTED, region=None), Account(None))

    assert one.what == "no region is set"
    assert "REGION=us-east-1" in one.remedy


def test_who_may_look_is_this_machines_address_as_aws_tells_it(
    account: Account, docker: Path, teller: Callable[[str], str]
) -> None:
    assert docker.exists()
    found = look(replace(ADMITTED, admitted=()), account, teller("1.2.3.4\n"))

    assert isinstance(found, Ready)
    assert found.options.admitted == ("1.2.3.4/32",)


@pytest.mark.parametrize("told", ["", "<html>", "10.0.0.1", "127.0.0.1", "::1", "1.2.3.4/0"])
def test_an_address_is_never_guessed(
    account: Account, docker: Path, teller: Callable[[str], str], told: str
) -> None:
    assert docker.exists()
    [one] = missing(replace(ADMITTED, admitted=()), account, teller(told))

    assert "ADMIT=<your address>" in one.remedy
    assert "Errno" not in one.what
    assert "ValueError" not in one.what


def test_nobody_tells_the_address(account: Account, docker: Path) -> None:
    assert docker.exists()
    url = f"http://127.0.0.1:{free_port()}/"
    [one] = missing(replace(ADMITTED, admitted=()), account, url)

    assert url in one.what
    assert "refused" not in one.what, "Python's words"
    assert "https://checkip.amazonaws.com" in one.remedy
    assert isinstance(look(replace(ADMITTED, admitted=(), public=True), account, url), Ready)


def test_the_zone_is_the_longest_that_holds_the_domain(
    aws: AWSServer, account: Account, docker: Path
) -> None:
    assert docker.exists()
    route53 = aws.client("route53")
    for name in ("example.org", "coins.example.org", "ample.org"):
        route53.create_hosted_zone(Name=name, CallerReference=name)
    found = look(replace(ADMITTED, domain="www.coins.example.org"), account)

    assert isinstance(found, Ready)
    assert found.options.hosted_zone == "coins.example.org"
    assert found.zone_id
    assert "/" not in found.zone_id
    [one] = missing(replace(ADMITTED, domain="other.net"), account)
    assert "other.net" in one.what


def test_everything_that_is_missing_is_told_at_once(
    aws: AWSServer,
    programs: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert aws.url
    without_credentials(monkeypatch, tmp_path)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("DEPLOY_PUBLIC", "yes")

    assert deploy.main() == 1

    text = capsys.readouterr().out
    for what in ("no region", "no AWS credentials", "Docker is not installed"):
        assert what in text
    assert text.count("→") == 3
    assert not given.FILE.exists()


def test_a_key_that_cannot_be_one_is_told_before_anything_is_made(
    aws: AWSServer,
    docker: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert aws.url
    assert docker.exists()
    monkeypatch.setenv("DEPLOY_PUBLIC", "yes")
    monkeypatch.setenv("COINLOG_API_KEY", "short-and-wrong")

    with pytest.raises(UsageError, match="Nobody is here to answer"):
        deploy.main()

    text = " ".join(capsys.readouterr().out.split())
    assert "does not look like CoinMarketCap's" in text
    assert "short-and-wrong" not in text


def test_nobody_is_let_in_by_a_pipelines_address(
    account: Account, docker: Path, teller: Callable[[str], str]
) -> None:
    """The runner would admit itself, and lock out whoever was admitted before."""
    assert docker.exists()
    nobody = replace(ADMITTED, admitted=())

    found = look(nobody, account, teller("1.2.3.4\n"), attended=False)

    assert isinstance(found, list)
    assert any("nothing says who may look" in one.what for one in found)
    assert isinstance(look(ADMITTED, account, attended=False), Ready)
