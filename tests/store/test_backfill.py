"""Backfill: the recorded series, around observed points, across a stop, within the credits."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from cmc_server import CMCServer, Exchange, Reply, error_reply, json_reply
from coinlog.attempts import AttemptKey
from coinlog.backfill.fetch import Desk as BackfillDesk
from coinlog.backfill.fetch import Done, fetch_all
from coinlog.backfill.kept import Request, backfills
from coinlog.backfill.load import sweep_backfills
from coinlog.backfill.plan import total
from coinlog.backfill.wanted import Stretch, plan_requests
from coinlog.errors import PlanError, QuotaError, UnavailableError
from coinlog.market import Asset, Origin, Outcome, Reason, SourceKind
from coinlog.recorder import load, sweep
from coinlog.slots import DAY, HOUR, AssetSelection, iso, parse_time
from coinlog.sources.client import Client
from coinlog.store import schema
from coinlog.store.backfilled import BackfillSettlement, settle_backfill, settled_backfills
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from coinlog.store.settlements import Settlement
from coinlog.store.writer import settle
from market import Desk, put_attempt
from samples import SLOT, STEP, quote, settlement, snapshot

HISTORY = "/v3/cryptocurrency/quotes/historical"
FILES = {
    1027: "eth_historical_daily",
    24478: "pepe_historical_daily",
    32196: "hype_historical_daily",
}
NAMES = {1027: "Ethereum", 24478: "Pepe", 32196: "Hyperliquid"}


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


def asset(asset_id: int) -> Asset:
    name = NAMES.get(asset_id, f"Asset {asset_id}")
    return Asset(asset_id, name, name[:4].upper(), name.lower())


def request_of(asset_id: int, start: int, end: int, resolution: int = DAY) -> Request:
    return Request(f"asset-{asset_id}", asset(asset_id), start, end, resolution)


def past(asset_id: int, points: dict[int, float], credit_count: int = 1) -> Reply:
    """Return an answer of the source's history in v3's shape."""
    rows = [
        {"timestamp": iso(time), "quote": {"USD": {"price": price, "timestamp": iso(time)}}}
        for time, price in points.items()
    ]
    status = {"timestamp": iso(SLOT), "error_code": 0, "credit_count": credit_count}
    return json_reply({"status": status, "data": {str(asset_id): {"id": asset_id, "quotes": rows}}})


def stored(desk: Desk, asset_id: int) -> dict[int, sa.Row[Any]]:
    table = schema.quote
    return {row.slot: row for row in desk.rows(table, table.c.asset_id == asset_id)}


def recorded(shared: Path, asset_id: int) -> dict[str, Any]:
    path = shared / "cmc" / "quotes_historical" / f"{FILES[asset_id]}.json.gz"
    body: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return body


def by_asset(bodies: dict[int, dict[str, Any]]) -> Callable[[Exchange], None]:
    """Answer each asset's history with its recorded body, less what is not asked for."""

    def answer(exchange: Exchange) -> None:
        params = exchange.request.params
        body = bodies[int(params["id"])]
        start, end = parse_time(params["time_start"]), parse_time(params["time_end"])
        rows = [
            row
            for row in body["data"]["quotes"]
            if start <= parse_time(row["timestamp"]) < end + DAY
        ]
        status = {**body["status"], "credit_count": -(-len(rows) // 100)}
        json_reply({"status": status, "data": {**body["data"], "quotes": rows}})(exchange)

    return answer


@pytest.mark.shared
def test_the_recorded_series_are_backfilled_to_the_last_bit_around_what_was_observed(
    desk: Desk, server: CMCServer, shared: Path
) -> None:
    bodies = {asset_id: recorded(shared, asset_id) for asset_id in FILES}
    for asset_id, body in bodies.items():
        body["data"]["id"] = asset_id
    server.on(HISTORY, by_asset(bodies))
    observed_slot = parse_time("2025-01-15T18:00:00Z")
    seen = snapshot([*FILES], observed_at=observed_slot + 9)
    settle(desk.engine, settlement(observed_slot, found=seen), observed_slot + 10)
    desk.now = parse_time("2025-04-24T00:00:00Z")
    stretch = Stretch(parse_time("2024-04-28T00:00:00Z"), int(desk.now), DAY)
    ids = AssetSelection(0, tuple(FILES))

    planned = plan_requests(desk.engine, stretch, STEP, ids, desk.now)
    stopped = [next(fetch_all(backfilling(desk), planned))]
    rest = plan_requests(desk.engine, stretch, STEP, ids, desk.now)
    done = [*stopped, *fetch_all(backfilling(desk), rest)]

    assert len(rest) == len(planned) - 1
    assert sum(one.credits for one in done) <= total(planned)
    for asset_id, body in bodies.items():
        found = stored(desk, asset_id)
        assert found.pop(observed_slot).price == 100.5
        wanted = wanted_points(body, observed_slot)
        assert {slot: numbers(row) for slot, row in found.items()} == wanted
        assert {(row.origin, row.resolution) for row in found.values()} == {("backfilled", DAY)}
    assert plan_requests(desk.engine, stretch, STEP, ids, desk.now) == []


def wanted_points(body: dict[str, Any], observed_slot: int) -> dict[int, tuple[float, ...]]:
    """Return a recorded body's points by time, less what was observed: read another way."""
    points: dict[int, tuple[float, ...]] = {}
    for row in body["data"]["quotes"]:
        time, usd = parse_time(row["timestamp"]), row["quote"]["USD"]
        if abs(time - observed_slot) > STEP / 2:
            points[time] = (usd["price"], usd["volume_24h"], usd["market_cap"], time)
    return points


def numbers(row: sa.Row[Any]) -> tuple[float, ...]:
    return (row.price, row.volume_24h, row.market_cap, row.last_updated)


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
    assert stored(desk, 1)[SLOT - STEP].last_updated == SLOT - STEP - 600


def backfilled(name: str, points: dict[int, float], resolution: int) -> BackfillSettlement:
    return BackfillSettlement(
        target="asset-1",
        attempt=name,
        asset=asset(1),
        from_time=min(points),
        to_time=max(points),
        resolution=resolution,
        outcome=Outcome.STORED,
        reason=None,
        detail="",
        source=SourceKind.COINMARKETCAP,
        captured_at=SLOT + DAY,
        credits=1,
        sha256="cd" * 32,
        points={time: quote(1, price, last_updated=time) for time, price in points.items()},
    )


def test_what_came_first_does_not_matter(store_url: sa.URL) -> None:
    engine = open_engine(store_url)
    parts: list[Settlement | BackfillSettlement] = [
        settlement(SLOT, found=snapshot([1], price=1.5)),
        settlement(SLOT - STEP, found=snapshot([1, 2], price=2.5, observed_at=SLOT - STEP + 9)),
        backfilled("daily", {SLOT - DAY + 900: 3.5, SLOT + 900: 4.5}, DAY),
        backfilled("fine", {SLOT - 2 * STEP + 60: 5.5, SLOT - STEP: 6.5, SLOT: 7.5}, STEP),
    ]
    found = set()
    for order in permutations(parts):
        migrate(engine, "base")
        migrate(engine)
        # Whoever backfills has recorded: the schedule says where points belong.
        settle(engine, settlement(SLOT + STEP, found=snapshot([2])), SLOT + DAY)
        for part in order:
            if isinstance(part, Settlement):
                settle(engine, part, SLOT + DAY)
            else:
                settle_backfill(engine, part, SLOT + DAY)
        found.add(everything(engine))

    assert len(found) == 1
    engine.dispose()


def everything(engine: sa.Engine) -> tuple[object, ...]:
    """Return the rows that must not depend on the order of loading."""
    tables = (schema.quote, schema.latest, schema.slot, schema.backfill)
    with engine.connect() as connection:
        return tuple(
            tuple(sorted(map(tuple, connection.execute(sa.select(table))), key=repr))
            for table in tables
        )


def test_a_slot_observed_late_takes_the_place_of_what_was_backfilled(desk: Desk) -> None:
    settle(desk.engine, settlement(SLOT - STEP, found=snapshot([2])), SLOT)
    settle_backfill(desk.engine, backfilled("daily", {SLOT + 900: 4.5}, DAY), SLOT + DAY)
    assert [*stored(desk, 1)] == [SLOT + 900]

    put_attempt(desk.archive, SLOT)
    assert load(desk.engine, desk.archive, AttemptKey(SLOT, "1"), desk.clock)

    assert {(row.slot, row.origin) for row in stored(desk, 1).values()} == {(SLOT, "observed")}
    latest = [row for row in desk.rows(schema.latest) if row.asset_id == 1]
    assert [(row.slot, row.origin) for row in latest] == [(SLOT, Origin.OBSERVED)]


def test_settling_again_changes_nothing(desk: Desk) -> None:
    settlement_ = backfilled("daily", {SLOT - DAY: 4.5}, DAY)

    assert settle_backfill(desk.engine, settlement_, SLOT)
    before = everything(desk.engine)
    assert not settle_backfill(desk.engine, settlement_, SLOT + 5)

    assert everything(desk.engine) == before


def test_a_lost_database_is_filled_from_the_archive(desk: Desk, server: CMCServer) -> None:
    put_attempt(desk.archive, SLOT)
    list(sweep(desk.engine, desk.archive, clock=desk.clock))
    server.on(HISTORY, past(1, {SLOT - DAY: 2.0, SLOT - 2 * DAY: 3.0}))
    list(fetch_all(backfilling(desk), [request_of(1, SLOT - 2 * DAY, SLOT - DAY)]))
    before = everything(desk.engine)

    migrate(desk.engine, "base")
    migrate(desk.engine)
    list(sweep(desk.engine, desk.archive, clock=desk.clock))

    assert [row[:-1] for row in before[3]] == [row[:-1] for row in everything(desk.engine)[3]]  # type: ignore[attr-defined]
    assert everything(desk.engine)[:2] == before[:2]


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

    outer = BackfillDesk(
        desk.engine, desk.archive, meanwhile, SourceKind.COINMARKETCAP, 5.0, clock=desk.clock
    )
    done = list(fetch_all(outer, [wanted]))

    assert ([one.busy for one in inner], [one.busy for one in done]) == ([True], [False])
    assert len(server.requests) == 1


def test_refused_points_make_it_partial_and_the_others_stay(desk: Desk, server: CMCServer) -> None:
    server.on(HISTORY, past(1, {SLOT - DAY: -5.0, SLOT - 2 * DAY: 3.0}))

    done = list(fetch_all(backfilling(desk), [request_of(1, SLOT - 2 * DAY, SLOT)]))

    assert [(one.outcome, one.points) for one in done] == [(Outcome.PARTIAL, 1)]
    assert [*stored(desk, 1)] == [SLOT - 2 * DAY]


def test_a_damaged_answer_is_settled_as_such_and_stops_nothing(
    desk: Desk, server: CMCServer, own_world: Path
) -> None:
    server.on(HISTORY, past(1, {SLOT - DAY: 1.0}))
    list(fetch_all(backfilling(desk), [request_of(1, SLOT - DAY, SLOT)]))
    (key,) = backfills(desk.archive)
    (own_world / "archive" / key.folder / "manifest.json").write_bytes(b"{torn")
    migrate(desk.engine, "base")
    migrate(desk.engine)

    assert list(sweep_backfills(desk.engine, desk.archive, SLOT)) == [key]

    (row,) = desk.mappings(schema.backfill)
    assert (row["outcome"], row["reason"]) == ("failed", "damaged")
    assert settled_backfills(desk.engine) == {(key.target, key.attempt)}
