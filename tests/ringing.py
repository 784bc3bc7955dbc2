"""A recorder with rules: records slots from a source as one tells it to, and rings after each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import msgspec

from cmc_server import CMCServer, Reply, error_reply, json_reply
from coinlog.alerts.bell import Bell
from coinlog.alerts.history import Surroundings
from coinlog.alerts.rule import Rule
from coinlog.alerts.targets import usable_targets
from coinlog.capturing import capture
from coinlog.loading import sweep
from coinlog.market import FIAT_IDS
from coinlog.recorder import Recording
from coinlog.slots import MAX_TIME, iso
from coinlog.sources.coinmarketcap import KeyInfo
from coinlog.store.engine import open_engine
from market import GLOBAL_METRICS, LISTINGS, QUOTES, Desk, answer_all
from receivers import Receiver
from samples import STEP, listings_body

AFTER = 12
"""Seconds from a slot to its answer."""


class Ringing:
    """A desk, a bell and a receiver."""

    def __init__(
        self, desk: Desk, source: CMCServer, rules: Sequence[Rule], receiver: Receiver
    ) -> None:
        self.desk, self.source, self.receiver = desk, source, receiver
        self.free_mb = {"/data": 50_000.0}
        self.key_info: KeyInfo | None = None
        self.rules = rules
        self.bell = self.new_bell()

    def new_bell(self, rules: Sequence[Rule] | None = None) -> Bell:
        """Return what a newly started program would look with."""
        return Bell(
            open_engine(self.desk.engine.url, read_only=True),
            self.desk.archive,
            rules=self.rules if rules is None else rules,
            targets=lambda: usable_targets([self.receiver.url], "COINLOG_ALERT_URLS"),
            source=self.desk.plan.source,
            around=Surroundings(lambda: self.free_mb, lambda: self.key_info),
            clock=self.desk.clock,
        )

    def record(self, slot: int, **answers: Any) -> Recording:  # noqa: ANN401  see answer
        """Record a slot as the source then is, without looking."""
        self.desk.now = slot + AFTER + 1.0
        answer(self.source, slot + AFTER, **answers)
        return self.desk.record(slot)

    def at(self, slot: int, **answers: Any) -> list[str]:  # noqa: ANN401  see answer
        """Record a slot, look and deliver; return the subjects that came."""
        recording = self.record(slot, **answers)
        return self.ring([key.slot for key in recording.settled])

    def capture(self, slot: int, **answers: Any) -> None:  # noqa: ANN401  see answer
        """Capture a slot as the source then is, and load nothing."""
        desk = self.desk
        desk.now = slot + AFTER + 1.0
        answer(self.source, slot + AFTER, **answers)
        assert capture(desk.archive, desk.connect, desk.plan, slot, desk.clock).ours

    def load(self, until: int = MAX_TIME) -> list[int]:
        """Load what the archive holds, up to a slot; return the slots that it settled."""
        desk = self.desk
        keys = [key for key in desk.archive.attempts() if key.slot <= until]
        return [key.slot for key in sweep(desk.engine, desk.archive, 0, desk.clock, keys)]

    @contextmanager
    def store_away(self) -> Iterator[None]:
        """Put a folder where the store was, so that it cannot be opened, and put it back."""
        file = Path(self.desk.engine.url.database or "")
        elsewhere = file.with_name("elsewhere.db")
        self.desk.engine.dispose()
        _move(file, elsewhere)
        file.mkdir()
        self.bell = self.new_bell()
        yield
        file.rmdir()
        _move(elsewhere, file)
        self.bell = self.new_bell()

    def later(self, slot: int) -> list[str]:
        """Look at the very end of a slot."""
        self.desk.now = slot + STEP - 1.0
        return self.ring()

    def ring(self, settled: Sequence[int] = ()) -> list[str]:
        before = len(self.receiver.messages)
        self.bell.once(settled)
        return self.receiver.subjects[before:]


def _move(file: Path, to: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        beside = file.with_name(file.name + ending)
        if beside.exists():
            beside.rename(to.with_name(to.name + ending))


Makes = Callable[[Sequence[Rule]], Ringing]


def answer(  # noqa: PLR0913  what a source may say
    source: CMCServer,
    at: float,
    *,
    price: float = 100.5,
    ids: Sequence[int] = (1, 1027),
    rate: float = 0.5,
    dominance: float = 57.5,
    status: int = 200,
    lacking: bool = False,
    ahead: float | None = None,
    keys: Mapping[str, object] | None = None,
    without: str | None = None,
    names: str | None = None,
    cost: int = 1,
) -> None:
    """Make the source answer as of ``at``; ``ahead`` is how far our clock is before its own."""
    answer_all(source, ids, at)
    if status != 200:
        source.on(LISTINGS, error_reply(status, None, "made up for a test"))
        return
    body = msgspec.json.decode(listings_body(ids, at, price))
    body["status"]["credit_count"] = cost
    for row in body["data"]:
        row.update(keys or {})
        row.pop(without, None)
        row["name"] = names or row["name"]
    headers = {} if ahead is None else {"Date": formatdate(at + 1 - ahead, usegmt=True)}
    source.on(LISTINGS, Reply(msgspec.json.encode(body), headers=headers))
    source.on(QUOTES, Reply(listings_body([*FIAT_IDS.values()], at, price=rate)))
    metrics = {
        "btc_dominance": dominance,
        "eth_dominance": 12.25,
        "active_cryptocurrencies": 2,
        "quote": {"USD": {"total_market_cap": 3e12, "total_volume_24h": 1e11}},
    }
    told = {"timestamp": iso(at), "error_code": 0, "credit_count": 1}
    reply = json_reply({"status": told, "data": metrics})
    source.on(GLOBAL_METRICS, error_reply(404, None, "lacking") if lacking else reply)
