"""Recording: one asks, all are kept, nothing is lost and nothing is doubled."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path

import msgspec
import psutil
import pytest
import sqlalchemy as sa

import cmc_server
import disks
from cmc_server import CMCServer, Reply
from coinlog.attempts import AttemptKey, Claim, slot_name
from coinlog.capturing import Standing, capture, current_slot
from coinlog.claims import at_work, our_claim
from coinlog.errors import NotCurrentSlotError, UnreadError
from coinlog.loading import sweep
from coinlog.market import FIAT_IDS, Outcome, Reason, SourceKind
from coinlog.slots import HOUR
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.ledger import read_head
from coinlog.store.migrate import migrate
from coinlog.store.reader import Reader
from coinlog.verdict import read_attempt
from market import FEAR_AND_GREED, LISTINGS, QUOTES, Desk, answer_all, encoded, put_attempt
from samples import SLOT, STEP, listings_body


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
    gone = Claim(1, time.time(), os.uname().nodename, 2**22 + 1, time.time())
    desk.archive.claim(SLOT, gone)

    assert desk.record().settled == (AttemptKey(SLOT, "2"),)


def test_a_claim_of_a_living_process_is_respected(desk: Desk, source: CMCServer) -> None:
    us = psutil.Process()
    desk.archive.claim(SLOT, Claim(1, time.time(), os.uname().nodename, us.pid, us.create_time()))

    assert desk.record().captured.standing is Standing.BUSY
    assert source.requests == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a clock that nobody sets")
def test_a_clock_that_is_set_makes_no_living_recorder_look_dead(
    desk: Desk, source: CMCServer
) -> None:
    claim = our_claim(1, time.time() - 3 * HOUR)
    begun = claim.process_started_at - 3 * HOUR
    desk.archive.claim(SLOT, msgspec.structs.replace(claim, process_started_at=begun))

    assert desk.record().captured.standing is Standing.BUSY
    assert source.requests == []
    since_boot = claim.since_boot
    assert since_boot
    for changes in (
        {"process_started_at": since_boot.process_started_at - 1},
        {"claimed_at": since_boot.claimed_at - desk.plan.deadline_seconds - 31},
    ):
        other = msgspec.structs.replace(since_boot, **changes)
        dead = msgspec.structs.replace(our_claim(1, time.time()), since_boot=other)
        assert not at_work(dead, desk.plan.deadline_seconds, time.time())


def test_a_claim_of_another_machine_is_respected_until_its_deadline(desk: Desk) -> None:
    now, past = time.time(), desk.plan.deadline_seconds + 31
    desk.archive.claim(SLOT, Claim(1, now, "another-machine", 1, 1.0))
    desk.archive.claim(SLOT + STEP, Claim(1, now - past, "another-machine", 1, 1.0))

    assert desk.record().captured.standing is Standing.BUSY
    assert desk.record(SLOT + STEP).captured.ours


def test_a_recorder_that_ends_while_we_look_has_the_slot(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = desk.archive.claims

    def claims_then_the_other_ends(slot: int) -> list[Claim]:
        found = claims(slot)
        monkeypatch.setattr(desk.archive, "claims", claims)
        put_attempt(desk.archive, slot)
        return found

    desk.archive.claim(SLOT, Claim(1, time.time(), os.uname().nodename, 2**22 + 1, 1.0))
    monkeypatch.setattr(desk.archive, "claims", claims_then_the_other_ends)

    assert desk.record().captured.standing is Standing.STORED


@pytest.mark.parametrize("file", ["manifest.json", "listings-1.json.gz"])
def test_a_damaged_attempt_does_not_have_its_slot(desk: Desk, file: str) -> None:
    captured = capture(desk.archive, desk.connect, desk.plan, SLOT, desk.clock)
    assert captured.ours
    path = Path(desk.archive.location) / AttemptKey(SLOT, "1").folder / file
    path.write_bytes(path.read_bytes()[:-9])

    assert desk.record().captured.ours
    assert outcome(desk) == ("stored", None)
    assert [key.attempt for key in desk.archive.attempts()] == ["1", "2"]


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


def test_a_clock_that_was_ahead_keeps_no_slot_from_being_recorded_once_it_is_right(
    desk: Desk, source: CMCServer
) -> None:
    slots = [SLOT, SLOT + STEP, SLOT + 2 * STEP]
    dates = [{"Date": formatdate(slot + 5, usegmt=True)} for slot in (SLOT, *slots)]
    source.on(LISTINGS, *(Reply(listings_body([1, 1027], SLOT), headers=date) for date in dates))
    desk.now = slots[-1] + 5
    desk.record(slots[-1])
    before = outcome(desk, slots[-1])
    for slot in slots:
        desk.now = slot + 5
        desk.record(slot)

    assert before == ("failed", "clock_skew")
    assert [outcome(desk, slot) for slot in slots] == [("stored", None)] * 3


def test_an_attempt_put_by_hand_keeps_its_name(desk: Desk) -> None:
    put_attempt(desk.archive, SLOT, outcome=Outcome.FAILED)

    assert desk.record().settled == (AttemptKey(SLOT, "1"), AttemptKey(SLOT, "2"))


def test_the_tenth_attempt_is_younger_than_the_second(desk: Desk) -> None:
    for name in ("10", "2", "1", "imported"):
        put_attempt(desk.archive, SLOT, name)

    assert [key.attempt for key in desk.archive.attempts()] == ["1", "2", "10", "imported"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"interval_seconds": 0},
        {"interval_seconds": 90},
        {"interval_seconds": 2**40},
        {"assets": ""},
        {"captured_at": 1e300},
        {"credits": 2**40},
        {"slot": "20270101T000000Z"},
    ],
)
def test_an_attempt_that_cannot_be_one_is_damaged_and_stops_nothing(
    desk: Desk, tmp_path: Path, wrong: dict[str, object]
) -> None:
    put_attempt(desk.archive, SLOT - STEP)
    path = tmp_path / "archive" / "captures" / slot_name(SLOT - STEP) / "1" / "manifest.json"
    path.write_bytes(encoded({**msgspec.json.decode(path.read_bytes()), **wrong}))

    assert desk.record().done
    assert outcome(desk, SLOT - STEP) == ("failed", "damaged")
    assert outcome(desk) == ("stored", None)


def test_a_folder_that_is_no_slot_stops_nothing(desk: Desk, tmp_path: Path) -> None:
    stray = tmp_path / "archive" / "captures" / "20269999T000000Z" / "1" / "manifest.json"
    stray.parent.mkdir(parents=True)
    stray.write_text("{}")

    assert desk.record().done


def test_any_flipped_byte_of_an_answer_is_noticed_or_harmless(desk: Desk, tmp_path: Path) -> None:
    desk.record()
    path = tmp_path / "archive" / "captures" / slot_name(SLOT) / "1" / "listings-1.json.gz"
    body = path.read_bytes()
    for index in range(0, len(body), 3):
        path.write_bytes(body[:index] + bytes([body[index] ^ 0x55]) + body[index + 1 :])
        settlement = read_attempt(desk.archive, AttemptKey(SLOT, "1"))
        assert settlement.reason in {None, Reason.DAMAGED}


def test_data_of_the_other_kind_stops_nothing_behind_it(desk: Desk) -> None:
    desk.record()
    put_attempt(desk.archive, SLOT - STEP, simulated=True)
    desk.now += STEP
    recording = desk.record(SLOT + STEP)

    assert "never share a store" in (recording.trouble or "")
    assert outcome(desk, SLOT + STEP) == ("stored", None)


def test_an_asset_renamed_between_two_attempts_of_a_slot_has_its_last_name(
    desk: Desk, source: CMCServer
) -> None:
    body = listings_body([1, 1027], SLOT + 12)
    refusing = body.replace(b'"price":100.5', b'"price":null', 1)
    source.on(LISTINGS, Reply(refusing), Reply(body.replace(b"Asset 1027", b"Renamed")))
    desk.record()
    desk.record()

    assert outcome(desk) == ("stored", None)
    names = {row.id: row.name for row in desk.rows(schema.asset)}
    assert names[1027] == "Renamed"


def test_why_a_slot_still_fails_is_what_the_ledger_says(desk: Desk, source: CMCServer) -> None:
    source.on(LISTINGS, cmc_server.html(503))
    desk.record()
    source.on(LISTINGS, cmc_server.error_reply(401, 1001, "This API Key is invalid."))
    desk.record()

    assert outcome(desk) == ("failed", "wrong_key")
    assert desk.rows(schema.slot)[0].attempts == 2


def test_an_archive_that_cannot_be_used_is_told_and_not_raised(desk: Desk, tmp_path: Path) -> None:
    with away(tmp_path / "archive", tmp_path / "aside"):
        (tmp_path / "archive").write_text("in the way")
        recording = desk.record()
        (tmp_path / "archive").unlink()

    assert recording.captured.standing is Standing.NOT_KEPT
    assert "archive" in (recording.trouble or "")
    assert not recording.done
    desk.now += STEP
    desk.record(SLOT + STEP)
    assert outcome(desk) == ("failed", "not_kept")


def test_what_is_recorded_while_its_disk_is_not_mounted_hides_nothing(
    desk: Desk, tmp_path: Path
) -> None:
    desk.record()
    put_attempt(desk.archive, SLOT + STEP)
    with away(tmp_path / "archive", tmp_path / "disk"):
        (tmp_path / "archive").mkdir()
        recording = desk.record(SLOT + 2 * STEP)
        left = [*(tmp_path / "archive").iterdir()]
        (tmp_path / "archive").rmdir()
    desk.now += 3 * STEP
    desk.record(SLOT + 3 * STEP)

    assert (recording.captured.standing, left) == (Standing.NOT_KEPT, [])
    assert "mount its disk again" in str(recording.trouble)
    assert [outcome(desk, SLOT + number * STEP) for number in range(4)] == [
        ("stored", None),
        ("stored", None),
        ("failed", "not_kept"),
        ("stored", None),
    ]


@contextmanager
def away(folder: Path, elsewhere: Path) -> Iterator[None]:
    """Let a folder be elsewhere for a while."""
    folder.rename(elsewhere)
    yield
    elsewhere.rename(folder)


def test_an_attempt_that_cannot_be_read_keeps_no_other_waiting(desk: Desk, tmp_path: Path) -> None:
    for number in range(3):
        put_attempt(desk.archive, SLOT + number * STEP)
    path = f"{AttemptKey(SLOT + STEP, '1').folder}/listings-1.json.gz"
    answer = tmp_path / "archive" / path
    with disks.unreadable(answer), pytest.raises(UnreadError) as found:
        list(sweep(desk.engine, desk.archive, clock=desk.clock))

    assert str(found.value).startswith(
        "1 attempt cannot be read, the first at 2026-01-27T00:00:00Z"
    )
    assert str(answer.relative_to(tmp_path / "archive")) in str(found.value)
    assert [row.slot for row in desk.rows(schema.slot)] == [SLOT, SLOT + 2 * STEP]
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    assert outcome(desk, SLOT + STEP) == ("stored", None)


def test_a_longer_interval_leaves_no_false_gaps_and_records_no_slot_that_has_passed(
    desk: Desk,
) -> None:
    hourly = msgspec.structs.replace(desk.plan, interval_seconds=HOUR)
    six_hourly, desk.plan = desk.plan, hourly
    for number in (1, 2, 3):
        desk.now = SLOT + number * HOUR + 5.0
        desk.record(SLOT + number * HOUR)
    desk.plan, desk.now = six_hourly, SLOT + 3 * HOUR + 1800.0

    assert desk.record(SLOT).captured.standing is Standing.PASSED
    head = read_head(Reader(desk.engine))
    assert head.next_slot(desk.now) == SLOT + STEP
    assert head.missed_since_newest(SLOT + STEP) == 0


def test_the_simulated_market_is_not_taken_from_a_real_source(desk: Desk) -> None:
    desk.plan = msgspec.structs.replace(desk.plan, source=SourceKind.SIMULATED)
    recording = desk.record()

    assert not recording.done
    assert outcome(desk) == ("failed", "broken_answer")
    assert desk.rows(schema.quote) == []


@pytest.mark.parametrize("processes", [6])
def test_processes_that_migrate_a_new_store_at_once_all_succeed(
    bare_url: sa.URL, processes: int
) -> None:
    address = bare_url.render_as_string(hide_password=False)
    code = (
        "import sys; from coinlog.store.engine import open_engine; "
        "from coinlog.store.migrate import migrate; migrate(open_engine(sys.argv[1]))"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, address], stderr=subprocess.PIPE)
        for _ in range(processes)
    ]
    said = [process.communicate(timeout=60)[1].decode() for process in started]

    assert said == [""] * processes
