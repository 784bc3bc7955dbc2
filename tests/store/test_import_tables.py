"""Tables of older set-ups, in SQLite and in MariaDB: read exactly, and left as they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from adopting import BTC, clock, only, prices, snapshot_of
from coinlog.errors import StoreUnavailableError, UsageError
from coinlog.imports.columns import parse_columns
from coinlog.imports.database import open_table
from coinlog.imports.rows import Rows
from coinlog.sources.numbers import POINT
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from samples import SLOT, STEP

MONEDAS = (
    "CREATE TABLE Monedas (id INTEGER PRIMARY KEY, Name VARCHAR(99), Symbol VARCHAR(9), {}, "
    "Time {})"
)
INSERT = "INSERT INTO Monedas VALUES (1, 'Bitcoin', 'BTC', {}, {})"
AT = "'2026-01-26 18:00:05'"


def run(url: sa.URL, *statements: str) -> None:
    # The driver alone: nothing of ours shall prepare another's database.
    if url.get_backend_name() == "sqlite":
        connection = sqlite3.connect(str(url.database))
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()
        return
    engine = sa.create_engine(url)
    with engine.begin() as connected:
        for statement in statements:
            connected.exec_driver_sql(statement)
    engine.dispose()


@contextmanager
def table_rows(
    url: sa.URL, table: str | None = None, columns: str = "", zone: str = "UTC"
) -> Iterator[Rows]:
    """Read a table to its end."""
    given = parse_columns([columns] if columns else [])
    with open_table(url, table, given) as opened:
        rows = Rows(opened.sheet, clock("UTC" if opened.in_utc else zone), STEP)
        with rows:
            rows.read(lambda _: None)
            yield rows


def price_in(url: sa.URL) -> float:
    with table_rows(url) as rows:
        return prices(snapshot_of(only(rows)))[1]


def test_the_tutorials_table_is_found_by_itself(bare_url: sa.URL) -> None:
    run(
        bare_url,
        MONEDAS.format("Price VARCHAR(40)", "DATETIME"),
        INSERT.format("'34,567.891'", AT),
    )
    run(bare_url, "CREATE TABLE other (symbol VARCHAR(9), price FLOAT, date DATETIME)")
    with table_rows(bare_url) as rows:
        captured = only(rows)

    assert prices(snapshot_of(captured)) == {1: 34567.891}
    assert rows.seen.keys() == {BTC}
    assert rows.imported.startswith("table Monedas of ")
    assert "p@ss" not in rows.imported
    assert captured.observed_at == SLOT + 5


def test_the_other_tutorials_table_is_found_too(bare_url: sa.URL) -> None:
    run(
        bare_url,
        "CREATE TABLE cryptos (symbol VARCHAR(9), name VARCHAR(99), price DOUBLE, "
        "timestamp BIGINT)",
        "INSERT INTO cryptos VALUES ('BTC', 'Bitcoin', 34567.891, 1769450405)",
        "INSERT INTO cryptos VALUES ('BTC', 'Bitcoin', 34568.25, 1769472000000)",
    )
    with table_rows(bare_url) as rows:
        assert rows.slots() == [SLOT, SLOT + STEP]


@pytest.mark.parametrize(
    ("kind", "written", "price"),
    [
        ("DOUBLE", "1.2345678901234567e-19", 1.2345678901234567e-19),
        ("DOUBLE", "34567.123456789012", 34567.123456789012),
        ("VARCHAR(40)", "'1.2345678901234567e-19'", 1.2345678901234567e-19),
        ("TEXT", "'0.00000123'", 1.23e-6),
    ],
)
def test_prices_are_exact_whatever_their_column(
    bare_url: sa.URL, kind: str, written: str, price: float
) -> None:
    run(bare_url, MONEDAS.format(f"Price {kind}", "DATETIME"), INSERT.format(written, AT))

    assert price_in(bare_url) == price


def test_decimal_and_float_columns_come_whole(mariadb_url: sa.URL) -> None:
    run(
        mariadb_url,
        MONEDAS.format("Price DECIMAL(38,18)", "DATETIME"),
        INSERT.format("48123.457000000000000123", AT),
    )
    with table_rows(mariadb_url) as rows:
        assert b'"48123.457000000000000123"' in only(rows).answers[0].body
    run(mariadb_url, "ALTER TABLE Monedas MODIFY Price FLOAT", "UPDATE Monedas SET Price=48123.457")

    assert price_in(mariadb_url) == 48123.45703125


def test_timestamps_are_instants_and_datetimes_are_not(mariadb_url: sa.URL) -> None:
    run(
        mariadb_url,
        MONEDAS.format("Price DOUBLE", "TIMESTAMP"),
        INSERT.format("1.5", f"FROM_UNIXTIME({SLOT + 5})"),
    )
    with table_rows(mariadb_url, zone="America/Bogota") as rows:
        assert only(rows).observed_at == SLOT + 5
    run(mariadb_url, "ALTER TABLE Monedas MODIFY Time DATETIME", "DELETE FROM Monedas")
    run(mariadb_url, INSERT.format("1.5", AT))
    with table_rows(mariadb_url, zone="America/Bogota") as rows:
        assert only(rows).observed_at == SLOT + 5 + 5 * 3600


def test_rows_without_a_time_a_price_or_an_asset_are_refused(bare_url: sa.URL) -> None:
    run(
        bare_url,
        MONEDAS.format("Price VARCHAR(40)", "VARCHAR(40)"),
        INSERT.format("'1.5'", "NULL"),
        INSERT.format("NULL", AT).replace("(1,", "(2,"),
        "INSERT INTO Monedas VALUES (3, NULL, NULL, '1.5', '2026-01-26 18:00:05')",
        INSERT.format("'1.5'", "'0000-00-00 00:00:00'").replace("(1,", "(4,"),
        INSERT.format("'1.5'", "'2026-01-26 18:00:06'").replace("(1,", "(5,"),
    )
    with table_rows(bare_url) as rows:
        assert [refusal.place for refusal in rows.refusals.first] == ["row 1", "row 3", "row 4"]
        assert prices(snapshot_of(only(rows))) == {1: 1.5}


def test_a_table_is_named_where_several_could_be_it(bare_url: sa.URL) -> None:
    for name in ("uno", "dos"):
        run(bare_url, f"CREATE TABLE {name} (symbol VARCHAR(9), price FLOAT, time DATETIME)")
    with pytest.raises(UsageError, match=r"dos, uno.*--table"), table_rows(bare_url):
        pass
    with table_rows(bare_url, "dos") as rows:
        assert rows.count == 0
        assert list(rows.slots()) == []
    with pytest.raises(UsageError, match="no table 'tres'"), table_rows(bare_url, "tres"):
        pass


def test_columns_that_are_called_otherwise_are_mapped(bare_url: sa.URL) -> None:
    run(
        bare_url,
        "CREATE TABLE historico (moneda VARCHAR(9), valor FLOAT, cuando DATETIME)",
        "INSERT INTO historico VALUES ('BTC', 1.5, '2026-01-26 18:00:05')",
    )
    with pytest.raises(UsageError, match="the tables are historico"), table_rows(bare_url):
        pass
    columns = "symbol=moneda,price=valor,time=cuando"
    with table_rows(bare_url, columns=columns) as rows:
        assert rows.imported.startswith("table historico of ")
        assert rows.count == 1
    with (
        pytest.raises(UsageError, match="moneda, valor, cuando"),
        table_rows(bare_url, "historico"),
    ):
        pass


def test_the_stores_own_tables_are_never_taken_for_one(bare_url: sa.URL) -> None:
    engine = open_engine(bare_url)
    migrate(engine)
    engine.dispose()
    with pytest.raises(UsageError, match="no tables but coinlog's"), table_rows(bare_url):
        pass
    run(bare_url, MONEDAS.format("Price FLOAT", "DATETIME"), INSERT.format("1.5", AT))

    assert price_in(bare_url) == 1.5


def test_nothing_of_a_sqlite_file_is_changed(tmp_path: Path) -> None:
    url = sa.URL.create("sqlite", database=str(tmp_path / "old.db"))
    run(url, MONEDAS.format("Price FLOAT", "DATETIME"), INSERT.format("1.5", AT))
    before = (tmp_path / "old.db").read_bytes()

    assert price_in(url) == 1.5
    assert (tmp_path / "old.db").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["old.db"]


def test_text_in_another_encoding_is_kept_as_far_as_it_can_be_read(tmp_path: Path) -> None:
    url = sa.URL.create("sqlite", database=str(tmp_path / "old.db"))
    run(url, MONEDAS.format("Price TEXT", "TEXT"), INSERT.format("'1.5'", AT))
    run(url, "UPDATE Monedas SET Name = CAST(x'426974f3' AS TEXT)")
    with table_rows(url) as rows:
        assert [label.name for label in rows.seen] == ["Bit\ufffd"]


def test_a_database_that_is_away_or_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "junk.db").write_bytes(b"SQLite format 3\0" + b"junk" * 100)
    junk = sa.URL.create("sqlite", database=str(tmp_path / "junk.db"))
    with pytest.raises(StoreUnavailableError, match="import from"), table_rows(junk):
        pass
    absent = sa.URL.create("sqlite", database=str(tmp_path / "absent.db"))
    with pytest.raises(UsageError, match="no file"), table_rows(absent):
        pass
    away = sa.make_url("mysql+pymysql://u:canary@127.0.0.1:9/d")
    with pytest.raises(StoreUnavailableError) as caught, table_rows(away):
        pass
    assert "canary" not in str(caught.value)


def test_the_decimal_mark_of_a_number_column_is_a_point(bare_url: sa.URL) -> None:
    run(bare_url, MONEDAS.format("Price DOUBLE", "DATETIME"))
    with open_table(bare_url, None, {}) as opened:
        assert opened.sheet.decimal == POINT
