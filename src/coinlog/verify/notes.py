"""What verifying found, remembered in the store."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from coinlog.errors import SchemaError
from coinlog.store import schema
from coinlog.store.engine import store_errors

DETAILS = 10


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What verifying found; times in seconds UTC.

    ``slots`` and ``quotes`` have been compared, all or ``sampled`` ones; of the ``differences``,
    ``unsettled`` are attempts that wait for ``coinlog load``; ``thinned`` quotes are gone on
    purpose and are none. ``first`` are the first differences in words.
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


class Verification(msgspec.Struct, frozen=True):
    """What the store remembers of a verification; ``detail`` is its first differences."""

    started_at: int
    ended_at: int
    sampled: bool
    slots: int
    quotes: int
    differences: int
    detail: str | None


def note(engine: sa.Engine, verified: Verified) -> None:
    """Remember a result in the store."""
    table = schema.verification
    found = msgspec.structs.asdict(verified)
    row = {name: value for name, value in found.items() if name in table.c}
    detail = "\n".join(verified.first[:DETAILS]) or None
    with store_errors(), engine.begin() as connection:
        connection.execute(table.delete().where(table.c.started_at == verified.started_at))
        connection.execute(table.insert(), {**row, "detail": detail})


def newest(engine: sa.Engine) -> Verification | None:
    """Return the newest result, ``None`` where there is none.

    Raises:
        StoreUnavailableError: the database is away.
    """
    table = schema.verification
    query = sa.select(table).order_by(table.c.started_at.desc()).limit(1)
    try:
        with store_errors(), engine.connect() as connection:
            row = connection.execute(query).first()
    except SchemaError:
        # A store that an older coinlog made has not been verified.
        return None
    return Verification(*row) if row else None
