"""Every kind of alert fires once and recovers once, from the source to a real receiver."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from coinlog.alerts.drift_rule import Drift
from coinlog.alerts.market_rules import Change, Dominance, Price, Rank
from coinlog.alerts.quota_rule import Quota
from coinlog.alerts.recorder_rules import Clock, Database, Disk, Failing, Missed, Partial
from coinlog.alerts.rule import Rule
from coinlog.slots import DAY, iso
from coinlog.sources.coinmarketcap import KeyInfo
from ringing import Makes, Ringing
from samples import SLOT, STEP

Slots = list[dict[str, Any] | None]
"""What the source says at slots one after another; ``None`` is a slot that nobody records."""

FINE: dict[str, Any] = {}
BTC = "Asset 1 (A1, id 1)"


def nth(number: int) -> int:
    return SLOT + number * STEP


def play(ringing: Ringing, slots: Slots) -> list[str]:
    """Record slot after slot and return the subjects that came."""
    for number, said in enumerate(slots):
        if said is not None:
            ringing.at(nth(number), **said)
    return [subject.removeprefix("coinlog: ") for subject in ringing.receiver.subjects]


KINDS: list[tuple[Rule, Slots, list[str]]] = [
    (
        Failing(),
        [FINE, *[{"status": 500}] * 3, FINE, FINE],
        [f"slot {iso(nth(1))} failed: server_error", f"recording again since slot {iso(nth(4))}"],
    ),
    (
        Missed(),
        [FINE, None, None, FINE, FINE],
        [f"slot {iso(nth(1))} was missed", f"slots are recorded again since {iso(nth(3))}"],
    ),
    (
        Partial(slots=2),
        [FINE, {"lacking": True}, FINE, *[{"lacking": True}] * 3, FINE, FINE],
        [
            f"2 slots in a row are partial, the last {iso(nth(4))}",
            f"slots are whole again since {iso(nth(6))}",
        ],
    ),
    (
        Clock(seconds=60),
        [{"ahead": 2}, {"ahead": 110}, {"ahead": 100}, {"ahead": -3}, {"ahead": 0}],
        [
            "the clock is 110 s ahead of the source's",
            f"the clock is right again at slot {iso(nth(3))}",
        ],
    ),
    (
        Drift(),
        [FINE, FINE, {"keys": {"moon_phase": 3}}, {"keys": {"moon_phase": 4}}, FINE],
        [
            "the source's answers have changed: listings: new: data[].moon_phase",
            f"the source's answers keep the same shape since slot {iso(nth(3))}",
        ],
    ),
    (
        Quota(credits_a_month=300),
        [FINE, {"cost": 200}, *[FINE] * 11],
        [
            f"credits last until {iso(nth(2))}, and are renewed 2026-02-01T00:00:00Z",
            "the credits last until they are renewed 2026-02-01T00:00:00Z",
        ],
    ),
    (
        Price(asset=1, above=100),
        [{"price": 99}, {"price": 101}, {"price": 99.5}, {"price": 102}, {"price": 98}],
        [f"{BTC} is above 100 USD: 101 USD", f"{BTC} is no longer above 100 USD: 98 USD"],
    ),
    (
        Price(asset=1, below=50, currency="EUR"),
        [{"price": 30}, {"price": 20}, {"price": 25.1}, {"price": 26}],
        [f"{BTC} is below 50 EUR: 40 EUR", f"{BTC} is no longer below 50 EUR: 52 EUR"],
    ),
    (
        Change(asset=1, percent=-10, window_seconds=STEP * 2),
        [{"price": price} for price in (100, 100, 89, 88, 89, 89)],
        [
            f"{BTC} is down 10 % or more in 12h: -11.0 %",
            f"{BTC} is no longer down 10 % or more in 12h: 0.0 %",
        ],
    ),
    (
        Change(asset=1, percent=5, window_seconds=STEP),
        [{"price": price} for price in (100, 105, 109.3, 109)],
        [
            f"{BTC} is up 5 % or more in 6h: +5.0 %",
            f"{BTC} is no longer up 5 % or more in 6h: -0.3 %",
        ],
    ),
    (
        Rank(asset=1, worse_than=1),
        [FINE, {"ids": (1027, 1)}, {"ids": (1027, 1)}, FINE],
        [
            f"{BTC} is ranked worse than 1: rank 2",
            f"{BTC} is no longer ranked worse than 1: rank 1",
        ],
    ),
    (
        Rank(asset=1, better_than=2),
        [{"ids": (5, 1027, 1)}, FINE, {"ids": (5, 1)}, {"ids": (5, 7, 1)}],
        [
            f"{BTC} is ranked better than 2: rank 1",
            f"{BTC} is no longer ranked better than 2: rank 3",
        ],
    ),
    (
        Dominance(asset=1, below=50),
        [FINE, {"dominance": 49.9}, {"dominance": 50.2}, {"dominance": 50.5}],
        [
            f"{BTC} is below 50 % of the market: 49.9 % of all",
            f"{BTC} is no longer below 50 % of the market: 50.5 % of all",
        ],
    ),
    (
        Drift(),
        [FINE, FINE, {"keys": {"moon": 3}}, *[{"keys": {"moon": 3, "sun": 1}}] * 3],
        [
            "the source's answers have changed: listings: new: data[].moon",
            "the source's answers have changed: listings: new: data[].sun",
            f"the source's answers keep the same shape since slot {iso(nth(4))}",
        ],
    ),
]


for_each = functools.partial(pytest.mark.parametrize, ("rule", "slots", "expected"))


@for_each(KINDS, ids=[rule.key for rule, *_ in KINDS])
def test_each_kind_fires_once_and_recovers_once(
    makes: Makes, rule: Rule, slots: Slots, expected: list[str]
) -> None:
    ringing = makes([rule])

    assert play(ringing, slots) == expected
    begins = "failure" if rule.kind in {"failing", "missed"} else "warning"
    kinds = [message["type"] for message in ringing.receiver.messages]
    assert kinds == [*[begins] * (len(expected) - 1), "success"]


CORE = [kind for kind in KINDS if kind[0].kind in {"failing", "missed", "change", "drift"}][:4]


@for_each(CORE, ids=[rule.key for rule, *_ in CORE])
def test_they_do_on_mariadb_too(
    makes_on_mariadb: Makes, rule: Rule, slots: Slots, expected: list[str]
) -> None:
    assert play(makes_on_mariadb([rule]), slots) == expected


def test_a_disk_that_fills_is_told_once_and_so_is_its_room(makes: Makes) -> None:
    ringing = makes([Disk(free_mb=1000)])
    told = []
    for number, free in enumerate([5000, 900, 800, 1050, 1200, 5000]):
        ringing.free_mb = {"/data": free, "/archive": 90_000}
        told += ringing.at(nth(number))

    assert told == [
        "coinlog: the disk is nearly full: 900 MB free",
        "coinlog: the disk has room again: 1,200 MB free",
    ]


def test_credits_are_told_by_the_sources_own_word_where_the_file_has_no_number(
    makes: Makes,
) -> None:
    ringing = makes([Quota()])
    told = []
    for number, left in enumerate([None, 500, 40, 30, 500]):
        ringing.key_info = KeyInfo(credits_left_this_month=left, month_resets_at=SLOT + 5 * DAY)
        told += ringing.at(nth(number))

    assert told == [
        f"coinlog: credits last until {iso(nth(13))}, and are renewed {iso(SLOT + 5 * DAY)}",
        f"coinlog: the credits last until they are renewed {iso(SLOT + 5 * DAY)}",
    ]


def test_a_database_that_is_away_is_told_without_it_and_over_when_it_is_back(makes: Makes) -> None:
    ringing = makes([Database(minutes=15), Failing(), Missed()])
    ringing.at(nth(0))
    with ringing.store_away():
        assert ringing.record(nth(1)).trouble
        assert ringing.ring() == []
        assert ringing.later(nth(1)) == [f"coinlog: the database is away since slot {iso(nth(1))}"]
        assert ringing.record(nth(2)).trouble
        assert ringing.ring() == ringing.later(nth(2)) == []

    over = f"coinlog: nothing waits for the database any more, up to slot {iso(nth(3))}"
    assert ringing.at(nth(3)) == [over]
    assert ringing.at(nth(4)) == []


def test_a_hundred_failing_slots_are_one_alert_and_one_recovery_with_each_true_cause(
    makes: Makes,
) -> None:
    """Reliability test 19d."""
    ringing = makes([Failing()])
    ringing.at(nth(0))
    for number in range(1, 101):
        ringing.at(nth(number), status=401 if number > 3 else 500)
    ringing.at(nth(101))
    ringing.at(nth(102))

    assert ringing.receiver.subjects == [
        f"coinlog: slot {iso(nth(1))} failed: server_error",
        f"coinlog: slot {iso(nth(4))} failed: wrong_key",
        f"coinlog: recording again since slot {iso(nth(101))}",
    ]
    first = ringing.receiver.messages[0]["message"]
    assert "HTTP 500" in first
    assert "made up for a test" in first
