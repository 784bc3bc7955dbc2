"""What verifying found, remembered in the store."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from coinlog.store import schema
from coinlog.store.engine import store_errors

DETAILS = 10


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What verifying found; times in seconds UTC.

    ``slots`` and ``quotes`` have been compared, all or ``sampled`` ones; of the ``differences``,
    ``unsettled`` are attempts that wait for ``coinlog load``; ``thinned`` quotes are gone on
    purpose and are none. ``first`` are the first differences in words. Of ``uncompared`` slots the
    archive does not tell any more what stands there. A share was about the slots from
    ``from_slot`` to ``to_slot``.
    """

    started_at: int
    ended_at: int
    sampled: bool
    slots: int
    quotes: int
    differences: int
    unsettled: int
    thinned: int
    first: tuple[str, ...]
    from_slot: int | None = None
    to_slot: int | None = None
    uncompared: int = 0


def note(engine: sa.Engine, verified: Verified) -> None:
    """Remember a result in the store."""
    table = schema.verification
    found = msgspec.structs.asdict(verified)
    row = {name: value for name, value in found.items() if name in table.c}
    detail = "\n".join(verified.first[:DETAILS]) or None
    with store_errors(), engine.begin() as connection:
        newest = connection.execute(sa.select(sa.func.max(table.c.started_at))).scalar()
        if newest is not None and newest >= verified.started_at:
            # Of the same second, or of a clock that was wrong: what was found before must stay,
            # and what was found last must come after it.
            row["started_at"] = newest + 1
        connection.execute(table.insert(), {**row, "detail": detail})
