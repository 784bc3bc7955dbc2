"""What a fault is: a name, where it can happen, its parameters by chance, and what it does."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from weather.world import World

Parameters = Mapping[str, Any]
"""What a fault's chance has chosen: JSON values, shown when something goes wrong."""

SQLITE, MARIADB = "sqlite", "mariadb"


class Fault(ABC):
    """One kind of fault. It holds no state: what it needs is in the world."""

    name: str
    """As the table calls it; unique."""

    stores: frozenset[str] = frozenset({SQLITE, MARIADB})
    slots: int = 1
    """How many slots in a row it needs for itself."""

    elsewhere: bool = False
    """Whether it strikes in a world beside this one (``world.nights``), and leaves its slots."""

    share: float = 1
    """How many times as often as others it is chosen, once each was."""

    long: bool = False
    """Whether it takes minutes: it strikes only where there is room for every kind."""

    surely: int = 1
    """It is met at least once in so many strikes, though in one of them chance may miss it."""

    told: bool = True
    """Whether a recorder that says what it does not say in fair weather has met it."""

    about: str = ""
    """What it is, in a sentence for the docs; else the class says it."""

    def choose(self, chance: random.Random) -> Parameters:
        """Return its parameters: a pure function of chance."""
        del chance
        return {}

    def possible(self) -> bool:
        """Whether it can be made to happen on this machine."""
        return True

    @property
    def in_words(self) -> str:
        """What it is, in a sentence."""
        return self.about or " ".join((self.__doc__ or "").split())

    @abstractmethod
    def strike(self, world: World, slots: Sequence[int], parameters: Parameters) -> None:
        """Happen, at ``slots``; tell the world what is true for each of them (``expect``).

        Where neither a recorder nor the source can tell that it was met, it says so (``meet``).
        Whatever was broken is whole again afterwards, also where this raises.
        """
