"""Replay: the whole store built anew from the archive, beside the live one, and put in its place.

The same code that loads a slot fills it, so a mended parser mends history. The live store is
used all the while; what is recorded meanwhile is in the archive, and is settled at the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec
import sqlalchemy as sa

from coinlog.archive import Archive
from coinlog.attempts import AttemptKey
from coinlog.backfill.kept import backfills
from coinlog.errors import LossError, MixedSourcesError
from coinlog.loading import sweep
from coinlog.market import Outcome
from coinlog.slots import MAX_TIME, iso
from coinlog.sources.texts import counted
from coinlog.store import schema
from coinlog.store.backfilled import settled_backfills
from coinlog.store.beside import Beside, beside
from coinlog.store.engine import open_engine, store_errors
from coinlog.store.lost import AT_MOST, still_alone
from coinlog.store.migrate import migrate
from coinlog.store.thinned import read_thinnings
from coinlog.store.writer import settled
from coinlog.watching import Watch

# Whatever is settled while the new store takes its place is below this many versions. The new
# one's is higher, so that no reader takes an answer made from the old one for its own.
_VERSIONS_AHEAD = 1_000


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay built: attempts settled, slots in the ledger, quotes; and its seconds.

    ``thinned`` counts the quotes that were dropped on purpose and are back. ``trouble`` says
    which attempts could not be settled, as ``coinlog load`` does.
    """

    attempts: int
    slots: int
    quotes: int
    seconds: float
    thinned: int = 0
    trouble: str | None = None


def replay(
    url: sa.URL,
    archive: Archive,
    watch: Watch,
    *,
    force: bool = False,
    clock: Callable[[], float] = time.time,
) -> Replayed:
    """Build the store at ``url`` anew from the archive; until that is done, it stays as it was.

    Raises:
        LossError: the archive lacks what the store holds, and ``force`` is not set.
        StoreError: no second store can be made beside it, or another replay is at work.
        StoreUnavailableError: the database is away.
        ArchiveError: the archive cannot be read.
    """
    started = time.monotonic()
    live = open_engine(url)
    try:
        migrate(live)
        # Read before the archive is listed: what is settled later is in the archive before that.
        known, known_history = settled(live), settled_backfills(live)
        keys = archive.attempts()
        if not force:
            _refuse_lacking(archive, keys, known)
            _refuse_lacking_history(archive, known_history)
        with beside(url) as made:
            migrate(made.engine)
            _carry_over(live, made.engine)
            with watch("replaying", len(keys)) as advance:
                _fill(made.engine, archive, clock, _as_settled(live, keys), advance)
            _fill(made.engine, archive, clock)
            held = None if force else _Held(live, made)
            # What was recorded meanwhile is in both before the two are compared.
            _fill(made.engine, archive, clock)
            if held:
                held.refuse_less(made.engine)
            quotes = _count(made.engine, schema.quote)
            _carry_over(live, made.engine)
            _raise_version(live, made.engine)
            thinned = _thinned(live)
            made.take_place()
        trouble = _fill(live, archive, clock)
        return Replayed(
            attempts=len(settled(live)),
            slots=_count(live, schema.slot),
            quotes=quotes,
            seconds=time.monotonic() - started,
            thinned=thinned,
            trouble=trouble,
        )
    finally:
        live.dispose()


def _fill(
    engine: sa.Engine,
    archive: Archive,
    clock: Callable[[], float],
    keys: Sequence[AttemptKey] | None = None,
    advance: Callable[[int], object] = lambda _: None,
) -> str | None:
    """Settle all that the archive holds; return why some of it could not be."""
    try:
        for _ in sweep(engine, archive, clock=clock, keys=keys):
            advance(1)
    except MixedSourcesError as error:
        return str(error)
    return None


def _as_settled(live: sa.Engine, keys: Sequence[AttemptKey]) -> list[AttemptKey]:
    """Return attempts in the order in which the store settled those of the same slot.

    Of two equal ones the first settled stands, and that need not be the older one.
    """
    table = schema.attempt.c
    several = sa.select(table.slot).group_by(table.slot).having(sa.func.count() > 1)
    query = sa.select(table.slot, table.attempt, table.settled_at).where(table.slot.in_(several))
    with store_errors(), live.connect() as connection:
        times = {(slot, name): time for slot, name, time in connection.execute(query)}
    return sorted(
        keys, key=lambda key: (key.slot, times.get((key.slot, key.attempt), MAX_TIME), key)
    )


