"""What the schedule will cost, told and checked before the source is asked for anything paid."""

from __future__ import annotations

import time

import msgspec
from rich.markup import escape

from coinlog.cli import report
from coinlog.cli.report import warn
from coinlog.errors import ArchiveError, SourceError
from coinlog.market import SourceKind
from coinlog.parts import Parts
from coinlog.quota import Forecast, forecast
from coinlog.slots import iso
from coinlog.sources.coinmarketcap import KeyInfo, key_info
from coinlog.sources.texts import counted

ASKING_SECONDS = 10
"""A slot does not wait longer for what the plan allows: it is told as unknown."""

NO_LIMIT_KNOWN = (
    "CoinMarketCap limits them by address and does not say how many a minute or a day it allows"
)


class Foreseen(msgspec.Struct, frozen=True):
    """What is foreseen; ``unknown`` says why it cannot be held against a plan."""

    forecast: Forecast
    keyed: bool
    unknown: str | None = None

    def words(self) -> str:
        """Return it on one line."""
        if self.keyed:
            unknown = f"; what the plan allows is unknown: {self.unknown}" if self.unknown else ""
            return f"{self.forecast.words()}{unknown}"
        requests = counted(self.forecast.cost.requests, "request")
        slots = f"{self.forecast.slots_a_month:,} slots a month"
        return f"keyless, so no credits are charged: {requests} a slot, {slots}; {NO_LIMIT_KNOWN}"

    def standing(self) -> str:
        """Return what is left of the plan, where the source says."""
        info = self.forecast.info
        if info.credits_left_this_month is None:
            return ""
        until = f" until {iso(info.month_resets_at)}" if info.month_resets_at else ""
        return f"; {info.credits_left_this_month:,} are left{until}"


def foresee(parts: Parts) -> Foreseen | None:
    """Return what the schedule costs and what the plan allows; ``None`` for the made-up market.

    Asking for the plan is free.
    """
    if parts.plan.source is SourceKind.SIMULATED:
        return None
    assets, interval_seconds = parts.plan.assets, parts.plan.interval_seconds
    if not parts.settings.api_key:
        return Foreseen(forecast(assets, interval_seconds, KeyInfo()), keyed=False)
    try:
        info, unknown = ask_plan(parts), None
    except SourceError as error:
        info, unknown = KeyInfo(), str(error)
    if unknown is None and info.credits_per_month is None:
        unknown = "key/info does not say"
    return Foreseen(forecast(assets, interval_seconds, info), keyed=True, unknown=unknown)


def ask_plan(parts: Parts) -> KeyInfo:
    """Return what the key's plan allows and what is spent, if the source tells soon.

    Raises:
        SourceError: it does not.
    """
    with parts.connect(most_seconds=ASKING_SECONDS) as client:
        return key_info(client)


def foresee_slot(parts: Parts, slot: int) -> Foreseen | None:
    """Return what is foreseen, and refuse what cannot fit; ``None`` once the slot has an attempt.

    Raises:
        SettingError: the plan cannot pay for the schedule.
    """
    try:
        if parts.archive.slot_attempts(slot):
            return None
    except ArchiveError:
        return None
    foreseen = foresee(parts)
    if foreseen:
        foreseen.forecast.check()
    return foreseen


def tell(foreseen: Foreseen | None, head: str = "") -> None:
    """Say what is foreseen, and what else should be known."""
    if foreseen is None:
        return
    report.tell(f"{head}{escape(foreseen.words())}")
    for note in foreseen.forecast.notes(time.time()):
        warn(note, " " * len(head), style="yellow")


def facts(foreseen: Foreseen | None) -> dict[str, object] | None:
    """Return what is foreseen, for programs."""
    if foreseen is None:
        return None
    forecast, info = foreseen.forecast, foreseen.forecast.info
    return {
        "keyed": foreseen.keyed,
        "credits_a_slot": forecast.cost.credits,
        "requests_a_slot": forecast.cost.requests,
        "slots_a_month": forecast.slots_a_month,
        "credits_a_month": forecast.credits_a_month,
        "plan_credits_a_month": info.credits_per_month,
        "plan_credits_left": info.credits_left_this_month,
        "notes": forecast.notes(time.time()),
        "unknown": foreseen.unknown,
    }
