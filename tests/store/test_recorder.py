"""Recording: one asks, all are kept, nothing is lost and nothing is doubled."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

import cmc_server
from cmc_server import CMCServer, Reply
from coinlog.archive import AttemptKey, Claim, slot_name
from coinlog.errors import NotCurrentSlotError
from coinlog.market import FIAT_IDS, Outcome, Reason
from coinlog.recorder import current_slot, sweep
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from market import FEAR_AND_GREED, LISTINGS, QUOTES, Desk, answer_all
from samples import SLOT, STEP, listings_body


@pytest.fixture
def source() -> Iterator[CMCServer]:
    with CMCServer() as server:
        answer_all(server)
        yield server


@pytest.fixture
def desk(store_url: sa.URL, tmp_path: Path, source: CMCServer) -> Iterator[Desk]:
    desk = Desk(store_url, tmp_path / "archive", source.url)
    yield desk
    desk.engine.dispose()


def outcome(desk: Desk, slot: int = SLOT) -> tuple[str, str | None]:
    row = desk.rows(schema.slot, schema.slot.c.slot == slot)[0]
    return row.outcome, row.reason


def test_a_slot_is_captured_and_loaded(desk: Desk) -> None:
    recording = desk.record()

    assert (recording.done, recording.captured.ours) == (True, True)
    assert recording.settled == (AttemptKey(SLOT, "1"),)
    ids = {row.asset_id for row in desk.rows(schema.quote)}
    assert ids == {1, 1027, *FIAT_IDS.values()}
    (row,) = desk.rows(schema.slot)
    assert (row.outcome, row.assets, row.observed_at) == ("stored", 2, SLOT + 12)
    assert desk.rows(schema.fear_and_greed)[0].value == 42
    assert desk.rows(schema.global_metrics)[0].bitcoin_dominance == 57.5


def test_the_raw_answers_are_kept_as_they_came(desk: Desk) -> None:
    desk.record()

    manifest, _ = desk.archive.manifest(AttemptKey(SLOT, "1"))
    bodies = {
        answer.name: answer.body for answer in desk.archive.answers(AttemptKey(SLOT, "1"), manifest)
    }
    assert bodies["listings-1"] == listings_body([1, 1027], SLOT + 12)
    assert sorted(bodies) == ["fear-and-greed", "global-metrics", "listings-1", "quotes-1"]


def test_a_second_run_in_the_slot_asks_nothing(desk: Desk, source: CMCServer) -> None:
    desk.record()
    asked = len(source.requests)
    again = desk.record()

    assert (again.done, again.captured.ours, again.settled) == (True, False, ())
    assert len(source.requests) == asked


def test_of_eight_at_once_one_asks_the_source(desk: Desk, source: CMCServer) -> None:
    with ThreadPoolExecutor(8) as pool:
        recordings = list(pool.map(lambda _: desk.record(), range(8)))

    assert [recording.captured.ours for recording in recordings].count(True) == 1
    assert all(recording.done for recording in recordings)
    assert len(source.asked(LISTINGS)) == 1
    desk.record()
    assert (len(desk.rows(schema.attempt)), outcome(desk)) == (1, ("stored", None))


def test_only_the_current_slot_can_be_recorded(desk: Desk) -> None:
    assert current_slot(desk.plan, SLOT + STEP - 1, SLOT) == SLOT
    for other in (SLOT - STEP, SLOT + STEP, SLOT + 1):
        with pytest.raises(NotCurrentSlotError, match="backfill"):
            current_slot(desk.plan, SLOT + 60, other)


def test_a_claim_of_a_dead_process_is_replaced_at_once(desk: Desk) -> None:
    gone = Claim(1, desk.now, os.uname().nodename, 2**22 + 1, desk.now)
    desk.archive.claim(SLOT, gone)

    assert desk.record().settled == (AttemptKey(SLOT, "2"),)


def test_a_claim_of_a_living_process_is_respected_until_its_deadline(
    desk: Desk, source: CMCServer
) -> None:
    us = psutil.Process()
    alive = Claim(1, desk.now, os.uname().nodename, us.pid, us.create_time())
    desk.archive.claim(SLOT, alive)

    assert (desk.record().captured.manifest, source.requests) == (None, [])
    desk.now += desk.plan.deadline_seconds + 31
    assert desk.record().settled == (AttemptKey(SLOT, "2"),)


def test_a_claim_of_another_machine_is_respected_until_its_deadline(desk: Desk) -> None:
    desk.archive.claim(SLOT, Claim(1, desk.now, "another-machine", 1, 1.0))

    assert desk.record().captured.manifest is None
    desk.now += desk.plan.deadline_seconds + 31
    assert desk.record().captured.ours


def test_a_failed_slot_can_be_recorded_again_and_rises(desk: Desk, source: CMCServer) -> None:
    source.on(LISTINGS, cmc_server.html(503))
    failed = desk.record()
    assert (failed.done, outcome(desk)) == (False, ("failed", "server_error"))

    answer_all(source)
    assert desk.record().done
    assert outcome(desk) == ("stored", None)
    assert desk.rows(schema.slot)[0].attempts == 2


def test_a_refused_row_makes_the_slot_partial_and_the_rest_is_kept(
    desk: Desk, source: CMCServer
) -> None:
    body = listings_body([1, 1027, 7], SLOT + 12).replace(b'"price":100.5', b'"price":null', 1)
    source.on(LISTINGS, Reply(body))
    recording = desk.record()

    assert (recording.done, outcome(desk)) == (True, ("partial", "incomplete"))
    missing = desk.rows(schema.missing)
    assert [(row.asset_id, row.reason) for row in missing] == [(1, "refused")]
    assert {row.asset_id for row in desk.rows(schema.quote)} >= {1027, 7}


def test_a_lacking_part_makes_the_slot_partial(desk: Desk, source: CMCServer) -> None:
    source.on(FEAR_AND_GREED, cmc_server.html(404))

    assert desk.record().done
    assert outcome(desk)[0] == "partial"
    assert desk.rows(schema.missing)[0].what == "fear-and-greed"


def test_explicit_ids_that_are_not_answered_are_missed_by_name(
    store_url: sa.URL, tmp_path: Path, source: CMCServer
) -> None:
    desk = Desk(store_url, tmp_path / "archive", source.url, assets="top:2+id:4687")
    desk.record()

    assert "4687" in source.asked(QUOTES)[0].params["id"]
    missing = desk.rows(schema.missing)
    assert [(row.asset_id, row.reason) for row in missing] == [(4687, "not_answered")]
    desk.engine.dispose()


WEATHER: dict[str, tuple[cmc_server.Answering, Reason]] = {
    "wrong key": (cmc_server.error_reply(401, 1001, "This API Key is invalid."), Reason.WRONG_KEY),
    "plan": (cmc_server.error_reply(403, 1006, "not supported by plan"), Reason.PLAN),
    "monthly quota": (cmc_server.error_reply(429, 1010, "monthly limit"), Reason.QUOTA),
    "too fast": (cmc_server.error_reply(429, 1008, "rate limit"), Reason.RATE_LIMITED),
    "server error": (cmc_server.html(500), Reason.SERVER_ERROR),
    "html": (cmc_server.html(200), Reason.BROKEN_ANSWER),
    "error in a 200": (cmc_server.error_reply(200, "1010", "monthly"), Reason.QUOTA),
    "cut off": (cmc_server.truncated(listings_body([1], SLOT)), Reason.UNREACHABLE),
    "NaN": (Reply(listings_body([1], SLOT).replace(b"100.5", b"NaN")), Reason.BROKEN_ANSWER),
    "1e999": (Reply(listings_body([1], SLOT).replace(b"100.5", b"1e999")), Reason.BROKEN_ANSWER),
    "redirect": (cmc_server.redirect("http://example.org/"), Reason.BROKEN_ANSWER),
}


@pytest.mark.parametrize("weather", WEATHER)
def test_bad_weather_is_in_the_ledger_with_its_true_reason(
    desk: Desk, source: CMCServer, weather: str
) -> None:
    answering, reason = WEATHER[weather]
    source.on(LISTINGS, answering)
    recording = desk.record()

    assert not recording.done
    row = desk.rows(schema.slot)[0]
    assert (row.outcome, row.reason) == ("failed", reason)
    assert row.detail
    assert desk.rows(schema.quote) == []


def test_a_database_that_was_away_for_three_slots_is_caught_up(
    desk: Desk,
) -> None:
    engine = desk.engine
    desk.engine = open_engine("mysql+pymysql://nobody@127.0.0.1:9/away")
    for number in range(3):
        desk.now = SLOT + number * STEP + 5.0
        recording = desk.record(SLOT + number * STEP)
        assert "could not be used" in (recording.trouble or "")
    desk.engine.dispose()

    desk.engine = engine
    desk.now += STEP
    recording = desk.record(SLOT + 3 * STEP)

    assert [key.slot for key in recording.settled] == [SLOT + n * STEP for n in range(4)]
    assert {row.outcome for row in desk.rows(schema.slot)} == {"stored"}


def test_a_damaged_answer_is_a_failed_slot_and_does_not_stop_the_sweep(
    desk: Desk, tmp_path: Path
) -> None:
    desk.record()
    desk.record(SLOT + STEP)
    folder = tmp_path / "archive" / "captures" / slot_name(SLOT)
    (folder / "1" / "listings-1.json.gz").write_bytes(b"damaged")
    (tmp_path / "archive" / "captures" / slot_name(SLOT + STEP) / "1" / "manifest.json").write_text(
        "{"
    )
    migrate(desk.engine, "base")
    migrate(desk.engine)

    list(sweep(desk.engine, desk.archive))

    assert [outcome(desk, slot) for slot in (SLOT, SLOT + STEP)] == [("failed", "damaged")] * 2


def test_the_archive_alone_rebuilds_the_store(desk: Desk, source: CMCServer) -> None:
    source.on(LISTINGS, cmc_server.html(503), Reply(listings_body([1, 1027], SLOT + 12)))
    for _ in range(4):
        desk.record()
    tables = (schema.quote, schema.asset, schema.missing, schema.schedule, schema.attempt)
    before = [[tuple(row)[:7] for row in desk.rows(table)] for table in tables]
    migrate(desk.engine, "base")
    migrate(desk.engine)
    list(sweep(desk.engine, desk.archive, clock=desk.clock))

    assert [[tuple(row)[:7] for row in desk.rows(table)] for table in tables] == before


def test_a_clock_in_another_slot_than_the_sources_records_nothing_wrong(
    desk: Desk, source: CMCServer
) -> None:
    late = {"Date": "Mon, 26 Jan 2026 17:30:00 GMT"}
    source.on(LISTINGS, Reply(listings_body([1, 1027], SLOT - 1800), headers=late))
    recording = desk.record()

    assert recording.captured.manifest is not None
    assert recording.captured.manifest.outcome is Outcome.FAILED
    assert outcome(desk) == ("failed", "clock_skew")
