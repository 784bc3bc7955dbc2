"""The log as the server draws it: the calendar's days, the years, one day's slots, and totals."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from coinlog.loading import sweep
from coinlog.slots import DAY, iso
from coinlog.store.writer import settle
from market import Desk
from recorded import poll_body, polls, put_poll
from samples import SLOT, STEP, refused, settlement, snapshot
from sites import Site, slots_before

TOO_LONG, NOT_RUNNING = "CoinMarketCap took too long to answer", "the recorder was not running"


def told(html: str) -> dict[str, tuple[str, str]]:
    """Return what each day of a calendar says, by its name: its marks and its words."""
    pattern = r'<li class="([\w ]+)"><a href="[^"]*at=([\d-]+)[^"]*"[^>]*><span>([^<]*)</span>'
    return {day: (marks, words) for marks, day, words in re.findall(pattern, html)}


def eventful(web: Site) -> None:
    """Store three days: a whole one, one with a failure and a missed slot, and today's."""
    slots = slots_before(12)
    web.store(*slots[:4], *slots[5:6], *slots[7:11])
    web.settle(slots[4])
    web.settle(SLOT, snapshot((1,), missing=(refused(1027),)))


def test_each_day_tells_its_worst_outcome_and_its_counts(web: Site) -> None:
    eventful(web)

    html = web.get("/log").text

    assert told(html) == {
        "2026-01-24": ("stored whole", "24 Jan 2026: 4 of 4 stored"),
        "2026-01-25": (
            "missed",
            f"25 Jan 2026: 2 of 4 stored; 1 failed: {TOO_LONG}; 1 missed: {NOT_RUNNING}",
        ),
        "2026-01-26": (
            "partial",
            "26 Jan 2026: 3 of 4 stored; 1 partial: part of the market is missing",
        ),
    }
    assert "26 ene 2026: 3 de 4 guardadas; 1 parcial" in web.get("/es/log").text


def test_days_to_come_and_days_before_the_record_are_told_apart(web: Site) -> None:
    eventful(web)

    html = web.get("/log?year=2026").text

    assert html.count('<li class="before" aria-hidden="true">') == 23
    assert html.count('<li class="ahead" aria-hidden="true">') == 365 - 26
    assert html.count('class="month blank"') == 11


def test_today_says_what_is_still_to_come(web: Site) -> None:
    web.store(*slots_before(2, SLOT - STEP))
    web.now = SLOT - STEP + 600

    assert told(web.get("/log").text)["2026-01-26"] == (
        "stored whole",
        "26 Jan 2026: 2 of 3 stored; 1 still to come",
    )


def test_a_day_shows_its_slots_alone_in_the_year_that_it_is_of(web: Site) -> None:
    old = SLOT - 500 * DAY
    web.store(*slots_before(8, old), ids=(1,))

    html = web.get("/log?at=2024-09-13").text

    slots = re.findall(r'<th scope="row"><a href="/log/(\w+)">', html)
    assert slots == [f"20240913T{hour}0000Z" for hour in ("18", "12", "06", "00")]
    assert 'aria-current="true">2024</a>' in html
    assert 'aria-current="date"' in html
    assert 'href="/log?at=2024-09-12#slots"' in html
    assert "No slot of this day has an outcome." in web.get("/log?at=2023-01-01").text
    assert "2024-09-13" in told(web.get("/log?year=2024").text)
    assert "2024-09-13" not in told(web.get("/log?year=nonsense").text)


def test_the_months_add_up(web: Site) -> None:
    eventful(web)

    html = web.get("/log").text

    totals = re.findall(r"<dd>(?:<a [^>]*>)?([^<]*)", html.partition("totals")[2][:2000])
    assert totals[:6] == ["9", "1", "1", "1", "33", "6 h"]
    # Of two gaps of equal length, the first is told.
    assert 'href="/log/20260125T000000Z">6 h' in html


def test_an_empty_store_has_no_calendar(web: Site) -> None:
    assert "No slot was due yet." in web.get("/log").text
    assert web.get("/es/log?at=2026-01-26").status == 200


def test_a_long_ledger_takes_no_more_statements_than_a_short_one(web: Site) -> None:
    """Ten days of slots of five minutes, of which three are recorded: nothing is walked."""
    every = 300
    for slot in range(SLOT, SLOT + 3 * every, every):
        settle(web.engine, settlement(slot, found=snapshot(), interval_seconds=every), slot + 20)
    statements: list[str] = []
    reading = web.app.watch.reader.engine
    sa.event.listen(reading, "before_cursor_execute", lambda *given: statements.append(given[2]))

    counts = []
    for days in (0.02, 10):
        web.now = SLOT + days * DAY
        web.look()
        statements.clear()
        assert web.get("/log").status == 200
        counts.append(len(statements))

    assert 5 < counts[1] <= counts[0]


@pytest.mark.shared
def test_the_calendar_tells_the_ten_real_polls(
    store_url: sa.URL, tmp_path: Path, shared: Path
) -> None:
    desk = Desk(store_url, tmp_path / "archive", "http://127.0.0.1:1")
    taken = polls(shared)
    keys = [put_poll(desk.archive, at, poll_body(at, rows[:30])) for at, rows in taken.items()]
    for _ in sweep(desk.engine, desk.archive):
        pass
    desk.engine.dispose()
    last = max(key.slot for key in keys)
    site = Site(store_url)
    site.now = last + 3600

    days = told(site.get("/log").text)
    site.close()

    by_day: dict[str, int] = {}
    for key in keys:
        by_day[iso(key.slot)[:10]] = by_day.get(iso(key.slot)[:10], 0) + 1
    whole = range(min(key.slot for key in keys), last + 1, STEP)
    due: dict[str, int] = {}
    for slot in whole:
        due[iso(slot)[:10]] = due.get(iso(slot)[:10], 0) + 1
    assert days.keys() == due.keys()
    for day, count in due.items():
        stored = by_day.get(day, 0)
        assert f": {stored} of {count}" in days[day][1] or day == iso(last)[:10]
        assert (f"{count - stored} missed" in days[day][1]) == (count > stored)
