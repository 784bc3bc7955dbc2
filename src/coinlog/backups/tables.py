"""Which tables a backup holds, in which order, and how they are written into a database again."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from coinlog.backups.manifest import Manifest
from coinlog.errors import BackupError
from coinlog.move.digests import Digests
from coinlog.move.unfinished import COPIED
from coinlog.store import schema
from coinlog.store.engine import store_errors
from coinlog.store.pages import column_names

TABLES = (*COPIED, schema.store)
"""In the order in which they are restored: the row that makes a store whole comes last."""


def total_of(found: Digests) -> int:
    """Return the digest of all rows of the one table that was digested."""
    return sum((*found.slots.values(), *found.tables.values()))


def tables_in(target: sa.Engine, manifest: Manifest) -> list[sa.Table]:
    """Return the tables of a backup as the target has them, once its schema is the backup's.

    Of an older schema, whose columns this program does not know, they are described by what the
    backup says and the database has.

    Raises:
        BackupError: the two have not the same columns.
    """
    found = []
    for table in manifest.tables:
        ours = schema.metadata.tables[table.name]
        if manifest.revision == schema.REVISION:
            there = column_names(ours)
        else:
            with store_errors():
                there = tuple(
                    column["name"] for column in sa.inspect(target).get_columns(ours.name)
                )
            key = {column.name for column in ours.primary_key}
            columns: list[sa.Column[Any]] = [
                sa.Column(name, primary_key=name in key) for name in table.columns
            ]
            ours = sa.Table(table.name, sa.MetaData(), *columns)
        if sorted(there) != sorted(table.columns) or column_names(ours) != table.columns:
            raise BackupError(f"table {table.name} of the backup has other columns than the store")
        found.append(ours)
    return found
