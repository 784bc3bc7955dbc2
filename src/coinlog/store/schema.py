"""The tables of the store, once for SQLite, MariaDB and MySQL.

All times are whole seconds since 1970-01-01 UTC; all money is USD. Numbers are doubles, because
the source's are: a double keeps them to the last bit, and no DECIMAL holds their range.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

REVISION = "0004"
"""The newest migration, which makes these tables; a test holds the two equal."""

metadata = sa.MetaData()

# Binary comparison on MySQL and MariaDB: real symbols differ by case and accent alone.
_MYSQL = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
_MARIADB = {key.replace("mysql", "mariadb"): value for key, value in _MYSQL.items()}
_TABLE: dict[str, Any] = {**_MYSQL, **_MARIADB}

Double: sa.Double[float] = sa.Double(asdecimal=False)
Id = sa.Integer()
Time = sa.BigInteger()
Code = sa.String(32)


def _quote_columns() -> list[sa.Column[Any]]:
    """Return the columns of a quote after its identity: the same in ``quote`` and ``latest``."""
    doubles = (
        "price",
        "market_cap",
        "fully_diluted_market_cap",
        "volume_24h",
        "circulating_supply",
        "total_supply",
        "max_supply",
    )
    changes = ("1h", "24h", "7d", "30d")
    return [
        *(sa.Column(name, Double, nullable=name != "price") for name in doubles),
        sa.Column("rank", Id),
        sa.Column("num_market_pairs", Id),
        *(sa.Column(f"percent_change_{span}", Double) for span in changes),
        sa.Column("last_updated", Time),
    ]


store = sa.Table(
    "store",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=False),
    sa.Column("version", Time, nullable=False),
    sa.Column("source", Code),
    **_TABLE,
)
"""One row: ``version`` rises in every transaction; ``source`` is set by the first load."""

schedule = sa.Table(
    "schedule",
    metadata,
    sa.Column("from_slot", Time, primary_key=True, autoincrement=False),
    sa.Column("interval_seconds", Id, nullable=False),
    sa.Column("assets", sa.Text, nullable=False),
    sa.Column("source", Code, nullable=False),
    **_TABLE,
)
"""A row when the settings change: what was due is computed from these."""

asset = sa.Table(
    "asset",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("symbol", sa.String(64), nullable=False),
    sa.Column("slug", sa.String(255), nullable=False),
    sa.Column("is_fiat", sa.Boolean, nullable=False),
    sa.Column("first_slot", Time, nullable=False),
    **_TABLE,
)
"""Every asset ever seen, as it is called now, and its first slot; ``latest`` has its last."""

asset_name = sa.Table(
    "asset_name",
    metadata,
    sa.Column("asset_id", Id, primary_key=True, autoincrement=False),
    sa.Column("from_slot", Time, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("symbol", sa.String(64), nullable=False),
    sa.Column("slug", sa.String(255), nullable=False),
    **_TABLE,
)
"""What an asset was called from a slot on: a row at first sight and at each rename."""

slot = sa.Table(
    "slot",
    metadata,
    sa.Column("slot", Time, primary_key=True, autoincrement=False),
    sa.Column("outcome", Code, nullable=False),
    sa.Column("reason", Code),
    sa.Column("detail", sa.Text),
    sa.Column("source", Code),
    sa.Column("attempt", sa.String(64), nullable=False),
    sa.Column("attempts", Id, nullable=False),
    sa.Column("observed_at", Time),
    sa.Column("captured_at", Time, nullable=False),
    sa.Column("stored_at", Time, nullable=False),
    sa.Column("assets", Id, nullable=False),
    sa.Column("credits", Id, nullable=False),
    sa.Column("body_bytes", Time, nullable=False),
    sa.Column("duration_ms", Time, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("notes", sa.Text),
    **_TABLE,
)
"""The ledger: one row a slot with its outcome. ``missed`` has no row and is derived.

``attempt`` is the one whose outcome stands, ``attempts`` how many were settled, ``credits`` what
all of them cost, ``sha256`` the hash of the standing attempt's manifest.
"""

attempt = sa.Table(
    "attempt",
    metadata,
    sa.Column("slot", Time, primary_key=True, autoincrement=False),
    sa.Column("attempt", sa.String(64), primary_key=True),
    sa.Column("outcome", Code, nullable=False),
    sa.Column("reason", Code),
    sa.Column("captured_at", Time, nullable=False),
    sa.Column("credits", Id, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("settled_at", Time, nullable=False),
    **_TABLE,
)
"""Every attempt of the archive that the store has settled."""

missing = sa.Table(
    "missing",
    metadata,
    sa.Column("slot", Time, primary_key=True, autoincrement=False),
    sa.Column("number", Id, primary_key=True, autoincrement=False),
    sa.Column("asset_id", Id),
    sa.Column("what", sa.String(64), nullable=False),
    sa.Column("reason", Code, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    **_TABLE,
)
"""What a partial slot lacks, and why."""

quote = sa.Table(
    "quote",
    metadata,
    sa.Column("asset_id", Id, primary_key=True, autoincrement=False),
    sa.Column("slot", Time, primary_key=True, autoincrement=False),
    *_quote_columns(),
    sa.Column("origin", Code, nullable=False),
    sa.Column("resolution", Id, nullable=False),
    sqlite_with_rowid=False,
    **_TABLE,
)
"""One asset at a slot, clustered by asset: one asset's year is one stretch of the disk.

