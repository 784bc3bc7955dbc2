"""Upgrading a store that is in use: in small pieces, gone on with, and never in anybody's way.

How long others wait beside ten million quotes, and upgrades that are killed for real, are
measured by ``bench/upgrade.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from coinlog.errors import StoreUnavailableError
from coinlog.store import migrate as migrating
from coinlog.store import schema, upgrading
from coinlog.store.engine import open_engine
from coinlog.store.migrate import current_revision, migrate
from coinlog.store.schema import REVISION
from coinlog.watching import Watch
from samples import SLOT, STEP

METRICS = ("global_metrics", "fear_and_greed")


class StopError(Exception):
    """Somebody pulled the plug."""


def stopping_after(steps: int) -> Watch:
    """Return a watch that stops everything after some steps."""

    @contextmanager
    def watch(_what: str, total: int | None) -> Iterator[Callable[[int], None]]:
        done = 0

        def advance(rows: int) -> None:
            nonlocal done
            done += rows
            if done >= steps:
                raise StopError(f"{done} of {total}")

        yield advance

    return watch


def fill_first_schema(engine: sa.Engine, slots: int) -> None:
    """Give a store the first schema, and rows in it that a later one gives new columns."""
    migrate(engine, "0001")
    terms = {"interval_seconds": STEP, "assets": "top:2", "source": "coinmarketcap"}
    with engine.begin() as connection:
        connection.execute(schema.schedule.insert(), {"from_slot": SLOT + STEP, **terms})
        for slot in range(SLOT, SLOT + slots * STEP, STEP):
            add(connection, "global_metrics", slot=slot)
            add(connection, "fear_and_greed", slot=slot, value=34.0, classification="Fear")


def add(connection: sa.Connection, table: str, **row: object) -> None:
    """Add a row as the program of an older schema does, which knows fewer columns."""
    connection.execute(sa.insert(sa.table(table, *map(sa.column, row))), row)


def resolutions(engine: sa.Engine) -> list[list[int]]:
    """Return what filling has filled, in the order of slots."""
    names: Any = ("resolution", "slot")
    tables = [sa.table(table, *map(sa.column, names)) for table in METRICS]
    with engine.connect() as connection:
        return [
            list(connection.scalars(sa.select(table.c.resolution).order_by(table.c.slot)))
            for table in tables
        ]


def test_new_columns_are_filled_piece_by_piece_and_gone_on_with(
    bare_url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upgrading, "ROWS_AT_ONCE", 2)
    engine = open_engine(bare_url)
    fill_first_schema(engine, 7)

    with pytest.raises(StopError, match="4 of 14"):
        migrate(engine, watch=stopping_after(4))
    half, revision = resolutions(engine), current_revision(engine)
    # Whoever still has the old program goes on writing.
    with engine.begin() as connection:
        add(connection, "global_metrics", slot=SLOT + 7 * STEP)
    with pytest.raises(StopError):
        migrate(engine, watch=stopping_after(10))
    migrate(engine)

    # Before the first schedule there is none to tell. A piece that nobody has been told of yet
    # is not committed.
    assert half == [[0, STEP, STEP, STEP, 0, 0, 0], [0] * 7]
    assert revision == "0001"
    assert resolutions(engine) == [[0, *[STEP] * 7], [0, *[STEP] * 6]]
    assert current_revision(engine) == REVISION
    engine.dispose()


def test_what_the_program_before_writes_behind_the_filling_is_filled_as_well(
    bare_url: sa.URL,
) -> None:
    engine = open_engine(bare_url)
    fill_first_schema(engine, 3)

    @contextmanager
    def watch(_what: str, _total: int | None) -> Iterator[Callable[[int], None]]:
        yield lambda _: None
        # Both tables are filled, and the revision is not raised yet.
        with engine.begin() as connection:
            add(connection, "global_metrics", slot=SLOT + 3 * STEP)

    migrate(engine, watch=watch)

    assert resolutions(engine) == [[0, STEP, STEP, STEP], [0, STEP, STEP]]
    engine.dispose()


def test_whoever_reads_for_long_keeps_nobody_else_waiting(
    mariadb_url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "LOCK_SECONDS", 1)
    monkeypatch.setattr(upgrading, "PATIENCE_SECONDS", 1)
    engine = open_engine(mariadb_url)
    fill_first_schema(engine, 2)

    with engine.connect() as reader:
        reader.execute(sa.text("SELECT * FROM global_metrics")).fetchall()
        with pytest.raises(StoreUnavailableError, match=r"somebody has been reading.*PROCESSLIST"):
            migrate(engine)
        # Nothing of ours is left in the queue, so others are not behind it.
        with engine.begin() as other:
            other.exec_driver_sql("SET SESSION lock_wait_timeout = 1")
            add(other, "global_metrics", slot=SLOT + 2 * STEP)

    migrate(engine)
    assert resolutions(engine) == [[0, STEP, STEP], [0, STEP]]
    engine.dispose()


def test_two_upgrades_of_one_database_take_turns(
    mariadb_url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "TURN_SECONDS", 0)
    engine = open_engine(mariadb_url)
    name = {"name": f"coinlog_{mariadb_url.database}"}
    with engine.connect() as other:
        other.execute(sa.text("SELECT GET_LOCK(:name, 1)"), name)
        with pytest.raises(StoreUnavailableError, match="another coinlog has been upgrading"):
            migrate(engine)
        other.execute(sa.text("SELECT RELEASE_LOCK(:name)"), name)

    assert migrate(engine) == [f"nothing -> {REVISION}"]
    engine.dispose()


ALLOWED = (
    # Additions that read no row, and that the program before knows nothing of and needs not.
    r"CREATE TABLE (IF NOT EXISTS )?(?!.* AS SELECT)",
    r"(CREATE|DROP) VIEW ",
    r"ALTER TABLE `?\w+`? ADD COLUMN (?!.*NOT NULL)",
    r"ALTER TABLE `?\w+`? ADD COLUMN (?=.*NOT NULL).*DEFAULT ",
    # Alembic's own row.
    r"(INSERT INTO|UPDATE|DELETE FROM) alembic_version ",
)
ADVICE = (
    "this statement of a migration may read or copy all of a table, keep others waiting, or take "
    "away what the program before uses: add columns that may be NULL or have a default, and give "
    "them their values in `fill`, some thousand rows at a time (see upgrading.py); an index of "
    "`quote` is a table of its own, filled so; what nobody uses any more stays where it is"
)


def test_every_migration_after_the_first_only_adds(bare_url: sa.URL) -> None:
    engine = open_engine(bare_url)
    fill_first_schema(engine, 2)
    said: list[str] = []

    @sa.event.listens_for(engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(" ".join(statement.split()))

    migrate(engine, watch=leaving_out_filling(said))

    changes = [one for one in said if re.match("CREATE|ALTER|DROP|INSERT|UPD|DEL|REN|REPL", one)]
    unknown = [one for one in changes if not any(re.match(known, one) for known in ALLOWED)]
    assert len(changes) > 10
    assert unknown == [], ADVICE
    if engine.dialect.name != "sqlite":
        added = [one for one in changes if one.startswith("ALTER")]
        assert [one for one in added if not one.endswith("ALGORITHM=INSTANT")] == []
    engine.dispose()


def leaving_out_filling(said: list[str]) -> Watch:
    """Return a watch that forgets what filling says: it is bound to some thousand rows."""

    @contextmanager
    def watch(_what: str, _total: int | None) -> Iterator[Callable[[int], None]]:
        before = [*said]
        yield lambda _: None
        said[:] = before

    return watch
