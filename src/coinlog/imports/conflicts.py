"""Why an import would lose or double something, in sentences with what to do instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from coinlog.imports.planned import Planned
from coinlog.imports.standing import Standing
from coinlog.slots import format_interval, iso
from coinlog.sources.texts import counted

_IDS_NAMED = 10


def conflicts_of(new: Sequence[Planned], there: Standing, *, of_rows: bool) -> list[str]:
    """Return why new attempts cannot be imported, each reason in a sentence.

    Of several saved answers in a slot the first wins, whichever import it came by; the rows of a
    table are all meant to be in the store.
    """
    said = [*_too_long(new, there), *_repeated(new)]
    return [*said, *_left_out(new)] if of_rows else said


def _too_long(new: Sequence[Planned], there: Standing) -> Iterator[str]:
    """Name the slots that reach over our own, before which their prices would stand."""
    within = {each.slot: own for each in new if (own := there.within(each.slot)) is not None}
    if not within:
        return
    steps = [step for own in within.values() if (step := there.interval_at(own))]
    shorter = f"--interval {format_interval(min(steps))}" if steps else "a shorter --interval"
    length = format_interval(there.interval_seconds)
    yield (
        f"{_slots(within)} would be {length} long and reach over slots that coinlog recorded "
        f"itself, the first {iso(min(within.values()))}, so that prices would stand before older "
        f"ones: import with {shorter}"
    )


def _repeated(new: Sequence[Planned]) -> Iterator[str]:
    """Name the slots whose rows an earlier import, with another interval, put elsewhere."""
    slots = {each.slot: each.repeats for each in new if each.repeats is not None}
    if slots:
        yield (
            f"the rows of {_slots(slots)} were imported before with another --interval (those of "
            f"the first into {iso(slots[min(slots)])}), and would be recorded twice: import with "
            "the same --interval as then, or undo that import first"
        )


def _left_out(new: Sequence[Planned]) -> Iterator[str]:
    """Name the assets that would stay out, since another import fills their slots."""
    slots = [each.slot for each in new if each.left_out]
    ids = sorted({asset_id for each in new for asset_id in each.left_out})
    if slots:
        named = ", ".join(map(str, ids[:_IDS_NAMED])) + (", …" if len(ids) > _IDS_NAMED else "")
        assets = counted(len(ids), "asset")
        yield (
            f"{_slots(slots)} are filled by another import already, and {assets} of this one "
            f"({named}) would not come into the store there: import all of it in one go, with the "
            "rows of both joined into one CSV file or table, which then takes the other's place; "
            "or undo the other import first"
        )


def _slots(slots: Sequence[int] | dict[int, int]) -> str:
    return f"{counted(len(set(slots)), 'slot')} of this import, the first {iso(min(slots))},"
