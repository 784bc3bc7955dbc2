"""Rules about the recorder: missed, failing and partial slots, clock, disk, database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from coinlog.alerts.rule import Rule, Sign, over, so
from coinlog.alerts.words import sentence
from coinlog.attempts import is_imported
from coinlog.market import Outcome, Reason
from coinlog.slots import MINUTE, floor_slot, iso
from coinlog.sources.texts import counted

if TYPE_CHECKING:
    from coinlog.alerts.history import History, Line, Surroundings

STUBBORN = frozenset({Reason.WRONG_KEY, Reason.PLAN, Reason.QUOTA, Reason.REFUSED_REQUEST})
"""What only a person can mend is told at once."""
_BACK = 1.1
"""A disk is no longer nearly full with this many times the limit free."""


class Failing(Rule, frozen=True, kw_only=True):
    """The source gives no usable answer, for a reason that is told, and told again if it changes.

    A slot counts once its grace is over: until then it is tried again, unless for a reason that
    no try mends.
    """

    kind: ClassVar[str] = "failing"
    grave: ClassVar[bool] = True

    def watched(self) -> str:
        """Return in words what is watched."""
        return "slots that fail, with the reason and what the source said"

    def signs(self, history: History, slots: Sequence[int]) -> Iterator[Sign]:
        """Yield whether each recorded slot has failed."""
        for slot in slots:
            line = history.lines.get(slot)
            if line and line.has_quotes:
                said = f"recording again since slot {iso(slot)}"
                yield over(slot, line.outcome, said, f"Slot {iso(slot)} is stored.")
            elif line and (line.reason in STUBBORN or history.final(slot)):
                yield _failed(line)


def _failed(line: Line) -> Sign:
    reason = line.reason or "unknown"
    detail = sentence(line.detail or "") or "The ledger has no more to say."
    text = (
        f"Slot {iso(line.slot)} could not be recorded ({reason}).\n\n{detail}\n\n"
        "Further failures for the same reason are not reported; you are told when a slot is "
        "stored again."
    )
    headline = f"slot {iso(line.slot)} failed: {reason}"
    return so(line.slot, reason, headline, text, reason)


class Missed(Rule, frozen=True, kw_only=True):
    """Slots were due and nothing tried to record them."""

    kind: ClassVar[str] = "missed"
    grave: ClassVar[bool] = True
    bounded: ClassVar[bool] = False

    def watched(self) -> str:
        """Return in words what is watched."""
        return "slots that nobody recorded, once they are later than their grace"

    def signs(self, history: History, slots: Sequence[int]) -> Iterator[Sign]:
        """Yield whether each slot was missed."""
        missed = 0
        for slot in slots:
            fate = history.fates.get(slot)
            if fate and fate.outcome == Outcome.MISSED:
                missed += 1
                headline = f"slot {iso(slot)} was missed"
                text = (
                    f"Slot {iso(slot)} was due and nothing recorded it: the recorder was off, or "
                    "the machine slept. You are told when a slot is recorded again."
                )
                yield so(slot, "missed", headline, text)
            elif fate:
                headline = f"slots are recorded again since {iso(slot)}"
                said = counted(missed, "slot") if missed else "some"
                text = f"Slot {iso(slot)} was recorded, after {said} missed."
                yield over(slot, fate.outcome, headline, text)
                missed = 0


class Partial(Rule, frozen=True, kw_only=True):
    """Several slots one after another lack a part."""

    kind: ClassVar[str] = "partial"

    slots: int = 3

    def watched(self) -> str:
        """Return in words what is watched."""
        return f"{counted(self.slots, 'slot')} in a row that lack a part of what was asked for"

    def lookback(self, interval_seconds: int) -> int:
        """Return the slots before one that are looked at with it."""
        return self.slots * interval_seconds

    def signs(self, history: History, slots: Sequence[int]) -> Iterator[Sign]:
        """Yield whether each slot ends a long enough run of partial ones."""
        wanted, run = set(slots), 0
        for slot, fate in history.fates.items():
            partial = fate.outcome == Outcome.PARTIAL and history.final(slot)
            run = run + 1 if partial else 0
            if slot in wanted and run >= self.slots:
                yield self._sign(history, slot)
            elif slot in wanted and fate.outcome == Outcome.STORED:
                headline = f"slots are whole again since {iso(slot)}"
                yield over(slot, "stored", headline, f"Slot {iso(slot)} lacks nothing.")

    def _sign(self, history: History, slot: int) -> Sign:
        line = history.lines.get(slot)
        lacking = sentence((line and line.detail) or "")
        headline = f"{counted(self.slots, 'slot')} in a row are partial, the last {iso(slot)}"
        return so(slot, "partial", headline, f"{headline}.\n\nIt lacks: {lacking}")


class Clock(Rule, frozen=True, kw_only=True):
    """This machine's clock and the source's are further apart than ``seconds``."""

    kind: ClassVar[str] = "clock"

    seconds: int = 60

    def watched(self) -> str:
        """Return in words what is watched."""
        return f"a clock that is more than {self.seconds} s off the source's"

    def signs(self, history: History, slots: Sequence[int]) -> Iterator[Sign]:
        """Yield how far the clocks are apart at each slot where the source told its own."""
        for slot in slots:
            line = history.lines.get(slot)
            skew = _skew(history, line) if line and not is_imported(line.attempt) else None
            if skew is None:
                continue
            apart = f"{abs(skew):,.0f} s {'ahead of' if skew > 0 else 'behind'} the source's"
            if abs(skew) > self.seconds:
                headline = f"the clock is {apart}"
                text = f"At slot {iso(slot)} this machine's clock was {apart}: set it by NTP."
                yield so(slot, f"{skew:+,.0f} s", headline, text)
            else:
                headline = f"the clock is right again at slot {iso(slot)}"
                yield over(slot, f"{skew:+,.0f} s", headline, f"It is {apart}.")


def _skew(history: History, line: Line) -> float | None:
    """Return our clock less the source's in seconds: of all answers the one that travelled least.

    The ``Date`` of an answer tells it; ``status.timestamp`` can be of minutes before.
    """
    manifest = history.manifest(line)
    apart = [
        answer.received_at - answer.server_date
        for answer in (manifest.answers if manifest else ())
        if answer.server_date is not None
    ]
    return min(apart, key=abs, default=None)


class Disk(Rule, frozen=True, kw_only=True):
    """The archive's or the data folder's disk has less than ``free_mb`` left."""

    kind: ClassVar[str] = "disk"

    free_mb: int = 1000

    @property
    def judges_past(self) -> bool:
        """Return that it cannot say what would have been."""
        return False

    def watched(self) -> str:
        """Return in words what is watched."""
        return f"less than {self.free_mb:,} MB free where the archive and the data folder are"

    def signs(self, history: History, slots: Sequence[int]) -> Iterator[Sign]:
        """Yield whether there is room now: a disk fills up between two slots."""
        del slots
        yield from self.now(history.around, history.now)

    def now(self, around: Surroundings | None, now: float) -> Iterator[Sign]:
        """Yield whether there is room at a moment, which stands where others have a slot."""
        free = around.free_mb() if around else {}
        if not free:
            return
        minute = floor_slot(now, MINUTE)
        place, least = min(free.items(), key=lambda pair: pair[1])
        value = f"{least:,.0f} MB free"
        if least < self.free_mb:
            headline = f"the disk is nearly full: {value}"
            text = f"{value} at {place}, less than {self.free_mb:,} MB: make room."
            yield so(minute, value, headline, text)
        elif least >= _BACK * self.free_mb:
            yield over(minute, value, f"the disk has room again: {value}", f"{value}.")


class Database(Rule, frozen=True, kw_only=True):
    """Attempts wait in the archive for longer than ``minutes`` before the database has them.

    Over once nothing waits any more.
    """

    kind: ClassVar[str] = "database"
    grave: ClassVar[bool] = True

    minutes: int = 15

    @property
    def seconds(self) -> int:
        """How long an attempt may wait."""
        return self.minutes * MINUTE

    def watched(self) -> str:
        """Return in words what is watched."""
        return f"attempts that wait more than {self.minutes} min for the database"

    def signs(self, history: History, slots: Sequence[int]) -> Iterator[Sign]:
        """Yield whether each slot had to wait, and that nothing did after it."""
        late: Line | None = None
        for slot in slots:
            line = history.lines.get(slot)
            if line is None or is_imported(line.attempt):
                continue
            if late and line.captured_at > late.stored_at:
                yield _loaded(late.slot)
            waited = line.stored_at - line.captured_at
            late = line if waited > self.seconds else None
            yield _waited(slot, waited) if late else _loaded(slot)
        if late and not any(late.slot < slot <= late.stored_at for slot in history.waiting):
            yield _loaded(late.slot)

    def away(self, slot: int, value: str, text: str) -> Sign:
        """Return the sign that slots wait while the database is away."""
        return so(slot, value, f"the database is away since slot {iso(slot)}", text)


def _waited(slot: int, seconds: int) -> Sign:
    waited = f"waited {seconds // MINUTE:,} min"
    text = f"Slot {iso(slot)} {waited} in the archive. It is loaded now, and nothing is lost."
    return so(slot, waited, f"slot {iso(slot)} {waited} for the database", text)


def _loaded(slot: int) -> Sign:
    headline = f"nothing waits for the database any more, up to slot {iso(slot)}"
    return over(slot, "loaded", headline, "What waited in the archive is loaded.")
