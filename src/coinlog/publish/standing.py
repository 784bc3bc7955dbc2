"""The store at the moment of a publishing, and what has changed since the one before."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from coinlog.chunks.names import Month, month_of
from coinlog.errors import CoinlogError
from coinlog.export.opening import opened
from coinlog.publish.changes import Changes, changes_since, read_marks
from coinlog.publish.edition import Edition, Marks
from coinlog.publish.facts import read_facts
from coinlog.store import schema
from coinlog.store.finding import all_ids
from coinlog.store.ledger import Head
from coinlog.store.reader import Reader
from coinlog.store.recorded import ledger_slots, recorded_slots
from coinlog.web.watch import state_of

_AT_ONCE = 500


class Standing(msgspec.Struct, frozen=True):
    """All that decides what is to be published: read at one moment of the store.

    ``slots`` have quotes, ``ledger`` has all that were tried. ``everything`` was asked for: what is
    there already is looked at again.
    """

    head: Head
    now: float
    state: str
    marks: Marks
    last_months: dict[int, Month]
    facts: dict[int, str]
    slots: list[int]
    ledger: list[int]
    changes: Changes
    fiat: frozenset[int] = frozenset()
    everything: bool = False

    @property
    def source(self) -> str:
        """Whether the market is real or made up."""
        return "simulated" if self.head.simulated else "coinmarketcap"


def standing_of(url: sa.URL, edition: Edition | None, now: float, *, everything: bool) -> Standing:
    """Return where a store stands, and what has changed since an edition was published.

    Raises:
        CoinlogError: nothing is recorded yet, or the store cannot be read.
    """
    with opened(url, now) as book:
        reader, head = book.reader, book.head
        ids = all_ids(reader)
        if not ids:
            raise CoinlogError("nothing is recorded yet: run `coinlog up` or `coinlog record`")
        marks = read_marks(reader)
        changes = Changes(since=None)
        if edition is not None and edition.finished and not everything:
            changes = changes_since(reader, head, edition, marks, now)
        return Standing(
            head=head,
            now=now,
            state=msgspec.json.encode(state_of(head, now)).decode(),
            marks=marks,
            last_months=_last_months(reader, ids),
            facts=read_facts(reader, head),
            slots=recorded_slots(reader),
            ledger=ledger_slots(reader),
            changes=changes,
            fiat=_fiat(reader),
            everything=everything,
        )


def _last_months(reader: Reader, ids: Sequence[int]) -> dict[int, Month]:
    """Return the month of each asset's newest quote."""
    found: dict[int, Month] = {}
    for start in range(0, len(ids), _AT_ONCE):
        some = reader.assets(ids[start : start + _AT_ONCE])
        found.update((one.id, month_of(one.last_slot)) for one in some)
    return found


def _fiat(reader: Reader) -> frozenset[int]:
    table = schema.asset.c
    with reader.connected() as connection:
        return frozenset(connection.execute(sa.select(table.id).where(table.is_fiat)).scalars())
