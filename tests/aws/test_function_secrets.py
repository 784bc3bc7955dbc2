"""What a function must know and never tell: the key, the password, the token."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import boto3
import pytest

import cmc_server
from canaries import KEY, PASSWORD, inflated, seen
from cmc_server import CMCServer
from coinlog.archive import Archive
from coinlog.aws import capture, load, record
from coinlog.errors import CoinlogError, SettingError
from lambdas import Context
from market import LISTINGS
from program import run
from servers import free_port

SECRET = "canary-secret-33"
NAME = "/coinlog/api-key"


@pytest.fixture
def parameter(function: pytest.MonkeyPatch) -> str:
    ssm = boto3.client("ssm")
    ssm.put_parameter(Name=NAME, Value=KEY, Type="SecureString", Overwrite=True)
    function.setenv("COINLOG_API_KEY_PARAMETER", NAME)
    return NAME


@pytest.mark.usefixtures("parameter")
def test_the_key_of_a_parameter_is_sent_and_a_renewed_one_at_once(
    archive: Archive, source: CMCServer
) -> None:
    asked = len(capture.handler({}, Context()) and source.requests)
    assert {request.headers.get("x-cmc_pro_api_key") for request in source.requests} == {KEY}

    boto3.client("ssm").put_parameter(
        Name=NAME, Value="renewed", Type="SecureString", Overwrite=True
    )
    for path in [*archive.objects.paths("captures/")]:
        archive.objects.remove(path)
    capture.handler({}, Context())
    later = {request.headers.get("x-cmc_pro_api_key") for request in source.requests[asked:]}
    assert later == {"renewed"}


def test_a_key_that_is_given_wins_and_nothing_is_read(
    function: pytest.MonkeyPatch, source: CMCServer
) -> None:
    function.setenv("COINLOG_API_KEY", "given")
    function.setenv("COINLOG_API_KEY_PARAMETER", "/there/is/none")
    capture.handler({}, Context())

    assert source.requests[0].headers["x-cmc_pro_api_key"] == "given"


def test_a_parameter_without_a_key_is_told(function: pytest.MonkeyPatch) -> None:
    function.setenv("COINLOG_API_KEY_PARAMETER", "/coinlog/other")
    ssm = boto3.client("ssm")
    ssm.put_parameter(Name="/coinlog/other", Value="two words", Type="SecureString", Overwrite=True)
    with pytest.raises(SettingError, match=r"/coinlog/other.*expected") as refused:
        capture.handler({}, Context())

    assert "two words" not in str(refused.value)


def test_where_nobody_has_put_a_key_the_source_is_asked_without_one(
    function: pytest.MonkeyPatch, source: CMCServer, caplog: pytest.LogCaptureFixture
) -> None:
    function.setenv("COINLOG_API_KEY_PARAMETER", "/coinlog/none")

    found = capture.handler({}, Context())

    assert found["outcome"] == "stored"
    assert "x-cmc_pro_api_key" not in source.requests[0].headers
    assert "/coinlog/none: the source is asked without a key" in caplog.text


def test_a_parameter_that_may_not_be_read_is_no_missing_key(
    function: pytest.MonkeyPatch, source: CMCServer
) -> None:
    function.setenv("COINLOG_API_KEY_PARAMETER", "/coinlog/other")
    function.setenv("AWS_ENDPOINT_URL_SSM", f"http://127.0.0.1:{free_port()}")

    with pytest.raises(SettingError, match=r"cannot be read .*may read"):
        capture.handler({}, Context())

    assert source.requests == []


@pytest.mark.usefixtures("parameter")
def test_a_command_reads_the_key_of_a_parameter_too(source: CMCServer, tmp_path: Path) -> None:
    done = run("capture", COINLOG_DATA=str(tmp_path))

    assert done.returncode == 0, done.stderr
    assert source.requests[0].headers["x-cmc_pro_api_key"] == KEY
    assert KEY not in done.stdout + done.stderr


@pytest.mark.usefixtures("parameter", "database")
def test_no_failure_tells_a_secret(
    function: pytest.MonkeyPatch,
    source: CMCServer,
    archive: Archive,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    function.setenv("COINLOG_LOG_LEVEL", "debug")
    function.setenv("DB_PASSWORD", PASSWORD)
    function.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    source.on(LISTINGS, cmc_server.error_reply(401, 1001, "x" * 190 + f"{KEY} is invalid."))
    said = [str(capture.handler({}, Context()))]
    for changes in (
        {},
        {"DB_PORT": str(free_port())},
        {"COINLOG_DATABASE_SIGNIN": "iam"},
        {"COINLOG_DATABASE_CA": "rds"},
        {"COINLOG_ARCHIVE": "s3://there-is-no-such-bucket"},
    ):
        with function.context() as further:
            for name, value in changes.items():
                further.setenv(name, value)
            said += [_failure(handler) for handler in (load.handler, record.handler)]

    kept = [archive.objects.read(path) for path in archive.objects.paths("")]
    out = capfd.readouterr()
    told = "\n".join([*said, out.out, out.err, caplog.text])
    everything = b"\n".join([told.encode(), *kept, *map(inflated, kept)])
    assert b"wrong_key" in everything
    assert b"error_code" in everything
    assert seen(everything, (KEY, PASSWORD, SECRET)) == []
    assert b"X-Amz-Signature" not in everything


def _failure(handler: object) -> str:
    """Return what Lambda would write of a failure: its whole traceback."""
    assert callable(handler)
    with pytest.raises(CoinlogError) as failed:
        handler({}, Context(seconds=2))
    return "".join(traceback.format_exception(failed.value))