def _refuse_lacking(
    archive: Archive, keys: Sequence[AttemptKey], known: set[tuple[int, str]]
) -> None:
    """Refuse an archive that lacks attempts which the store has settled.

    Raises:
        LossError: it does.
    """
    there = {(key.slot, key.attempt) for key in keys}
    if not there:
        raise LossError(
            f"the archive at {archive.location} is empty, and a replay would leave nothing in the "
            "store: check COINLOG_ARCHIVE, or say --force"
        )
    lacking = sorted(known - there)
    if lacking:
        slots = sorted({slot for slot, _ in lacking})
        raise LossError(
            f"the archive at {archive.location} lacks {len(lacking)} attempts of {len(slots)} "
            f"slots that the store holds, the first {iso(slots[0])}: a replay would lose them; "
            "check COINLOG_ARCHIVE, bring them back, or say --force"
        )


def _refuse_lacking_history(archive: Archive, known: set[tuple[str, str]]) -> None:
    there = {(key.target, key.attempt) for key in backfills(archive)}
    lacking = sorted(known - there)
    if lacking:
        raise LossError(
            f"the archive at {archive.location} lacks {len(lacking)} backfilled answers that the "
            f"store holds, the first {'/'.join(lacking[0])}: a replay would lose them; check "
            "COINLOG_ARCHIVE, bring them back, or say --force"
        )


class _Held:
    """What the live store holds, to be compared with the one built beside it."""

    def __init__(self, live: sa.Engine, made: Beside) -> None:
        self._live = live
        self._settled = settled(live)
        self._alone = made.lacking(_thinned_before(live))

    def refuse_less(self, made: sa.Engine) -> None:
        """Refuse a store that lacks something: an outcome, assets of a slot, or any quote.

        Raises:
            LossError: it does.
        """
        slots = {slot for slot, _ in self._settled}
        worse = [slot for slot in _worse(_ledger(self._live), _ledger(made)) if slot in slots]
        if worse:
            raise LossError(
                f"{counted(len(worse), 'slot')} would be worse than now, the first "
                f"{iso(worse[0])}: the archive's answers are damaged or are read otherwise now; "
                "look at them with `coinlog verify`, and bring damaged files back from a copy; "
                "--force replays all the same, and loses what they held"
            )
        lost = sum(1 for _ in still_alone(made, self._alone))
        if lost:
            raise LossError(
                f"the store holds {lost:,} quotes{' or more' * (lost == AT_MOST)} that nothing in "
                "the archive accounts for, and a replay would lose them: `coinlog verify` names "
                "them; say --force to replay all the same"
            )


_LedgerLine = tuple[int, int, int]


def _ledger(engine: sa.Engine) -> Iterator[_LedgerLine]:
    """Yield each slot's time, height of outcome and count of assets, oldest first."""
    table = schema.slot.c
    query = sa.select(table.slot, table.outcome, table.assets).order_by(table.slot)
    with store_errors(), engine.connect() as connection:
        for slot, outcome, assets in connection.execution_options(yield_per=1_000).execute(query):
            yield slot, Outcome(outcome).height, assets


def _worse(held: Iterable[_LedgerLine], made: Iterable[_LedgerLine]) -> Iterator[int]:
    """Yield the slots that are lower, smaller or not there at all; both come oldest first."""
    others = iter(made)
    other = next(others, None)
    for slot, height, assets in held:
        while other and other[0] < slot:
            other = next(others, None)
        if other is None or other[0] != slot or other[1:] < (height, assets):
            yield slot


def _carry_over(live: sa.Engine, made: sa.Engine) -> None:
    """Take over what no attempt tells: the kind of data, and the schedules noted in between."""
    store, table = schema.store, schema.schedule
    with store_errors(), live.connect() as connection:
        source = connection.execute(sa.select(store.c.source)).scalar()
        noted = connection.execute(sa.select(table)).mappings().all()
    with store_errors(), made.begin() as connection:
        connection.execute(store.update().values(source=source))
        there = set(connection.execute(sa.select(table.c.from_slot)).scalars())
        for row in noted:
            if row["from_slot"] not in there:
                connection.execute(table.insert(), dict(row))


def _raise_version(live: sa.Engine, made: sa.Engine) -> None:
    store = schema.store
    with store_errors(), live.connect() as connection:
        version = connection.execute(sa.select(store.c.version)).scalar_one()
    with store_errors(), made.begin() as connection:
        connection.execute(store.update().values(version=version + _VERSIONS_AHEAD))


def _thinned(live: sa.Engine) -> int:
    with store_errors(), live.connect() as connection:
        total = connection.execute(sa.select(sa.func.sum(schema.thinning.c.quotes))).scalar()
    return int(total or 0)


def _thinned_before(live: sa.Engine) -> int:
    """Return the slot before which quotes may have been dropped on purpose."""
    with store_errors(), live.connect() as connection:
        return max((one.older_than for one in read_thinnings(connection)), default=0)


def _count(engine: sa.Engine, table: sa.Table) -> int:
    with store_errors(), engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
