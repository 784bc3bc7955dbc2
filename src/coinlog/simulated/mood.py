"""Fear and greed in the made-up market: how far prices moved, on a scale from 0 to 100."""

from __future__ import annotations

from coinlog.simulated.caps import Pulse
from coinlog.simulated.noise import Walk
from coinlog.slots import DAY

_LABELS = ((20, "Extreme fear"), (40, "Fear"), (60, "Neutral"), (80, "Greed"))


class Mood:
    """The fear and greed index at any time."""

    def __init__(self, seed: int) -> None:
        self._pulse = Pulse(seed)
        self._whim = Walk(seed, "whim", 1.5)

    def at(self, at: int) -> int:
        """Return the index from 5 to 95: the gains of a week and a month, and some whim."""
        now = self._pulse.at(at)
        week, month = now - self._pulse.at(at - 7 * DAY), now - self._pulse.at(at - 30 * DAY)
        return max(5, min(95, round(50 + 110 * month + 120 * week + self._whim.at(at))))


def label(value: int) -> str:
    """Return what an index is called, as CoinMarketCap does."""
    return next((text for limit, text in _LABELS if value < limit), "Extreme greed")
