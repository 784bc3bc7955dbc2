"""Moving a store: all of it, equal to the last bit, from wherever it was stopped."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from coinlog.errors import SchemaError, StoreError, UnfinishedMoveError, UsageError
from coinlog.market import Outcome
from coinlog.move import stores
from coinlog.move.digests import read_digests
from coinlog.move.lines import write_lines
from coinlog.move.stores import Moved, compare_stores, move_store
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.ledger import read_head
from coinlog.store.migrate import migrate
from coinlog.store.pages import Line
from coinlog.store.reader import Reader
from coinlog.store.writer import settle
from program import start
from samples import SLOT, STEP, refused, settlement, snapshot
from stores import fill_every_table, fill_with_quotes, opened, read_everything


class StopError(Exception):
    """Somebody pulled the plug."""


class Watching:
    """Looks on as something is moved, and does ``act`` once ``phase`` has begun."""

    def __init__(self, phase: str = "", act: Callable[[], object] = lambda: None) -> None:
        self.phase, self.act = phase, act

    @contextmanager
    def __call__(self, phase: str, total: int) -> Iterator[Callable[[int], None]]:
        done: list[int] = []
        if phase == self.phase:
            self.act()
        yield done.append
        assert phase != "copying" or sum(done) == total


def stop() -> None:
    raise StopError


def move(origin: sa.URL, target: sa.URL) -> Moved:
    return move_store(origin, target, Watching())


@pytest.fixture
def sqlite_url(tmp_path: Path) -> sa.URL:
    return sa.URL.create("sqlite", database=str(tmp_path / "other.db"))


@pytest.fixture
def filled_url(sqlite_url: sa.URL) -> sa.URL:
    fill_every_table(sqlite_url)
    return sqlite_url


@pytest.fixture
def third_url(tmp_path: Path) -> sa.URL:
    url = sa.URL.create("sqlite", database=str(tmp_path / "third.db"))
    fill_every_table(url)
    return url


def tables_in(url: sa.URL) -> set[str]:
    with opened(url) as engine:
        return set(sa.inspect(engine).get_table_names())


def test_a_store_goes_to_another_database_and_back_equal(
    filled_url: sa.URL, bare_url: sa.URL, tmp_path: Path
) -> None:
    back = sa.URL.create("sqlite", database=str(tmp_path / "back.db"))
    there, again = move(filled_url, bare_url), move(bare_url, back)

    assert there == again
    assert (there.differences, there.slots, there.changed) == ((), 3, False)
    assert there.written == there.rows > 0
    assert read_everything(back) == read_everything(bare_url) == read_everything(filled_url)
    with opened(filled_url) as one, opened(back) as other:
        assert read_digests(one) == read_digests(other)


def test_every_table_of_the_schema_is_copied(filled_url: sa.URL, bare_url: sa.URL) -> None:
    move(filled_url, bare_url)

    everything = read_everything(bare_url)
    assert [name for name, rows in everything.items() if not rows] == []
    assert everything.keys() == schema.metadata.tables.keys()
    assert tables_in(bare_url) == tables_in(filled_url)


def test_a_moved_store_goes_on_where_the_other_stopped(
    filled_url: sa.URL, bare_url: sa.URL
) -> None:
    move(filled_url, bare_url)

    later = SLOT + 7 * STEP
    for url in (filled_url, bare_url):
        with opened(url) as engine:
            assert settle(engine, settlement(later, found=snapshot([1, 52])), later + 20)
    assert read_everything(bare_url) == read_everything(filled_url)


def test_a_killed_move_goes_on_where_it_was(sqlite_url: sa.URL, bare_url: sa.URL) -> None:
    fill_with_quotes(sqlite_url, assets=300, slots=250)
    with opened(bare_url):
        there = {"COINLOG_DATABASE_URL": bare_url.render_as_string(hide_password=False)}
    process = start("move", f"sqlite:///{sqlite_url.database}", "store", **there)
    engine = open_engine(bare_url, read_only=True)
    newest = sa.select(sa.func.max(schema.quote.c.asset_id))
    while process.poll() is None:
        with engine.connect() as connection:
            if connection.execute(newest).scalar() is not None:
                process.kill()
                break
    process.communicate()
    with engine.connect() as connection:
        left = connection.execute(sa.select(sa.func.count()).select_from(schema.quote)).scalar()
        assert connection.execute(sa.select(schema.store.c.source)).scalar() is None
    engine.dispose()

    moved = move(sqlite_url, bare_url)

    assert process.returncode == -9
    assert left
    assert moved.resumed
    assert (moved.differences, moved.mended) == ((), 0)
    assert moved.written <= moved.rows - left
    assert compare_stores(sqlite_url, bare_url, Watching()).differences == ()
    assert tables_in(bare_url) == tables_in(sqlite_url)


@pytest.mark.parametrize("phase", ["copying", "proving"])
def test_what_changed_while_a_move_lay_unfinished_is_brought_over(
    sqlite_url: sa.URL, bare_url: sa.URL, phase: str
) -> None:
    fill_every_table(sqlite_url)
    with opened(sqlite_url) as engine:
        part = snapshot([1], missing=[refused(1027)])
        settle(engine, settlement(SLOT - STEP, found=part), SLOT)
    with pytest.raises(StopError):
        move_store(sqlite_url, bare_url, Watching(phase, stop))
    with opened(sqlite_url) as engine:
        whole = settlement(SLOT - STEP, "2", found=snapshot([1, 1027], price=7.0))
        assert whole.outcome is Outcome.STORED
        settle(engine, whole, SLOT + 30)
        settle(engine, settlement(SLOT + 9 * STEP, found=snapshot([1, 99])), SLOT + 30)
        with engine.begin() as connection:
            connection.execute(schema.quote.delete().where(schema.quote.c.slot == SLOT))

    moved = move(sqlite_url, bare_url)

    assert moved.differences == ()
    assert (moved.resumed, bool(moved.mended)) == (True, phase == "proving")
    assert read_everything(bare_url) == read_everything(sqlite_url)


def test_what_is_written_while_it_is_copied_is_not_torn(
    filled_url: sa.URL, bare_url: sa.URL
) -> None:
    before = read_everything(filled_url)

    def record() -> None:
        with opened(filled_url) as engine:
            settle(engine, settlement(SLOT + 9 * STEP, found=snapshot([1, 99])), SLOT + 30)

    moved = move_store(filled_url, bare_url, Watching("copying", record))

    assert moved.changed
    assert moved.differences == ()
    assert read_everything(bare_url) == before != read_everything(filled_url)


def add_fault(engine: sa.Engine) -> None:
    """Make a database write another last bit into one quote than it is given."""
    price = repr(math.nextafter(100.5, 0))
    when = f"NEW.asset_id = 1027 AND NEW.slot = {SLOT + STEP}"
    there = "asset_id = NEW.asset_id AND slot = NEW.slot"
    change = f"UPDATE quote SET price = {price} WHERE {there}"  # noqa: S608  our own words
    faults = {
        "sqlite": f"AFTER INSERT ON quote WHEN {when} BEGIN {change}; END",
        "mysql": "BEFORE INSERT ON quote FOR EACH ROW "
        f"SET NEW.price = IF({when}, {price}, NEW.price)",
    }
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TRIGGER fault {faults[engine.dialect.name]}")


def test_a_changed_bit_in_the_copy_is_found_and_then_mended(
    filled_url: sa.URL, bare_url: sa.URL
) -> None:
    with opened(bare_url) as engine:
        add_fault(engine)

        faulty = move(filled_url, bare_url)
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER fault")

    assert [str(difference) for difference in faulty.differences] == [
        "slot 2026-01-27T00:00:00Z: 3 quotes on both sides, but not the same"
    ]
    mended = move(filled_url, bare_url)
    assert (mended.differences, mended.mended) == ((), 1)
    assert read_everything(bare_url) == read_everything(filled_url)


def test_comparing_finds_a_lost_quote_a_changed_bit_and_a_new_name(
    filled_url: sa.URL, bare_url: sa.URL
) -> None:
    move(filled_url, bare_url)
    quote, asset = schema.quote, schema.asset
    at = {number: quote.c.slot == SLOT + number * STEP for number in range(3)}
    with opened(bare_url) as engine, engine.begin() as connection:
        connection.execute(quote.delete().where(at[0], quote.c.asset_id == 1))
        bit = math.nextafter(100.5, math.inf)
        connection.execute(quote.update().where(at[2], quote.c.asset_id == 1).values(price=bit))
        connection.execute(asset.update().where(asset.c.id == 1).values(name="asset 1"))

    found = compare_stores(filled_url, bare_url, Watching()).differences

    assert [str(difference) for difference in found] == [
        "table asset: 3 rows on both sides, but not the same",
        "slot 2026-01-26T18:00:00Z: 3 quotes here, 2 there",
        "slot 2026-01-27T06:00:00Z: 3 quotes on both sides, but not the same",
    ]


def test_a_store_that_holds_something_is_refused_and_left_alone(
    filled_url: sa.URL, bare_url: sa.URL
) -> None:
    with opened(bare_url) as engine:
        settle(engine, settlement(found=snapshot()), SLOT + 20)
    before = read_everything(bare_url)

    with pytest.raises(UsageError, match="it holds coinmarketcap data of 1 slots; choose an empty"):
        move(filled_url, bare_url)

    assert read_everything(bare_url) == before


def test_a_move_from_elsewhere_that_is_unfinished_is_refused(
    filled_url: sa.URL, third_url: sa.URL, bare_url: sa.URL
) -> None:
    with pytest.raises(StopError):
        move_store(filled_url, bare_url, Watching("proving", stop))

    with pytest.raises(UsageError, match=r"unfinished move from sqlite:.*other\.db, begun 20"):
        move(third_url, bare_url)

    engine = open_engine(bare_url)
    settle(engine, settlement(SLOT + 9 * STEP, found=snapshot()), SLOT + 20)
    engine.dispose()
    with pytest.raises(UsageError, match="it holds coinmarketcap data"):
        move(filled_url, bare_url)


@pytest.mark.parametrize("table", ["asset", "quote", "slot", "thinning"])
def test_half_a_store_is_refused_by_all_who_read_or_write(
    filled_url: sa.URL, bare_url: sa.URL, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    engine = open_engine(bare_url)
    stop_before(table, monkeypatch)
    with pytest.raises(StopError):
        move(filled_url, bare_url)

    with pytest.raises(UnfinishedMoveError, match=r"is half a store.*other\.db"):
        migrate(engine)
    with pytest.raises(UnfinishedMoveError, match="the same `coinlog move` goes on"):
        read_head(Reader(engine))
    with engine.connect() as connection:
        for settled in (schema.attempt, schema.backfill):
            assert connection.execute(sa.select(settled)).first() is None
    monkeypatch.undo()
    assert move(filled_url, bare_url).differences == ()
    assert read_head(Reader(engine)).newest
    assert migrate(engine) == []
    engine.dispose()


def stop_before(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop a move when it would write the first row of a table."""

    def write(connection: sa.Connection, table: sa.Table, lines: list[Line]) -> None:
        if table.name == name:
            raise StopError
        write_lines(connection, table, lines)

    monkeypatch.setattr(stores, "write_lines", write)


