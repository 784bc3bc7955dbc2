"""What a slot is called in addresses: as its folder in the archive is, ``20260126T180000Z``."""

from __future__ import annotations

from coinlog.attempts import parse_slot, slot_name
from coinlog.errors import NotFoundError, UsageError
from coinlog.slots import floor_slot, grace_seconds, iso, parse_time, schedule_at
from coinlog.store.ledger import LedgerRow
from coinlog.store.one_slot import is_due, read_slot
from coinlog.web.watch import Moment, Watch


def parse_slot_name(text: str) -> int:
    """Return the slot that an address names: a folder's name, ISO 8601 or epoch seconds.

    Raises:
        NotFoundError: it is none of them.
    """
    found = parse_slot(text)
    if found is not None:
        return found
    try:
        return parse_time(text)
    except UsageError as error:
        raise NotFoundError(str(error)) from None


def known_slot(watch: Watch, moment: Moment, slot: int) -> LedgerRow:
    """Return what became of a slot.

    Raises:
        NotFoundError: it was never due, or has no outcome yet.
    """
    row = read_slot(watch.reader, moment.head, moment.now, slot)
    if row is None:
        raise NotFoundError(_why_not(moment, slot))
    return row


def _why_not(moment: Moment, slot: int) -> str:
    schedule = schedule_at(moment.head.schedules, slot)
    if is_due(moment.head, slot) and schedule:
        if slot > moment.now:
            return f"the slot of {iso(slot)} is not due yet"
        until = iso(slot + grace_seconds(schedule.interval_seconds))
        return f"the slot of {iso(slot)} is not recorded yet, and counts as missed from {until} on"
    begins = moment.head.schedules[0].from_slot if moment.head.schedules else None
    if schedule is None and begins is not None:
        return f"no slot was due at {iso(slot)}: recording began at {iso(begins)}"
    if schedule is None:
        return f"no slot was due at {iso(slot)}: nothing has been recorded yet"
    own = slot_name(floor_slot(slot, schedule.interval_seconds))
    return f"no slot was due at {iso(slot)}: that time belongs to the slot of /log/{own}"
