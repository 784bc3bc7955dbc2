"""The first schema: assets, the ledger, quotes, and views for people.

The tables are written out, not taken from ``schema.py``: a migration must do tomorrow what it
does today. A test holds the two equal. MySQL and MariaDB commit at every CREATE, so each step
says "if not there yet" and an interrupted migration is simply run again.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_OPTIONS = {
    f"{name}_{key}": value
    for name in ("mysql", "mariadb")
    for key, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
}

ID, TIME, CODE = sa.Integer(), sa.BigInteger(), sa.String(32)
DOUBLE: sa.Double[float] = sa.Double(asdecimal=False)

Kind = sa.types.TypeEngine[Any]


def key(name: str, kind: Kind = TIME) -> sa.Column[Any]:
    """Return a primary key column that the database never fills by itself."""
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def need(name: str, kind: Kind) -> sa.Column[Any]:
    """Return a column that is never NULL."""
    return sa.Column(name, kind, nullable=False)


def may(name: str, kind: Kind) -> sa.Column[Any]:
    """Return a column where NULL means unknown."""
    return sa.Column(name, kind)


def names() -> list[sa.Column[Any]]:
    """Return what an asset is called."""
    return [
        need("name", sa.String(255)),
        need("symbol", sa.String(64)),
        need("slug", sa.String(255)),
    ]


def quote_columns() -> list[sa.Column[Any]]:
    """Return a quote's columns after its identity."""
    return [
        need("price", DOUBLE),
        may("market_cap", DOUBLE),
        may("fully_diluted_market_cap", DOUBLE),
        may("volume_24h", DOUBLE),
        may("circulating_supply", DOUBLE),
        may("total_supply", DOUBLE),
        may("max_supply", DOUBLE),
        may("rank", ID),
        may("num_market_pairs", ID),
        may("percent_change_1h", DOUBLE),
        may("percent_change_24h", DOUBLE),
        may("percent_change_7d", DOUBLE),
        may("percent_change_30d", DOUBLE),
        may("last_updated", TIME),
        need("origin", CODE),
        need("resolution", ID),
    ]


def create(name: str, *columns: sa.Column[Any], **options: object) -> None:
    """Create a table unless it is there."""
    op.create_table(name, *columns, if_not_exists=True, **_OPTIONS, **options)


def upgrade() -> None:
    """Make the tables and views."""
    create("store", key("id", ID), need("version", TIME), may("source", CODE))
    op.execute(
        "INSERT INTO store (id, version) SELECT 1, 0 FROM (SELECT 1) AS one "
        "WHERE NOT EXISTS (SELECT 1 FROM store)"
    )
    create(
        "schedule",
        key("from_slot"),
        need("interval_seconds", ID),
        need("assets", sa.Text()),
        need("source", CODE),
    )
    _create_assets()
    _create_ledger()
    _create_quotes()
    for name, select in _views(op.get_bind().dialect.name).items():
        op.execute(f"DROP VIEW IF EXISTS {name}")
        op.execute(f"CREATE VIEW {name} AS {select}")


def _create_assets() -> None:
    create(
        "asset",
        key("id", ID),
        *names(),
        need("is_fiat", sa.Boolean()),
        need("first_slot", TIME),
    )
    create("asset_name", key("asset_id", ID), key("from_slot"), *names())


def _create_ledger() -> None:
    create(
        "slot",
        key("slot"),
        need("outcome", CODE),
        may("reason", CODE),
        may("detail", sa.Text()),
        may("source", CODE),
        need("attempt", sa.String(64)),
        need("attempts", ID),
        may("observed_at", TIME),
        need("captured_at", TIME),
        need("stored_at", TIME),
        need("assets", ID),
        need("credits", ID),
        need("body_bytes", TIME),
        need("duration_ms", TIME),
        need("sha256", sa.String(64)),
        may("notes", sa.Text()),
    )
    create(
        "attempt",
        key("slot"),
        key("attempt", sa.String(64)),
        need("outcome", CODE),
        may("reason", CODE),
        need("captured_at", TIME),
        need("credits", ID),
        need("sha256", sa.String(64)),
        need("settled_at", TIME),
    )
    create(
        "missing",
        key("slot"),
        key("number", ID),
        may("asset_id", ID),
        need("what", sa.String(64)),
        need("reason", CODE),
        need("detail", sa.Text()),
    )


def _create_quotes() -> None:
    create(
        "quote",
        key("asset_id", ID),
        key("slot"),
        *quote_columns(),
        sqlite_with_rowid=False,
    )
    create("latest", key("asset_id", ID), need("slot", TIME), *quote_columns())
    # MySQL knows no CREATE INDEX IF NOT EXISTS.
    if not sa.inspect(op.get_bind()).get_indexes("latest"):
        op.create_index("ix_latest_slot", "latest", ["slot"])
    caps = ("total_market_cap", "total_volume_24h", "altcoin_market_cap")
    shares = ("bitcoin_dominance", "ethereum_dominance")
    counts = ("active_cryptocurrencies", "active_exchanges", "active_market_pairs")
    create(
        "global_metrics",
        key("slot"),
        *(may(name, DOUBLE) for name in caps + shares),
        *(may(name, ID) for name in counts),
        may("last_updated", TIME),
    )
    create(
        "fear_and_greed",
        key("slot"),
        need("value", DOUBLE),
        need("classification", sa.String(64)),
        may("updated_at", TIME),
    )


def _views(dialect: str) -> dict[str, str]:
    """Return the views for people: readable names, ISO times in UTC, newest first."""

    def iso(column: str) -> str:
        if dialect == "sqlite":
            return f"strftime('%Y-%m-%dT%H:%M:%SZ', {column}, 'unixepoch')"
        moment = f"DATE_ADD('1970-01-01', INTERVAL {column} SECOND)"
        return f"DATE_FORMAT({moment}, '%Y-%m-%dT%H:%i:%sZ')"

    named = "a.id AS asset_id, a.name AS name, a.symbol AS symbol"
    numbers = ", ".join(
        f"q.{column}" for column in ("price", "market_cap", "volume_24h", "circulating_supply")
    )
    ranked = "q.`rank` AS `rank`"
    changes = "q.percent_change_1h, q.percent_change_24h, q.percent_change_7d"
    return {
        "v_prices": f"SELECT {iso('q.slot')} AS slot_utc, {iso('s.observed_at')} AS observed_utc, "
        f"{named}, {numbers}, {ranked}, q.origin AS origin, q.slot AS slot "
        "FROM quote q JOIN asset a ON a.id = q.asset_id LEFT JOIN slot s ON s.slot = q.slot",
        "v_latest": f"SELECT {ranked}, {named}, {numbers}, {changes}, "
        f"{iso('q.slot')} AS slot_utc, {iso('q.last_updated')} AS last_updated_utc "
        "FROM latest q JOIN asset a ON a.id = q.asset_id",
        "v_log": f"SELECT {iso('slot')} AS slot_utc, outcome, reason, detail, "
        f"{iso('observed_at')} AS observed_utc, {iso('captured_at')} AS captured_utc, "
        f"{iso('stored_at')} AS stored_utc, assets, credits, attempts, source, slot FROM slot",
    }


def downgrade() -> None:
    """Remove the views and tables."""
    for name in ("v_log", "v_latest", "v_prices"):
        op.execute(f"DROP VIEW IF EXISTS {name}")
    for name in (
        "fear_and_greed",
        "global_metrics",
        "latest",
        "quote",
        "missing",
        "attempt",
        "slot",
        "asset_name",
        "asset",
        "schedule",
        "store",
    ):
        op.drop_table(name, if_exists=True)
