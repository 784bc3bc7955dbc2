"""What assets are called, over time: identity is the id, and names, symbols and slugs drift."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from coinlog.market import Asset, Origin
from coinlog.slots import MAX_TIME
from coinlog.store import schema

CHUNK = 1_000
_OBSERVED = Origin.OBSERVED.value

Called = tuple[str, str, str]
Item = TypeVar("Item")


class _Memory:
    """What the store's assets are called now, as this process left it at a version."""

    def __init__(self) -> None:
        self.version = -1
        self.names: dict[int, Called] = {}


# Reading 5,000 names back costs a third of storing a slot. A process that records slot after
# slot knows them, as long as no other has written in between: the version tells.
_memories: WeakKeyDictionary[sa.Engine, _Memory] = WeakKeyDictionary()


def write_assets(
    connection: sa.Connection,
    slot: int,
    assets: Sequence[Asset],
    version: int,
    flush: Callable[[], object] = lambda: None,
) -> None:
    """Write who was seen at a slot, and what changed in how they are called.

    ``version`` is the store's after this transaction; ``flush`` writes the quotes that the
    transaction has gathered, where they must be read.
    """
    newest_slot = connection.execute(sa.select(sa.func.max(schema.slot.c.slot))).scalar()
    memory = _memories.setdefault(connection.engine, _Memory())
    # An earlier slot of this same transaction has left the version itself.
    valid = memory.version in (version - 1, version) and slot >= (newest_slot or 0)
    known = memory.names if valid else {}
    # Who has been away longer than we remember is no newcomer.
    others = [asset.id for asset in assets if asset.id not in known]
    known = {**known, **_names_at(connection, slot, others)}
    changed = [asset for asset in assets if known.get(asset.id) != _called(asset)]
    if changed:
        if slot < (newest_slot or 0):
            flush()
            _continue_names(connection, slot, [asset.id for asset in changed], known)
        _write_names(connection, slot, changed)
        if slot < (newest_slot or 0):
            _join_names(connection, slot, changed)
    _lower_first_slots(connection, slot, assets, newest_slot or 0)
    if slot >= (newest_slot or 0):
        memory.names = {**known, **{asset.id: _called(asset) for asset in assets}}
        memory.version = version
    else:
        memory.version = -1


def begin(engine: sa.Engine, version: int) -> None:
    """Forget what is remembered, unless it is what the version before ``version`` left."""
    memory = _memories.get(engine)
    if memory and memory.version != version - 1:
        forget(engine)


def forget(engine: sa.Engine) -> None:
    """Forget what is remembered of a store: its transaction was undone."""
    _memories.pop(engine, None)


def chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield ids or rows in pieces that fit into one statement."""
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]


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
    # A lower outcome of the same slot may have called them otherwise, and they may be called again
    # as they were before it: then nothing changed here.
    before = _names_at(connection, slot - 1, [asset.id for asset in assets])
    lines = [
        {"asset_id": asset.id, "from_slot": slot, **names}
        for asset, names in pairs
        if before.get(asset.id) != _called(asset)
    ]
    table = schema.asset_name
    for some in chunks([asset.id for asset in assets]):
        connection.execute(
            table.delete().where(table.c.from_slot == slot, table.c.asset_id.in_(some))
        )
    if lines:
        connection.execute(table.insert(), lines)
    new = [
        {"id": asset.id, "is_fiat": asset.is_fiat, "first_slot": slot, **names}
        for asset, names in pairs
        if asset.id not in newest
    ]
    if new:
        _take_over(connection, new)
        connection.execute(schema.asset.insert(), new)
    renamed = [
        {"key": asset.id, **names}
        for asset, names in pairs
        if asset.id in newest and newest[asset.id] <= slot
    ]
    if renamed:
        here = schema.asset.update().where(schema.asset.c.id == sa.bindparam("key"))
        connection.execute(here, renamed)


def _take_over(connection: sa.Connection, new: Sequence[dict[str, Any]]) -> None:
    """Take the place of what backfill alone knew of assets, and keep their first slots."""
    table = schema.asset
    first_slots: dict[int, int] = {}
    for some in chunks([line["id"] for line in new]):
        here = table.c.id.in_(some)
        query = sa.select(table.c.id, table.c.first_slot).where(here)
        first_slots.update(connection.execute(query).fetchall())
        connection.execute(table.delete().where(here))
    for line in new:
        line["first_slot"] = min(line["first_slot"], first_slots.get(line["id"], MAX_TIME))


def _continue_names(
    connection: sa.Connection, slot: int, ids: Sequence[int], known: dict[int, Called]
) -> None:
    """Where a slot comes late with other names, let the known ones go on after it."""
    quote, table = schema.quote.c, schema.asset_name
    for asset_id in ids:
        later = sa.select(sa.func.min(quote.slot)).where(
            quote.asset_id == asset_id, quote.slot > slot, quote.origin == _OBSERVED
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


def _join_names(connection: sa.Connection, slot: int, assets: Sequence[Asset]) -> None:
    """Where a slot came late, drop the names after it that say the same as from it on."""
    called = {asset.id: _called(asset) for asset in assets}
    table = schema.asset_name
    again = []
    for some in chunks([*called]):
        later = sa.select(table).where(table.c.asset_id.in_(some), table.c.from_slot > slot)
        ordered = connection.execute(later.order_by(table.c.asset_id, table.c.from_slot))
        for asset_id, rows in groupby(ordered, lambda row: int(row.asset_id)):
            first = next(rows)
            if (first.name, first.symbol, first.slug) == called[asset_id]:
                again.append({"asset": asset_id, "slot": first.from_slot})
    if again:
        here = table.c.asset_id == sa.bindparam("asset"), table.c.from_slot == sa.bindparam("slot")
        connection.execute(table.delete().where(*here), again)


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
