"""The ledger as a calendar: months of days, each told by its worst outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from coinlog.slots import DAY
from coinlog.store.days import Day, LongestGap, longest_gap, read_days
from coinlog.store.ledger import Head
from coinlog.web.shell import Ask
from coinlog.web.views import Link, View
from coinlog.web.watch import Moment, Watch

MONTHS = 12
LATEST = "latest"
"""The code of the twelve months that end with this one: shown unless a year is chosen."""

_EMPTY = Day(start=0)


class DayView(View, frozen=True, kw_only=True):
    """A day of the calendar (``start`` is its midnight UTC).

    ``state`` is its worst outcome; ``ahead`` where no slot of it is past yet, ``before`` where
    recording had not begun, ``idle`` where nothing was due. ``whole`` says that all its slots have
    the same outcome.
    """

    start: int
    state: str
    told: Day
    whole: bool = False
    href: str | None = None
    current: bool = False


class MonthView(View, frozen=True, kw_only=True):
    """A month: ``weekday`` is that of its first day, from 0 (Monday); blank without any slot."""

    start: int
    weekday: int
    days: list[DayView]

    @property
    def blank(self) -> bool:
        """Whether there is nothing to tell of it."""
        return all(day.href is None for day in self.days)


class CalendarView(View, frozen=True, kw_only=True):
    """Some months of the ledger, the years to choose from, and what the months add up to."""

    code: str
    months: list[MonthView]
    years: list[Link]
    total: Day
    longest: LongestGap | None


def calendar_view(watch: Watch, moment: Moment, ask: Ask) -> CalendarView:
    """Return the calendar of the year asked for, else of the last twelve months."""
    today = datetime.fromtimestamp(moment.now, UTC).date()
    year = _year_of(ask, today)
    first = date(year, 1, 1) if year else _month_after(today, 1 - MONTHS)
    start, end = _midnight(first), _midnight(_month_after(first, MONTHS))
    days = read_days(watch.reader, moment.head, moment.now, start, end)
    by_start = {day.start: day for day in days}
    return CalendarView(
        code=str(year) if year else LATEST,
        months=[_month(_month_after(first, n), by_start, moment, ask) for n in range(MONTHS)],
        years=list(_years(moment, ask, today.year, year)),
        total=_total(days),
        longest=longest_gap(watch.reader, moment.head, moment.now, start, end),
    )


def day_of(ask: Ask) -> int | None:
    """Return the midnight (UTC) of the day whose slots are asked for."""
    return None if ask.query.at is None else ask.query.at - ask.query.at % DAY


def day_name(start: int) -> str:
    """Return a day as it stands in addresses: ``2026-01-26``."""
    return datetime.fromtimestamp(start, UTC).date().isoformat()


def _year_of(ask: Ask, today: date) -> int | None:
    """Return the year asked for, or that of a day asked for before the last twelve months."""
    day = day_of(ask)
    if ask.query.year is not None or day is None:
        return ask.query.year
    shown = _midnight(_month_after(today, 1 - MONTHS)) <= day < _midnight(_month_after(today, 1))
    return None if shown else datetime.fromtimestamp(day, UTC).year


def first_known(head: Head) -> int | None:
    """Return the first slot that was due or recorded."""
    begins = [one.from_slot for one in head.schedules[:1]]
    return min([*begins, *([] if head.first_slot is None else [head.first_slot])], default=None)


def _years(moment: Moment, ask: Ask, newest: int, chosen: int | None) -> Iterator[Link]:
    known = first_known(moment.head)
    oldest = newest if known is None else datetime.fromtimestamp(known, UTC).year
    href = ask.at.href(year=None, at=None, before=None)
    yield Link(code=LATEST, href=href, current=chosen is None)
    for year in range(newest, oldest - 1, -1):
        href = ask.at.href(year=year, at=None, before=None)
        yield Link(code=str(year), href=href, current=year == chosen)


def _month(first: date, days: Mapping[int, Day], moment: Moment, ask: Ask) -> MonthView:
    start, end = _midnight(first), _midnight(_month_after(first, 1))
    shown = [_day(day, days.get(day), moment, ask) for day in range(start, end, DAY)]
    return MonthView(start=start, weekday=first.weekday(), days=shown)


def _day(start: int, day: Day | None, moment: Moment, ask: Ask) -> DayView:
    if day is None or day.worst is None:
        return DayView(start=start, state=_without(start, day, moment), told=day or _EMPTY)
    return DayView(
        start=start,
        state=day.worst.value,
        told=day,
        whole=getattr(day, day.worst.value) == day.told,
        href=ask.at.href(at=day_name(start), before=None) + "#slots",
        current=day_of(ask) == start,
    )


def _without(start: int, day: Day | None, moment: Moment) -> str:
    """Return what a day is of whose slots none has an outcome."""
    if day is not None or start > moment.now:
        return "ahead"
    known = first_known(moment.head)
    return "before" if known is None or start < known else "idle"


def _total(days: list[Day]) -> Day:
    names = ("stored", "partial", "failed", "missed", "credits")
    return Day(start=0, **{name: sum(getattr(day, name) for day in days) for name in names})


def _month_after(day: date, months: int) -> date:
    """Return the first of the month that comes some months after a day's."""
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _midnight(day: date) -> int:
    return (day - date(1970, 1, 1)) // timedelta(days=1) * DAY
