"""The time machine: the market as it was at any recorded slot, and the ways to other slots."""

from __future__ import annotations

from coinlog.slots import iso
from coinlog.web.market_table import global_view, market_view
from coinlog.web.market_views import JumpView, PastView
from coinlog.web.past_slots import jump_back, slot_after, slot_at, slot_before
from coinlog.web.shell import Ask
from coinlog.web.watch import Moment, Watch

JUMPS = ("day", "week", "month", "year")
TOP = 10


def past_view(watch: Watch, moment: Moment, ask: Ask) -> PastView:
    """Return the market at the slot asked for, or at the one that answers for it."""
    head = moment.head
    slot, note = slot_at(watch, moment, ask.query.at)
    market = market_view(watch, moment, ask, slot)
    if slot is None or head.newest is None:
        return PastView(
            slot=None, newest=None, market=market, global_metrics=global_view(watch, None)
        )
    return PastView(
        slot=slot,
        newest=head.newest.slot,
        market=market,
        global_metrics=global_view(watch, slot),
        value=_as_input(slot),
        first=_as_input(head.first_slot or slot),
        last=_as_input(head.newest.slot),
        note=note,
        steps=(
            _jump(ask, "previous", slot_before(watch, moment, slot - 1)),
            _jump(ask, "next", slot_after(watch, moment, slot)),
            _jump(ask, "newest", head.newest.slot if slot != head.newest.slot else None),
        ),
        jumps=tuple(
            _jump(ask, code, slot_before(watch, moment, jump_back(slot, code))) for code in JUMPS
        ),
        top_href=ask.at.href(
            at=slot, limit=TOP, sort=None, q=None, only=None, cap=None, offset=None
        ),
    )


def _jump(ask: Ask, code: str, slot: int | None) -> JumpView:
    if slot is None:
        return JumpView(code=code)
    return JumpView(code=code, slot=slot, href=ask.at.href(at=slot, offset=None))


def _as_input(slot: int) -> str:
    """Return a slot as an input for date and time holds it: in UTC, to the minute."""
    return iso(slot)[:16]
