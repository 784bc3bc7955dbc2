"""What a schedule costs in the plan's credits, by arithmetic, before anything is asked.

Only answers with data cost credits. A slot costs what its requests cost (see
``sources/coinmarketcap.py``); a slot that is tried again costs more, which nobody can foresee.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from coinlog.errors import SettingError
from coinlog.market import FIAT_IDS
from coinlog.slots import (
    DAY,
    HOUR,
    MINUTE,
    AssetSelection,
    format_interval,
    iso,
    parse_assets,
)
from coinlog.sources.coinmarketcap import IDS_A_REQUEST, PAGE_ROWS
from coinlog.sources.key_info import KeyInfo
from coinlog.sources.texts import counted

LISTINGS_A_CREDIT = 200
QUOTES_A_CREDIT = 100
OTHERS = 2
"""Global metrics, fear and greed: a credit and a request each."""

MONTH_DAYS = 31
"""The longest month: what fits into it fits into each."""

INTERVALS = (
    *(minutes * MINUTE for minutes in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)),
    *(hours * HOUR for hours in (1, 2, 3, 4, 6, 8, 12, 24)),
)
"""Every interval that the contract allows."""

_TOPS = (5_000, 2_000, 1_000, 500, 200)


class Cost(msgspec.Struct, frozen=True):
    """What a slot takes at most: credits and requests.

    It takes ``least_credits`` where every id asked for beside the top is in the top already: only
    the answer tells.
    """

    credits: int
    requests: int
    least_credits: int


def cost_of(selection: AssetSelection) -> Cost:
    """Return what a slot of these assets costs."""
    top, explicit = selection.top, selection.explicit_ids
    pages = [min(PAGE_ROWS, top - start) for start in range(0, top, PAGE_ROWS)]
    # Bitcoin and Ethereum, which come first among the explicit ones, lead every list.
    further = _batches(explicit[min(top, 2) :])
    rates = _batches([fiat for fiat in FIAT_IDS.values() if fiat not in explicit])
    listed = sum(-(-rows // LISTINGS_A_CREDIT) for rows in pages) + OTHERS
    quoted = sum(-(-ids // QUOTES_A_CREDIT) for ids in further)
    most = listed + quoted + len(rates)
    return Cost(
        most, len(pages) + len(further) + len(rates) + OTHERS, most - quoted if top else most
    )


def _batches(ids: Sequence[int]) -> list[int]:
    return [min(IDS_A_REQUEST, len(ids) - start) for start in range(0, len(ids), IDS_A_REQUEST)]


class Forecast(msgspec.Struct, frozen=True):
    """What a schedule will cost, next to what the key's plan allows; ``None`` is unknown."""

    assets: str
    interval_seconds: int
    cost: Cost
    info: KeyInfo

    @property
    def slots_a_month(self) -> int:
        """The slots in the longest month."""
        return MONTH_DAYS * self._slots_a_day

    @property
    def credits_a_month(self) -> int:
        """What they cost, at most."""
        return self.slots_a_month * self.cost.credits

    @property
    def credits_a_day(self) -> int:
        """What a day's slots cost, at most."""
        return self._slots_a_day * self.cost.credits

    @property
    def fits(self) -> bool:
        """Whether the plan may suffice, as far as is known."""
        return self._suffices_for(self.cost.least_credits)

    @property
    def surely_fits(self) -> bool:
        """Whether the plan suffices for the most that a slot can cost, as far as is known."""
        return self._suffices_for(self.cost.credits)

    def check(self) -> None:
        """Refuse a schedule that the plan cannot pay for.

        Raises:
            SettingError: it cannot; it says why, and what would fit.
        """
        if not self.fits:
            plan = f" {self.info.plan!r}" if self.info.plan else ""
            raise SettingError(
                f"{self.words()}: this schedule does not fit the plan{plan}, and nothing was asked "
                f"for; {self._way_out()}"
            )

    def words(self) -> str:
        """Return the arithmetic, on one line."""
        month, day = self.info.credits_per_month, self.info.credits_per_day
        most = "at most " if self.cost.least_credits < self.cost.credits else ""
        of_month = "" if month is None else f" of {month:,}"
        daily = "" if day is None else f"; {self.credits_a_day:,} of {day:,} credits a day"
        return (
            f"1 slot costs {most}{counted(self.cost.credits, 'credit')}, {self.slots_a_month:,} "
            f"slots a month ({MONTH_DAYS} days): {self.credits_a_month:,}{of_month} credits a "
            f"month{daily}"
        )

    def notes(self, now: float) -> list[str]:
        """Return what else should be known before it begins, a sentence each."""
        found, info = [], self.info
        if self.fits and not self.surely_fits:
            found.append(
                "the plan suffices only where most ids in COINLOG_ASSETS are among the top ones too"
            )
        spent = self.spent_at(now)
        if spent is not None and info.month_resets_at is not None:
            found.append(
                f"only {info.credits_left_this_month:,} credits are left of this month: they last "
                f"until {iso(spent)}, and slots fail from then until {iso(info.month_resets_at)}"
            )
        if info.requests_per_minute is not None and self.cost.requests > info.requests_per_minute:
            found.append(
                f"a slot takes {self.cost.requests:,} requests, and the plan allows "
                f"{info.requests_per_minute:,} a minute: slots will be partial; list fewer ids in "
                "COINLOG_ASSETS"
            )
        return found

    def spent_at(self, now: float) -> float | None:
        """Return when the rest of this month is spent; ``None`` where it lasts, or is unknown."""
        left, renewed = self.info.credits_left_this_month, self.info.month_resets_at
        if left is None or renewed is None:
            return None
        # No plan's month is longer: a later renewal is a mistake, and iso() knows no later times.
        until = min(renewed, now + MONTH_DAYS * DAY)
        spent = now + left // max(1, self.cost.credits) * self.interval_seconds
        return spent if spent < until else None

    @property
    def _slots_a_day(self) -> int:
        return DAY // self.interval_seconds

    def _suffices_for(self, credits_a_slot: int) -> bool:
        month, day = self.info.credits_per_month, self.info.credits_per_day
        return (month is None or self.slots_a_month * credits_a_slot <= month) and (
            day is None or self._slots_a_day * credits_a_slot <= day
        )

    def _way_out(self) -> str:
        longer = [step for step in INTERVALS if step > self.interval_seconds]
        ways = [
            f"COINLOG_INTERVAL={format_interval(other.interval_seconds)} "
            f"({other.credits_a_month:,} credits a month)"
            for other in (self._other(interval_seconds=step) for step in longer)
            if other.surely_fits
        ][:1]
        ways += [
            f"COINLOG_ASSETS={other.assets} ({other.credits_a_month:,})"
            for other in (self._other(assets=f"top:{top}") for top in self._fewer())
            if other.surely_fits
        ][:1]
        if not ways:
            return "no interval fits: record fewer assets (COINLOG_ASSETS), or change the plan"
        return f"the nearest that fits is {', or '.join(ways)}"

    def _fewer(self) -> list[int]:
        selection = parse_assets(self.assets)
        return [] if selection.ids else [top for top in _TOPS if top < selection.top]

    def _other(self, assets: str | None = None, interval_seconds: int | None = None) -> Forecast:
        return forecast(assets or self.assets, interval_seconds or self.interval_seconds, self.info)


def forecast(assets: str, interval_seconds: int, info: KeyInfo) -> Forecast:
    """Return what it costs to record these assets at this interval."""
    return Forecast(assets, interval_seconds, cost_of(parse_assets(assets)), info)
