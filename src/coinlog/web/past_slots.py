"""Which recorded slot answers to a time that was asked for, and why another one where it must."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta

from coinlog.errors import UsageError
from coinlog.market import BITCOIN, Outcome
from coinlog.slots import floor_slot, iso, schedule_at
from coinlog.store.ledger import read_page
from coinlog.store.listing import kept_after, kept_before, recorded_after, recorded_before
from coinlog.store.thinned import keep_of
from coinlog.web.market_views import NoteView
from coinlog.web.watch import Moment, Watch

_MONTHS = 12
_BACK = {"day": timedelta(days=1), "week": timedelta(days=7)}


def slot_at(watch: Watch, moment: Moment, at: int | None) -> tuple[int | None, NoteView | None]:
    """Return the recorded slot to show for a time, and why it is not that of the time itself.

    That is the newest one not after it; before the first there is none, so the first is shown.
    """
    newest = moment.head.newest.slot if moment.head.newest else None
    if at is None or newest is None:
        return newest, None
    found = recorded_before(watch.reader, at)
    if found is None:
        return recorded_after(watch.reader, at), NoteView(code="first", asked=at)
    kept = _kept(watch, moment, found)
    if kept is None:
        return newest, NoteView(code="thinned", asked=found)
    if kept != found:
        return kept, NoteView(code="thinned", asked=found)
    return found, _note(watch, moment, at, found)


def exact_slot(watch: Watch, moment: Moment, at: int) -> int:
    """Return the slot of a time that was recorded.

    Raises:
        UsageError: it was not; the sentence names the one before it.
    """
    found, note = slot_at(watch, moment, at)
    if found == at and note is None:
        return at
    first = note is not None and note.code == "first"
    nearest = f"expected a slot of /api/v1/log, for example at={iso(found)}" if found else ""
    which = "the first one recorded" if first else "the last one recorded before it"
    said = f"{nearest}, {which}" if found else "nothing is recorded yet"
    raise UsageError(f"at={iso(at)} is no recorded slot: {said}")


def jump_back(slot: int, code: str) -> int:
    """Return the time a ``day``, ``week``, ``month`` or ``year`` before a slot, by the calendar."""
    then = datetime.fromtimestamp(slot, UTC)
    if code in _BACK:
        return int((then - _BACK[code]).timestamp())
    months = then.year * _MONTHS + then.month - 1 - (1 if code == "month" else _MONTHS)
    year, month = divmod(months, _MONTHS)
    last = monthrange(year, month + 1)[1]
    return int(then.replace(year=year, month=month + 1, day=min(then.day, last)).timestamp())


def slot_before(watch: Watch, moment: Moment, time: int) -> int | None:
    """Return the newest slot not after ``time`` whose quotes are there."""
    found = recorded_before(watch.reader, time)
    return None if found is None else _kept(watch, moment, found)


def slot_after(watch: Watch, moment: Moment, time: int) -> int | None:
    """Return the oldest slot after ``time`` whose quotes are there."""
    found = recorded_after(watch.reader, time)
    if found is None or _kept(watch, moment, found) == found:
        return found
    return kept_after(watch.reader, BITCOIN, time)


def why_not(watch: Watch, moment: Moment, slot: int) -> str | None:
    """Return why a slot has no quotes, as a code of ``reason.``; ``None`` where it has."""
    if recorded_before(watch.reader, slot) == slot:
        return None
    rows = read_page(watch.reader, moment.head, moment.now, limit=1, before=slot + 1)
    return (rows[0].reason or "broken_answer") if rows and rows[0].slot == slot else "not_due"


def _kept(watch: Watch, moment: Moment, slot: int) -> int | None:
    """Return the newest slot up to this one of which thinning has left the quotes."""
    if keep_of(slot, moment.head.thinnings) is None or _is_newest(moment, slot):
        return slot
    return kept_before(watch.reader, BITCOIN, slot)


def _is_newest(moment: Moment, slot: int) -> bool:
    return moment.head.newest is not None and slot == moment.head.newest.slot


def _note(watch: Watch, moment: Moment, at: int, found: int) -> NoteView | None:
    if at == found:
        return None
    if at > moment.now:
        return NoteView(code="future", asked=at)
    schedule = schedule_at(moment.head.schedules, at)
    due = floor_slot(at, schedule.interval_seconds) if schedule else found
    if due <= found:
        return NoteView(code="between", asked=at)
    rows = read_page(watch.reader, moment.head, moment.now, limit=1, before=due + 1)
    if not rows or rows[0].slot != due:
        return NoteView(code="waiting", asked=due)
    code = "missed" if rows[0].outcome is Outcome.MISSED else "failed"
    return NoteView(code=code, asked=due, reason=rows[0].reason)
