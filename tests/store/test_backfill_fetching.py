"""Backfill as it is fetched: what is asked for, kept and paid, whatever comes back."""

from __future__ import annotations

import msgspec
import pytest

from backfills import load_all, put_asset_history, stored
from cmc_server import Answering, CMCServer, Reply, error_reply, html, json_reply, truncated
from coinlog.backfill.fetch import Desk as BackfillDesk
from coinlog.backfill.fetch import Done, fetch_all
from coinlog.backfill.kept import Request, backfills
from coinlog.backfill.plan import Stretch
from coinlog.backfill.wanted import plan_requests
from coinlog.errors import MixedSourcesError, PlanError, QuotaError, UnavailableError
from coinlog.market import Outcome, Reason, SourceKind
from coinlog.slots import DAY, HOUR, iso
from coinlog.sources.client import Client
from coinlog.store import schema
from coinlog.store.migrate import migrate
from coinlog.store.targets import FEAR_AND_GREED, GLOBAL_METRICS
from coinlog.store.writer import settle
from market import Desk, put_attempt
from samples import SLOT, STEP, asset, settlement, snapshot

HISTORY = "/v3/cryptocurrency/quotes/historical"


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


def test_finer_answers_give_the_point_nearest_each_slot_and_never_the_observed_one(
    desk: Desk, source: CMCServer
) -> None:
    settle(desk.engine, settlement(found=snapshot([1])), SLOT + 20)
    times = {SLOT - STEP - 3 * HOUR + 60: 1.0, SLOT - STEP - 600: 2.0, SLOT - STEP + 1200: 3.0}
    source.on(HISTORY, past(1, {**times, SLOT: 4.0, SLOT + 300: 5.0}))

    done = list(fetch_all(backfilling(desk), [request_of(1, SLOT - DAY, SLOT, HOUR)]))

    assert [(one.outcome, one.points) for one in done] == [(Outcome.STORED, 5)]
    prices = {slot: (row.price, row.origin) for slot, row in stored(desk, 1).items()}
    assert prices == {SLOT - STEP: (2.0, "backfilled"), SLOT: (100.5, "observed")}
    filled = stored(desk, 1)[SLOT - STEP]
    assert (filled.last_updated, filled.resolution) == (SLOT - STEP - 600, STEP)


def test_the_whole_market_and_its_mood_are_backfilled_too(desk: Desk, source: CMCServer) -> None:
    put_attempt(desk.archive, SLOT)
    load_all(desk)
    status = {"error_code": 0, "credit_count": 1}
    row = {"timestamp": iso(SLOT - STEP), "btc_dominance": 57.5, "quote": {"USD": {}}}
    answer = {"status": status, "data": {"quotes": [row]}}
    source.on("/v1/global-metrics/quotes/historical", json_reply(answer))
    day = (SLOT // DAY - 9) * DAY
    moods = [
        {"timestamp": str(day + back * DAY), "value": 40 + back, "value_classification": "Fear"}
        for back in (1, 0, -1)
    ]
    source.on("/v3/fear-and-greed/historical", json_reply({"status": status, "data": moods}))
    desk.now = SLOT + HOUR
    wanted = [
        Request(GLOBAL_METRICS, None, SLOT - DAY, SLOT, STEP, STEP),
        Request(FEAR_AND_GREED, None, day, day + DAY, DAY, STEP),
    ]

    done = list(fetch_all(backfilling(desk), wanted))

    assert [one.outcome for one in done] == [Outcome.STORED] * 2
    metrics, params = desk.mappings(schema.global_metrics), source.requests[-1].params
    assert [(row["slot"], row["origin"]) for row in metrics] == [(SLOT - STEP, "backfilled")]
    assert {row["slot"]: row["value"] for row in desk.mappings(schema.fear_and_greed)} == {
        day: 40.0,
        day + DAY: 41.0,
    }
    assert int(params["start"]) <= 8
    assert int(params["start"]) + int(params["limit"]) >= 11


def test_a_lost_database_is_filled_from_the_archive(desk: Desk, source: CMCServer) -> None:
    put_attempt(desk.archive, SLOT)
    load_all(desk)
    source.on(HISTORY, past(1, {SLOT - DAY: 2.0, SLOT - 2 * DAY: 3.0}))
    list(fetch_all(backfilling(desk), [request_of(1, SLOT - 2 * DAY, SLOT - DAY)]))
    tables = (schema.quote, schema.latest, schema.asset, schema.backfill)
    before = [desk.mappings(table) for table in tables]

    migrate(desk.engine, "base")
    migrate(desk.engine)
    load_all(desk)

    assert [desk.mappings(table) for table in tables] == before


def test_nothing_is_asked_for_again_but_what_failed(desk: Desk, source: CMCServer) -> None:
    put_attempt(desk.archive, SLOT)
    load_all(desk)
    desk.now = SLOT + HOUR
    stretch = Stretch(SLOT - 3 * DAY, SLOT, DAY)

    def plan() -> list[str]:
        return [one.target for one in plan_requests(desk.engine, stretch, STEP, None, desk.now)]

    targets = plan()
    # The source has no points at all for Bitcoin, and cannot answer for Ethereum.
    source.on(HISTORY, past(1, {}), error_reply(400, 400, 'Invalid value for "id"'))
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
    desk: Desk, source: CMCServer, reply: Reply, error: type[Exception], reason: Reason
) -> None:
    source.on(HISTORY, reply)
    planned = [request_of(1, SLOT - DAY, SLOT), request_of(2, SLOT - DAY, SLOT)]

    with pytest.raises(error):
        list(fetch_all(backfilling(desk), planned))

    assert len(source.requests) == 1
    rows = desk.mappings(schema.backfill)
    assert [(row["outcome"], row["reason"]) for row in rows] == [("failed", reason)]


