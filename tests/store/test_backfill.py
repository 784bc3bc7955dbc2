"""Backfill as it is settled: around what was observed, whatever comes late, and as drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

import disks
from backfills import load_all, prices, put_asset_history, put_market_history, stored
from coinlog.attempts import AttemptKey, slot_name
from coinlog.backfill.kept import backfills
from coinlog.backfill.load import sweep_backfills, waiting_backfills
from coinlog.errors import UnreadError
from coinlog.loading import load
from coinlog.series import Series, read_series
from coinlog.slots import DAY
from coinlog.store import schema
from coinlog.store.buckets import WEEK
from coinlog.store.ledger import read_head
from coinlog.store.listing import read_leading
from coinlog.store.reader import Reader
from coinlog.store.targets import FEAR_AND_GREED, GLOBAL_METRICS
from coinlog.store.writer import settle
from coinlog.thinning import thin
from coinlog.timeline import read_timeline, window_of
from market import Desk, put_attempt
from samples import SLOT, STEP, settlement, snapshot


def drawn(desk: Desk, asset_id: int, range_: str = "all") -> Series:
    """Return an asset's series as pages and the API read it."""
    reader = Reader(desk.engine)
    head = read_head(reader)
    timeline = read_timeline(reader, head, window_of(head, desk.now, range_), desk.now)
    return read_series(reader, timeline, desk.now, asset_id, ("price",))


def test_a_slot_observed_late_takes_the_place_of_what_was_backfilled(desk: Desk) -> None:
    settle(desk.engine, settlement(SLOT - STEP, found=snapshot([2])), SLOT)
    put_asset_history(desk.archive, 1, {SLOT + 900: 4.5}, DAY)
    load_all(desk)
    assert [*stored(desk, 1)] == [SLOT + 900]

    put_attempt(desk.archive, SLOT)
    assert load(desk.engine, desk.archive, AttemptKey(SLOT, "1"), desk.clock)

    assert {(row.slot, row.origin) for row in stored(desk, 1).values()} == {(SLOT, "observed")}
    assert [row["slot"] for row in desk.mappings(schema.latest) if row["asset_id"] == 1] == [SLOT]
    assert [row["first_slot"] for row in desk.mappings(schema.asset) if row["id"] == 1] == [SLOT]


def test_settling_again_changes_nothing(desk: Desk) -> None:
    put_asset_history(desk.archive, 1, {SLOT - DAY: 4.5}, DAY)
    load_all(desk)
    before = [desk.mappings(table) for table in schema.metadata.sorted_tables]

    load_all(desk)

    assert [desk.mappings(table) for table in schema.metadata.sorted_tables] == before


def test_whom_backfill_alone_knows_is_called_as_observed_from_then_on(desk: Desk) -> None:
    put_asset_history(desk.archive, 1, {SLOT - 3 * DAY: 4.5}, DAY)
    load_all(desk)
    assert desk.mappings(schema.asset_name) == []

    put_attempt(desk.archive, SLOT, ids=(1, 1027))
    load_all(desk)

    (known,) = (row for row in desk.mappings(schema.asset) if row["id"] == 1)
    assert (known["name"], known["first_slot"]) == ("Asset 1", SLOT - 3 * DAY)
    assert {row["from_slot"] for row in desk.mappings(schema.asset_name)} == {SLOT}


def test_a_year_of_daily_points_is_a_line_drawn_at_their_own_times(desk: Desk) -> None:
    put_attempt(desk.archive, SLOT)
    days = {SLOT + 75 * 60 - day * DAY: float(day) for day in range(1, 366)}
    put_asset_history(desk.archive, 1, days, DAY)
    load_all(desk)
    desk.now = SLOT + 60.0

    series = drawn(desk, 1)

    assert series.gaps == []
    assert series.observed_at == [*sorted(days), SLOT + 12]
    assert series.origins == ["backfilled"] * 365 + ["observed"]
    assert len(drawn(desk, 1, "30d").slots) == 31


