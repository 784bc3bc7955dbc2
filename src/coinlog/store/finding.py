"""Finding assets by what people call them."""

from __future__ import annotations

import sqlalchemy as sa

from coinlog.store import schema
from coinlog.store.reader import Reader, StoredAsset

MOST_FOUND = 1000


def find_assets(reader: Reader, called: str) -> list[StoredAsset]:
    """Return the assets whose slug, name or symbol is ``called``, whatever its case."""
    table = schema.asset.c
    is_called = sa.or_(
        *(
            sa.func.lower(column) == called.lower()
            for column in (table.slug, table.name, table.symbol)
        )
    )
    ids = sa.select(table.id).where(is_called).order_by(table.id).limit(MOST_FOUND)
    with reader.connected() as connection:
        return reader.assets(list(connection.execute(ids).scalars()))


def all_ids(reader: Reader) -> list[int]:
    """Return the ids of all assets ever recorded, ascending."""
    with reader.connected() as connection:
        return list(connection.execute(sa.select(schema.asset.c.id).order_by("id")).scalars())
