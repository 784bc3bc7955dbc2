"""What assets are called, over time: identity is the id, and names, symbols and slugs drift."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from coinlog.market import Asset
from coinlog.store import schema

CHUNK = 1_000

Called = tuple[str, str, str]


class _Memory:
    """What the store's assets are called now, as this process left it at a version."""

    def __init__(self) -> None:
        self.version = -1
        self.names: dict[int, Called] = {}


# Reading 5,000 names back costs a third of storing a slot. A process that records slot after
# slot knows them, as long as no other has written in between: the version tells.
_memories: WeakKeyDictionary[sa.Engine, _Memory] = WeakKeyDictionary()


def write_assets(
    connection: sa.Connection, slot: int, assets: Sequence[Asset], version: int
) -> None:
    """Write who was seen at a slot, and what changed in how they are called.

    ``version`` is the store's after this transaction.
    """
    newest_slot = connection.execute(sa.select(sa.func.max(schema.slot.c.slot))).scalar()
    memory = _memories.setdefault(connection.engine, _Memory())
    if memory.version == version - 1 and slot >= (newest_slot or 0):
        known = memory.names
    else:
        known = _names_at(connection, slot, [asset.id for asset in assets])
    changed = [asset for asset in assets if known.get(asset.id) != _called(asset)]
    if changed:
        if slot < (newest_slot or 0):
            _continue_names(connection, slot, [asset.id for asset in changed], known)
        _write_names(connection, slot, changed)
    _lower_first_slots(connection, slot, assets, newest_slot or 0)
    if slot >= (newest_slot or 0):
        memory.names = {**known, **{asset.id: _called(asset) for asset in assets}}
        memory.version = version
    else:
        memory.version = -1


def forget(engine: sa.Engine) -> None:
    """Forget what is remembered of a store: its transaction was undone."""
    _memories.pop(engine, None)


def chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield the ids in pieces that fit into one statement."""
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def _called(asset: Asset) -> Called:
    return asset.name, asset.symbol, asset.slug


def _names_at(connection: sa.Connection, slot: int, ids: Sequence[int]) -> dict[int, Called]:
    """Return what each asset was called at a slot, as far as the store knows."""
    table = schema.asset_name.c
    query = sa.select(table.asset_id, table.name, table.symbol, table.slug)
    names: dict[int, Called] = {}
    for some in chunks(ids):
        here = query.where(table.asset_id.in_(some), table.from_slot <= slot)
        for asset_id, *called in connection.execute(here.order_by(table.asset_id, table.from_slot)):
            names[asset_id] = (called[0], called[1], called[2])
    return names


def _write_names(connection: sa.Connection, slot: int, assets: Sequence[Asset]) -> None:
    """Write new names from a slot on, and make them the current ones unless later are known."""
    newest = _newest_names(connection, [asset.id for asset in assets])
    pairs = [
        (asset, {"name": asset.name, "symbol": asset.symbol, "slug": asset.slug})
        for asset in assets
    ]
    lines = [{"asset_id": asset.id, "from_slot": slot, **names} for asset, names in pairs]
    # A lower outcome of the same slot may have called them otherwise.
    table = schema.asset_name
    for some in chunks([asset.id for asset in assets]):
        connection.execute(
            table.delete().where(table.c.from_slot == slot, table.c.asset_id.in_(some))
        )
    connection.execute(table.insert(), lines)
    new = [
        {"id": asset.id, "is_fiat": asset.is_fiat, "first_slot": slot, **names}
        for asset, names in pairs
        if asset.id not in newest
    ]
    if new:
        connection.execute(schema.asset.insert(), new)
    renamed = [
        {"key": asset.id, **names}
        for asset, names in pairs
        if asset.id in newest and newest[asset.id] <= slot
    ]
    if renamed:
        here = schema.asset.update().where(schema.asset.c.id == sa.bindparam("key"))
        connection.execute(here, renamed)


def _continue_names(
    connection: sa.Connection, slot: int, ids: Sequence[int], known: dict[int, Called]
) -> None:
    """Where a slot comes late with other names, let the known ones go on after it."""
    quote, table = schema.quote.c, schema.asset_name
    for asset_id in ids:
        later = sa.select(sa.func.min(quote.slot)).where(
            quote.asset_id == asset_id, quote.slot > slot
        )
        following = connection.execute(later).scalar()
        if following is None or asset_id not in known:
            continue
        between = (table.c.asset_id == asset_id) & table.c.from_slot.between(slot + 1, following)
        if connection.execute(sa.select(table.c.from_slot).where(between)).first() is None:
            name, symbol, slug = known[asset_id]
            values = {"name": name, "symbol": symbol, "slug": slug}
            row = {"asset_id": asset_id, "from_slot": following, **values}
            connection.execute(table.insert(), row)


def _newest_names(connection: sa.Connection, ids: Sequence[int]) -> dict[int, int]:
    """Return since which slot each asset has been called as it is now."""
    table = schema.asset_name.c
    query = sa.select(table.asset_id, sa.func.max(table.from_slot)).group_by(table.asset_id)
    newest: dict[int, int] = {}
    for some in chunks(ids):
        newest.update(connection.execute(query.where(table.asset_id.in_(some))).fetchall())
    return newest


def _lower_first_slots(
    connection: sa.Connection, slot: int, assets: Sequence[Asset], newest_slot: int
) -> None:
    """Make an older slot, loaded late, the first one of the assets that it holds."""
    if slot >= newest_slot:
        return
    table = schema.asset
    later = sa.update(table).where(table.c.first_slot > slot).values(first_slot=slot)
    for ids in chunks([asset.id for asset in assets]):
        connection.execute(later.where(table.c.id.in_(ids)))