def test_a_missed_slot_is_a_gap_until_it_is_filled(desk: Desk) -> None:
    for slot in (SLOT, SLOT + 3 * STEP):
        put_attempt(desk.archive, slot)
    load_all(desk)
    desk.now = SLOT + 3 * STEP + 60.0
    before = [(gap.start, gap.end, gap.reason) for gap in drawn(desk, 1).gaps]

    put_asset_history(desk.archive, 1, {SLOT + STEP + 40: 1.5, SLOT + 2 * STEP - 7: 2.5}, STEP)
    load_all(desk)

    assert before == [(SLOT + STEP, SLOT + 3 * STEP, "missed")]
    assert drawn(desk, 1).gaps == []
    assert drawn(desk, 1).observed_at[1:3] == [SLOT + STEP + 40, SLOT + 2 * STEP - 7]


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told.update(target="asset-2"),
        lambda told: told.update(attempt="other"),
        lambda told: told.update(to_time=told["to_time"] + DAY),
        lambda told: told.update(resolution=0),
        lambda told: told.update(interval_seconds=0),
        lambda told: told.update(from_time=-1),
        lambda told: told.update(captured_at=1e300),
        lambda told: told["asset"].update(id=2),
        lambda told: told.update(asset=None),
        lambda told: told.update(credits=2**40),
        lambda told: told["answers"][0].update(sha256="0" * 64),
        lambda told: told["answers"][0].update(file="../../../elsewhere.json.gz"),
        lambda told: told.clear(),
    ],
)
def test_a_damaged_answer_is_settled_as_such_and_stops_nothing(desk: Desk, change: Change) -> None:
    put_asset_history(desk.archive, 1, {SLOT - DAY: 1.0}, DAY)
    put_asset_history(desk.archive, 2, {SLOT - DAY: 1.0}, DAY)
    path = Path(desk.archive.location) / backfills(desk.archive)[0].folder / "manifest.json"
    told = msgspec.json.decode(path.read_bytes())
    change(told)
    path.write_bytes(msgspec.json.encode(told))

    settled = list(sweep_backfills(desk.engine, desk.archive, SLOT))

    assert [key.target for key in settled] == ["asset-1", "asset-2"]
    rows = {row["target"]: row["reason"] for row in desk.mappings(schema.backfill)}
    assert rows == {"asset-1": "damaged", "asset-2": None}
    assert waiting_backfills(desk.engine, desk.archive) == []
    assert stored(desk, 1) == {}


def test_a_late_answer_that_is_damaged_takes_no_point_away(desk: Desk) -> None:
    for asset_id in (1, 1027):
        put_asset_history(desk.archive, asset_id, {SLOT - DAY: 1.5, SLOT: 2.5}, DAY)
    put_market_history(desk.archive, {SLOT - DAY: 50.0}, DAY)
    load_all(desk)
    before = {table: desk.mappings(table) for table in (schema.quote, schema.global_metrics)}

    name = f"{slot_name(SLOT - 9 * DAY)}-{slot_name(SLOT - 8 * DAY)}-86400-1"
    for target in (GLOBAL_METRICS, FEAR_AND_GREED, "asset-1", "asset-0", "asset-99999999999"):
        desk.archive.objects.create(f"backfill/{target}/{name}/manifest.json", b"{}")
    load_all(desk)

    assert {table: desk.mappings(table) for table in before} == before
    assert len(before[schema.quote]) == 4


def test_an_earlier_answer_about_the_market_leaves_the_assets_alone(desk: Desk) -> None:
    put_asset_history(desk.archive, 1, {SLOT - DAY: 1.5}, DAY)
    put_market_history(desk.archive, {SLOT - DAY: 50.0}, DAY)
    load_all(desk)

    put_market_history(desk.archive, {SLOT - 9 * DAY: 40.0}, DAY)
    load_all(desk)

    shares = {row["bitcoin_dominance"] for row in desk.mappings(schema.global_metrics)}
    assert shares == {40.0, 50.0}
    assert prices(desk, 1) == {SLOT - DAY: 1.5}


