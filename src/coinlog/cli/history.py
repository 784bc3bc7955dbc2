"""The past at the start of ``coinlog up``: offered, fetched in the background, or left alone."""

from __future__ import annotations

import select
import sys
import time
from threading import Event, Thread

from rich.markup import escape

from coinlog.backfill.offer import Offer
from coinlog.cli.backfill import NO_KEY, asked_stretch, fetch, make_offer, say_offer, say_tally
from coinlog.cli.lines import lines
from coinlog.cli.report import err, out, tell, warn
from coinlog.errors import CoinlogError
from coinlog.parts import Parts
from coinlog.slots import DAY
from coinlog.store.backfilled import settled_backfills
from coinlog.store.ledger import read_head
from coinlog.store.reader import Reader

HINT = (
    "`coinlog backfill` fetches the last year with your key; COINLOG_BACKFILL=1y does so by itself"
)
YOUNG_SECONDS = 14 * DAY
ANSWER_SECONDS = 60
_STOP_SECONDS = 2
_YES = frozenset({"", "y", "yes"})


class Past:
    """Fetches the past beside the recorder, as ``choice`` has it: a range, ``ask`` or ``none``."""

    def __init__(self, parts: Parts, choice: str) -> None:
        self._parts, self._choice = parts, choice
        self._stopping = Event()
        self._thread: Thread | None = None

    def offer(self, until: float) -> None:
        """Offer the past, or begin to fetch it where that was chosen; wait for no answer longer.

        It is asked only at a terminal, where recording is young and nothing was backfilled.
        Whatever goes wrong is told, and recording goes on.
        """
        try:
            if self._wanted():
                self._begin(until)
        except CoinlogError as error:
            warn(str(error), "  history  [yellow]not backfilled:[/] ")

    def stop(self) -> None:
        """Ask for nothing more, and give the answer under way a moment to be kept."""
        self._stopping.set()
        if self._thread:
            self._thread.join(_STOP_SECONDS)

    def _wanted(self) -> bool:
        keyed = self._parts.settings.api_key is not None
        if self._choice == "none" or (self._choice == "ask" and not (keyed and self._is_young())):
            return False
        if not keyed:
            warn(NO_KEY, "  history  [yellow]not backfilled:[/] ")
        elif self._choice == "ask" and not _can_answer():
            tell(f"  history  {escape(HINT)}")
        else:
            return True
        return False

    def _is_young(self) -> bool:
        engine = self._parts.engine
        # By the first schedule, and not by the first slot: that may have been imported.
        begun = [one.from_slot for one in read_head(Reader(engine)).schedules[:1]]
        young = any(time.time() - YOUNG_SECONDS < slot for slot in begun)
        return young and not settled_backfills(engine)

    def _begin(self, until: float) -> None:
        asked = self._choice == "ask"
        offer = make_offer(self._parts, asked_stretch("1y" if asked else self._choice))
        if not offer.requests:
            return
        if not lines.json:
            say_offer(offer)
        offer.check()
        if asked and not _agreed(until):
            tell("  history  not now; `coinlog backfill` does it whenever you like")
            return
        # The next slot must not wait for it.
        self._thread = Thread(target=self._fetch, args=(offer,), daemon=True)
        self._thread.start()

    def _fetch(self, offer: Offer) -> None:
        tally = fetch(self._parts, offer, self._stopping)
        if self._stopping.is_set():
            return
        if not lines.json:
            say_tally(tally)
        if tally.stopped:
            warn(tally.stopped, "  history  ", err, "yellow")


def _can_answer() -> bool:
    # Windows cannot wait for a terminal with a limit, and a question must not hold up a slot.
    return not lines.json and sys.stdin.isatty() and sys.platform != "win32"


def _agreed(until: float) -> bool:
    """Ask whether the credits may be spent; who does not answer in time has not agreed."""
    out.print("  Fetch it now, in the background? \\[Y/n] ", end="")
    seconds = max(1.0, min(ANSWER_SECONDS, until - time.time()))
    answered, _, _ = select.select([sys.stdin], [], [], seconds)
    if not answered:
        out.print()
        return False
    return sys.stdin.readline().strip().lower() in _YES
