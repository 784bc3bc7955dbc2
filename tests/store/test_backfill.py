"""Backfill: asked, kept, settled around what was observed, and drawn; whatever comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from backfills import put_asset_history, put_market_history
from cmc_server import Answering, CMCServer, Reply, error_reply, html, json_reply, truncated
from coinlog.attempts import AttemptKey, slot_name
from coinlog.backfill.fetch import Desk as BackfillDesk
from coinlog.backfill.fetch import Done, fetch_all
from coinlog.backfill.kept import Request, backfills
from coinlog.backfill.load import sweep_backfills, waiting_backfills
from coinlog.backfill.plan import Stretch
from coinlog.backfill.wanted import plan_requests
from coinlog.errors import MixedSourcesError, PlanError, QuotaError, UnavailableError
from coinlog.market import Outcome, Reason, SourceKind
from coinlog.recorder import load, sweep
from coinlog.series import Series, read_series
from coinlog.slots import DAY, HOUR, iso
from coinlog.sources.client import Client
from coinlog.store import schema
from coinlog.store.buckets import WEEK
from coinlog.store.ledger import read_head
from coinlog.store.listing import read_leading
from coinlog.store.migrate import migrate
from coinlog.store.reader import Reader
from coinlog.store.targets import FEAR_AND_GREED, GLOBAL_METRICS
from coinlog.store.writer import settle
from coinlog.thinning import thin
from coinlog.timeline import read_timeline, window_of
from market import Desk, put_attempt
from samples import SLOT, STEP, asset, settlement, snapshot

HISTORY = "/v3/cryptocurrency/quotes/historical"


@pytest.fixture
def server() -> Iterator[CMCServer]:
    with CMCServer() as server:
        yield server


@pytest.fixture
def desk(store_url: sa.URL, own_world: Path, server: CMCServer) -> Iterator[Desk]:
    desk = Desk(store_url, own_world / "archive", server.url)
    yield desk
    desk.engine.dispose()


def backfilling(desk: Desk) -> BackfillDesk:
    return BackfillDesk(
        desk.engine,
        desk.archive,
        desk.connect,
        SourceKind.COINMARKETCAP,
        5.0,
        clock=desk.clock,
    )


def request_of(asset_id: int, start: int, end: int, resolution: int = DAY) -> Request:
    return Request(f"asset-{asset_id}", asset(asset_id), start, end, resolution, STEP)


def past(asset_id: int, points: dict[int, float], **status: object) -> Reply:
    """Return an answer of the source's history in v3's shape."""
    rows = [
        {"timestamp": iso(time), "quote": {"USD": {"price": price, "timestamp": iso(time)}}}
        for time, price in points.items()
    ]
    told = {"timestamp": iso(SLOT), "error_code": 0, "credit_count": 1, **status}
    return json_reply({"status": told, "data": {str(asset_id): {"id": asset_id, "quotes": rows}}})


def stored(desk: Desk, asset_id: int) -> dict[int, sa.Row[Any]]:
    table = schema.quote
    return {row.slot: row for row in desk.rows(table, table.c.asset_id == asset_id)}


def prices(desk: Desk, asset_id: int) -> dict[int, float]:
    return {slot: row.price for slot, row in stored(desk, asset_id).items()}


def load_all(desk: Desk) -> None:
    list(sweep(desk.engine, desk.archive, clock=desk.clock))


def drawn(desk: Desk, asset_id: int, range_: str = "all") -> Series:
    """Return an asset's series as pages and the API read it."""
    reader = Reader(desk.engine)
    head = read_head(reader)
    timeline = read_timeline(reader, head, window_of(head, desk.now, range_), desk.now)
    return read_series(reader, timeline, desk.now, asset_id, ("price",))


def test_finer_answers_give_the_point_nearest_each_slot_and_never_the_observed_one(
    desk: Desk, server: CMCServer
) -> None:
    settle(desk.engine, settlement(found=snapshot([1])), SLOT + 20)
    times = {SLOT - STEP - 3 * HOUR + 60: 1.0, SLOT - STEP - 600: 2.0, SLOT - STEP + 1200: 3.0}
    server.on(HISTORY, past(1, {**times, SLOT: 4.0, SLOT + 300: 5.0}))

    done = list(fetch_all(backfilling(desk), [request_of(1, SLOT - DAY, SLOT, HOUR)]))

    assert [(one.outcome, one.points) for one in done] == [(Outcome.STORED, 5)]
    prices = {slot: (row.price, row.origin) for slot, row in stored(desk, 1).items()}
    assert prices == {SLOT - STEP: (2.0, "backfilled"), SLOT: (100.5, "observed")}
    filled = stored(desk, 1)[SLOT - STEP]
    assert (filled.last_updated, filled.resolution) == (SLOT - STEP - 600, STEP)


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