def test_half_a_store_is_not_moved_on(filled_url: sa.URL, bare_url: sa.URL, tmp_path: Path) -> None:
    with pytest.raises(StopError):
        move_store(filled_url, bare_url, Watching("proving", stop))

    with pytest.raises(UnfinishedMoveError):
        move(bare_url, sa.URL.create("sqlite", database=str(tmp_path / "further.db")))


def test_an_emptied_target_takes_a_move_from_elsewhere(
    filled_url: sa.URL, third_url: sa.URL, bare_url: sa.URL
) -> None:
    with pytest.raises(StopError):
        move_store(filled_url, bare_url, Watching("proving", stop))
    engine = open_engine(bare_url)
    migrate(engine, "base")
    assert migrate(engine)
    engine.dispose()

    assert move(third_url, bare_url).differences == ()


def test_what_is_no_store_is_refused(sqlite_url: sa.URL, bare_url: sa.URL, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no database at"):
        move(sqlite_url, bare_url)
    with pytest.raises(UsageError, match="are both"):
        move(bare_url, bare_url)
    assert not Path(str(sqlite_url.database)).exists()

    Path(str(sqlite_url.database)).touch()
    with pytest.raises(SchemaError, match="has no tables of coinlog"):
        move(sqlite_url, bare_url)
    with opened(sqlite_url) as engine:
        migrate(engine, "base")
        migrate(engine, "0001")
    with pytest.raises(SchemaError, match=r"revision 0001.*run `coinlog migrate` first"):
        move(sqlite_url, bare_url)
    text = tmp_path / "text.db"
    text.write_text("no database " * 100)
    with pytest.raises(StoreError, match="not a database"):
        move(sa.URL.create("sqlite", database=str(text)), bare_url)


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "x'), (1, 2"},
        {"price": "'; DROP TABLE quote; --"},
        {"rank": 1.5},
        {"asset_id": 0.5},
        {"slot": -1},
    ],
)
def test_a_quote_that_coinlog_never_wrote_stops_the_move(
    filled_url: sa.URL, bare_url: sa.URL, change: dict[str, object]
) -> None:
    with opened(filled_url) as engine, engine.begin() as connection:
        # Views may name a table that is away for a moment.
        connection.exec_driver_sql("PRAGMA legacy_alter_table=ON")
        name, value = next(iter(change.items()))
        # The column's own kind would turn 1.5 back into a whole number or refuse the text.
        connection.exec_driver_sql("CREATE TABLE plain AS SELECT * FROM quote")
        connection.exec_driver_sql("DROP TABLE quote")
        connection.exec_driver_sql("ALTER TABLE plain RENAME TO quote")
        connection.exec_driver_sql(f"UPDATE quote SET {name} = ? WHERE asset_id = 1", (value,))  # noqa: S608

    with pytest.raises(StoreError, match="a quote that coinlog has not written"):
        move(filled_url, bare_url)

    engine = open_engine(bare_url)
    with engine.connect() as connection:
        assert connection.execute(sa.select(schema.store.c.source)).scalar() is None
        assert connection.execute(sa.select(schema.quote)).first() is None
    engine.dispose()