def test_nobody_there_three_times_stops_it_and_once_does_not(desk: Desk, source: CMCServer) -> None:
    down = error_reply(500, 500, "down")
    source.on(HISTORY, *[down] * 4, past(2, {SLOT - DAY: 1.0}), down)
    planned = [request_of(n, SLOT - DAY, SLOT) for n in range(1, 9)]
    found: list[Done] = []

    with pytest.raises(UnavailableError):
        found.extend(iter(fetch_all(backfilling(desk), planned)))

    assert len(desk.mappings(schema.backfill)) == 5


def test_a_request_that_another_has_claimed_is_not_paid_twice(
    desk: Desk, source: CMCServer
) -> None:
    source.on(HISTORY, past(1, {SLOT - DAY: 1.0}))
    wanted = request_of(1, SLOT - DAY, SLOT)
    inner: list[Done] = []

    def meanwhile() -> Client:
        inner.extend(fetch_all(backfilling(desk), [wanted]))
        return desk.connect()

    outer = msgspec.structs.replace(backfilling(desk), connect=meanwhile)
    done = list(fetch_all(outer, [wanted]))
    after = list(fetch_all(backfilling(desk), [wanted]))

    busy = [one.busy for one in (*inner, *done, *after)]
    assert (busy, len(source.requests)) == ([True, False, True], 1)


def test_refused_points_make_it_partial_and_the_others_stay(desk: Desk, source: CMCServer) -> None:
    source.on(HISTORY, past(1, {SLOT - DAY: -5.0, SLOT - 2 * DAY: 3.0}))

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
    desk: Desk, source: CMCServer, reply: Answering, reason: str
) -> None:
    source.on(HISTORY, *[reply] * 4, past(2, {SLOT - DAY: 2.0}))
    if reason == "broken_answer":
        source.on(HISTORY, reply, past(2, {SLOT - DAY: 2.0}))
    wanted = [request_of(number, SLOT - DAY, SLOT) for number in (1, 2)]

    done = list(fetch_all(backfilling(desk), wanted))

    assert [one.outcome for one in done] == [Outcome.FAILED, Outcome.STORED]
    assert [row["reason"] for row in desk.mappings(schema.backfill)] == [reason, None]
    assert [key.target for key in backfills(desk.archive)] == ["asset-1", "asset-2"]


def test_a_rate_limit_is_waited_out(desk: Desk, source: CMCServer) -> None:
    limited = error_reply(429, 1008, "minute limit", retry_after="1")
    source.on(HISTORY, limited, past(1, {SLOT - DAY: 2.0}))
    slept: list[float] = []
    connect = lambda: Client(source.url, sleep=slept.append, clock=desk.clock)  # noqa: E731

    wanted = [request_of(1, SLOT - DAY, SLOT)]
    done = list(fetch_all(msgspec.structs.replace(backfilling(desk), connect=connect), wanted))

    assert [one.outcome for one in done] == [Outcome.STORED]
    assert slept[0] == pytest.approx(1, abs=0.5)


def test_a_made_up_answer_never_gets_into_a_real_store(desk: Desk, source: CMCServer) -> None:
    put_attempt(desk.archive, SLOT)
    load_all(desk)
    source.on(HISTORY, past(1, {SLOT - DAY: 2.0}, simulated=True))

    with pytest.raises(MixedSourcesError, match="never share a store"):
        list(fetch_all(backfilling(desk), [request_of(1, SLOT - DAY, SLOT)]))
    put_asset_history(desk.archive, 1027, {SLOT - DAY: 3.0}, DAY)
    with pytest.raises(MixedSourcesError, match="1 backfilled answers"):
        load_all(desk)

    assert [row["target"] for row in desk.mappings(schema.backfill)] == ["asset-1027"]


def test_a_simulated_backfill_takes_no_other_answer(desk: Desk, source: CMCServer) -> None:
    source.on(HISTORY, past(1, {SLOT - DAY: 2.0}))
    simulated = msgspec.structs.replace(backfilling(desk), source=SourceKind.SIMULATED)

    (done,) = fetch_all(simulated, [request_of(1, SLOT - DAY, SLOT)])

    assert done.outcome is Outcome.FAILED
    assert "simulated" in done.detail


def test_when_told_to_stop_nothing_more_is_asked(desk: Desk, source: CMCServer) -> None:
    source.on(HISTORY, past(1, {SLOT - DAY: 1.0}))
    working = backfilling(desk)
    for _ in fetch_all(working, [request_of(number, SLOT - DAY, SLOT) for number in (1, 2, 3)]):
        working.stopping.set()

    assert len(source.requests) == 1
