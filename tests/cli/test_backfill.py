"""``coinlog backfill`` and the past at the start of ``coinlog up``, as their user sees them."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from coinlog.simulated.process import simulated_process
from program import read_until, run, run_json, running, start
from servers import free_port


@pytest.fixture(scope="module")
def market() -> Iterator[str]:
    """Return the address of a made-up market."""
    with simulated_process() as url:
        yield url


@pytest.fixture
def setting(market: str) -> dict[str, str]:
    """Return the settings of a recorder of two assets."""
    return {"COINLOG_CMC_URL": market, "COINLOG_ASSETS": "id:1,1027"}


def test_the_last_year_is_filled_within_the_predicted_credits(setting: dict[str, str]) -> None:
    run("record", "--simulated", **setting)

    planned = run_json("backfill", "--simulated", "--dry-run", **setting)
    told = run("backfill", "--simulated", "--yes", **setting)
    again = run_json("backfill", "--simulated", "--yes", **setting)

    assert (planned["requests"], planned["answered"]) == (24, 0)
    assert told.returncode == 0, told.stderr
    assert "points from 24 answers" in told.stdout
    assert f"for {planned['most_credits']} credits" in told.stdout
    assert told.stderr == ""
    assert (again["requests"], again["credits"]) == (0, 0)


def test_stopped_in_the_middle_it_goes_on_from_there(setting: dict[str, str]) -> None:
    run("record", "--simulated", **setting)
    process = start("backfill", "--simulated", "--yes", "--interval", "1h", **setting)
    read_until(process, "backfill of")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)

    rest = run_json("backfill", "--simulated", "--yes", "--interval", "1h", **setting)
    last = run_json("backfill", "--simulated", "--dry-run", "--interval", "1h", **setting)

    assert (rest["failed"], rest["stopped"]) == ([], None)
    assert last["requests"] == 0


def test_without_a_key_it_says_that_history_begins_now_and_how_to_get_one() -> None:
    done = run("backfill")

    assert done.returncode == 1
    assert "the history begins with what is recorded" in " ".join(done.stderr.split())
    assert "COINLOG_API_KEY" in done.stderr


def test_before_anything_is_recorded_it_names_what_to_do_first(setting: dict[str, str]) -> None:
    done = run("backfill", "--simulated", "--yes", **setting)

    assert done.returncode == 2
    assert "`coinlog record` first" in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--interval", "7m"), "cannot be used"),
        (("--interval", "20m"), "no history every 20m"),
        (("--from", "2026-02-01", "--to", "2026-01-01"), "--from must be before"),
        (("--from", "yesterday"), "is not a time"),
        (("--assets", "id:999999"), "is not in the store"),
        (("--range", "2w"), "is not one of"),
        ((), "say --yes to spend credits"),
    ],
)
def test_wrong_use_is_refused_with_a_sentence(
    setting: dict[str, str], options: tuple[str, ...], said: str
) -> None:
    run("record", "--simulated", **setting)

    done = run("backfill", "--simulated", *options, **setting)

    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())


def test_up_with_a_key_hints_at_the_past_and_fetches_it_where_that_was_chosen(
    market: str,
) -> None:
    asked = {
        "COINLOG_CMC_URL": market,
        "COINLOG_API_KEY": "11111111-2222-3333-4444-555555555555",
        "COINLOG_ASSETS": "id:1,1027",
    }
    with running("up", **asked, COINLOG_PORT=str(free_port())) as process:
        assert "coinlog backfill" in read_until(process, "history")[-1]
    begun = time.monotonic()
    with running("up", "--backfill", "30d", **asked, COINLOG_PORT=str(free_port())) as process:
        assert "12 requests" in read_until(process, "backfill of")[-1]
        read_until(process, "next slot")

    assert time.monotonic() - begun < 30
