"""The bell of ``coinlog up``: looks and delivers in the background: no slot waits for it."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Lock, Thread

import sqlalchemy as sa

from coinlog.alerts.delivering import Deliverer, Delivery
from coinlog.alerts.history import Surroundings
from coinlog.alerts.left import FOLDER, Alert, Level, leave_alert
from coinlog.alerts.looking import look, look_without_store
from coinlog.alerts.rule import Rule
from coinlog.alerts.targets import Opened
from coinlog.archive import Archive
from coinlog.errors import ArchiveError, CoinlogError, StoreError
from coinlog.market import SourceKind
from coinlog.slots import DAY, MINUTE

LOOK_SECONDS = 5 * MINUTE
"""How often it looks by itself: a slot is missed, or a failure is final, without a new one."""

_STOP_SECONDS = 2.0
_log = logging.getLogger(__name__)


class Bell:
    """Evaluates rules and sends what they have to tell; whatever goes wrong in it is logged.

    Used from one thread by itself (``once``), or left to a thread of its own (``start``).
    """

    def __init__(  # noqa: PLR0913  all that it needs
        self,
        engine: sa.Engine,
        archive: Archive,
        *,
        rules: Sequence[Rule],
        targets: Callable[[], Opened],
        source: SourceKind,
        kept: float = DAY,
        around: Surroundings | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine, self._archive, self._rules = engine, archive, rules
        self._open_targets, self._source, self._around = targets, source, around
        self._clock, self._kept = clock, kept
        self._deliverer: Deliverer | None = None
        self._told: set[str] = set()
        self._settled: list[int] = []
        self._lock, self._woken, self._stopping = Lock(), Event(), Event()
        self._thread: Thread | None = None

    def once(
        self, settled: Sequence[int] = (), over: Callable[[], bool] = lambda: False
    ) -> Delivery:
        """Look and deliver now; ``settled`` are slots that were settled right before.

        What was left earlier is delivered whatever becomes of the look.
        """
        with self._minding():
            self._look(settled)
        with self._minding():
            return self._deliver(over)
        return Delivery()

    @contextmanager
    def _minding(self) -> Iterator[None]:
        """Log what goes wrong: it must not end the looking, nor recording."""
        try:
            yield
        except CoinlogError as error:
            _log.warning("alerts could not be looked after: %s", error)
        except Exception:  # noqa: BLE001  a mistake of ours is none of who records
            _log.exception("alerts could not be looked after")

    def start(self) -> None:
        """Begin to look after alerts in a thread of its own."""
        self._thread = Thread(target=self._run, daemon=True, name="coinlog-bell")
        self._thread.start()

    def ring(self, settled: Sequence[int] = ()) -> None:
        """Let it look at once, and return at once."""
        with self._lock:
            self._settled += settled
        self._woken.set()

    def stop(self) -> None:
        """End; what is not sent is sent by the next one."""
        self._stopping.set()
        self._woken.set()
        if self._thread:
            self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        again_at: float | None = None
        while not self._stopping.is_set():
            pause = LOOK_SECONDS if again_at is None else again_at - self._clock()
            self._woken.wait(min(LOOK_SECONDS, max(1.0, pause)))
            self._woken.clear()
            with self._lock:
                settled, self._settled = self._settled, []
            again_at = self.once(settled, self._stopping.is_set).again_at

    def _look(self, settled: Sequence[int]) -> None:
        now = self._clock()
        try:
            look(
                self._engine, self._archive, self._rules, now, settled=settled, around=self._around
            )
        except ArchiveError:
            raise
        except StoreError as error:
            look_without_store(
                self._archive, self._rules, now, self._source, str(error), self._around
            )

    def _deliver(self, over: Callable[[], bool]) -> Delivery:
        return (self._deliverer or self._open()).deliver(over)

    def _open(self) -> Deliverer:
        """Open the targets; what is wrong with some is told to the others, once."""
        opened = self._open_targets()
        for problem in set(opened.problems) - self._told:
            self._told.add(problem)
            _log.warning("%s; messages go to the other addresses alone", problem)
        if opened.problems:
            self._leave(opened.problems)
        deliverer = Deliverer(self._archive, opened.targets, kept=self._kept, clock=self._clock)
        # What is wrong may be mended by the next look.
        self._deliverer = None if opened.problems else deliverer
        return deliverer

    def _leave(self, problems: Sequence[str]) -> None:
        """Leave an alert that some addresses cannot be used, for who can be reached."""
        text = "\n".join(problems)
        name = f"{FOLDER}addresses-{hashlib.sha256(text.encode()).hexdigest()[:8]}.json"
        alert = Alert(
            "coinlog: some addresses of alerts cannot be used",
            f"{text}\n\nNothing goes there until that is mended: `coinlog alerts check` tells.\n",
            self._clock(),
            level=Level.WARNING,
        )
        leave_alert(self._archive, name, alert)
