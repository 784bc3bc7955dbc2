"""Dropping old quotes from the store, never from the archive: what would go, and doing it.

What is dropped and what stays is told in ``store/thinned.py``. The choice is written down before
the first quote goes, each step is a transaction of its own, and what is gone already is not
looked for again: a thinning that was stopped goes on when it is asked for again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import sqlalchemy as sa

from coinlog.errors import UsageError
from coinlog.market import Origin
from coinlog.slots import DAY, parse_interval
from coinlog.store import schema
from coinlog.store.buckets import WEEK, bucket_of, bucket_start, origin_of
from coinlog.store.engine import store_errors
from coinlog.store.reader import HAS_QUOTES
from coinlog.store.thinned import Thinning, read_thinnings
from coinlog.store.writer import raise_version

KEEP_NONE = "none"
QUOTES_AT_ONCE = 20_000
_AGES = {"d": DAY, "w": WEEK, "y": 365 * DAY}
_SQLITE_QUOTE_BYTES = 145
_LEAST_QUOTE_BYTES = 55
"""What a quote with nothing but a price takes in InnoDB, its header included."""


class Outlook(msgspec.Struct, frozen=True):
    """What a thinning would do: times in seconds UTC, sizes roughly in bytes.

    ``slots`` counts those in the ledger that it concerns; ``quotes`` go and ``kept`` stay of them.
    """

    older_than: int
    keep_seconds: int
    slots: int
    quotes: int
    kept: int
    bytes: int


def parse_age(text: str) -> int:
    """Return the seconds of an age such as ``90d``, ``26w`` or ``1y``.

    Raises:
        UsageError: it is none.
    """
    match = re.fullmatch(r"([1-9][0-9]{0,4})([dwy])", text.strip().lower())
    if not match:
        raise UsageError(
            f"an age of {text[:40]!r} cannot be used: expected days, weeks or years, for example "
            "90d, 26w or 1y"
        )
    return int(match[1]) * _AGES[match[2]]


def parse_keep(text: str) -> int:
    """Return what one kept quote is to stand for, in seconds: 0 for ``none``.

    Raises:
        UsageError: it is neither an interval up to a day nor a week.
    """
    text = text.strip().lower()
    if text in (KEEP_NONE, "1w", "7d"):
        return 0 if text == KEEP_NONE else WEEK
    try:
        return parse_interval(text)
    except UsageError as error:
        raise UsageError(
            f"--keep {text[:40]!r} cannot be used: expected an interval such as 1h or 1d, 1w, or "
            f"{KEEP_NONE} to keep nothing"
        ) from error


def cut_at(now: float, age_seconds: int, keep_seconds: int) -> int:
    """Return the slot from which on everything stays: no bucket is thinned in part."""
    return bucket_start(int(now) - age_seconds, keep_seconds or DAY)


def count_assets(engine: sa.Engine) -> int:
    """Return of how many assets there are quotes: the steps of ``look_ahead``."""
    with store_errors(), engine.connect() as connection:
        return len(_newest_slots(connection))


def look_ahead(engine: sa.Engine, older_than: int, keep_seconds: int) -> Iterator[Outlook]:
    """Yield, asset by asset, what a thinning would do to all assets so far.

    Raises:
        StoreUnavailableError: the database is away.
    """
    slot = schema.slot.c.slot
    concerned = sa.select(sa.func.count()).where(
        slot < older_than, schema.slot.c.outcome.in_(HAS_QUOTES)
    )
    quotes = kept = 0
    with store_errors(), engine.connect() as connection:
        slots = connection.execute(concerned).scalar_one()
        each = _quote_bytes(connection)
        for asset_id, newest in _newest_slots(connection):
            total, goes = _counts(connection, Step(asset_id, newest, 0, older_than, keep_seconds))
            quotes, kept = quotes + goes, kept + total - goes
            yield Outlook(older_than, keep_seconds, slots, quotes, kept, quotes * each)


def thin(engine: sa.Engine, older_than: int, keep_seconds: int, now: float) -> Iterator[int]:
    """Drop old quotes step by step; yield how many each step dropped.

    Raises:
        StoreUnavailableError: the database is away: doing it again goes on.
    """
    table = schema.thinning
    with store_errors(), engine.begin() as connection:
        raise_version(connection)
        newest = connection.execute(sa.select(sa.func.max(table.c.done_at))).scalar() or 0
        thinning = Thinning(max(int(now), newest + 1), older_than, keep_seconds)
        connection.execute(table.insert(), msgspec.structs.asdict(thinning))
    yield from apply(engine, thinning)


def reapply(engine: sa.Engine) -> Iterator[int]:
    """Thin again as often as the store says that it was: after a replay, say.

    Raises:
        StoreUnavailableError: the database is away: doing it again goes on.
    """
    with store_errors(), engine.connect() as connection:
        thinnings = read_thinnings(connection)
    for thinning in thinnings:
        yield from apply(engine, thinning, counted=False)


def apply(engine: sa.Engine, thinning: Thinning, *, counted: bool = True) -> Iterator[int]:
    """Do a thinning that is written down, step by step; yield how many quotes each step dropped.

    Each step is a transaction of about ``QUOTES_AT_ONCE`` quotes of one asset at most.
    """
    with store_errors(), engine.connect() as connection:
        assets = _newest_slots(connection)
    for asset_id, newest in assets:
        step = Step(asset_id, newest, 0, thinning.older_than, thinning.keep_seconds)
        with store_errors(), engine.connect() as connection:
            pending = _pending(connection, step)
        while pending and step.start < thinning.older_than:
            with store_errors(), engine.begin() as connection:
                raise_version(connection)
                step = _bounded(connection, step)
                dropped = _drop(connection, step)
                if counted:
                    _count(connection, thinning, dropped)
            yield dropped
            step = msgspec.structs.replace(step, start=step.end, end=thinning.older_than)


class Step(msgspec.Struct, frozen=True):
    """The quotes of an asset from ``start`` to ``end`` (excluded), but its ``newest`` slot's."""

    asset_id: int
    newest: int
    start: int
    end: int
    keep_seconds: int

    @property
    def quotes(self) -> sa.ColumnElement[bool]:
        """The condition for these quotes."""
        table = schema.quote.c
        return sa.and_(
            table.asset_id == self.asset_id,
            table.slot >= self.start,
            table.slot < self.end,
            table.slot != self.newest,
        )

    @property
    def buckets(self) -> sa.ColumnElement[int]:
        """The bucket of each of them."""
        width = self.keep_seconds or DAY
        return bucket_of(schema.quote.c.slot, width, origin_of(width))


