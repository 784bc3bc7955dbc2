"""Loading: settle every attempt in the archive that the store has not, oldest first.

It needs the database and no internet.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from functools import partial
from itertools import count

import msgspec
import sqlalchemy as sa

from coinlog.ahead import MANY, batches_ahead
from coinlog.archive import Archive
from coinlog.attempts import AttemptKey
from coinlog.backfill.load import sweep_backfills, waiting_backfills
from coinlog.errors import ArchiveError, MixedSourcesError, StoreRefusedError, UnreadError
from coinlog.slots import iso
from coinlog.sources.texts import counted
from coinlog.store.patience import Patience, no_patience
from coinlog.store.settlements import Settlement
from coinlog.store.writer import settle_many, settled
from coinlog.verdict import damaged, read_attempt


def load(engine: sa.Engine, archive: Archive, key: AttemptKey, clock: Callable[[], float]) -> bool:
    """Settle one attempt; ``False`` where it was settled before.

    One that the database refuses is settled as damaged, so that it stops nothing after it.

    Raises:
        StoreUnavailableError: the database is away; the attempt stays in the archive.
        MixedSourcesError: the store holds the other kind of data.
    """
    return _settle_alone(engine, read_attempt(archive, key), int(clock()))[0]


def sweep(  # noqa: PLR0913  where to look, and how
    engine: sa.Engine,
    archive: Archive,
    since_slot: int = 0,
    clock: Callable[[], float] = time.time,
    keys: Sequence[AttemptKey] | None = None,
    *,
    alone: bool = False,
    patience: Patience | None = None,
) -> Generator[AttemptKey, None, None]:
    """Settle each attempt from a slot on that the store has not; yield it, oldest first.

    Then settle every backfilled answer that the store has not.

    ``keys`` are the archive's attempts in another order, for who must have that. ``alone`` never
    starts a second process to read ahead, for where there can be none. With ``patience`` a
    database that is away for a moment is tried again.

    Raises:
        MixedSourcesError: attempts of the other kind of data lie in the archive; all others have
            been settled by then.
        UnreadError: some cannot be read now; all others have been settled by then.
        ArchiveError: the archive is away.
        StoreUnavailableError: the database is away; what is not settled stays in the archive.
    """
    patience = patience or no_patience()
    done = patience.keep_trying(partial(settled, engine, since_slot))
    there = archive.attempts(since_slot) if keys is None else keys
    waiting = _not_in(done, there)
    mixed: list[tuple[AttemptKey, MixedSourcesError]] = []
    unread: list[_Unread] = []
    read = partial(_read, archive)
    apart = archive.objects.shared and len(waiting) >= MANY and not alone
    for batch in batches_ahead(waiting, read, _weight, apart=apart):
        unread += [each for each in batch if isinstance(each, _Unread)]
        whole = [each for each in batch if not isinstance(each, _Unread)]
        if whole:
            yield from _settle_batch(engine, whole, int(clock()), mixed, patience)
    # What was observed first: it is what backfilled points must leave alone.
    patience.keep_trying(lambda: deque(sweep_backfills(engine, archive, int(clock())), 0))
    if unread:
        raise UnreadError(
            f"{counted(len(unread), 'attempt')} cannot be read, the first at "
            f"{iso(unread[0].slot)}: {unread[0].why}; all others are settled"
        )
    if mixed:
        first, why = mixed[0]
        raise MixedSourcesError(f"{len(mixed)} attempts, the first at {iso(first.slot)}: {why}")


def count_waiting(engine: sa.Engine, archive: Archive) -> int:
    """Return how many attempts and backfilled answers the archive holds and the store does not."""
    attempts = _not_in(settled(engine), archive.attempts())
    return len(attempts) + len(waiting_backfills(engine, archive))


class _Unread(msgspec.Struct, frozen=True):
    """What there is to say of an attempt that cannot be read now."""

    slot: int
    why: str


def _read(archive: Archive, key: AttemptKey) -> Settlement | _Unread:
    try:
        return read_attempt(archive, key)
    except ArchiveError as error:
        # Where the archive is away, so is all that comes after this one.
        archive.objects.check_there()
        return _Unread(key.slot, str(error))


def _not_in(done: set[tuple[int, str]], there: Sequence[AttemptKey]) -> list[AttemptKey]:
    return [key for key in there if (key.slot, key.attempt) not in done]


def _settle_batch(
    engine: sa.Engine,
    batch: Sequence[Settlement],
    stored_at: int,
    mixed: list[tuple[AttemptKey, MixedSourcesError]],
    patience: Patience,
) -> list[AttemptKey]:
    """Settle attempts together, or one by one where one of them is refused."""
    keys = [AttemptKey(settlement.slot, settlement.attempt) for settlement in batch]
    try:
        together = partial(settle_many, engine, batch, stored_at)
        return _insist(patience, together, keys)
    except (StoreRefusedError, MixedSourcesError):
        found = []
    for key, settlement in zip(keys, batch, strict=True):
        try:
            alone = partial(_settle_alone, engine, settlement, stored_at)
            found += _insist(patience, alone, [key])
        except MixedSourcesError as error:
            mixed.append((key, error))
    return found


def _insist(
    patience: Patience, work: Callable[[], list[bool]], keys: list[AttemptKey]
) -> list[AttemptKey]:
    """Settle attempts, with patience; return those that we have settled.

    A commit whose answer was lost may have been done. So after a failed try, all that is settled
    counts as ours: who hears of it twice is better off than who never does.
    """
    tries = count(1)

    def once() -> list[AttemptKey]:
        again = next(tries) > 1
        return [key for key, ours in zip(keys, work(), strict=True) if ours or again]

    return patience.keep_trying(once)


def _settle_alone(engine: sa.Engine, settlement: Settlement, stored_at: int) -> list[bool]:
    try:
        return settle_many(engine, [settlement], stored_at)
    except StoreRefusedError as error:
        key = AttemptKey(settlement.slot, settlement.attempt)
        return settle_many(engine, [damaged(key, str(error))], stored_at)


def _weight(read: Settlement | _Unread) -> int:
    """Return about how many rows an attempt becomes."""
    snapshot = None if isinstance(read, _Unread) else read.snapshot
    return 50 + (len(snapshot.quotes) if snapshot else 0)
