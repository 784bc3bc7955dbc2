"""The account of a storm: a line for each fault, and each fault of ours in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from weather.truth import Fate

OURS = ("lost", "doubled", "torn", "untrue")
"""The faults of ours that there can be."""


@dataclass
class Line:
    """One fault's line of the table: how often it was injected, and how often coinlog met it."""

    fault: str
    times: int = 0
    met: int = 0
    slots: int = 0
    stored: int = 0
    partial: int = 0
    missed: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    doubled: int = 0
    torn: int = 0
    untrue: int = 0

    def count(self, fate: Fate | None) -> None:
        """Count a slot by what became of it."""
        self.slots += 1
        outcome, reason = fate or ("missed", None)
        if outcome == "failed":
            self.failed[str(reason)] += 1
        else:
            setattr(self, outcome, getattr(self, outcome) + 1)


@dataclass
class Account:
    """What a storm left: a line for each fault, and each fault of ours in words."""

    lines: dict[str, Line] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    left_out: Sequence[str] = ()
    """Faults that cannot be made to happen on this machine."""

    @property
    def clean(self) -> bool:
        """Whether every promise was kept, and there was something to promise."""
        return bool(self.lines) and not self.faults

    def line(self, fault: str) -> Line:
        return self.lines.setdefault(fault, Line(fault))

    def charge(self, fault: str, kind: str, words: str) -> None:
        """Count a fault of ours: ``lost``, ``doubled``, ``torn`` or ``untrue``."""
        line = self.line(fault)
        setattr(line, kind, getattr(line, kind) + 1)
        self.faults.append(f"{kind}, {fault}: {words}")
