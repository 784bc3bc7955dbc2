"""The schema: migrated equals declared, forwards and backwards, and interrupted ones resume."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from coinlog.errors import NewerSchemaError, SchemaError
from coinlog.store.engine import open_engine
from coinlog.store.migrate import current_revision, migrate
from coinlog.store.schema import REVISION, metadata
from coinlog.store.writer import settle, settled
from samples import SLOT, settlement, snapshot


def tables(engine: sa.Engine) -> set[str]:
    return set(sa.inspect(engine).get_table_names()) - {"alembic_version"}


def test_the_migrations_make_what_the_schema_declares(bare_url: sa.URL) -> None:
    engine = open_engine(bare_url)
    migrate(engine)

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_migrating_again_is_a_no_op_and_down_removes_all(bare_url: sa.URL) -> None:
    engine = open_engine(bare_url)
    assert migrate(engine) == [f"nothing -> {REVISION}"]
    assert migrate(engine) == []
    migrate(engine, "base")

    assert (tables(engine), current_revision(engine)) == (set(), None)
    engine.dispose()


def test_an_interrupted_migration_is_completed_by_the_next(bare_url: sa.URL) -> None:
    engine = open_engine(bare_url)
    migrate(engine)
    with engine.begin() as connection:
        for statement in ("DROP VIEW v_log", "DROP TABLE latest", "DELETE FROM alembic_version"):
            connection.exec_driver_sql(statement)

    migrate(engine)

    assert settle(engine, settlement(found=snapshot()), SLOT)
    engine.dispose()


def test_a_newer_schema_is_refused_with_the_remedy(bare_url: sa.URL) -> None:
    engine = open_engine(bare_url)
    migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(NewerSchemaError, match="newer coinlog"):
        migrate(engine)
    engine.dispose()


def test_a_store_without_tables_names_the_command_that_makes_them(bare_url: sa.URL) -> None:
    engine = open_engine(bare_url)

    with pytest.raises(SchemaError, match="no tables yet: `coinlog load`"):
        settled(engine)
    engine.dispose()


def test_the_views_show_readable_names_and_iso_times(bare_url: sa.URL) -> None:
    engine = open_engine(bare_url)
    migrate(engine)
    settle(engine, settlement(found=snapshot([1])), SLOT)

    with engine.connect() as connection:
        price = connection.execute(sa.text("SELECT slot_utc, name, price FROM v_prices")).one()
        log = connection.execute(sa.text("SELECT slot_utc, outcome FROM v_log")).one()
        latest = connection.execute(sa.text("SELECT name, slot_utc FROM v_latest")).one()
    assert tuple(price) == ("2026-01-26T18:00:00Z", "Asset 1", 100.5)
    assert tuple(log) == ("2026-01-26T18:00:00Z", "stored")
    assert tuple(latest) == ("Asset 1", "2026-01-26T18:00:00Z")
    engine.dispose()


def test_the_page_cannot_write(bare_url: sa.URL) -> None:
    engine = open_engine(bare_url)
    migrate(engine)
    engine.dispose()
    page = open_engine(bare_url, read_only=True)

    with pytest.raises(sa.exc.DBAPIError), page.begin() as connection:
        connection.execute(sa.text("UPDATE store SET version = 99"))
    page.dispose()
