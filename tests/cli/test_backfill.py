"""``coinlog backfill`` and the past at the start of ``coinlog up``, as their user sees them."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import pytest

from cmc_server import CMCServer, Exchange, json_reply
from coinlog.archive import open_archive
from market import answer_all, put_attempt
from program import at_terminal, read_until, run, run_here, run_json, running, start
from samples import SLOT
from servers import free_port

KEY = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def setting(market: str) -> dict[str, str]:
    """Return the settings of a recorder of two assets."""
    return {"COINLOG_CMC_URL": market, "COINLOG_ASSETS": "id:1,1027"}


def test_the_last_year_is_filled_within_the_predicted_credits(setting: dict[str, str]) -> None:
    run("record", "--simulated", **setting)

    planned = run_json("backfill", "--simulated", "--dry-run", **setting)
    told = run("backfill", "--simulated", "--yes", **setting)
    again = run_json("backfill", "--simulated", "--yes", **setting)

    assert (planned["requests"], planned["answered"]) == (23, 0)
    assert told.returncode == 0, told.stderr
    assert "points from 23 answers" in told.stdout
    assert f"for {planned['most_credits']} credits" in told.stdout
    assert told.stderr == ""
    assert (again["requests"], again["credits"]) == (0, 0)
    past = run_json("status", "--simulated")["backfilled"]
    assert (past["answers"], past["credits"]) == (23, planned["most_credits"])


def test_at_ctrl_c_the_answer_under_way_is_kept_and_the_next_run_goes_on(own_world: Path) -> None:
    under_way, released = threading.Event(), threading.Event()

    def history(exchange: Exchange) -> None:
        asset_id = exchange.request.params["id"]
        if asset_id == "1":
            under_way.set()
            released.wait(60)
        point = {"timestamp": "2026-01-02T00:00:00Z", "quote": {"USD": {"price": 1}}}
        data = {asset_id: {"id": int(asset_id), "quotes": [point]}}
        json_reply({"status": {"credit_count": 1}, "data": data})(exchange)

    put_attempt(open_archive(str(own_world / "data" / "archive")), SLOT)
    run("load")
    asked = ("backfill", "--from", "2026-01-01", "--to", "2026-01-20", "--assets", "id:1,1027")
    with CMCServer() as server:
        server.on("/v3/cryptocurrency/quotes/historical", history)
        server.on("/v1/key/info", json_reply({"data": {"plan": {"rate_limit_minute": 6000}}}))
        setting = {"COINLOG_CMC_URL": server.url, "COINLOG_API_KEY": KEY}
        process = start(*asked, "--yes", **setting)
        assert under_way.wait(60)
        process.send_signal(signal.SIGINT)
        read_until(process, "stopping after this answer")
        released.set()
        told, _ = process.communicate(timeout=30)
        rest = run_json(*asked, "--yes", **setting)

    assert process.returncode == 1
    assert "stopped after 1 of 2 requests; the next run goes on" in " ".join(told.split())
    assert (rest["requests"], rest["answered"], rest["credits"]) == (1, 1, 1)


def test_a_database_that_comes_later_gets_it_from_the_archive(setting: dict[str, str]) -> None:
    run("record", "--simulated", **setting)
    done = run_json("backfill", "--simulated", "--yes", "--range", "30d", **setting)
    run("migrate", "--simulated", "--down")

    run("migrate", "--simulated")
    waiting = run_json("status", "--simulated")["attempts_waiting"]
    loaded = run_json("load", "--simulated")

    assert waiting == 1 + done["answered"]
    assert (loaded["settled_attempts"], loaded["settled_backfills"]) == (1, done["answered"])
    assert run_json("status", "--simulated")["attempts_waiting"] == 0


def test_without_a_key_it_says_that_history_begins_now_and_how_to_get_one() -> None:
    done = run("backfill")

    assert done.returncode == 1
    assert "the history begins with what is recorded" in " ".join(done.stderr.split())
    assert "COINLOG_API_KEY" in done.stderr


def test_before_anything_is_recorded_it_names_what_to_do_first(setting: dict[str, str]) -> None:
    done = run("backfill", "--simulated", "--yes", **setting)

    assert done.returncode == 2
    assert "`coinlog record --simulated` first" in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--interval", "7m"), "cannot be used"),
        (("--interval", "20m"), "no history every 20m"),
        (("--from", "2026-02-01", "--to", "2026-01-01"), "--from must be before"),
        (("--from", "yesterday"), "is not a time"),
        (("--range", "2w"), "is not one of"),
        (("--assets", "bitcoin"), "cannot be used"),
    ],
)
def test_wrong_use_is_refused_with_a_sentence(
    setting: dict[str, str], options: tuple[str, ...], said: str
) -> None:
    done = run_here("backfill", "--simulated", *options, **setting)

    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())


def test_who_is_not_recorded_and_who_does_not_agree_costs_nothing(setting: dict[str, str]) -> None:
    run("record", "--simulated", **setting)

    unknown = run("backfill", "--simulated", "--assets", "id:999999", **setting)
    silent = run("backfill", "--simulated", **setting)

    assert (unknown.returncode, silent.returncode) == (2, 2)
    assert "is not in the store" in " ".join(unknown.stderr.split())
    assert "say --yes to spend credits" in " ".join(silent.stderr.split())


@pytest.fixture
def keyed(market: str) -> dict[str, str]:
    """Return the settings of a recorder with a key, for ``coinlog up``."""
    return {
        "COINLOG_CMC_URL": market,
        "COINLOG_API_KEY": KEY,
        "COINLOG_ASSETS": "id:1,1027",
        "COINLOG_PORT": str(free_port()),
    }


def test_up_with_a_key_hints_at_the_past_where_nobody_can_be_asked(keyed: dict[str, str]) -> None:
    with running("up", **keyed) as process:
        assert "coinlog backfill" in read_until(process, "history")[-1]


def test_up_with_a_key_hints_at_the_past_although_older_slots_were_imported(
    keyed: dict[str, str], own_world: Path
) -> None:
    prices = own_world / "prices.csv"
    prices.write_text("time,symbol,price\n2024-01-01T00:00:00Z,BTC,42000.5\n")
    with CMCServer() as server:
        answer_all(server, at=time.time())
        keyed["COINLOG_CMC_URL"] = server.url
        imported = run("import", str(prices), "--map", "BTC=1", **keyed)
        assert imported.returncode == 0, imported.stderr

        with running("up", **keyed) as process:
            assert "coinlog backfill" in read_until(process, "history")[-1]


def test_up_fetches_the_past_that_was_chosen_and_ends_in_the_middle(keyed: dict[str, str]) -> None:
    with running("up", "--backfill", "30d", **keyed) as process:
        assert "23 requests" in read_until(process, "backfill of")[-1]
        # It is fetched beside the recorder.
        read_until(process, "next slot")


def test_up_without_a_key_says_why_a_chosen_past_is_not_fetched(keyed: dict[str, str]) -> None:
    del keyed["COINLOG_API_KEY"]
    with running("up", COINLOG_BACKFILL="1y", **keyed) as process:
        assert "to keys only" in read_until(process, "not backfilled")[-1]


@pytest.mark.parametrize(("typed", "said"), [("\n", "next slot"), ("n\n", "not now")])
def test_up_asks_at_a_terminal_and_an_empty_line_agrees(
    keyed: dict[str, str], typed: str, said: str
) -> None:
    with at_terminal("up", **keyed) as (process, type_in):
        read_until(process, "backfill of")
        type_in(typed)
        lines = read_until(process, said)

    assert ("not now" in "".join(lines)) == (said == "not now")