def test_the_whole_market_and_its_mood_are_backfilled_too(desk: Desk, server: CMCServer) -> None:
    put_attempt(desk.archive, SLOT)
    load_all(desk)
    status = {"error_code": 0, "credit_count": 1}
    row = {"timestamp": iso(SLOT - STEP), "btc_dominance": 57.5, "quote": {"USD": {}}}
    answer = {"status": status, "data": {"quotes": [row]}}
    server.on("/v1/global-metrics/quotes/historical", json_reply(answer))
    day = (SLOT // DAY - 9) * DAY
    moods = [
        {"timestamp": str(day + back * DAY), "value": 40 + back, "value_classification": "Fear"}
        for back in (1, 0, -1)
    ]
    server.on("/v3/fear-and-greed/historical", json_reply({"status": status, "data": moods}))
    desk.now = SLOT + HOUR
    wanted = [
        Request(GLOBAL_METRICS, None, SLOT - DAY, SLOT, STEP, STEP),
        Request(FEAR_AND_GREED, None, day, day + DAY, DAY, STEP),
    ]

    done = list(fetch_all(backfilling(desk), wanted))

    assert [one.outcome for one in done] == [Outcome.STORED] * 2
    metrics, params = desk.mappings(schema.global_metrics), server.requests[-1].params
    assert [(row["slot"], row["origin"]) for row in metrics] == [(SLOT - STEP, "backfilled")]
    assert {row["slot"]: row["value"] for row in desk.mappings(schema.fear_and_greed)} == {
        day: 40.0,
        day + DAY: 41.0,
    }
    assert int(params["start"]) <= 8
    assert int(params["start"]) + int(params["limit"]) >= 11


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


def test_a_lost_database_is_filled_from_the_archive(desk: Desk, server: CMCServer) -> None:
    put_attempt(desk.archive, SLOT)
    load_all(desk)
    server.on(HISTORY, past(1, {SLOT - DAY: 2.0, SLOT - 2 * DAY: 3.0}))
    list(fetch_all(backfilling(desk), [request_of(1, SLOT - 2 * DAY, SLOT - DAY)]))
    tables = (schema.quote, schema.latest, schema.asset, schema.backfill)
    before = [desk.mappings(table) for table in tables]

    migrate(desk.engine, "base")
    migrate(desk.engine)
    load_all(desk)

    assert [desk.mappings(table) for table in tables] == before


def test_nothing_is_asked_for_again_but_what_failed(desk: Desk, server: CMCServer) -> None:
    put_attempt(desk.archive, SLOT)
    load_all(desk)
    desk.now = SLOT + HOUR
    stretch = Stretch(SLOT - 3 * DAY, SLOT, DAY)

    def plan() -> list[str]:
        return [one.target for one in plan_requests(desk.engine, stretch, STEP, None, desk.now)]

    targets = plan()
    # The source has no points at all for Bitcoin, and cannot answer for Ethereum.
    server.on(HISTORY, past(1, {}), error_reply(400, 400, 'Invalid value for "id"'))
    wanted = plan_requests(desk.engine, stretch, STEP, None, desk.now)
    done = list(fetch_all(backfilling(desk), wanted[:2]))

    assert targets == ["asset-1", "asset-1027", GLOBAL_METRICS, FEAR_AND_GREED]
    assert [one.outcome for one in done] == [Outcome.STORED, Outcome.FAILED]
    assert plan() == targets[1:]


def test_what_was_thinned_out_is_not_paid_for(desk: Desk) -> None:
    for number in range(40):
        put_attempt(desk.archive, SLOT - number * STEP)
    load_all(desk)
    desk.now = SLOT + HOUR
    with desk.engine.begin() as connection:
        gone = schema.quote.c.slot < SLOT - 2 * DAY
        connection.execute(schema.quote.delete().where(gone))
        told = {"done_at": SLOT, "older_than": SLOT - 2 * DAY, "keep_seconds": 0, "quotes": 64}
        connection.execute(schema.thinning.insert(), told)
    stretch = Stretch(SLOT - 9 * DAY, SLOT, DAY)

    wanted = plan_requests(desk.engine, stretch, STEP, None, desk.now)

    assert {one.target for one in wanted} == {GLOBAL_METRICS, FEAR_AND_GREED}


@pytest.mark.parametrize(
    ("reply", "error", "reason"),
    [
        (error_reply(403, 1006, "Your plan doesn't support this"), PlanError, Reason.PLAN),
        (error_reply(429, 1010, "monthly limit"), QuotaError, Reason.QUOTA),
    ],
)
def test_what_asking_on_cannot_heal_stops_it_and_is_told(
    desk: Desk, server: CMCServer, reply: Reply, error: type[Exception], reason: Reason
) -> None:
    server.on(HISTORY, reply)
    planned = [request_of(1, SLOT - DAY, SLOT), request_of(2, SLOT - DAY, SLOT)]

    with pytest.raises(error):
        list(fetch_all(backfilling(desk), planned))

    assert len(server.requests) == 1
    rows = desk.mappings(schema.backfill)
    assert [(row["outcome"], row["reason"]) for row in rows] == [("failed", reason)]


def test_nobody_there_three_times_stops_it_and_once_does_not(desk: Desk, server: CMCServer) -> None:
    down = error_reply(500, 500, "down")
    server.on(HISTORY, *[down] * 4, past(2, {SLOT - DAY: 1.0}), down)
    planned = [request_of(n, SLOT - DAY, SLOT) for n in range(1, 9)]
    found: list[Done] = []

    with pytest.raises(UnavailableError):
        found.extend(iter(fetch_all(backfilling(desk), planned)))

    assert len(desk.mappings(schema.backfill)) == 5


def test_a_request_that_another_has_claimed_is_not_paid_twice(
    desk: Desk, server: CMCServer
) -> None:
    server.on(HISTORY, past(1, {SLOT - DAY: 1.0}))
    wanted = request_of(1, SLOT - DAY, SLOT)
    inner: list[Done] = []

    def meanwhile() -> Client:
        inner.extend(fetch_all(backfilling(desk), [wanted]))
        return desk.connect()

    outer = msgspec.structs.replace(backfilling(desk), connect=meanwhile)
    done = list(fetch_all(outer, [wanted]))
    after = list(fetch_all(backfilling(desk), [wanted]))

    busy = [one.busy for one in (*inner, *done, *after)]
    assert (busy, len(server.requests)) == ([True, False, True], 1)


def test_refused_points_make_it_partial_and_the_others_stay(desk: Desk, server: CMCServer) -> None:
    server.on(HISTORY, past(1, {SLOT - DAY: -5.0, SLOT - 2 * DAY: 3.0}))

    done = list(fetch_all(backfilling(desk), [request_of(1, SLOT - 2 * DAY, SLOT)]))

    assert [(one.outcome, one.points) for one in done] == [(Outcome.PARTIAL, 1)]
    assert [*stored(desk, 1)] == [SLOT - 2 * DAY]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (html(), "broken_answer"),
        (truncated(past(1, {SLOT - DAY: 1.0}).body), "unreachable"),
        (Reply(past(1, {SLOT - DAY: 1.0}).body.replace(b"1.0", b"1e999")), "broken_answer"),
        (json_reply({"status": {"error_code": 0}, "data": None}), "broken_answer"),
        (error_reply(200, 500, "an error inside a 200"), "server_error"),
    ],
)
def test_an_answer_that_cannot_be_used_fails_alone_and_is_kept(
    desk: Desk, server: CMCServer, reply: Answering, reason: str
) -> None:
    server.on(HISTORY, *[reply] * 4, past(2, {SLOT - DAY: 2.0}))
    if reason == "broken_answer":
        server.on(HISTORY, reply, past(2, {SLOT - DAY: 2.0}))
    wanted = [request_of(number, SLOT - DAY, SLOT) for number in (1, 2)]

    done = list(fetch_all(backfilling(desk), wanted))

    assert [one.outcome for one in done] == [Outcome.FAILED, Outcome.STORED]
    assert [row["reason"] for row in desk.mappings(schema.backfill)] == [reason, None]
    assert [key.target for key in backfills(desk.archive)] == ["asset-1", "asset-2"]


