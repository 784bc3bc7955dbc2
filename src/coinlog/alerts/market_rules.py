"""Rules about the market: price, change over a window, rank, dominance. Assets are named by id.

Each holds beyond its limit, is over once the figure has come back by the ``rearm`` margin, and
says nothing in between, so a price that trembles about a limit is one message.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from coinlog.alerts.rule import Rule, Sign, digest
from coinlog.alerts.words import figure, measured, signed
from coinlog.market import BITCOIN, ETHEREUM, FIAT_IDS
from coinlog.slots import format_interval, iso

if TYPE_CHECKING:
    from coinlog.alerts.history import Figures, History

DOMINANCE = {BITCOIN: "bitcoin_dominance", ETHEREUM: "ethereum_dominance"}
WHOLE = 100.0
"""Percent: no share is more, and nothing loses more."""
_BROKEN = 1.5
"""Neighbours further apart than this many resolutions have a gap between them, as in a series."""


class MarketRule(Rule, frozen=True, kw_only=True):
    """A limit to a figure of an asset."""

    asset: int
    rearm: float = 1.0

    @property
    def key(self) -> str:
        """What its alerts are called after; with another margin it is the same rule."""
        values = [getattr(self, name) for name in self.__struct_fields__ if name != "rearm"]
        return f"{self.kind}-{self.asset}-{digest(self.kind, *values)}"

    def _sign(self, history: History, slot: int, holds: bool | None, value: str) -> Sign:  # noqa: FBT001
        if holds is None:
            return Sign(slot, holds=None, value=value)
        label = history.label(self.asset)
        said = f"{self._limit()}: {value}"
        headline = f"{label} {'is' if holds else 'is no longer'} {said}"
        ending = "" if holds else " You are told when it is so again."
        text = f"{headline}, at slot {iso(slot)}.{ending}"
        return Sign(slot, holds, value, headline, text)

    def _limit(self) -> str:
        raise NotImplementedError


class Price(MarketRule, frozen=True, kw_only=True):
    """A price above or below a limit, in a currency that is recorded; ``rearm`` is percent."""

    kind: ClassVar[str] = "price"

    above: float | None = None
    below: float | None = None
    currency: str = "USD"

    def watched(self) -> str:
        """Return in words what is watched."""
        return (
            f"the price of asset {self.asset} {self._limit()}; over when it is back by "
            f"{figure(self.rearm)} %"
        )

    def signs(self, history: History, slots: Sequence[int]) -> Iterator[Sign]:
        """Yield whether the price is beyond the limit at each slot that has one."""
        prices = history.figures(self.asset)
        rates = None if self.currency == "USD" else history.figures(FIAT_IDS[self.currency])
        for slot in slots:
            price = _converted(prices.get(slot), rates.get(slot) if rates else None, self.currency)
            if price is not None:
                value = f"{figure(price)} {self.currency}"
                yield self._sign(history, slot, self._holds(price), value)

    def _holds(self, price: float) -> bool | None:
        if self.above is not None:
            return _beyond(price, self.above, self.above * (1 - self.rearm / 100))
        assert self.below is not None  # noqa: S101  one of the two is there: the file is checked
        return _beyond(-price, -self.below, -self.below * (1 + self.rearm / 100))

    def _limit(self) -> str:
        side = "above" if self.above is not None else "below"
        return f"{side} {figure(self.above or self.below or 0)} {self.currency}"


class Change(MarketRule, frozen=True, kw_only=True):
    """A change over a window of our own slots; ``rearm`` is percentage points."""

    kind: ClassVar[str] = "change"

    percent: float
    window_seconds: int

    def watched(self) -> str:
        """Return in words what is watched."""
        return (
            f"asset {self.asset} {self._limit()}, by the slots recorded; over when it is back by "
            f"{measured(self.rearm, 'point')}"
        )

    def lookback(self, interval_seconds: int) -> int:
        """Return the window, and the slot before its beginning."""
        return self.window_seconds + interval_seconds

    def flaw(self) -> str | None:
        """Return why it can never be over."""
        back = self.percent - self.rearm
        if self.percent < 0 or back > -WHOLE:
            return None
        return (
            f"is over only at {signed(back)}, and nothing loses more than all: expected a rearm "
            f"below {figure(self.percent + WHOLE)}"
        )

    def signs(self, history: History, slots: Sequence[int]) -> Iterator[Sign]:
        """Yield the change at each slot whose window has no gap."""
        points = history.figures(self.asset)
        order = list(points)
        gaps, places = _gaps_before(points, order), {slot: n for n, slot in enumerate(order)}
        first = 0
        for slot in slots:
            if slot not in places:
                continue
            begin = slot - self.window_seconds
            # The last point at or before the window's beginning.
            while first + 1 < len(order) and order[first + 1] <= begin:
                first += 1
            whole = order[first] <= begin and begin - order[first] < points[slot].resolution
            if whole and gaps[places[slot]] == gaps[first] and points[order[first]].price:
                change = 100 * (points[slot].price / points[order[first]].price - 1)
                yield self._sign(history, slot, self._holds(change), signed(change))

    def _holds(self, change: float) -> bool | None:
        turn = -1 if self.percent < 0 else 1
        limit = self.percent * turn
        # A change of just the limit counts: it is written with the sign it must reach.
        return True if change * turn >= limit else _beyond(change * turn, limit, limit - self.rearm)

    def _limit(self) -> str:
        way = "down" if self.percent < 0 else "up"
        window = format_interval(self.window_seconds)
        return f"{way} {figure(abs(self.percent))} % or more in {window}"


class Rank(MarketRule, frozen=True, kw_only=True):
    """A rank better (a smaller number) or worse than a limit; ``rearm`` is places."""

    kind: ClassVar[str] = "rank"

    better_than: int | None = None
    worse_than: int | None = None

    def watched(self) -> str:
        """Return in words what is watched."""
        return (
            f"the rank of asset {self.asset} {self._limit()}; over when it is back by "
            f"{measured(self.rearm, 'place')}"
        )

    @property
    def deepest(self) -> float:
        """The worst rank that must be recorded for it to be told and to be over."""
        if self.worse_than is not None:
            return self.worse_than + 1
        return (self.better_than or 0) + self.rearm

    def signs(self, history: History, slots: Sequence[int]) -> Iterator[Sign]:
        """Yield whether the rank is beyond the limit at each slot that has one."""
        points = history.figures(self.asset)
        for slot in slots:
            rank = points[slot].rank if slot in points else None
            if rank is not None:
                yield self._sign(history, slot, self._holds(rank), f"rank {rank}")

    def _holds(self, rank: int) -> bool | None:
        if self.worse_than is not None:
            return _beyond(rank, self.worse_than, max(1, self.worse_than - self.rearm))
        assert self.better_than is not None  # noqa: S101  one of the two is there
        return _beyond(-rank, -self.better_than, -self.better_than - self.rearm)

    def _limit(self) -> str:
        if self.worse_than is not None:
            return f"ranked worse than {self.worse_than}"
        return f"ranked better than {self.better_than}"


class Dominance(MarketRule, frozen=True, kw_only=True):
    """Bitcoin's or Ethereum's share of the whole market, in percent; ``rearm`` is points."""

    kind: ClassVar[str] = "dominance"

    above: float | None = None
    below: float | None = None
    rearm: float = 0.5

    def watched(self) -> str:
        """Return in words what is watched."""
        return (
            f"the dominance of asset {self.asset} {self._limit()}; over when it is back by "
            f"{measured(self.rearm, 'point')}"
        )

    def flaw(self) -> str | None:
        """Return why it can never be over."""
        room = self.above if self.above is not None else WHOLE - (self.below or 0)
        if self.rearm < room:
            return None
        back = room - self.rearm if self.above is not None else WHOLE + self.rearm - room
        return (
            f"is over only at {figure(back)} % of the market, which nothing is: expected a rearm "
            f"below {figure(room)}"
        )

    def signs(self, history: History, slots: Sequence[int]) -> Iterator[Sign]:
        """Yield whether the share is beyond the limit at each slot that has one."""
        shares = history.dominance(DOMINANCE[self.asset])
        for slot in slots:
            if slot in shares:
                share = shares[slot]
                yield self._sign(history, slot, self._holds(share), f"{figure(share)} % of all")

    def _holds(self, share: float) -> bool | None:
        if self.above is not None:
            return _beyond(share, self.above, self.above - self.rearm)
        assert self.below is not None  # noqa: S101  one of the two is there
        return _beyond(-share, -self.below, -self.below - self.rearm)

    def _limit(self) -> str:
        side = "above" if self.above is not None else "below"
        return f"{side} {figure(self.above or self.below or 0)} % of the market"


def _beyond(value: float, limit: float, back: float) -> bool | None:
    """Return whether a value is above a limit; ``None`` where it has not come back far enough."""
    if value > limit:
        return True
    return False if value <= back else None


def _converted(quote: Figures | None, rate: Figures | None, currency: str) -> float | None:
    """Return a price in a currency, by the rate of the same slot."""
    if quote is None or currency == "USD":
        return quote and quote.price
    return quote.price / rate.price if rate and rate.price else None


def _gaps_before(points: dict[int, Figures], order: Sequence[int]) -> list[int]:
    """Return how many gaps lie before each point."""
    counts, found = [], 0
    for number, slot in enumerate(order):
        before = order[number - 1] if number else slot
        coarser = max(points[slot].resolution, points[before].resolution)
        found += slot - before > _BROKEN * coarser
        counts.append(found)
    return counts
