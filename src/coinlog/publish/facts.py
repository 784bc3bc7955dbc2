"""What an asset's page says besides numbers: when that changes, its pages are made anew."""

from __future__ import annotations

from collections import defaultdict

import sqlalchemy as sa

from coinlog.publish.folder import digest_of
from coinlog.store import schema
from coinlog.store.ledger import Head
from coinlog.store.reader import Reader


def read_facts(reader: Reader, head: Head) -> dict[int, str]:
    """Return a digest of each asset's facts: its names, who shares its symbol, is it listed."""
    asset, latest, called = schema.asset.c, schema.latest.c, schema.asset_name.c
    identity = (asset.id, asset.symbol, asset.name, asset.slug, asset.is_fiat, asset.first_slot)
    joined = schema.asset.join(schema.latest, latest.asset_id == asset.id)
    counts = sa.select(called.asset_id, sa.func.count()).group_by(called.asset_id)
    with reader.connected() as connection:
        rows = connection.execute(sa.select(*identity, latest.slot).select_from(joined)).fetchall()
        names = {row[0]: row[1] for row in connection.execute(counts)}
    newest = head.newest.slot if head.newest else None
    sharing: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for asset_id, symbol, name, *_ in rows:
        sharing[symbol].append((asset_id, name))
    facts = {}
    for *about, slot in rows:
        # The slot of the last quote is told where it is not the newest one.
        listed = slot == newest or slot
        said = (*about, names.get(about[0], 0), sorted(sharing[about[1]]), listed)
        facts[about[0]] = digest_of(repr(said).encode())
    return facts
