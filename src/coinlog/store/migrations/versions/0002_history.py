"""History: what was backfilled, verified and thinned, and where metrics come from.

Written out, like every migration; each step may be repeated, because MySQL and MariaDB commit
at every statement that changes a table.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OPTIONS = {
    f"{name}_{key}": value
    for name in ("mysql", "mariadb")
    for key, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
}

ID, TIME, CODE = sa.Integer(), sa.BigInteger(), sa.String(32)
METRICS = ("global_metrics", "fear_and_greed")
TABLES = ("backfill", "verification", "thinning")

Kind = sa.types.TypeEngine[Any]


def key(name: str, kind: Kind = TIME) -> sa.Column[Any]:
    """Return a primary key column that the database never fills by itself."""
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def need(name: str, kind: Kind = TIME) -> sa.Column[Any]:
    """Return a column that is never NULL."""
    return sa.Column(name, kind, nullable=False)


def create(name: str, *columns: sa.Column[Any]) -> None:
    """Create a table unless it is there."""
    op.create_table(name, *columns, if_not_exists=True, **_OPTIONS)


def upgrade() -> None:
    """Add the tables, and the origin of the whole market's figures."""
    create(
        "backfill",
        key("target", sa.String(64)),
        key("attempt", sa.String(64)),
        sa.Column("asset_id", ID),
        *(need(name) for name in ("from_time", "to_time")),
        need("resolution", ID),
        need("outcome", CODE),
        sa.Column("reason", CODE),
        sa.Column("detail", sa.Text()),
        need("points", ID),
        need("captured_at"),
        need("credits", ID),
        need("sha256", sa.String(64)),
        need("settled_at"),
    )
    create(
        "verification",
        key("started_at"),
        need("ended_at"),
        need("sampled", sa.Boolean()),
        *(need(name) for name in ("slots", "quotes", "differences")),
        sa.Column("detail", sa.Text()),
    )
    create("thinning", key("done_at"), need("older_than"), need("keep_seconds", ID), need("quotes"))
    for table in METRICS:
        _add_origin(table)


def _add_origin(table: str) -> None:
    there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}
    if "origin" not in there:
        op.add_column(table, sa.Column("origin", CODE, nullable=False, server_default="observed"))
    if "resolution" not in there:
        op.add_column(table, sa.Column("resolution", ID, nullable=False, server_default="0"))
    op.execute(
        f"UPDATE {table} SET resolution = (SELECT interval_seconds FROM schedule "
        f"WHERE from_slot <= {table}.slot ORDER BY from_slot DESC LIMIT 1) "
        f"WHERE resolution = 0 AND EXISTS (SELECT 1 FROM schedule "
        f"WHERE from_slot <= {table}.slot)"
    )


def downgrade() -> None:
    """Remove them again."""
    for table in TABLES:
        op.drop_table(table, if_exists=True)
    for table in METRICS:
        there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}
        for name in ("origin", "resolution"):
            if name in there:
                op.drop_column(table, name)