The quotes of a slot are its membership: who was in the answer, as it was.
"""

latest = sa.Table(
    "latest",
    metadata,
    sa.Column("asset_id", Id, primary_key=True, autoincrement=False),
    sa.Column("slot", Time, nullable=False),
    *_quote_columns(),
    sa.Column("origin", Code, nullable=False),
    sa.Column("resolution", Id, nullable=False),
    sa.Index("ix_latest_slot", "slot"),
    **_TABLE,
)
"""The newest quote of every asset: the market table reads this and never the history."""

global_metrics = sa.Table(
    "global_metrics",
    metadata,
    sa.Column("slot", Time, primary_key=True, autoincrement=False),
    *(
        sa.Column(name, Double)
        for name in (
            "total_market_cap",
            "total_volume_24h",
            "altcoin_market_cap",
            "bitcoin_dominance",
            "ethereum_dominance",
        )
    ),
    *(
        sa.Column(name, Id)
        for name in ("active_cryptocurrencies", "active_exchanges", "active_market_pairs")
    ),
    sa.Column("last_updated", Time),
    sa.Column("origin", Code, nullable=False, server_default="observed"),
    sa.Column("resolution", Id, nullable=False, server_default="0"),
    **_TABLE,
)

fear_and_greed = sa.Table(
    "fear_and_greed",
    metadata,
    sa.Column("slot", Time, primary_key=True, autoincrement=False),
    sa.Column("value", Double, nullable=False),
    sa.Column("classification", sa.String(64), nullable=False),
    sa.Column("updated_at", Time),
    sa.Column("origin", Code, nullable=False, server_default="observed"),
    sa.Column("resolution", Id, nullable=False, server_default="0"),
    **_TABLE,
)

backfill = sa.Table(
    "backfill",
    metadata,
    sa.Column("target", sa.String(64), primary_key=True),
    sa.Column("attempt", sa.String(64), primary_key=True),
    sa.Column("asset_id", Id),
    sa.Column("from_time", Time, nullable=False),
    sa.Column("to_time", Time, nullable=False),
    sa.Column("resolution", Id, nullable=False),
    sa.Column("outcome", Code, nullable=False),
    sa.Column("reason", Code),
    sa.Column("detail", sa.Text),
    sa.Column("points", Id, nullable=False),
    sa.Column("captured_at", Time, nullable=False),
    sa.Column("credits", Id, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("settled_at", Time, nullable=False),
    **_TABLE,
)
"""Every answer of the source's history that the store has settled: what was asked, what came.

``target`` is ``asset-1``, ``global-metrics`` or ``fear-and-greed``; the times asked for are both
included; ``resolution`` is seconds; ``points`` counts what the answer held.
"""

verification = sa.Table(
    "verification",
    metadata,
    sa.Column("started_at", Time, primary_key=True, autoincrement=False),
    sa.Column("ended_at", Time, nullable=False),
    sa.Column("sampled", sa.Boolean, nullable=False),
    sa.Column("slots", Time, nullable=False),
    sa.Column("quotes", Time, nullable=False),
    sa.Column("differences", Time, nullable=False),
    sa.Column("detail", sa.Text),
    sa.Column("from_slot", Time),
    sa.Column("to_slot", Time),
    **_TABLE,
)
"""What comparing the store with the archive found: one row each time.

``from_slot`` and ``to_slot`` are what a share was about, both included; NULL for all or chance.
"""

thinning = sa.Table(
    "thinning",
    metadata,
    sa.Column("done_at", Time, primary_key=True, autoincrement=False),
    sa.Column("older_than", Time, nullable=False),
    sa.Column("keep_seconds", Id, nullable=False),
    sa.Column("quotes", Time, nullable=False),
    **_TABLE,
)
"""What people chose to drop from the store, never from the archive: slots before ``older_than``.

``keep_seconds`` is what one kept quote stands for; 0 means that none was kept.
"""
