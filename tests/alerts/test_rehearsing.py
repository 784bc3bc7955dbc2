"""A dry run tells what was told when the same history was recorded slot by slot."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from coinlog.alerts.left import alert_paths
from coinlog.alerts.looking import look
from coinlog.alerts.market_rules import Change, Price, Rank
from coinlog.alerts.quota_rule import Quota
from coinlog.alerts.recorder_rules import Disk, Failing, Missed, Partial
from coinlog.alerts.rehearsing import rehearse
from coinlog.alerts.rule import Rule
from coinlog.archive import open_archive
from coinlog.attempts import slot_name
from coinlog.market import Snapshot, SourceKind
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from coinlog.store.writer import settle
from samples import SLOT, STEP, asset, quote, refused, settlement

RULES: tuple[Rule, ...] = (
    Failing(),
    Missed(),
    Partial(slots=2),
    Price(asset=1, above=100),
    Price(asset=1, below=90, rearm=5),
    Change(asset=1, percent=-10, window_seconds=2 * STEP),
    Change(asset=1, percent=4, window_seconds=STEP),
    Rank(asset=1, worse_than=3),
    Quota(credits_a_month=90),
)

# What becomes of a slot: missed, failed, or recorded with a price, a rank and perhaps a lack.
OUTCOMES = st.one_of(
    st.sampled_from(["missed", "failed"]),
    st.tuples(st.integers(80, 112), st.integers(1, 5), st.integers(0, 3)),
)


@settings(max_examples=25)
@given(st.lists(OUTCOMES, min_size=2, max_size=24))
def test_a_dry_run_tells_what_was_told(outcomes: list[object]) -> None:
    engine = open_engine(sa.URL.create("sqlite", database=":memory:"))
    migrate(engine)
    archive = open_archive("memory://")
    known = [(100, 1, 1), *outcomes, (100, 1, 1)]
    for number, outcome in enumerate(known):
        slot = SLOT + number * STEP
        settled = _record(engine, slot, outcome)
        look(engine, archive, RULES, slot + 20.0, settled=settled)
    end = SLOT + len(known) * STEP - 1.0
    look(engine, archive, RULES, end)

    told = set(alert_paths(archive))
    expected = set()
    for one in rehearse(engine, archive, RULES, end).incidents:
        name = f"alerts/{slot_name(one.first)}-{one.rule}"
        expected |= {f"{name}-fired.json"}
        expected |= {f"{name}-recovered.json"} if one.recovered is not None else set()
    engine.dispose()

    assert told == expected


def _record(engine: sa.Engine, slot: int, outcome: object) -> list[int]:
    if outcome == "missed":
        return []
    found = None
    if isinstance(outcome, tuple):
        price, rank, whole = outcome
        found = Snapshot(
            observed_at=slot + 12,
            source=SourceKind.COINMARKETCAP,
            assets=(asset(1),),
            quotes=(quote(1, float(price), rank=rank),),
            missing=() if whole else (refused(7),),
        )
    assert settle(engine, settlement(slot, "1", found), slot + 14)
    return [slot]


def test_what_was_backfilled_is_not_looked_at(own_world: Path) -> None:
    engine = open_engine(sa.URL.create("sqlite", database=str(own_world / "coinlog.db")))
    migrate(engine)
    for number in range(4):
        _record(engine, SLOT + number * STEP, (90, 1, 1))
    values = {"asset_id": 1, "price": 500.0, "origin": "backfilled", "resolution": 86_400}
    with engine.begin() as connection:
        connection.execute(schema.quote.insert(), {**values, "slot": SLOT + STEP // 2})
    archive = open_archive("memory://")
    rules = [Price(asset=1, above=100), Disk(), Quota()]
    done = rehearse(engine, archive, rules, SLOT + 4.0 * STEP)

    assert (done.slots, done.incidents, done.unjudged) == (4, (), ("disk", "quota"))


def test_a_gap_in_the_window_says_nothing(own_world: Path) -> None:
    engine = open_engine(sa.URL.create("sqlite", database=str(own_world / "coinlog.db")))
    migrate(engine)
    for number, price in enumerate([100, None, 50, 50, 50, 40]):
        if price:
            _record(engine, SLOT + number * STEP, (price, 1, 1))
    rules = [Change(asset=1, percent=-10, window_seconds=2 * STEP)]
    done = rehearse(engine, open_archive("memory://"), rules, SLOT + 6.0 * STEP)

    assert [one.first for one in done.incidents] == [SLOT + 5 * STEP]