def test_a_rate_limit_is_waited_out(desk: Desk, server: CMCServer) -> None:
    limited = error_reply(429, 1008, "minute limit", retry_after="1")
    server.on(HISTORY, limited, past(1, {SLOT - DAY: 2.0}))
    slept: list[float] = []
    connect = lambda: Client(server.url, sleep=slept.append, clock=desk.clock)  # noqa: E731

    wanted = [request_of(1, SLOT - DAY, SLOT)]
    done = list(fetch_all(msgspec.structs.replace(backfilling(desk), connect=connect), wanted))

    assert [one.outcome for one in done] == [Outcome.STORED]
    assert slept[0] == pytest.approx(1, abs=0.5)


def test_a_made_up_answer_never_gets_into_a_real_store(desk: Desk, server: CMCServer) -> None:
    put_attempt(desk.archive, SLOT)
    load_all(desk)
    server.on(HISTORY, past(1, {SLOT - DAY: 2.0}, simulated=True))

    with pytest.raises(MixedSourcesError, match="never share a store"):
        list(fetch_all(backfilling(desk), [request_of(1, SLOT - DAY, SLOT)]))
    put_asset_history(desk.archive, 1027, {SLOT - DAY: 3.0}, DAY)
    with pytest.raises(MixedSourcesError, match="1 backfilled answers"):
        load_all(desk)

    assert [row["target"] for row in desk.mappings(schema.backfill)] == ["asset-1027"]


def test_a_simulated_backfill_takes_no_other_answer(desk: Desk, server: CMCServer) -> None:
    server.on(HISTORY, past(1, {SLOT - DAY: 2.0}))
    simulated = msgspec.structs.replace(backfilling(desk), source=SourceKind.SIMULATED)

    (done,) = fetch_all(simulated, [request_of(1, SLOT - DAY, SLOT)])

    assert done.outcome is Outcome.FAILED
    assert "simulated" in done.detail


def test_when_told_to_stop_nothing_more_is_asked(desk: Desk, server: CMCServer) -> None:
    server.on(HISTORY, past(1, {SLOT - DAY: 1.0}))
    working = backfilling(desk)
    for _ in fetch_all(working, [request_of(number, SLOT - DAY, SLOT) for number in (1, 2, 3)]):
        working.stopping.set()

    assert len(server.requests) == 1


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
