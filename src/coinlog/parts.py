"""The composition root: from settings to the parts that the commands use."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property, partial
from math import inf

import sqlalchemy as sa

from coinlog.archive import Archive, open_archive
from coinlog.capturing import Plan
from coinlog.market import SourceKind
from coinlog.recorder import Recording, record
from coinlog.settings import Settings
from coinlog.sources.client import Client
from coinlog.store.engine import open_engine
from coinlog.store.seen import Seen


class Parts:
    """The archive, the store, the source and the plan that the settings describe."""

    def __init__(self, settings: Settings, source: SourceKind = SourceKind.COINMARKETCAP) -> None:
        self.settings = settings
        self.plan = Plan(
            interval_seconds=settings.interval_seconds,
            assets=settings.assets,
            source=source,
            deadline_seconds=settings.deadline_seconds,
            patience_seconds=settings.patience_seconds,
        )

    @cached_property
    def archive(self) -> Archive:
        """The archive, opened at first use."""
        return open_archive(self.settings.archive)

    @cached_property
    def engine(self) -> sa.Engine:
        """The store for writing, opened at first use."""
        return open_engine(self.settings.database_url)

    def connect(
        self,
        *,
        simulated_time: float | None = None,
        clock: Callable[[], float] = time.time,
        most_seconds: float = inf,
    ) -> Client:
        """Return a client for one attempt; the simulated market can be asked as of a time.

        It gives up after ``most_seconds``, where that is sooner than its deadline.
        """
        key = self.settings.api_key
        headers = {} if simulated_time is None else {"X-Simulated-Time": str(int(simulated_time))}
        return Client(
            self.settings.cmc_url,
            key.reveal() if key else None,
            deadline_seconds=min(most_seconds, self.settings.deadline_seconds),
            body_limit_bytes=self.settings.body_limit_bytes,
            headers=headers,
            clock=clock,
        )

    def recorder(
        self, *, since_slot: int = 0, seen: Seen | None = None
    ) -> Callable[[int], Recording]:
        """Return what records a slot with these parts."""
        return partial(
            record,
            self.engine,
            self.archive,
            self.connect,
            self.plan,
            since_slot=since_slot,
            seen=seen,
        )
