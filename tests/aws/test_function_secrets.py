"""What a function must know and never tell: the key, the password, the token."""

from __future__ import annotations

import logging
import traceback

import boto3  # type: ignore[import-untyped]  # it has no types
import pytest

import cmc_server
from cmc_server import CMCServer
from coinlog.archive import Archive
from coinlog.aws import capture, load, record
from coinlog.errors import CoinlogError, SettingError
from lambdas import Context
from market import LISTINGS
from servers import free_port

KEY, PASSWORD, SECRET = "canary-key-31", "canary-password-32", "canary-secret-33"
NAME = "/coinlog/api-key"


@pytest.fixture
def parameter(function: pytest.MonkeyPatch) -> str:
    ssm = boto3.client("ssm")
    ssm.put_parameter(Name=NAME, Value=KEY, Type="SecureString", Overwrite=True)
    function.setenv("COINLOG_API_KEY_PARAMETER", NAME)
    return NAME


@pytest.mark.usefixtures("parameter")
def test_the_key_of_a_parameter_is_sent_and_read_once(
    function: pytest.MonkeyPatch, source: CMCServer
) -> None:
    capture.handler({}, Context())
    keys = {request.headers.get("x-cmc_pro_api_key") for request in source.requests}
    assert keys == {KEY}

    function.setenv("AWS_ENDPOINT_URL_SSM", f"http://127.0.0.1:{free_port()}")
    assert capture.handler({}, Context())["detail"] == "stored already"


def test_a_key_that_is_given_wins_and_nothing_is_read(
    function: pytest.MonkeyPatch, source: CMCServer
) -> None:
    function.setenv("COINLOG_API_KEY", "given")
    function.setenv("COINLOG_API_KEY_PARAMETER", "/there/is/none")
    capture.handler({}, Context())

    assert source.requests[0].headers["x-cmc_pro_api_key"] == "given"


@pytest.mark.parametrize("value", [None, "two words"])
def test_a_parameter_without_a_key_is_told(function: pytest.MonkeyPatch, value: str | None) -> None:
    function.setenv("COINLOG_API_KEY_PARAMETER", "/coinlog/other")
    if value:
        ssm = boto3.client("ssm")
        ssm.put_parameter(Name="/coinlog/other", Value=value, Type="SecureString", Overwrite=True)
    with pytest.raises(SettingError, match=r"/coinlog/other.*expected") as refused:
        capture.handler({}, Context())

    assert "two words" not in str(refused.value)


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
    source.on(LISTINGS, cmc_server.error_reply(401, 1001, f"{KEY} is invalid."))
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

    kept = [archive.objects.read(path).decode("latin-1") for path in archive.objects.paths("")]
    out = capfd.readouterr()
    everything = "\n".join([*said, *kept, out.out, out.err, caplog.text])
    assert "wrong_key" in everything
    assert [secret for secret in (KEY, PASSWORD, SECRET) if secret in everything] == []
    assert "X-Amz-Signature" not in everything


def _failure(handler: object) -> str:
    """Return what Lambda would write of a failure: its whole traceback."""
    assert callable(handler)
    with pytest.raises(CoinlogError) as failed:
        handler({}, Context())
    return "".join(traceback.format_exception(failed.value))
