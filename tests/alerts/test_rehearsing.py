"""A dry run tells what was told when the same history was recorded slot by slot."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from coinlog.alerts.drift_rule import Drift
from coinlog.alerts.left import alert_paths, read_alert
from coinlog.alerts.looking import look
from coinlog.alerts.market_rules import Change, Dominance, Price, Rank
from coinlog.alerts.quota_rule import Quota
from coinlog.alerts.recorder_rules import Clock, Database, Disk, Failing, Missed, Partial
from coinlog.alerts.rehearsing import Rehearsal, rehearse
from coinlog.alerts.rule import Rule
from coinlog.archive import Archive, open_archive
from coinlog.attempts import AttemptKey, Manifest, slot_name
from coinlog.market import GlobalMetrics, Snapshot, SourceKind
from coinlog.sources.answers import Answer
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from coinlog.store.settlements import Settlement
from coinlog.store.writer import settle
from market import LISTINGS
from samples import SLOT, STEP, asset, quote, refused, settlement

RULES: tuple[Rule, ...] = (
    Failing(),
    Missed(),
    Partial(slots=2),
    Database(minutes=15),
    Clock(seconds=60),
    Drift(),
    Price(asset=1, above=100),
    Price(asset=1, below=90, rearm=5),
    Change(asset=1, percent=-10, window_seconds=2 * STEP),
    Change(asset=1, percent=4, window_seconds=STEP),
    Rank(asset=1, worse_than=3),
    Dominance(asset=1, below=50),
    Quota(credits_a_month=90),
)


class Said(NamedTuple):
    """What the source says at a slot."""

    price: int = 100
    rank: int = 1
    whole: int = 1
    keys: int = 0
    ahead: int = 0
    dominance: float = 55.0


NUMBERS = (st.integers(80, 112), st.integers(1, 5), st.integers(0, 3), st.integers(0, 3))
SAID = st.builds(
    Said, *NUMBERS, st.sampled_from([0, 0, 70, -90]), st.sampled_from([49.0, 50.2, 55.0])
)
OUTCOMES = st.one_of(st.sampled_from(["missed", "failed"]), SAID)
# Whether what waits is loaded then, and how long after the slot is looked, if at all.
WHEN = st.tuples(st.booleans(), st.sampled_from([None, 20, 1000, STEP // 2, STEP - 1]))
OFTEN = 5
"""Every so many slots there is a look, and what waits is loaded: nothing gets too old for news."""


@settings(max_examples=25)
@given(st.lists(st.tuples(OUTCOMES, WHEN), min_size=2, max_size=14))
def test_a_dry_run_tells_what_was_told(slots: list[tuple[object, tuple[bool, int | None]]]) -> None:
    engine = open_engine(sa.URL.create("sqlite", database=":memory:"))
    migrate(engine)
    archive = open_archive("memory://")
    waiting: list[Settlement] = []
    for number, (outcome, (loads, after)) in enumerate([USUAL, *slots, USUAL]):
        slot = SLOT + number * STEP
        if outcome != "missed":
            waiting.append(_captured(archive, slot, outcome))
        now, by_force = slot + (after or STEP - 1), number % OFTEN == 0
        if loads or by_force:
            _load(engine, waiting, now - 1)
        if after or by_force:
            look(engine, archive, RULES, now, settled=() if number else [slot])
    end = SLOT + (len(slots) + 2) * STEP - 1
    _load(engine, waiting, end)
    look(engine, archive, RULES, end)

    expected = _rehearsed(rehearse(engine, archive, RULES, end))
    engine.dispose()

    assert _told(archive) == expected


USUAL: tuple[object, tuple[bool, int | None]] = (Said(), (True, 20))
Told = set[tuple[str, str, str]]


def _told(archive: Archive) -> Told:
    """Return what was told: of which incident, what, in which words."""
    found = set()
    for path in alert_paths(archive):
        match = re.fullmatch(r"alerts/(.*)-(fired|changed|recovered)(?:-\w+)?.json", path)
        assert match
        subject = read_alert(archive, path).subject
        found.add((match[1], match[2], subject.removeprefix("coinlog: ")))
    return found


def _rehearsed(done: Rehearsal) -> Told:
    found = set()
    for one in done.incidents:
        name = f"{slot_name(one.first)}-{one.rule}"
        found.add((name, "fired", one.headline))
        found |= {(name, "changed", change) for change in one.changes}
        if one.recovered_headline:
            found.add((name, "recovered", one.recovered_headline))
    return found


def _captured(archive: Archive, slot: int, outcome: object) -> Settlement:
    """Keep an attempt in the archive, and return what it is to a store."""
    found, answers = None, list[Answer]()
    if isinstance(outcome, Said):
        found = Snapshot(
            observed_at=slot + 12,
            source=SourceKind.COINMARKETCAP,
            assets=(asset(1),),
            quotes=(quote(1, float(outcome.price), rank=outcome.rank),),
            global_metrics=GlobalMetrics(bitcoin_dominance=outcome.dominance),
            missing=() if outcome.whole else (refused(7),),
        )
        body = msgspec.json.encode(
            {"data": [{"id": 1} | {f"key{n}": 1 for n in range(outcome.keys)}]}
        )
        told = slot + 12 - outcome.ahead
        answers = [
            Answer("listings-1", LISTINGS, {}, 200, body, slot + 12.0, 0.1, server_date=told)
        ]
    settled = settlement(slot, "1", found)
    key = AttemptKey(slot, "1")
    manifest = Manifest(
        slot=slot_name(slot),
        attempt="1",
        outcome=settled.outcome,
        reason=settled.reason,
        detail=settled.detail,
        source=SourceKind.COINMARKETCAP,
        interval_seconds=STEP,
        assets="top:2",
        started_at=slot + 12.0,
        captured_at=slot + 13.0,
        credits=settled.credits,
        answers=tuple(archive.keep(key, answer) for answer in answers),
        program="test",
    )
    assert archive.finish(manifest)
    return settled


def _load(engine: sa.Engine, waiting: list[Settlement], now: int) -> None:
    for one in waiting:
        assert settle(engine, one, now)
    waiting.clear()


def _record(engine: sa.Engine, slot: int, outcome: Said) -> None:
    _load(engine, [_captured(open_archive("memory://"), slot, outcome)], slot + 14)


def test_what_was_backfilled_is_not_looked_at(own_world: Path) -> None:
    engine = open_engine(sa.URL.create("sqlite", database=str(own_world / "coinlog.db")))
    migrate(engine)
    for number in range(4):
        _record(engine, SLOT + number * STEP, Said(90))
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
            _record(engine, SLOT + number * STEP, Said(price))
    rules = [Change(asset=1, percent=-10, window_seconds=2 * STEP)]
    done = rehearse(engine, open_archive("memory://"), rules, SLOT + 6.0 * STEP)

    assert [one.first for one in done.incidents] == [SLOT + 5 * STEP]
