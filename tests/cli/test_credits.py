"""The credits that a schedule will cost: told, checked against the plan, never in the way."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from cmc_server import CMCServer, Reply, json_reply, reset
from market import LISTINGS, answer_all
from program import read_until, run, run_here, run_json_here, running
from servers import free_port

KEY_INFO = "/v1/key/info"
KEY = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def source() -> Iterator[CMCServer]:
    with CMCServer() as server:
        answer_all(server, at=time.time())
        yield server


def plan(limit: int, left: int = 1_000_000) -> Reply:
    usage = {"current_month": {"credits_used": 1, "credits_left": left}}
    plan = {"credit_limit_monthly": limit, "rate_limit_minute": 50, "name": "Tiny"}
    return json_reply({"data": {"plan": plan, "usage": usage}})


def words(text: str) -> str:
    return " ".join(text.split())


def test_a_schedule_that_cannot_fit_is_refused_before_anything_paid(source: CMCServer) -> None:
    source.on(KEY_INFO, plan(400))
    keyed = {"COINLOG_CMC_URL": source.url, "COINLOG_API_KEY": KEY}
    port = {"COINLOG_PORT": str(free_port())}

    refused = [run("record", **keyed), run("up", **keyed, **port)]
    found = run("doctor", **keyed)

    for done in refused:
        assert done.returncode == 2
        assert "496 of 400 credits a month: this schedule does not fit the plan" in words(
            done.stderr
        )
        assert "the nearest that fits is COINLOG_INTERVAL=8h (372 credits" in words(done.stderr)
    assert [request.path for request in source.requests[:2]] == [KEY_INFO] * 2
    assert "✗ credits 1 slot costs 4 credits" in words(found.stdout)
    # What doctor asks for is the smallest answer that there is.
    assert [request.params["limit"] for request in source.asked(LISTINGS)] == ["1"]


def test_what_fits_is_told_once_a_slot(source: CMCServer) -> None:
    source.on(KEY_INFO, plan(15_000, left=13_500))
    keyed = {"COINLOG_CMC_URL": source.url, "COINLOG_API_KEY": KEY}

    done, again = run_here("record", **keyed), run_json_here("record", **keyed)
    found = run_here("doctor", **keyed)

    told = "1 slot costs 4 credits, 124 slots a month (31 days): 496 of 15,000 credits a month"
    assert done.returncode == 0
    assert words(done.stdout).startswith(told)
    assert again["forecast"] is None
    assert f"✓ credits {told}; 13,500 are left" in words(found.stdout)


@pytest.mark.parametrize("answer", [reset, json_reply({"data": {}})])
def test_a_plan_that_cannot_be_known_is_told_and_recording_goes_on(
    source: CMCServer, answer: Reply
) -> None:
    source.on(KEY_INFO, answer)

    told = run_json_here("record", COINLOG_CMC_URL=source.url, COINLOG_API_KEY=KEY)

    assert told["outcome"] == "stored"
    assert told["forecast"]["credits_a_month"] == 496
    assert told["forecast"]["plan_credits_a_month"] is None
    assert told["forecast"]["unknown"]


def test_without_a_key_nothing_is_charged_and_no_limit_is_known(source: CMCServer) -> None:
    port = str(free_port())
    with running("up", COINLOG_CMC_URL=source.url, COINLOG_PORT=port) as process:
        said = words("".join(read_until(process, "next slot")))

    assert "credits keyless, so no credits are charged: 4 requests a slot" in said
    assert "does not say how many a minute or a day" in said
    assert source.asked(KEY_INFO) == []
