"""A function asks for nothing paid where the key's plan cannot pay for the schedule."""

from __future__ import annotations

import pytest

import cmc_server
from canaries import KEY
from cmc_server import CMCServer, json_reply
from coinlog.archive import Archive
from coinlog.aws import capture, record
from coinlog.errors import SettingError
from lambdas import Context
from market import LISTINGS

KEY_INFO = "/v1/key/info"


def plan_of(credits_a_month: int) -> cmc_server.Reply:
    return json_reply({"data": {"plan": {"credit_limit_monthly": credits_a_month}}})


@pytest.fixture
def keyed(function: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    function.setenv("COINLOG_API_KEY", KEY)
    return function


@pytest.mark.parametrize("handler", [capture.handler, record.handler])
@pytest.mark.usefixtures("keyed", "database")
def test_a_schedule_that_cannot_fit_is_refused_with_the_nearest_that_does(
    source: CMCServer, archive: Archive, handler: object
) -> None:
    assert callable(handler)
    source.on(KEY_INFO, plan_of(400))

    with pytest.raises(SettingError, match=r"496 of 400 credits.*COINLOG_INTERVAL=8h"):
        handler({}, Context())

    assert [request.path for request in source.requests] == [KEY_INFO]
    assert archive.attempts() == []


@pytest.mark.usefixtures("keyed")
def test_what_fits_is_captured_and_the_plan_is_asked_for_once_a_slot(
    source: CMCServer, archive: Archive
) -> None:
    source.on(KEY_INFO, plan_of(15_000))

    done = [capture.handler({}, Context()) for _ in range(3)]

    assert {one["outcome"] for one in done} == {"stored"}
    assert [one["credits"] for one in done][1:] == [0, 0]
    assert len(source.asked(KEY_INFO)) == 1
    assert len(archive.attempts()) == 1


@pytest.mark.usefixtures("keyed")
@pytest.mark.parametrize("silent", [cmc_server.stall, cmc_server.html(500), cmc_server.reset])
def test_a_plan_that_cannot_be_known_keeps_no_slot_from_being_captured(
    source: CMCServer, silent: cmc_server.Answering, caplog: pytest.LogCaptureFixture
) -> None:
    source.on(KEY_INFO, silent)
    context = Context(seconds=15.0)

    done = capture.handler({}, context)

    assert done["outcome"] == "stored"
    assert "what the key's plan allows is unknown" in caplog.text
    assert context.share_left >= 0.2


def test_without_a_key_no_plan_is_asked_for(
    function: pytest.MonkeyPatch, source: CMCServer
) -> None:
    function.delenv("COINLOG_API_KEY", raising=False)
    capture.handler({}, Context())

    assert source.asked(KEY_INFO) == []
    assert len(source.asked(LISTINGS)) == 1
