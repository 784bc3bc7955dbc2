"""An archive full of the simulated market, put together without HTTP: a year in a minute."""

from __future__ import annotations

from collections.abc import Iterable

from coinlog.archive import Archive
from coinlog.attempts import AttemptKey, KeptAnswer, Manifest, slot_name
from coinlog.market import Outcome, SourceKind
from coinlog.simulated.answers import Answers
from coinlog.slots import parse_assets
from coinlog.sources.answers import Answer
from coinlog.sources.coinmarketcap import credits_of, fetch_market
from samples import STEP


class Market:
    """The simulated market, asked in this process as of a slot."""

    def __init__(self, assets: int, seed: int = 7) -> None:
        self._answers = Answers(seed, assets)
        self.assets = f"top:{assets}"
        self.at = 0.0

    def get(self, name: str, endpoint: str, params: dict[str, str]) -> Answer:
        """Answer a request as the server would, byte for byte."""
        body = self._answers.envelope(f"/{endpoint}", params, self.at)
        return Answer(name, endpoint, params, 200, body, self.at, 0.25)


def put_slots(archive: Archive, market: Market, slots: Iterable[int]) -> list[AttemptKey]:
    """Put a stored attempt of each slot into an archive and return their keys."""
    return [put_slot(archive, market, slot) for slot in slots]


def put_slot(archive: Archive, market: Market, slot: int, attempt: str = "1") -> AttemptKey:
    """Put an attempt of the market at a slot into an archive."""
    key = AttemptKey(slot, attempt)
    market.at = slot + 5.0
    answers: list[Answer] = []
    kept: list[KeptAnswer] = []

    def keep(answer: Answer) -> None:
        answers.append(answer)
        kept.append(archive.keep(key, answer))

    fetch_market(market, parse_assets(market.assets), keep)
    manifest = Manifest(
        slot=slot_name(slot),
        attempt=attempt,
        outcome=Outcome.STORED,
        reason=None,
        detail="",
        source=SourceKind.SIMULATED,
        interval_seconds=STEP,
        assets=market.assets,
        started_at=market.at,
        captured_at=market.at + 1,
        credits=credits_of(answers),
        answers=tuple(kept),
        program="the simulated market",
    )
    assert archive.finish(manifest)
    return key
