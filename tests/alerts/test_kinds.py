"""Every kind of alert fires once and recovers once, from the source to a real receiver."""

from __future__ import annotations

from typing import Any

import pytest

from coinlog.alerts.drift_rule import Drift
from coinlog.alerts.market_rules import Change, Dominance, Price, Rank
from coinlog.alerts.quota_rule import Quota
from coinlog.alerts.recorder_rules import Clock, Failing, Missed, Partial
from coinlog.alerts.rule import Rule
from coinlog.slots import iso
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
        Quota(credits_a_month=80),
        [FINE, FINE, FINE],
        [],
    ),
    (
        Price(asset=1, above=100),
        [{"price": 99}, {"price": 101}, {"price": 99.5}, {"price": 102}, {"price": 98}, FINE][:5],
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
            f"{BTC} is no longer down 10 % or more in 12h: +0.0 %",
        ],
    ),
    (
        Change(asset=1, percent=5, window_seconds=STEP),
        [{"price": price} for price in (100, 105, 109.2, 109)],
        [
            f"{BTC} is up 5 % or more in 6h: +5.0 %",
            f"{BTC} is no longer up 5 % or more in 6h: +4.0 %",
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
]


@pytest.mark.parametrize(
    ("rule", "slots", "expected"), KINDS, ids=lambda one: getattr(one, "key", "")
)
def test_each_kind_fires_once_and_recovers_once(
    makes_on_each: Makes, rule: Rule, slots: Slots, expected: list[str]
) -> None:
    assert play(makes_on_each([rule]), slots) == expected
