"""A store that goes in the middle of a storm: what was wrong in it is seen before, or never."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from weather.account import Account
from weather.reckoning import reckon
from weather.world import Charge, World


@dataclass
class _Charges(Account):
    """An account of which only the charges are wanted."""

    charged: list[Charge] = field(default_factory=list)

    def charge(self, fault: str, kind: str, words: str) -> None:
        self.charged.append((fault, kind, words))


def reckon_before_it_goes(world: World) -> None:
    """Reckon a world whose store is about to go, and to be made anew from the archive.

    From then on that is true which the archive can tell, also where its files were damaged.
    """
    seen = _Charges()
    reckon(world, seen, over=False)
    world.charges += seen.charged
    for slot, damage in world.damaged.items():
        if damage.anew:
            truth, world.damaged[slot] = damage.anew
            world.book[slot] = replace(world.book[slot], truth=truth)


def charge_for_what_went(world: World, account: Account) -> None:
    """Charge what was wrong in stores that went, and is not to be seen any more."""
    charges = (charge for one in world.worlds() for charge in one.charges)
    for fault, kind, words in dict.fromkeys(charges):
        if f"{kind}, {fault}: {words}" not in account.faults:
            account.charge(fault, kind, words)
