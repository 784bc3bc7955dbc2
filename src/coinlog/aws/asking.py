"""Capturing within a function's time: the source is asked once, however often an event comes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial

from coinlog.archive import Archive
from coinlog.aws.lending import Lent
from coinlog.capturing import Captured, Plan, Standing, capture_unless_passed
from coinlog.errors import BusyError, SourceError
from coinlog.market import SourceKind
from coinlog.quota import forecast
from coinlog.settings import Settings
from coinlog.slots import floor_slot, iso
from coinlog.sources.client import Client
from coinlog.sources.coinmarketcap import key_info
from coinlog.telling import captured_facts

LOOK_SECONDS = 2.0

PLAN_SHARE = 0.1
"""Of the time for a slot, what asking for the plan may take."""

_log = logging.getLogger(__name__)


def capture(  # noqa: PLR0913  what is captured, and whose time it is
    archive: Archive,
    settings: Settings,
    slot: int,
    lent: Lent,
    *,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Captured:
    """Capture a slot, or wait for who is at it: the first may die, and then the slot is ours.

    A slot that has passed is left alone, however late its event comes.

    Raises:
        SettingError: the key's plan cannot pay for the schedule.
        ArchiveError: the archive cannot be used.
        BusyError: another is at work on it still, and our time is over.
    """
    plan = plan_of(settings, lent.machine)
    if floor_slot(clock(), settings.interval_seconds) > slot:
        return Captured(slot, Standing.PASSED)
    _check_plan(archive, settings, slot, lent)
    client = partial(connect, settings, lent, clock=clock)
    while True:
        captured = capture_unless_passed(archive, client, plan, slot, clock)
        if captured.standing is not Standing.BUSY:
            return captured
        # What is left must do for a capture of our own.
        if lent.left() < plan.deadline_seconds / 2:
            raise BusyError(
                f"slot {iso(slot)} is in the hands of another capture that has not ended: Lambda "
                "is to try again"
            )
        sleep(LOOK_SECONDS)


def _check_plan(archive: Archive, settings: Settings, slot: int, lent: Lent) -> None:
    """Refuse a schedule that the key's plan cannot pay for, before anything paid is asked.

    Where the plan cannot be known, and once the slot has an attempt, recording goes on.
    """
    if not settings.api_key or archive.slot_attempts(slot):
        return
    try:
        with connect(settings, lent, share=PLAN_SHARE) as client:
            info = key_info(client)
    except SourceError as error:
        _log.warning("what the key's plan allows is unknown: %s", error)
        return
    forecast(settings.assets, settings.interval_seconds, info).check()


def plan_of(settings: Settings, machine: str) -> Plan:
    """Return what is recorded, by a deadline that any other capture of the slot has too."""
    return Plan(
        interval_seconds=settings.interval_seconds,
        assets=settings.assets,
        source=SourceKind.COINMARKETCAP,
        deadline_seconds=settings.deadline_seconds,
        machine=machine,
    )


def connect(
    settings: Settings,
    lent: Lent,
    *,
    share: float = 1.0,
    clock: Callable[[], float] = time.time,
) -> Client:
    """Return a client for one attempt, which leaves time to write the outcome.

    It takes no more than a ``share`` of that time.
    """
    key = settings.api_key
    return Client(
        settings.cmc_url,
        key.reveal() if key else None,
        deadline_seconds=share * min(settings.deadline_seconds, lent.left()),
        body_limit_bytes=settings.body_limit_bytes,
        clock=clock,
    )


def facts(captured: Captured) -> dict[str, object]:
    """Return what became of a slot, in words for people and programs."""
    manifest = captured.manifest
    if manifest is None:
        return {"slot": iso(captured.slot), "outcome": None, "detail": captured.standing}
    told = captured_facts(manifest)
    return {
        "slot": iso(captured.slot),
        **told,
        "detail": told["detail"] or captured.standing,
        "asked": captured.ours,
        "credits": manifest.credits if captured.ours else 0,
        "answers": len(manifest.answers),
    }