def _counts(connection: sa.Connection, step: Step) -> tuple[int, int]:
    """Return how many quotes there are, and how many of them would go."""
    kept = sa.func.count(sa.distinct(step.buckets)) if step.keep_seconds else sa.literal(0)
    query = sa.select(sa.func.count(), kept).select_from(schema.quote).where(step.quotes)
    total, stays = connection.execute(query).one()
    return total, total - stays


def _pending(connection: sa.Connection, step: Step) -> bool:
    """Return whether anything is to be done for an asset."""
    short = sa.select(schema.quote.c.slot).where(
        step.quotes, schema.quote.c.resolution < step.keep_seconds
    )
    return (
        _counts(connection, step)[1] > 0 or connection.execute(short.limit(1)).first() is not None
    )


def _bounded(connection: sa.Connection, step: Step) -> Step:
    """Return the first part of a step that is no larger than one transaction should be."""
    slot = schema.quote.c.slot
    query = sa.select(slot).where(step.quotes).order_by(slot).offset(QUOTES_AT_ONCE).limit(1)
    beyond = connection.execute(query).scalar()
    if beyond is None:
        return step
    width = step.keep_seconds or DAY
    end = bucket_start(beyond, width)
    # A bucket is never cut: what stays of it is found by looking at all of it.
    return msgspec.structs.replace(step, end=end if end > step.start else end + width)


def _drop(connection: sa.Connection, step: Step) -> int:
    """Drop what does not stay, and let what stays stand for its bucket."""
    quote = schema.quote
    if not step.keep_seconds:
        return connection.execute(quote.delete().where(step.quotes)).rowcount
    # What was observed stays before what was backfilled around it.
    seen = sa.func.min(sa.case((quote.c.origin == Origin.OBSERVED.value, quote.c.slot)))
    stays = sa.func.coalesce(seen, sa.func.min(quote.c.slot))
    first = sa.select(stays.label("slot")).where(step.quotes)
    # MySQL reads from the table that it deletes from only by way of a table of its own.
    firsts = first.group_by(step.buckets).subquery("firsts")
    goes = quote.c.slot.not_in(sa.select(firsts.c.slot))
    dropped = connection.execute(quote.delete().where(step.quotes, goes)).rowcount
    short = quote.c.resolution < step.keep_seconds
    connection.execute(
        quote.update().where(step.quotes, short).values(resolution=step.keep_seconds)
    )
    return dropped


def _count(connection: sa.Connection, thinning: Thinning, dropped: int) -> None:
    table = schema.thinning
    here = table.update().where(table.c.done_at == thinning.done_at)
    connection.execute(here.values(quotes=table.c.quotes + dropped))


def _newest_slots(connection: sa.Connection) -> list[tuple[int, int]]:
    latest = schema.latest.c
    query = sa.select(latest.asset_id, latest.slot).order_by(latest.asset_id)
    return [(asset_id, slot) for asset_id, slot in connection.execute(query)]


def _quote_bytes(connection: sa.Connection) -> int:
    """Return what a quote takes in the database, roughly."""
    if connection.dialect.name == "sqlite":
        return _SQLITE_QUOTE_BYTES
    query = "SELECT avg_row_length FROM information_schema.tables WHERE table_schema = DATABASE()"
    found = connection.execute(sa.text(f"{query} AND table_name = 'quote'")).scalar()
    # The server's statistics lag behind a table that grows, and then say far too little.
    return max(int(found or 0), _LEAST_QUOTE_BYTES)
