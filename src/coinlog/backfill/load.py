"""Settling the backfilled answers that the archive holds and the store has not."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import sqlalchemy as sa

from coinlog.archive import Archive
from coinlog.backfill.judge import damaged, read_backfill
from coinlog.backfill.kept import BackfillKey, backfills, read_manifest, span_of
from coinlog.errors import (
    ArchiveError,
    DamagedError,
    MixedSourcesError,
    StoreRefusedError,
    UnreadError,
)
from coinlog.sources.texts import counted
from coinlog.store.backfilled import Settled, settle_backfill, settled_backfills

LOOKS = 2


def waiting_backfills(engine: sa.Engine, archive: Archive) -> list[BackfillKey]:
    """Return the backfilled answers that the store has not settled."""
    done = settled_backfills(engine)
    return [key for key in backfills(archive) if (key.target, key.attempt) not in done]


def sweep_backfills(engine: sa.Engine, archive: Archive, settled_at: int) -> Iterator[BackfillKey]:
    """Settle each answer that the store has not, in the order in which they came; yield it.

    Raises:
        MixedSourcesError: some are of the other kind of data; all others have been settled by
            then.
        UnreadError: some cannot be read now; all others have been settled by then.
        ArchiveError: the archive is away.
        StoreUnavailableError: the database is away; the answers stay in the archive.
    """
    refused: dict[BackfillKey, MixedSourcesError] = {}
    unread: dict[BackfillKey, ArchiveError] = {}
    # An answer that comes after later ones makes all about its target wait for a second look.
    for _ in range(LOOKS):
        aside = {*refused, *unread}
        waiting = [key for key in waiting_backfills(engine, archive) if key not in aside]
        if not waiting:
            break
        for key in sorted(waiting, key=lambda key: (_captured_at(archive, key), key.attempt)):
            try:
                if _settle(engine, archive, key, settled_at) is Settled.DONE:
                    yield key
            except MixedSourcesError as error:
                refused[key] = error
            except ArchiveError as error:
                # Where the archive is away, so is all that comes after this one.
                archive.objects.check_there()
                unread[key] = error
    for key, cause in unread.items():
        what = counted(len(unread), "backfilled answer")
        raise UnreadError(f"{what} cannot be read, the first is {key.folder}: {cause}")
    for key, why in refused.items():
        raise MixedSourcesError(f"{len(refused)} backfilled answers, {key.folder} first: {why}")


def load_backfill(engine: sa.Engine, archive: Archive, key: BackfillKey, settled_at: int) -> None:
    """Settle one answer; one that the store has settled already changes nothing.

    Raises:
        MixedSourcesError: it is of the other kind of data.
        StoreUnavailableError: the database is away; the answer stays in the archive.
    """
    if _settle(engine, archive, key, settled_at) is Settled.LATER_FIRST:
        for _ in sweep_backfills(engine, archive, settled_at):
            pass


def _settle(engine: sa.Engine, archive: Archive, key: BackfillKey, settled_at: int) -> Settled:
    """Settle an answer; one that the database refuses counts as damaged and stops nothing."""
    settlement = read_backfill(archive, key)
    try:
        return settle_backfill(engine, settlement, settled_at)
    except StoreRefusedError as error:
        told = damaged(key, str(error))
        # It keeps its place among the others about its target.
        known = {"sha256": settlement.sha256, "captured_at": settlement.captured_at}
        refused = msgspec.structs.replace(told, **known)
        return settle_backfill(engine, refused, settled_at)


def _captured_at(archive: Archive, key: BackfillKey) -> int:
    try:
        return int(read_manifest(archive, key)[0].captured_at)
    except DamagedError:
        pass
    except ArchiveError:
        archive.objects.check_there()
    return span_of(key)[1]
