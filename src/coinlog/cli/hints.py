"""Hints: commands named in what is said, which must be about the market that was asked about.

The whole program says `coinlog load`; whoever looks at the made-up market and types that would
act on the real one. So what is said passes through here, on its way out.
"""

from __future__ import annotations

import re

OF_BOTH = (
    "alerts check|alerts dry-run|alerts try|backfill|backup|capture|doctor|export"
    "|import|load|migrate|move|publish|record|replay|restore|serve|status|thin|up|verify"
)
"""The commands that know ``--simulated``, as one pattern."""

_NAMED = re.compile(rf"\b(coinlog (?:{OF_BOTH}))\b(?!-| --simulated)")


class Hints:
    """Of which market this process is: like logging, there is one for all of it."""

    def __init__(self) -> None:
        self.simulated = False

    def follow(self, *, simulated: bool) -> None:
        """Name commands of this market from now on."""
        self.simulated = simulated

    def of_this_market(self, text: str) -> str:
        """Return a text whose commands are of the market that was asked about."""
        return _NAMED.sub(r"\1 --simulated", text) if self.simulated else text


hints = Hints()
