"""A source that answers as CoinMarketCap does, with a market made up for tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import sqlalchemy as sa

from cmc_server import CMCServer, Reply, json_reply
from coinlog.archive import Archive, open_archive
from coinlog.attempts import AttemptKey, Manifest, slot_name
from coinlog.capturing import Plan
from coinlog.market import FIAT_IDS, Outcome, SourceKind
from coinlog.recorder import Recording, record
from coinlog.slots import iso
from coinlog.sources.answers import Answer
from coinlog.sources.client import Client
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from samples import SLOT, STEP, listings_body

LISTINGS = "/v3/cryptocurrency/listings/latest"
QUOTES = "/v3/cryptocurrency/quotes/latest"
GLOBAL_METRICS = "/v1/global-metrics/quotes/latest"
FEAR_AND_GREED = "/v3/fear-and-greed/latest"


def answer_all(server: CMCServer, ids: Sequence[int] = (1, 1027), at: float = SLOT + 12) -> None:
    """Make the server answer every request of a slot, as of ``at``."""
    server.on(LISTINGS, Reply(listings_body(ids, at)))
    server.on(QUOTES, Reply(listings_body([*FIAT_IDS.values()], at, price=0.5)))
    status = {"timestamp": iso(at), "error_code": 0, "credit_count": 1}
    metrics = {
        "btc_dominance": 57.5,
        "eth_dominance": 12.25,
        "active_cryptocurrencies": 2,
        "quote": {"USD": {"total_market_cap": 3e12, "total_volume_24h": 1e11}},
    }
    server.on(GLOBAL_METRICS, json_reply({"status": status, "data": metrics}))
    fear = {"value": 42, "value_classification": "Fear", "update_time": iso(at)}
    server.on(FEAR_AND_GREED, json_reply({"status": status, "data": fear}))


class Desk:
    """A recorder at work: an archive, a store and a source, with a clock set by hand."""

    def __init__(
        self, store_url: sa.URL, folder: Path, source_url: str, assets: str = "top:2"
    ) -> None:
        self.archive: Archive = open_archive(str(folder))
        self.engine = open_engine(store_url)
        self.source_url = source_url
        self.plan = Plan(STEP, assets, SourceKind.COINMARKETCAP, deadline_seconds=5.0)
        self.now = SLOT + 5.0
        migrate(self.engine)

    def clock(self) -> float:
        return self.now

    def connect(self) -> Client:
        return Client(
            self.source_url,
            deadline_seconds=self.plan.deadline_seconds,
            clock=self.clock,
            sleep=lambda _: None,
        )

    def record(self, slot: int = SLOT) -> Recording:
        return record(self.engine, self.archive, self.connect, self.plan, slot, clock=self.clock)

    def rows(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> list[sa.Row[object]]:
        with self.engine.connect() as connection:
            return list(connection.execute(sa.select(table).where(*where)))

    def mappings(self, table: sa.Table) -> list[dict[str, object]]:
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(sa.select(table)).mappings()]


def encoded(value: object) -> bytes:
    """Return a value as JSON."""
    return msgspec.json.encode(value)


def put_attempt(  # noqa: PLR0913  what an attempt may be
    archive: Archive,
    slot: int,
    name: str = "1",
    *,
    outcome: Outcome = Outcome.STORED,
    simulated: bool = False,
    ids: Sequence[int] = (1, 1027),
    body: bytes | None = None,
) -> None:
    """Put an attempt into an archive by hand; without Bitcoin or Ethereum it is partial."""
    body = listings_body(ids, slot + 12) if body is None else body
    if simulated:
        body = body.replace(b'"error_code"', b'"simulated":true,"error_code"')
    answer = Answer("listings-1", LISTINGS, {"limit": "2"}, 200, body, slot + 12.0, 0.1)
    key = AttemptKey(slot, name)
    manifest = Manifest(
        slot=slot_name(slot),
        attempt=name,
        outcome=outcome,
        reason=None,
        detail="",
        source=SourceKind.SIMULATED if simulated else SourceKind.COINMARKETCAP,
        interval_seconds=STEP,
        assets="top:2",
        started_at=slot + 12.0,
        captured_at=slot + 13.0,
        credits=1,
        answers=(archive.keep(key, answer),),
        program="test",
    )
    assert archive.finish(manifest)
