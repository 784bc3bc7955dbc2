"""The views for people: right numbers, quick on a large store, and as the docs and Grafana ask."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from coinlog.market import Asset, FearAndGreed, GlobalMetrics, Snapshot, SourceKind
from coinlog.slots import DAY, iso
from coinlog.store import schema
from coinlog.store.writer import note_schedule, settle
from exports import OLD, fill
from samples import HOUR, SLOT, STEP, quote, refused, settlement, snapshot
from stores import opened

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = ROOT / "grafana" / "dashboards" / "coinlog.json"

Rows = list[dict[str, Any]]


@pytest.fixture
def engine(store_url: sa.URL) -> Iterator[sa.Engine]:
    with opened(store_url) as engine:
        yield engine


def ask(engine: sa.Engine, query: str) -> Rows:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.text(query)).mappings()]


def put(engine: sa.Engine, number: int, **values: Any) -> None:  # noqa: ANN401  a snapshot's own
    slot = SLOT + number * STEP
    settle(engine, settlement(slot, found=snapshot(**values) if values else None), slot + 20)


def market(price: float) -> Snapshot:
    """Return Bitcoin at a price, with the whole market's figures."""
    return Snapshot(
        SLOT + 12,
        SourceKind.COINMARKETCAP,
        (Asset(1, "Bitcoin", "BTC", "bitcoin"),),
        (quote(1, price),),
        GlobalMetrics(total_market_cap=3e12),
        FearAndGreed(20, "Fear"),
    )


def test_prices_tell_when_each_was_observed_backfilled_ones_too(store_url: sa.URL) -> None:
    fill(store_url)
    with opened(store_url) as engine:
        rows = ask(engine, "SELECT * FROM v_prices WHERE asset_id = 3 ORDER BY slot")

    told = [(row["slot_utc"], row["observed_utc"], row["origin"]) for row in rows]
    assert told[0] == (iso(OLD), iso(OLD + 61), "backfilled")
    assert told[1] == (iso(SLOT), iso(SLOT + 12), "observed")
    assert (rows[0]["price"], rows[0]["slot"], rows[0]["slug"]) == (7 / 3, OLD, "slug-3")


def test_daily_candles_open_with_the_first_price_and_close_with_the_last(
    engine: sa.Engine,
) -> None:
    for number, price in ((0, 5.0), (1, 7.0), (2, 3.0), (3, 9.0), (4, 4.0), (5, 1e-19)):
        put(engine, number, ids=(1, 2), price=price)

    rows = ask(engine, "SELECT * FROM v_candles_daily WHERE asset_id = 1 ORDER BY day")

    names = ("day", "open", "high", "low", "close", "points")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("2026-01-26", 5.0, 5.0, 5.0, 5.0, 1),
        ("2026-01-27", 7.0, 9.0, 3.0, 4.0, 4),
        ("2026-01-28", 1e-19, 1e-19, 1e-19, 1e-19, 1),
    ]


def test_the_whole_market_has_a_row_where_either_half_was_recorded(store_url: sa.URL) -> None:
    fill(store_url)
    with opened(store_url) as engine:
        settle(engine, settlement(SLOT + 40 * STEP, found=market(5.0)), SLOT)
        rows = ask(engine, "SELECT * FROM v_global ORDER BY slot")

    names = ("observed_utc", "total_market_cap", "fear_and_greed", "fear_and_greed_label", "origin")
    assert [tuple(row[name] for name in names) for row in rows] == [
        (iso(OLD + 5), None, 41.5, "Fear", "backfilled"),
        (iso(SLOT + 12), 3e12, 20.0, "Fear", "observed"),
    ]


def test_gaps_have_their_reason_and_the_last_one_lasts_until_now(engine: sa.Engine) -> None:
    for number in (0, 3, 5):
        put(engine, number, ids=(1,))
    put(engine, 4)

    rows = ask(engine, "SELECT * FROM v_gaps ORDER BY slot")

    names = ("from_utc", "seconds", "reason")
    assert [tuple(row[name] for name in names) for row in rows[:2]] == [
        (iso(SLOT + STEP), 2 * STEP, "missed"),
        (iso(SLOT + 4 * STEP), STEP, "timeout"),
    ]
    assert (rows[2]["slot"], rows[2]["reason"], len(rows)) == (SLOT + 6 * STEP, "missed", 3)
    assert rows[2]["to_utc"] > iso(SLOT + 7 * STEP)


