"""Which store it was: to notice that another one has taken its place since."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from coinlog.store import schema
from coinlog.store.engine import store_errors


class Seen(msgspec.Struct, frozen=True):
    """What of a store only rises: its version, and the newest slot it has settled, -1 for none."""

    version: int
    newest_slot: int

    def is_another_than(self, earlier: Seen) -> bool:
        """Return whether this cannot be the store that was seen earlier."""
        return self.version < earlier.version or self.newest_slot < earlier.newest_slot


def see(engine: sa.Engine) -> Seen:
    """Return what a store is known by.

    Raises:
        StoreUnavailableError: the database is away.
    """
    newest = sa.select(sa.func.max(schema.attempt.c.slot)).scalar_subquery()
    with store_errors(), engine.connect() as connection:
        version, slot = connection.execute(sa.select(schema.store.c.version, newest)).one()
    return Seen(version, -1 if slot is None else slot)
