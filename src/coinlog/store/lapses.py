"""What the ledger lacks, found by counting: most of a long ledger is stored slots, and unread.

Where a stretch has as many rows as slots were due, and all of them at due times, only its failed
slots are read. Any other stretch is cut into smaller ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import sqlalchemy as sa

from coinlog.market import Outcome, Reason
from coinlog.store import schema
from coinlog.store.ledger import Head, read_outcomes
from coinlog.store.reader import Reader

READ_AT_ONCE = 500
_CUT_INTO = 16


class Lapses(msgspec.Struct, frozen=True):
    """Which slots of a stretch were not recorded as they should be.

    ``failed`` has reasons by slot, ``missed`` are due slots without a row, and ``extra`` slots
    were recorded though they were not due, or not past their grace.
    """

    failed: dict[int, str]
    missed: set[int]
    extra: set[int]


def read_lapses(
    reader: Reader, head: Head, stretches: Sequence[tuple[int, int]], now: float
) -> Lapses:
    """Return what the ledger lacks in stretches of time, both ends included."""
    found = Lapses({}, set(), set())
    with reader.connected():
        for start, end in stretches:
            _look(reader, head, start, end, now, found)
    return found


def due_in(head: Head, start: int, end: int, now: float) -> list[range]:
    """Return the slots that were due in a stretch and are past their grace, by schedule."""
    # Before the first recorded slot nothing was due that could be missed.
    start = max(start, head.first_slot or start)
    return [due for due in head.over_ranges(start, end, now) if due]


def _look(  # noqa: PLR0913, PLR0917  where to look, and what to add to
    reader: Reader, head: Head, start: int, end: int, now: float, found: Lapses
) -> None:
    due = due_in(head, start, end, now)
    count = sum(map(len, due))
    if count and _counts(reader, start, due[-1][-1], due):
        found.failed.update(_failures(reader, start, due[-1][-1]))
        _read(reader, due[-1][-1] + 1, end, [], found)
    elif count > READ_AT_ONCE:
        for part in _cut(start, end, due):
            _look(reader, head, *part, now, found)
    else:
        _read(reader, start, end, due, found)


def _cut(start: int, end: int, due: Sequence[range]) -> Iterator[tuple[int, int]]:
    """Yield the parts of a stretch; what is before or after what was due is with its nearest."""
    width = -(-(due[-1][-1] + 1 - due[0].start) // _CUT_INTO)
    ends = [due[0].start + width * number for number in range(1, _CUT_INTO)]
    yield from zip([start, *ends], [*(one - 1 for one in ends), end], strict=True)


def _counts(reader: Reader, start: int, end: int, due: Sequence[range]) -> bool:
    """Return whether the ledger has a row for every due slot of a stretch and no other."""
    slot = schema.slot.c.slot
    count = sa.select(sa.func.count()).select_from(schema.slot)
    with reader.connected() as connection:
        total = connection.execute(count.where(slot.between(start, end))).scalar_one()
        if total != sum(map(len, due)):
            return False
        on_time = (
            count.where(slot.between(one.start, one[-1]), slot % one.step == one.start % one.step)
            for one in due
        )
        return total == sum(connection.execute(query).scalar_one() for query in on_time)


def _failures(reader: Reader, start: int, end: int) -> dict[int, str]:
    table = schema.slot.c
    query = sa.select(table.slot, table.reason)
    query = query.where(table.slot.between(start, end), table.outcome == Outcome.FAILED)
    with reader.connected() as connection:
        rows = connection.execute(query).fetchall()
    return {slot: reason or Reason.BROKEN_ANSWER.value for slot, reason in rows}


def _read(reader: Reader, start: int, end: int, due: Sequence[range], found: Lapses) -> None:
    rows = read_outcomes(reader, start, end)
    known = {row.slot for row in rows}
    found.missed.update(slot for one in due for slot in one if slot not in known)
    for row in rows:
        if row.outcome == Outcome.FAILED:
            found.failed[row.slot] = row.reason or Reason.BROKEN_ANSWER.value
    found.extra.update(known.difference(*due))
