"""What assets are called in the store, and whether the archive's answers call them so."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

import msgspec
import sqlalchemy as sa

from coinlog.market import Asset
from coinlog.slots import iso
from coinlog.store import schema
from coinlog.store.settlements import Settlement

Called = tuple[str, str, str]


class _History(msgspec.Struct):
    """What an asset is called in the store: names from slots on, and what it is called now."""

    slots: list[int] = msgspec.field(default_factory=list)
    names: list[Called] = msgspec.field(default_factory=list)
    explained: set[int] = msgspec.field(default_factory=set)
    now: Called | None = None
    is_fiat: bool = False
    first_slot: int = 0
    first_seen: Asset | None = None
    first_seen_at: int = 0


class Past(msgspec.Struct, frozen=True):
    """What the source's history tells of an asset: as whom it named it, and its first point.

    ``thinned`` where points may have been dropped on purpose, so that none is sure to be the first.
    """

    asset: Asset | None = None
    first_slot: int | None = None
    thinned: bool = False


_NO_PAST = Past()


class Names:
    """The store's names of all assets, as they are compared slot by slot."""

    def __init__(self, connection: sa.Connection) -> None:
        self._assets: dict[int, _History] = {}
        table, asset = schema.asset_name, schema.asset
        query = sa.select(table).order_by(table.c.asset_id, table.c.from_slot)
        for row in connection.execute(query):
            history = self._assets.setdefault(row.asset_id, _History())
            history.slots.append(row.from_slot)
            history.names.append((row.name, row.symbol, row.slug))
        for row in connection.execute(sa.select(asset)):
            history = self._assets.setdefault(row.id, _History())
            history.now = (row.name, row.symbol, row.slug)
            history.is_fiat, history.first_slot = bool(row.is_fiat), row.first_slot

    @property
    def ids(self) -> list[int]:
        """Every asset that the store knows."""
        return sorted(self._assets)

    def of(self, asset_id: int) -> str:
        """Return an asset for people: ``Bitcoin (1)``."""
        history = self._assets.get(asset_id)
        return f"{history.now[0]} ({asset_id})" if history and history.now else f"asset {asset_id}"

    def saw(self, settlement: Settlement, *, stood: bool) -> None:
        """Remember who was called how in an attempt, which explains the store's names.

        Who was seen in one that never ``stood`` has not been in the store by it.
        """
        slot = settlement.slot
        for asset in settlement.snapshot.assets if settlement.snapshot else ():
            history = self._assets.get(asset.id)
            if history is None:
                continue
            if stood and history.first_seen is None:
                history.first_seen, history.first_seen_at = asset, slot
            place = bisect_right(history.slots, slot) - 1
            here = place >= 0 and history.slots[place] == slot
            if here and history.names[place] == _called(asset):
                history.explained.add(slot)

    def differences(self, standing: Settlement) -> Iterator[str]:
        """Yield the assets that the store calls otherwise at a slot, or does not know."""
        for asset in standing.snapshot.assets if standing.snapshot else ():
            history = self._assets.get(asset.id)
            place = bisect_right(history.slots, standing.slot) - 1 if history else -1
            called = history.names[place] if history and place >= 0 else None
            if called != _called(asset):
                yield f"{self.of(asset.id)}, name: store {called}, archive {_called(asset)}"

    def unexplained(
        self, backfilled: Mapping[int, Past | None], blind: AbstractSet[int]
    ) -> Iterator[str]:
        """Yield what no answer explains, once all have been seen.

        Who was ``backfilled`` may have been seen first by the source's history, and be called as
        it says where no slot has named it; ``None`` where an answer of it cannot be used. What a
        damaged attempt would have told may explain what is from one of the ``blind`` slots.
        """
        for asset_id, history in self._assets.items():
            if history.names and history.now != history.names[-1]:
                yield f"{self.of(asset_id)}: called {history.now}, newest name {history.names[-1]}"
            for slot in {*history.slots} - history.explained - blind:
                yield f"{self.of(asset_id)}: no answer at {iso(slot)} explains its name from then"
            past = backfilled.get(asset_id, _NO_PAST)
            if past and history.first_slot not in blind:
                yield from self._unlike(asset_id, history, past)

    def _unlike(self, asset_id: int, history: _History, past: Past) -> Iterator[str]:
        """Yield how an asset is not what its first answers tell of it."""
        asset = history.first_seen or past.asset
        if asset is None:
            yield f"{self.of(asset_id)}: no answer holds this asset"
            return
        if not history.names and history.now != _called(asset):
            yield f"{self.of(asset_id)}: store {history.now}, archive {_called(asset)}"
        seen = [history.first_seen_at] if history.first_seen else []
        told = min([*seen, *([] if past.first_slot is None else [past.first_slot])])
        held = history.first_slot if past.thinned else told
        if (history.first_slot, history.is_fiat) != (held, asset.is_fiat):
            yield (
                f"{self.of(asset_id)}: store first slot {iso(history.first_slot)}, fiat "
                f"{history.is_fiat}, archive {iso(told)}, {asset.is_fiat}"
            )


def _called(asset: Asset) -> Called:
    return asset.name, asset.symbol, asset.slug
