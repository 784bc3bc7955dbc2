"""Which share of all slots comes next, and which differences stand."""

from __future__ import annotations

from coinlog.slots import MAX_TIME
from coinlog.verify.sample import Sample
from coinlog.verify.standing import Verification, unseen_since

SLOTS = list(range(100, 2300, 100))
TARGETS = [f"asset-{number:02}" for number in range(7)]


def test_some_shares_see_every_slot_and_every_target_whatever_is_recorded_meanwhile() -> None:
    slots, after = list(SLOTS), -1
    seen: set[int] = set()
    targets: set[str] = set()
    stretches = []
    for _ in range(10):
        share = Sample(share=0.1, after=after)
        stretch = share.range(slots)
        assert stretch
        seen |= {*share.chosen(slots)}
        targets |= {*share.chosen_targets(TARGETS, slots)}
        stretches.append(stretch)
        after = stretch[1]
        if after == MAX_TIME:
            break
        slots.append(slots[-1] + 100)

    assert seen >= {*SLOTS}
    assert targets == {*TARGETS}
    assert stretches[0][0] == 0
    assert stretches[-1][1] == MAX_TIME
    assert [low for low, _ in stretches[1:]] == [high + 1 for _, high in stretches[:-1]]
    # Then it begins anew.
    assert Sample(share=0.1, after=after).chosen(slots)[0] == SLOTS[0]


def test_of_nothing_there_is_nothing_to_compare() -> None:
    assert Sample(share=0.1, after=-1).chosen([]) == []
    assert Sample(share=0.1, after=-1).chosen_targets(TARGETS, []) == TARGETS


def row(differences: int, low: int | None = None, high: int | None = None) -> Verification:
    return Verification(1, 2, low is not None, 3, 4, differences, "detail", low, high)


def test_a_difference_stands_until_it_is_looked_at_again() -> None:
    fine, damage = row(0, 0, 99), row(2, 100, 199)

    assert unseen_since([fine, damage]) == [damage]
    assert unseen_since([row(0, 100, 199), fine, damage]) == []
    # Two shares of another size together.
    assert unseen_since([row(0, 150, MAX_TIME), row(0, 50, 149), damage]) == []
    assert unseen_since([row(0, 151, MAX_TIME), row(0, 50, 149), damage]) == [damage]
    # All was compared, and all is well; or the damage is still there, and is counted once.
    assert unseen_since([row(0), damage]) == []
    assert unseen_since([row(3), damage]) == [row(3)]


def test_what_chance_has_found_stands_until_all_was_looked_at() -> None:
    by_chance = Verification(1, 2, sampled=True, slots=3, quotes=4, differences=1, detail="x")

    assert unseen_since([row(0, 0, 99), by_chance]) == [by_chance]
    assert unseen_since([row(0, 100, MAX_TIME), row(0, 0, 99), by_chance]) == []