def test_a_slot_that_lost_an_asset_leaves_room_for_the_next_one(desk: Desk) -> None:
    put_attempt(desk.archive, SLOT, "1", ids=(1, 7))
    put_asset_history(desk.archive, 7, {SLOT + STEP: 2.5, SLOT + 2 * STEP: 3.5}, STEP)
    load_all(desk)

    put_attempt(desk.archive, SLOT, "2")
    put_attempt(desk.archive, SLOT + STEP, ids=(1, 1027, 7))
    load_all(desk)
    load_all(desk)

    outcomes = {row["outcome"] for row in desk.mappings(schema.slot)}
    origins = [
        (row["slot"], row["origin"]) for row in desk.mappings(schema.quote) if row["asset_id"] == 7
    ]
    assert outcomes == {"stored"}
    assert origins == [(SLOT + STEP, "observed"), (SLOT + 2 * STEP, "backfilled")]


def test_the_market_is_what_was_observed_though_a_later_slot_was_backfilled(desk: Desk) -> None:
    put_attempt(desk.archive, SLOT)
    load_all(desk)

    put_asset_history(desk.archive, 1, {SLOT - STEP: 1.5, SLOT + STEP: 2.5}, STEP)
    put_asset_history(desk.archive, 9, {SLOT - STEP: 1.5, SLOT + STEP: 2.5}, STEP)
    load_all(desk)

    listed = read_leading(Reader(desk.engine), SLOT, 10)
    latest = {row["asset_id"]: row["slot"] for row in desk.mappings(schema.latest)}
    assert [one.id for one in listed] == [1, 1027]
    # An asset that was never observed has nothing newer to show.
    assert latest == {1: SLOT, 1027: SLOT, 9: SLOT + STEP}


@pytest.mark.parametrize("keep", [0, WEEK])
def test_what_was_thinned_on_purpose_does_not_come_back_as_history(desk: Desk, keep: int) -> None:
    slots = [SLOT + number * STEP for number in (0, 1, 2, 4, 5, 6, 40)]
    for slot in slots:
        put_attempt(desk.archive, slot)
    load_all(desk)
    list(thin(desk.engine, SLOT + 20 * STEP, keep, SLOT + 50 * STEP))
    left = prices(desk, 1)

    points = {SLOT + number * STEP: 2.5 for number in range(-3, 9)}
    put_asset_history(desk.archive, 1, points, STEP)
    load_all(desk)

    # Before the first slot, and where none was recorded.
    unseen = [SLOT + number * STEP for number in (-3, -2, -1, 3, 7, 8)]
    added = {slot: price for slot, price in prices(desk, 1).items() if slot not in left}
    kept_for = [slot for slot in left if slot < SLOT + 20 * STEP]
    covered = [slot for slot in unseen if any(abs(slot - one) <= DAY // 2 for one in kept_for)]
    assert added == dict.fromkeys([slot for slot in unseen if slot not in covered], 2.5)


def test_what_is_not_called_as_an_answer_is_passed_over(desk: Desk) -> None:
    for name in ("20269999T000000Z-20260102T000000Z-86400-1", "notes", "x" * 200):
        desk.archive.objects.create(f"backfill/asset-1/{name}/manifest.json", b"{}")
    desk.archive.objects.create("backfill/notes.txt", b"mine")

    assert backfills(desk.archive) == []
    load_all(desk)


def test_a_name_that_the_store_cannot_hold_is_settled_as_damaged(desk: Desk) -> None:
    put_asset_history(desk.archive, 1, {SLOT - DAY: 1.0}, DAY)
    path = Path(desk.archive.location) / backfills(desk.archive)[0].folder / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b"Asset 1", b"A" * 70_000))

    load_all(desk)

    (row,) = desk.mappings(schema.backfill)
    assert row["outcome"] == ("stored" if desk.engine.dialect.name == "sqlite" else "failed")


def test_an_answer_that_cannot_be_read_keeps_no_other_waiting(desk: Desk) -> None:
    for asset_id in (1, 2):
        put_asset_history(desk.archive, asset_id, {SLOT - DAY: 4.5}, DAY)
    path = next(Path(desk.archive.location).glob("backfill/asset-1/*/*.json.gz"))
    told = "1 backfilled answer cannot be read, the first is backfill/asset-1/"
    with disks.unreadable(path), pytest.raises(UnreadError, match=told):
        load_all(desk)

    assert ([*stored(desk, 1)], len(stored(desk, 2))) == ([], 1)
    load_all(desk)
    assert len(stored(desk, 1)) == 1
