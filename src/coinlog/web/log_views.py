"""From the ledger to what its pages show: the log with its calendar, and one slot."""

from __future__ import annotations

from collections.abc import Sequence

from coinlog.attempts import AttemptKey, is_imported
from coinlog.market import Outcome
from coinlog.slots import DAY, MINUTE, schedule_at
from coinlog.store.ledger import LedgerRow, MissingRow, read_missing, read_page
from coinlog.store.one_slot import AttemptRow, read_attempts, slot_after, slot_before
from coinlog.store.reader import HAS_QUOTES
from coinlog.web.api import notes_of
from coinlog.web.calendar import CalendarView, calendar_view, day_name, day_of
from coinlog.web.page_views import slot_views
from coinlog.web.shell import LOG_LIMIT, Ask
from coinlog.web.slot_names import known_slot
from coinlog.web.views import SlotView, View
from coinlog.web.watch import Moment, Watch

_USUAL = {Outcome.FAILED: "broken_answer", Outcome.PARTIAL: "incomplete"}

DAY_LIMIT = DAY // MINUTE
"""A slot a minute is the most that a day can hold."""


class LogView(View, frozen=True, kw_only=True):
    """The ledger, newest first, under its calendar.

    ``begun`` is false while no slot was ever due; ``due`` is the slot that waits to be recorded
    now, if any; ``day`` the one (midnight UTC) whose slots alone are shown. ``day_href`` leads
    on to older slots by their day: a published edition has files of days alone. Each of the two
    parts is there without the other where it alone is asked for.
    """

    calendar: CalendarView | None
    slots: list[SlotView]
    begun: bool
    due: int | None = None
    day: int | None = None
    next_href: str | None = None
    previous_href: str | None = None
    all_href: str | None = None
    day_href: str | None = None


class SlotPageView(View, frozen=True, kw_only=True):
    """One slot: what became of it, when, at what price, and where the raw answer lies.

    ``means`` is the code of what to say and do about its outcome; ``folder`` is the standing
    attempt's place in the archive; ``quoted`` says whether the slot has a market to look at,
    ``recorded`` which of the assets that are missing have a page.
    """

    row: LedgerRow
    means: str
    interval_seconds: int | None
    asked: str | None
    imported: bool
    quoted: bool
    notes: list[str]
    missing: list[MissingRow]
    recorded: list[int]
    attempts: list[AttemptRow]
    folder: str | None
    before: int | None
    after: int | None


def log_view(watch: Watch, moment: Moment, ask: Ask) -> LogView:
    """Return the calendar and a page of the ledger, or the slots of one day."""
    day = day_of(ask)
    part = ask.query.part
    calendar = None if part == "slots" else calendar_view(watch, moment, ask)
    rows = [] if part == "calendar" else _rows(watch, moment, ask, day)
    older, newer = _day_links(ask, day) if day is not None else _page_links(ask, rows)
    return LogView(
        calendar=calendar,
        slots=slot_views(watch, rows),
        begun=bool(rows) or moment.head.first_slot is not None,
        due=_due_now(moment, rows) if ask.query.before is None and day is None else None,
        day=day,
        next_href=older,
        previous_href=newer,
        all_href=ask.at.href(at=None, before=None) if day is not None else None,
        day_href=_day_link(ask, rows[-1].slot) if len(rows) == LOG_LIMIT else None,
    )


def _rows(watch: Watch, moment: Moment, ask: Ask, day: int | None) -> list[LedgerRow]:
    reader, head, now = watch.reader, moment.head, moment.now
    if day is None:
        return read_page(reader, head, now, limit=LOG_LIMIT, before=ask.query.before)
    rows = read_page(reader, head, now, limit=DAY_LIMIT, before=day + DAY)
    return [row for row in rows if row.slot >= day]


def _page_links(ask: Ask, rows: Sequence[LedgerRow]) -> tuple[str | None, str | None]:
    older = ask.at.href(before=rows[-1].slot) + "#slots" if len(rows) == LOG_LIMIT else None
    return older, None if ask.query.before is None else ask.at.href(before=None) + "#slots"


def _day_links(ask: Ask, day: int) -> tuple[str, str]:
    older, newer = (_day_link(ask, one) for one in (day - DAY, day + DAY))
    return older, newer


def _day_link(ask: Ask, day: int) -> str:
    return ask.at.href(at=day_name(day), before=None) + "#slots"


def _due_now(moment: Moment, rows: Sequence[LedgerRow]) -> int | None:
    current = moment.head.current_slot(moment.now)
    return None if any(row.slot == current for row in rows) else current


def slot_page_view(watch: Watch, moment: Moment, slot: int) -> SlotPageView:
    """Return all that the store knows of one slot.

    Raises:
        NotFoundError: it was never due, or is not told yet.
    """
    row = known_slot(watch, moment, slot)
    reader, head, now = watch.reader, moment.head, moment.now
    schedule = schedule_at(head.schedules, slot)
    missing = read_missing(reader, [slot]) if row.outcome is Outcome.PARTIAL else []
    ids = [one.asset_id for one in missing if one.asset_id is not None]
    return SlotPageView(
        row=row,
        means=row.reason or _USUAL.get(row.outcome, row.outcome.value),
        interval_seconds=schedule.interval_seconds if schedule else None,
        asked=schedule.assets if schedule else None,
        imported=is_imported(row.attempt or ""),
        quoted=row.outcome in HAS_QUOTES,
        notes=notes_of(row),
        missing=missing,
        recorded=[asset.id for asset in reader.assets(ids)],
        attempts=read_attempts(reader, slot),
        folder=AttemptKey(slot, row.attempt).folder if row.attempt else None,
        before=slot_before(reader, head, now, slot),
        after=slot_after(reader, head, now, slot),
    )