def gaps_of(engine: sa.Engine) -> list[tuple[str, int, str]]:
    """Return every gap but the last, which lasts until now: its start, hours and reason."""
    rows = ask(engine, "SELECT * FROM v_gaps ORDER BY slot")
    assert {type(row["seconds"]) for row in rows} <= {int}
    return [(row["from_utc"], row["seconds"] // HOUR, row["reason"]) for row in rows[:-1]]


def hourly(engine: sa.Engine, hours: Sequence[int], interval: int = HOUR) -> None:
    """Settle slots that lie some hours after the first, by a schedule of their own."""
    for hour in hours:
        slot = SLOT + hour * HOUR
        settle(engine, settlement(slot, found=snapshot([1]), interval_seconds=interval), slot + 20)


def test_where_nothing_was_due_is_no_gap_though_the_interval_has_changed(
    engine: sa.Engine,
) -> None:
    hourly(engine, [0, 1])
    note_schedule(engine, SLOT + HOUR + 1800, STEP, "top:2")
    hourly(engine, [6, 18], STEP)
    note_schedule(engine, SLOT + 18 * HOUR + 60, HOUR, "top:2")
    hourly(engine, [19, 20])
    assert gaps_of(engine) == [(iso(SLOT + 12 * HOUR), 6, "missed")]

    with engine.begin() as connection:
        connection.execute(schema.slot.delete().where(schema.slot.c.slot == SLOT + 19 * HOUR))
    assert gaps_of(engine)[1:] == [(iso(SLOT + 19 * HOUR), 1, "missed")]


def test_a_gap_ends_where_the_next_schedule_had_nothing_due(engine: sa.Engine) -> None:
    hourly(engine, [0, 1])
    note_schedule(engine, SLOT + 3 * HOUR + 60, STEP, "top:2")
    hourly(engine, [6], STEP)

    assert gaps_of(engine) == [(iso(SLOT + 2 * HOUR), 2, "missed")]


def test_a_gap_of_several_reasons_has_none_of_them(engine: sa.Engine) -> None:
    for number in (0, 4, 7):
        put(engine, number, ids=(1,))
    for number in (2, 5, 6):
        put(engine, number)

    assert gaps_of(engine) == [
        (iso(SLOT + STEP), 18, "several"),
        (iso(SLOT + 5 * STEP), 12, "timeout"),
    ]


def test_what_was_imported_before_the_first_schedule_was_never_due(engine: sa.Engine) -> None:
    for number in (-9, -4):
        told = settlement(SLOT + number * STEP, found=snapshot([1]))
        settle(engine, msgspec.structs.replace(told, imported=True), SLOT)
    put(engine, 0, ids=(1,))
    put(engine, 2, ids=(1,))

    assert gaps_of(engine) == [(iso(SLOT + STEP), 6, "missed")]


def test_failures_before_the_first_quotes_are_a_gap(engine: sa.Engine) -> None:
    put(engine, 0)
    put(engine, 1)
    put(engine, 2, ids=(1,))

    assert gaps_of(engine) == [(iso(SLOT), 12, "timeout")]


def test_what_is_missing_and_what_was_backfilled_is_told_by_name(engine: sa.Engine) -> None:
    put(engine, 0, ids=(1, 7))
    put(engine, 1, ids=(1,), missing=(refused(7),))
    row = {"target": "asset-7", "attempt": "1", "asset_id": 7, "from_time": SLOT - DAY}
    row |= {"to_time": SLOT, "resolution": DAY, "outcome": "stored", "points": 2, "sha256": "ab"}
    row |= {"captured_at": SLOT + HOUR, "credits": 1, "settled_at": SLOT}
    with engine.begin() as connection:
        connection.execute(schema.backfill.insert(), row)

    (missing,) = ask(engine, "SELECT * FROM v_missing")
    (backfill,) = ask(engine, "SELECT * FROM v_backfill")

    assert (missing["slot_utc"], missing["name"], missing["reason"]) == (
        iso(SLOT + STEP),
        "Asset 7",
        "refused",
    )
    assert (backfill["name"], backfill["from_utc"], backfill["points"]) == (
        "Asset 7",
        iso(SLOT - DAY),
        2,
    )


@pytest.fixture
def many(engine: sa.Engine) -> sa.Engine:
    """Return a store of 40 assets with 100 slots each, whose tables the database has counted."""
    put(engine, 0, ids=range(1, 41))
    with engine.begin() as connection:
        connection.execute(
            schema.quote.insert(),
            [
                {"asset_id": one, "slot": SLOT - number * STEP, "price": 1.0}
                | {"origin": "observed", "resolution": STEP}
                for one in range(1, 41)
                for number in range(1, 100)
            ],
        )
    return engine


@pytest.mark.parametrize("view", ["v_prices", "v_candles_daily"])
@pytest.mark.parametrize(
    "where",
    [
        "symbol = 'A7'",
        "name = 'Asset 7' AND slot >= :since",
        "asset_id = 7 AND slot BETWEEN :since AND :until",
        "slug IN ('asset-7', 'asset-8') ORDER BY slot DESC LIMIT 3",
    ],
)
def test_one_asset_is_looked_up_and_the_others_are_not_read(
    many: sa.Engine, view: str, where: str
) -> None:
    query = f"SELECT * FROM {view} WHERE {where}"  # noqa: S608  our own words
    query = query.replace(":since", str(SLOT - 9 * DAY)).replace(":until", str(SLOT))
    explain = "EXPLAIN QUERY PLAN" if many.dialect.name == "sqlite" else "EXPLAIN"

    plan = ask(many, f"{explain} {query}")

    if many.dialect.name == "sqlite":
        steps = [row["detail"] for row in plan]
        assert any(step.startswith("SEARCH q USING PRIMARY KEY (asset_id=?") for step in steps)
        assert not any(step.startswith("SCAN q") for step in steps)
    else:
        (history,) = [row for row in plan if row["table"] == "q"]
        assert (history["type"], history["key"]) in {("ref", "PRIMARY"), ("range", "PRIMARY")}
    assert ask(many, query)


@pytest.mark.parametrize(
    "query",
    re.findall(r"```sql\n(.*?);\n```", (ROOT / "docs" / "sql.md").read_text("utf-8"), re.DOTALL),
    ids=lambda query: re.findall(r"FROM (\w+)", query)[-1],
)
def test_every_query_in_the_docs_runs_and_finds_something(engine: sa.Engine, query: str) -> None:
    for number in (0, 1, 3):
        settle(engine, settlement(SLOT + number * STEP, found=market(7.5)), SLOT)
    put(engine, 2)
    with engine.begin() as connection:
        connection.execute(schema.latest.update().values(rank=1))

    assert ask(engine, query)


def dashboard_queries() -> list[str]:
    """Return the dashboard's queries as Grafana sends them, its macros and variables filled in."""
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "text"]
    queries = [target["rawSql"] for panel in panels for target in panel["targets"]]
    queries += [one["query"] for one in dashboard["templating"]["list"] if one["type"] == "query"]
    filled = f"slot >= {SLOT - DAY} AND slot <= {SLOT + 30 * DAY}"
    return [
        query.replace("$__unixEpochFilter(slot)", filled).replace("${asset:csv}", "1,1027")
        for query in queries
    ]


@pytest.mark.parametrize("query", dashboard_queries(), ids=lambda query: query[:60])
def test_every_query_of_the_dashboard_runs_for_a_user_that_can_only_read(
    mariadb_url: sa.URL, query: str
) -> None:
    with opened(mariadb_url) as engine:
        for number in (0, 1, 3):
            settle(engine, settlement(SLOT + number * STEP, found=market(7.5)), SLOT)
        with engine.begin() as connection:
            connection.execute(schema.latest.update().values(rank=1))

        with engine.connect() as connection:
            connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
            connection.exec_driver_sql("SET SESSION sql_mode = 'ONLY_FULL_GROUP_BY'")
            connection.commit()
            rows = list(connection.execute(sa.text(query)).mappings())

    assert rows
    assert "$" not in query
    if "AS time" in query:
        assert rows[0]["time"] == SLOT
        assert isinstance(rows[0]["value"], float | None)


def test_the_dashboard_names_its_data_and_has_no_two_panels_in_one_place() -> None:
    text = DASHBOARD.read_text(encoding="utf-8")
    panels = json.loads(text)["panels"]

    places = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(places) == len(set(places))
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(word in text for word in ("CoinMarketCap", "redistributing", "SIMULATED"))
