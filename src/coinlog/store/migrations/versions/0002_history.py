"""History: what was backfilled, verified and thinned, where metrics come from, better views.

Written out, like every migration; each step may be repeated, because MySQL and MariaDB commit
at every statement that changes a table. A ledger of ten years can be a million rows long, so the
new columns are filled before, piece by piece: see ``upgrading.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
NEW_VIEWS = ("v_candles_daily", "v_global", "v_missing", "v_backfill")
SUPPLIES = ("circulating_supply", "total_supply", "max_supply")
CHANGES = tuple(f"percent_change_{span}" for span in ("1h", "24h", "7d", "30d"))
FIGURES = (
    *("total_market_cap", "total_volume_24h", "altcoin_market_cap"),
    *("bitcoin_dominance", "ethereum_dominance"),
    *("active_cryptocurrencies", "active_exchanges", "active_market_pairs"),
)

MONEY = ("price", "market_cap", "volume_24h", "fully_diluted_market_cap")
RANKS, ORIGIN = ("rank",), ("origin", "resolution")
NAMES = ("asset_id", "name", "symbol", "slug")
ASSET = "a.id AS asset_id, a.name AS name, a.symbol AS symbol, a.slug AS slug"

Kind = sa.types.TypeEngine[Any]
Iso = Callable[..., str]


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
    expand()
    for name, select in views(op.get_bind().dialect.name).items():
        op.execute(f"DROP VIEW IF EXISTS {name}")
        op.execute(f"CREATE VIEW {name} AS {select}")
    fill_rest(op.get_bind())


def expand() -> None:
    """Add the columns that are to be filled."""
    for table in METRICS:
        there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}
        for name, kind, default in (("origin", CODE, "observed"), ("resolution", ID, "0")):
            if name not in there:
                column = sa.Column(name, kind, nullable=False, server_default=default)
                op.add_column(table, column)


def rows(connection: sa.Connection) -> int:
    """Return how many rows there are to fill."""
    counts = (sa.select(sa.func.count()).select_from(sa.table(name)) for name in METRICS)
    return sum(connection.execute(count).scalar_one() for count in counts)


def fill(connection: sa.Connection, most: int) -> Iterator[int]:
    """Give a stretch of rows the resolution of their schedule; yield how many were looked at."""
    for name in METRICS:
        slot: sa.ColumnClause[Any] = sa.column("slot")
        ends = sa.select(slot).select_from(sa.table(name)).order_by(slot)
        low, count = -1, most
        while count == most:
            stretch = ends.where(slot > low).limit(most).subquery()
            found = sa.select(sa.func.count(), sa.func.max(stretch.c.slot))
            count, high = connection.execute(found).one()
            if count:
                connection.execute(_resolution(name), {"low": low, "high": high})
                low = high
                yield count


def fill_rest(connection: sa.Connection) -> None:
    """Fill the few rows that the program before has written behind the filling.

    It is asked which they are before any is touched: what an UPDATE only looks at it locks too.
    """
    for name in METRICS:
        unfilled = sa.text(
            f"SELECT slot FROM {name} WHERE resolution = 0 "
            f"AND EXISTS (SELECT 1 FROM schedule WHERE from_slot <= {name}.slot)"
        )
        for slot in [*connection.execute(unfilled).scalars()]:
            connection.execute(_resolution(name), {"low": slot - 1, "high": slot})


def _resolution(table: str) -> sa.TextClause:
    return sa.text(
        f"UPDATE {table} SET resolution = (SELECT interval_seconds FROM schedule "
        f"WHERE from_slot <= {table}.slot ORDER BY from_slot DESC LIMIT 1) "
        f"WHERE slot > :low AND slot <= :high AND resolution = 0 "
        f"AND EXISTS (SELECT 1 FROM schedule WHERE from_slot <= {table}.slot)"
    )


def views(dialect: str) -> dict[str, str]:
    """Return the views for people: readable names, ISO times in UTC, and ``slot`` to filter by."""
    sqlite = dialect == "sqlite"

    def iso(column: str, pattern: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
        if sqlite:
            return f"strftime('{pattern}', {column}, 'unixepoch')"
        moment = f"DATE_ADD('1970-01-01', INTERVAL {column} SECOND)"
        return f"DATE_FORMAT({moment}, '{pattern.replace('%M', '%i').replace('%S', '%s')}')"

    # The assets come first and each one's quotes are looked up: any other way reads them all.
    then = "CROSS JOIN" if sqlite else "STRAIGHT_JOIN"
    return {
        "v_prices": _prices(iso, then),
        "v_latest": _latest(iso),
        "v_log": _log(iso),
        "v_candles_daily": _candles(iso, then),
        "v_global": _global(iso),
        "v_missing": _missing(iso),
        "v_backfill": _backfill(iso),
    }


def named(*columns: str) -> str:
    """Return columns under their own names: ``q.price`` as ``price``."""
    return ", ".join(f"{column} AS `{column.split('.')[1]}`" for column in columns)


def observed(row: str, own_time: str) -> str:
    """Return when a row was observed; a backfilled one has the time of its own."""
    return (
        f"CASE WHEN {row}.origin = 'backfilled' THEN COALESCE({row}.{own_time}, {row}.slot) "
        f"ELSE COALESCE(s.observed_at, {row}.slot) END"
    )


def _prices(iso: Iso, then: str) -> str:
    return (
        f"SELECT {iso('q.slot')} AS slot_utc, "
        f"{iso(observed('q', 'last_updated'))} AS observed_utc, {ASSET}, "
        f"{named(*(f'q.{name}' for name in MONEY + SUPPLIES + RANKS + CHANGES + ORIGIN))}, "
        f"{iso('q.last_updated')} AS last_updated_utc, q.slot AS slot "
        f"FROM asset a {then} quote q ON q.asset_id = a.id LEFT JOIN slot s ON s.slot = q.slot"
    )


def _latest(iso: Iso) -> str:
    return (
        f"SELECT {named(*(f'q.{name}' for name in RANKS))}, {ASSET}, "
        f"{named(*(f'q.{name}' for name in MONEY + SUPPLIES + CHANGES + ORIGIN))}, "
        f"{iso('q.slot')} AS slot_utc, {iso('q.last_updated')} AS last_updated_utc, "
        "q.slot AS slot FROM latest q JOIN asset a ON a.id = q.asset_id"
    )


def _log(iso: Iso) -> str:
    rest = ("assets", "credits", "attempts", "duration_ms", "body_bytes", "source", "sha256")
    return (
        f"SELECT {iso('s.slot')} AS slot_utc, {named('s.outcome', 's.reason', 's.detail')}, "
        f"{iso('s.observed_at')} AS observed_utc, {iso('s.captured_at')} AS captured_utc, "
        f"{iso('s.stored_at')} AS stored_utc, {named(*(f's.{name}' for name in rest))}, "
        "s.slot AS slot FROM slot s"
    )


def _candles(iso: Iso, then: str) -> str:
    day = "q.slot - q.slot % 86400"

    def price_at(slot: str) -> str:
        return f"(SELECT e.price FROM quote e WHERE e.asset_id = d.asset_id AND e.slot = d.{slot})"

    return (
        f"SELECT {iso('d.slot', '%Y-%m-%d')} AS day, {named(*(f'd.{name}' for name in NAMES))}, "
        f"{price_at('first_slot')} AS open, d.high AS high, d.low AS low, "
        f"{price_at('last_slot')} AS close, d.points AS points, d.slot AS slot "
        f"FROM (SELECT {ASSET}, {day} AS slot, MIN(q.slot) AS first_slot, "
        "MAX(q.slot) AS last_slot, MAX(q.price) AS high, MIN(q.price) AS low, "
        f"COUNT(*) AS points FROM asset a {then} quote q ON q.asset_id = a.id "
        f"GROUP BY a.id, a.name, a.symbol, a.slug, {day}) d"
    )


def _global(iso: Iso) -> str:
    def some(main: str, own_time: str, joined: str) -> str:
        return (
            f"SELECT {iso(f'{main}.slot')} AS slot_utc, "
            f"{iso(observed(main, own_time))} AS observed_utc, "
            f"{named(*(f'g.{name}' for name in FIGURES))}, f.value AS fear_and_greed, "
            f"f.classification AS fear_and_greed_label, "
            f"{named(*(f'{main}.{name}' for name in ORIGIN))}, {main}.slot AS slot "
            f"FROM {joined} LEFT JOIN slot s ON s.slot = {main}.slot"
        )

    # No database but SQLite knows a full join, so those without a partner come second.
    metrics = "global_metrics g LEFT JOIN fear_and_greed f ON f.slot = g.slot"
    fear = "fear_and_greed f LEFT JOIN global_metrics g ON g.slot = f.slot"
    alone = some("f", "updated_at", fear)
    return f"{some('g', 'last_updated', metrics)} UNION ALL {alone} WHERE g.slot IS NULL"


def _missing(iso: Iso) -> str:
    return (
        f"SELECT {iso('m.slot')} AS slot_utc, {named('m.what', 'm.asset_id', 'a.name')}, "
        f"{named('a.symbol', 'm.reason', 'm.detail', 'm.slot')} "
        "FROM missing m LEFT JOIN asset a ON a.id = m.asset_id"
    )


def _backfill(iso: Iso) -> str:
    return (
        f"SELECT {named('b.target', 'b.asset_id', 'a.name', 'a.symbol')}, "
        f"{iso('b.from_time')} AS from_utc, {iso('b.to_time')} AS to_utc, "
        f"{named('b.resolution', 'b.outcome', 'b.reason', 'b.detail', 'b.points')}, "
        f"b.credits AS credits, {iso('b.captured_at')} AS captured_utc "
        "FROM backfill b LEFT JOIN asset a ON a.id = b.asset_id"
    )


def downgrade() -> None:
    """Remove them again; the first three views show the first schema's tables just as well."""
    for name in NEW_VIEWS:
        op.execute(f"DROP VIEW IF EXISTS {name}")
    for table in TABLES:
        op.drop_table(table, if_exists=True)
    for table in METRICS:
        there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}
        for name in ("origin", "resolution"):
            if name in there:
                op.drop_column(table, name)
