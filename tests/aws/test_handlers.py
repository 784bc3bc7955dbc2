"""The functions: each event leads to one snapshot, and no failure is silent."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

import cmc_server
from backfills import put_asset_history
from cmc_server import CMCServer
from coinlog.archive import Archive
from coinlog.attempts import AttemptKey, Claim, slot_name
from coinlog.aws import capture, load, record
from coinlog.aws.prepare import LOADER, prepare
from coinlog.errors import (
    ArchiveError,
    BusyError,
    EventError,
    SchemaError,
    SettingError,
    StoreUnavailableError,
)
from coinlog.market import Outcome
from coinlog.slots import HOUR, iso
from lambdas import Context, s3
from market import FEAR_AND_GREED, LISTINGS, answer_all, put_attempt
from samples import STEP
from servers import free_port
from stores import look
from tls_servers import BY_TOKEN, TlsMariaDB, needs_token_check


def ledger(url: sa.URL) -> list[tuple[object, ...]]:
    return look(url, "SELECT slot, outcome, reason, attempts FROM slot ORDER BY slot")


def scheduled(slot: int) -> dict[str, str]:
    return {"scheduled_time": iso(slot), "execution_id": "d32c5kddcf5bb8c3"}


def manifest_key(slot: int) -> str:
    return f"ours/captures/{slot_name(slot)}/1/manifest.json"


def test_a_slot_goes_from_the_schedule_through_the_bucket_into_the_database(
    database: sa.URL, archive: Archive, now_slot: int
) -> None:
    captured = capture.handler(scheduled(now_slot), Context())
    assert (captured["slot"], captured["outcome"]) == (iso(now_slot), "stored")

    loaded = load.handler(s3(manifest_key(now_slot)), Context())
    assert (loaded["settled_attempts"], loaded["stored"]) == (1, [iso(now_slot)])
    assert loaded["stored_due"] == iso(now_slot)
    assert ledger(database) == [(now_slot, "stored", None, 1)]
    assert [*archive.objects.paths("loaded/")] == [f"loaded/{slot_name(now_slot)}"]
    again = load.handler({}, Context())
    assert (again["settled_attempts"], again["stored"], again["alerts"]) == (0, [], 0)


@needs_token_check
def test_the_loader_does_it_all_with_a_token_and_the_rights_that_it_has(  # noqa: PLR0913, PLR0917  its world
    function: pytest.MonkeyPatch,
    source: CMCServer,
    archive: Archive,
    database: sa.URL,
    tls_mariadb: TlsMariaDB,
    now_slot: int,
) -> None:
    tls_mariadb.execute(f"GRANT ALL ON *.* TO {database.username}@'%' WITH GRANT OPTION")
    prepare(database, BY_TOKEN)
    for name, value in (("DB_USER", LOADER), ("COINLOG_DATABASE_SIGNIN", "iam")):
        function.setenv(name, value)
    function.delenv("DB_PASSWORD")

    source.on(FEAR_AND_GREED, cmc_server.html(404))
    put_asset_history(archive, 1, {now_slot - 40 * STEP: 7.0}, STEP)
    capture.handler(scheduled(now_slot), Context())
    assert load.handler(scheduled(now_slot), Context())["stored"] == [iso(now_slot)]
    # What rises takes the place of what was less, which is deleted.
    answer_all(source, at=now_slot + 30)
    capture.handler(scheduled(now_slot), Context())
    assert load.handler(scheduled(now_slot), Context())["stored"] == [iso(now_slot)]
    assert ledger(database) == [(now_slot, "stored", None, 2)]
    # What comes late may take the place of what was backfilled, and put names right.
    put_attempt(archive, now_slot - 40 * STEP)
    put_asset_history(archive, 1, {now_slot - 50 * STEP: 8.0}, STEP)
    assert load.handler({}, Context())["settled_attempts"] == 1
    assert look(database, "SELECT price FROM quote WHERE origin = 'backfilled'") == [(8.0,)]


def test_deliveries_at_once_ask_once_and_all_succeed(
    source: CMCServer, database: sa.URL, now_slot: int
) -> None:
    contexts = [Context(log_stream_name=f"stream-{number}") for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda one: capture.handler(scheduled(now_slot), one), contexts))
        loaded = list(pool.map(lambda one: load.handler({}, one), contexts[:3]))

    assert [one["outcome"] for one in done] == ["stored"] * 6
    assert [one["asked"] for one in done].count(True) == 1
    assert len(source.asked(LISTINGS)) == 1
    assert sum(len(one["stored"]) for one in loaded if isinstance(one["stored"], list)) == 1
    assert ledger(database) == [(now_slot, "stored", None, 1)]


def test_a_failed_source_leaves_its_outcome_and_a_later_try_mends_it(
    source: CMCServer,
    database: sa.URL,
    archive: Archive,
    now_slot: int,
) -> None:
    source.on(LISTINGS, cmc_server.error_reply(401, 1001, "This API Key is invalid."))
    failed = capture.handler(scheduled(now_slot), Context())
    assert (failed["outcome"], failed["reason"]) == ("failed", "wrong_key")
    assert load.handler(s3(manifest_key(now_slot)), Context())["alerts"] == 1
    assert ledger(database) == [(now_slot, "failed", "wrong_key", 1)]

    answer_all(source, at=now_slot + 30)
    assert capture.handler({}, Context())["outcome"] == "stored"
    assert load.handler({}, Context())["alerts"] == 1
    assert ledger(database) == [(now_slot, "stored", None, 2)]
    name = slot_name(now_slot)
    assert sorted(archive.objects.paths("alerts/")) == [
        f"alerts/{name}-failing-fired.json",
        f"alerts/{name}-failing-recovered.json",
        "alerts/looked",
    ]


@pytest.mark.usefixtures("database")
def test_each_slot_is_a_line_of_the_log_with_all_that_matters(
    source: CMCServer, now_slot: int, capsys: pytest.CaptureFixture[str]
) -> None:
    source.on(FEAR_AND_GREED, cmc_server.html(404))
    capture.handler(scheduled(now_slot), Context())
    load.handler(scheduled(now_slot), Context())

    captured, slot, loaded = map(json.loads, capsys.readouterr().out.splitlines())
    assert [one["function"] for one in (captured, slot, loaded)] == ["capture", "load", "load"]
    assert (captured["outcome"], captured["reason"]) == ("partial", "incomplete")
    assert {"credits", "capture_seconds", "skew_seconds", "source", "attempt"} <= captured.keys()
    assert (slot["event"], slot["slot"], slot["outcome"]) == ("slot", iso(now_slot), "partial")
    assert (slot["assets"], slot["attempts"]) == (2, 1)
    # The alarm counts what says so, and each slot once.
    assert "stored_due" not in slot
    assert loaded["stored_due"] == iso(now_slot)


def test_many_slots_that_fail_alike_are_one_alert(
    archive: Archive, database: sa.URL, now_slot: int
) -> None:
    for number in range(1, 6):
        put_attempt(archive, now_slot - number * STEP, body=b"damaged")
    assert load.handler({}, Context())["alerts"] == 1
    assert {row[1:3] for row in ledger(database)} == {("failed", "broken_answer")}
    assert load.handler({}, Context())["alerts"] == 0

    put_attempt(archive, now_slot)
    assert load.handler({}, Context())["alerts"] == 1


@pytest.mark.usefixtures("database")
def test_a_slot_that_rises_is_marked_again(
    source: CMCServer, archive: Archive, now_slot: int
) -> None:
    source.on(FEAR_AND_GREED, cmc_server.html(404))
    assert capture.handler({}, Context())["outcome"] == "partial"
    load.handler({}, Context())
    answer_all(source, at=now_slot + 30)
    capture.handler({}, Context())
    load.handler({}, Context())

    name = f"loaded/{slot_name(now_slot)}"
    assert [*archive.objects.paths("loaded/")] == [name, f"{name}-2"]


def test_a_database_that_is_away_is_raised_and_caught_up_later(
    function: pytest.MonkeyPatch, archive: Archive, database: sa.URL, now_slot: int
) -> None:
    slots = [now_slot - number * STEP for number in (2, 1, 0)]
    for slot in slots:
        put_attempt(archive, slot)
    function.setenv("DB_PORT", str(free_port()))
    with pytest.raises(StoreUnavailableError, match="could not be used"):
        load.handler(s3(manifest_key(now_slot)), Context(seconds=2))

    function.setenv("DB_PORT", str(database.port))
    assert load.handler(scheduled(now_slot), Context())["settled_attempts"] == 3
    assert [row[0] for row in ledger(database)] == slots


@pytest.mark.usefixtures("database")
def test_tables_that_are_not_there_are_raised_with_what_to_do(
    function: pytest.MonkeyPatch, tls_mariadb: TlsMariaDB
) -> None:
    with tls_mariadb.database() as empty:
        for name in ("DB_NAME", "DB_USER"):
            function.setenv(name, str(empty.database))
        function.setenv("DB_PASSWORD", str(empty.password))
        with pytest.raises(SchemaError, match="no tables yet"):
            load.handler({}, Context())


def test_a_bucket_that_is_away_is_raised_before_the_source_is_asked(
    function: pytest.MonkeyPatch, source: CMCServer, now_slot: int
) -> None:
    function.setenv("COINLOG_ARCHIVE", "s3://there-is-no-such-bucket")
    with pytest.raises(ArchiveError, match="the archive could not be used"):
        capture.handler(scheduled(now_slot), Context())

    assert source.requests == []


@pytest.mark.usefixtures("function")
@pytest.mark.parametrize("late", [1, 8])
def test_an_event_of_a_slot_that_has_passed_asks_nothing(
    source: CMCServer, now_slot: int, late: int
) -> None:
    done = capture.handler(scheduled(now_slot - late * STEP), Context())

    assert (done["outcome"], source.requests) == (None, [])


@pytest.mark.usefixtures("function")
def test_an_odd_event_is_raised_by_each_function() -> None:
    for handler in (capture.handler, load.handler, record.handler):
        with pytest.raises(EventError, match="expected"):
            handler({"scheduledTime": "2026-01-26T18:00:00Z"}, Context())


def test_a_folder_is_no_archive_of_a_function(function: pytest.MonkeyPatch) -> None:
    function.delenv("COINLOG_ARCHIVE")
    for handler in (capture.handler, load.handler):
        with pytest.raises(SettingError, match=r"expected s3://bucket/prefix"):
            handler({}, Context())


@pytest.mark.usefixtures("function")
def test_a_silent_source_is_an_outcome_with_a_fifth_of_the_time_left(
    source: CMCServer, archive: Archive, now_slot: int
) -> None:
    source.on(LISTINGS, cmc_server.stall)
    context = Context(seconds=8.0)
    done = capture.handler(scheduled(now_slot), context)

    assert context.share_left >= 0.2
    assert (done["outcome"], done["reason"]) == ("failed", "timeout")
    assert archive.manifest(AttemptKey(now_slot, "1"))[0].outcome is Outcome.FAILED


def test_the_claim_of_a_capture_that_died_is_waited_for(
    function: pytest.MonkeyPatch, archive: Archive, now_slot: int
) -> None:
    function.setenv("COINLOG_DEADLINE_SECONDS", "5")
    archive.claim(now_slot, Claim(1, time.time() - 34, "another", 8, time.time() - 34))
    with pytest.raises(BusyError, match="Lambda is to try again"):
        capture.handler(scheduled(now_slot), Context(seconds=6.0))

    done = capture.handler(scheduled(now_slot), Context())
    assert (done["outcome"], done["asked"]) == ("stored", True)
    assert archive.attempts() == [AttemptKey(now_slot, "2")]


def test_a_sweep_without_time_says_that_more_is_to_do(
    archive: Archive, database: sa.URL, now_slot: int
) -> None:
    put_attempt(archive, now_slot - STEP)
    put_attempt(archive, now_slot)
    assert load.handler({}, Context(seconds=2.0))["unfinished"] is True

    assert load.handler({}, Context())["unfinished"] is False
    assert len(ledger(database)) == 2


def test_a_look_goes_back_to_what_an_event_tells_and_once_a_day_through_all(
    archive: Archive, database: sa.URL, now_slot: int
) -> None:
    midnight, old = now_slot - now_slot % (4 * STEP), now_slot - 100 * STEP
    put_attempt(archive, now_slot)
    load.handler({}, Context())
    for slot in (old, old + STEP):
        put_attempt(archive, slot)

    for later in (HOUR, STEP):
        found = load.handler(scheduled(midnight + later), Context())
        assert found["settled_attempts"] == 0
    found = load.handler(s3(manifest_key(old + STEP)), Context())
    # Old slots are caught up with, which says nothing of whether new ones are recorded.
    assert (found["settled_attempts"], found["stored_due"]) == (1, None)
    assert found["stored"] == [iso(old + STEP)]
    assert load.handler(scheduled(midnight), Context())["settled_attempts"] == 1
    assert len(ledger(database)) == 3


@pytest.mark.usefixtures("database")
def test_the_combined_function_makes_its_tables_and_records(
    function: pytest.MonkeyPatch, tls_mariadb: TlsMariaDB, archive: Archive, now_slot: int
) -> None:
    with tls_mariadb.database() as empty:
        for name in ("DB_NAME", "DB_USER"):
            function.setenv(name, str(empty.database))
        function.setenv("DB_PASSWORD", str(empty.password))
        done = record.handler({"time": iso(now_slot + 2221), "detail": {}}, Context())

        assert (done["outcome"], done["stored"]) == ("stored", [iso(now_slot)])
        assert ledger(empty) == [(now_slot, "stored", None, 1)]
    assert archive.attempts() == [AttemptKey(now_slot, "1")]


def test_the_combined_function_without_a_bucket_stores_a_slot_once(
    function: pytest.MonkeyPatch, source: CMCServer, database: sa.URL, now_slot: int
) -> None:
    function.delenv("COINLOG_ARCHIVE")
    source.on(LISTINGS, cmc_server.html(404))
    failed = record.handler({}, Context())
    answer_all(source, at=now_slot + 30)
    stored, again = (record.handler({}, Context()) for _ in range(2))

    assert "the raw answers are not kept" in str(failed["warning"])
    assert [one["outcome"] for one in (failed, stored, again)] == ["failed", "stored", None]
    assert again["detail"] == "stored already"
    assert ledger(database) == [(now_slot, "stored", None, 2)]
