"""What stands of all that verifying has found: a difference stands until it is looked at again."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from coinlog.errors import SchemaError
from coinlog.slots import MAX_TIME
from coinlog.store import schema
from coinlog.store.engine import store_errors

_ROWS = 1_000


class Verification(msgspec.Struct, frozen=True):
    """What the store remembers of a verification; ``detail`` is its first differences.

    ``from_slot`` and ``to_slot`` are what a share was about; ``None`` for all, or for chance.
    """

    started_at: int
    ended_at: int
    sampled: bool
    slots: int
    quotes: int
    differences: int
    detail: str | None
    from_slot: int | None = None
    to_slot: int | None = None

    @property
    def stretch(self) -> tuple[int, int]:
        """What its differences may be about."""
        if self.from_slot is None or self.to_slot is None:
            return 0, MAX_TIME
        return self.from_slot, self.to_slot


class Standing(msgspec.Struct, frozen=True):
    """The newest verification, and those with differences that none has looked at since."""

    newest: Verification
    found: tuple[Verification, ...] = ()

    @property
    def differences(self) -> int:
        """How many differences stand."""
        return sum(one.differences for one in self.found)

    @property
    def texts(self) -> list[str]:
        """The first differences of each, in words."""
        return [text for one in self.found for text in (one.detail or "").splitlines()]

    @property
    def first(self) -> str:
        """The first of the newest differences, in words."""
        return (self.found[0].detail or "").partition("\n")[0] if self.found else ""


def read_standing(engine: sa.Engine) -> Standing | None:
    """Return what stands, ``None`` where nothing was ever verified.

    Raises:
        StoreUnavailableError: the database is away.
    """
    rows = _newest_first(engine)
    return Standing(rows[0], tuple(unseen_since(rows))) if rows else None


def newest(engine: sa.Engine) -> Verification | None:
    """Return the newest result, ``None`` where there is none.

    Raises:
        StoreUnavailableError: the database is away.
    """
    rows = _newest_first(engine, 1)
    return rows[0] if rows else None


def newest_share(engine: sa.Engine) -> Verification | None:
    """Return the newest share, after which the next one comes; ``None`` where there is none.

    Raises:
        StoreUnavailableError: the database is away.
    """
    return next((one for one in _newest_first(engine) if one.to_slot is not None), None)


def _newest_first(engine: sa.Engine, most: int = _ROWS) -> list[Verification]:
    table = schema.verification
    query = sa.select(table).order_by(table.c.started_at.desc()).limit(most)
    try:
        with store_errors(), engine.connect() as connection:
            return [Verification(*row) for row in connection.execute(query)]
    except SchemaError:
        # A store that an older coinlog made has not been verified.
        return []


def unseen_since(rows: list[Verification]) -> list[Verification]:
    """Return those with differences, of all newest first, that none has looked at since."""
    found: list[Verification] = []
    seen: list[tuple[int, int]] = []
    for row in rows:
        if row.differences and not _covers(seen, row.stretch):
            found.append(row)
        if not row.sampled:
            break
        if row.to_slot is not None:
            seen.append(row.stretch)
    return found


def _covers(stretches: list[tuple[int, int]], wanted: tuple[int, int]) -> bool:
    """Return whether some stretches together leave nothing out of another."""
    reached = wanted[0]
    for low, high in sorted(stretches):
        if low > reached:
            return False
        reached = max(reached, high + 1)
    return reached > wanted[1]
