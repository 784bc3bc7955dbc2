"""Settling the backfilled answers that the archive holds and the store has not."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import sqlalchemy as sa

from coinlog.archive import Archive
from coinlog.backfill.judge import damaged, read_backfill
from coinlog.backfill.kept import BackfillKey, backfills
from coinlog.errors import StoreRefusedError
from coinlog.store.backfilled import settle_backfill, settled_backfills


def waiting_backfills(engine: sa.Engine, archive: Archive) -> list[BackfillKey]:
    """Return the backfilled answers that the store has not settled."""
    done = settled_backfills(engine)
    return [key for key in backfills(archive) if (key.target, key.attempt) not in done]


def sweep_backfills(engine: sa.Engine, archive: Archive, settled_at: int) -> Iterator[BackfillKey]:
    """Settle each answer that the store has not, in the order in which they came; yield it.

    Raises:
        MixedSourcesError: it is of the other kind of data.
        StoreUnavailableError: the database is away; the answers stay in the archive.
    """
    came = [
        (read_backfill(archive, key).captured_at, key) for key in waiting_backfills(engine, archive)
    ]
    for _, key in sorted(came):
        if load_backfill(engine, archive, key, settled_at):
            yield key


def load_backfill(engine: sa.Engine, archive: Archive, key: BackfillKey, settled_at: int) -> bool:
    """Settle one answer; ``False`` where it was settled before.

    One that the database refuses is settled as damaged, so that it stops nothing after it.
    """
    settlement = read_backfill(archive, key)
    try:
        return settle_backfill(engine, settlement, settled_at)
    except StoreRefusedError as error:
        told = damaged(key, str(error))
        refused = msgspec.structs.replace(told, sha256=settlement.sha256)
        return settle_backfill(engine, refused, settled_at)
