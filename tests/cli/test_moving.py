"""``coinlog move``, as its user sees it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import sqlalchemy as sa

from coinlog.archive import open_archive
from coinlog.store import schema
from market import put_attempt
from program import run, run_here, run_json, run_json_here, start
from samples import SLOT
from stores import fill_every_table, fill_with_quotes, opened, read_everything


@pytest.fixture
def store(own_world: Path) -> str:
    """Return the address of a filled store, which is the one of the settings."""
    url = sa.URL.create("sqlite", database=str(own_world / "data" / "coinlog.db"))
    fill_every_table(url)
    return str(url)


def words(text: str) -> str:
    return " ".join(text.split())


def test_a_store_is_moved_and_the_line_for_env_puts_it_to_use(
    store: str, mariadb_url: sa.URL
) -> None:
    server = mariadb_url.set(drivername="mysql")._replace(password=None)
    password = str(mariadb_url.password)

    done = run("move", "store", str(server), COINLOG_MOVE_PASSWORD=password)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("✓ moved, and proven equal: ")
    assert password not in done.stdout + done.stderr
    line = server.set(password="PASSWORD").render_as_string(hide_password=False)
    assert f"to use it, put into .env: COINLOG_DATABASE_URL={line}" in words(done.stdout)
    assert done.stderr == ""
    assert read_everything(mariadb_url) == read_everything(sa.make_url(store))
    with_it = mariadb_url.set(drivername="mysql").render_as_string(hide_password=False)
    assert run_json("status", COINLOG_DATABASE_URL=with_it)["source"] == "coinmarketcap"


def test_a_password_in_the_command_works_and_is_advised_against(
    store: str, mariadb_url: sa.URL
) -> None:
    address = mariadb_url.render_as_string(hide_password=False)

    moved = run_here("move", store, address)
    again = run_here("move", "--check", store, address, "--json")

    assert (moved.returncode, again.returncode) == (0, 0)
    assert "set COINLOG_MOVE_PASSWORD" in words(moved.stderr)
    everything = moved.stdout + moved.stderr + again.stdout + again.stderr
    assert str(mariadb_url.password) not in everything
    assert str(mariadb_url.password).replace("/", "%2F") not in everything


def test_a_move_is_told_to_programs_too(store: str, tmp_path: Path) -> None:
    told = run_json_here("move", "store", f"sqlite:///{tmp_path}/new.db")

    assert told["equal"]
    assert (told["from"], told["to"]) == (store, f"sqlite:///{tmp_path}/new.db")
    assert told["rows"] == told["written"] > told["slots"] == 3
    assert told["setting"] == f"COINLOG_DATABASE_URL=sqlite:///{tmp_path}/new.db"


def test_differences_are_shown_and_fail(store: str, tmp_path: Path) -> None:
    copy = sa.make_url(f"sqlite:///{tmp_path}/new.db")
    run_here("move", store, str(copy))
    with opened(copy) as engine, engine.begin() as connection:
        connection.execute(schema.quote.update().values(price=1.0))
        connection.execute(schema.slot.update().values(credits=7))

    found = run_here("move", store, str(copy), "--check")

    assert found.returncode == 1
    assert "✗ table slot: 3 rows on both sides, but not the same" in found.stdout
    assert "slot 2026-01-26T18:00:00Z: 3 quotes on both sides" in found.stdout
    assert "✗ not equal: 4 differences" in found.stdout


def test_an_archive_is_moved_to_a_bucket(own_world: Path, bucket: str) -> None:
    put_attempt(open_archive(str(own_world / "data" / "archive")), SLOT)

    done = run_here("move", "archive", f"s3://{bucket}/coinlog")
    told = run_json_here("move", "archive", f"s3://{bucket}/coinlog")

    assert done.returncode == 0, done.stderr
    assert "✓ moved, and proven equal: 2 objects, 0.0 MB" in done.stdout
    assert f"COINLOG_ARCHIVE=s3://{bucket}/coinlog" in done.stdout
    assert (told["equal"], told["copied"]) == (True, 0)
    loaded = run_json_here("load", COINLOG_ARCHIVE=f"s3://{bucket}/coinlog")
    assert loaded["settled_attempts"] == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_move_says_how_to_go_on(
    tmp_path: Path, mariadb_url: sa.URL, number: signal.Signals
) -> None:
    origin = sa.URL.create("sqlite", database=str(tmp_path / "big.db"))
    fill_with_quotes(origin, assets=80, slots=250)
    address = mariadb_url.render_as_string(hide_password=False)
    process = start("move", str(origin), "store", COINLOG_DATABASE_URL=address)
    engine = sa.create_engine(mariadb_url)
    with engine.connect() as connection:
        while not sa.inspect(connection).has_table("unfinished_move"):
            assert process.poll() is None
    engine.dispose()

    process.send_signal(number)
    said = process.communicate(timeout=20)[0]

    assert process.returncode == 1
    assert "stopped; the same command goes on where it stopped" in said
    assert "Traceback" not in said
    assert run_json("move", str(origin), address)["equal"]


@pytest.mark.parametrize(
    ("places", "said"),
    [
        (("store", "archive"), "one is a store and the other an archive"),
        (("store", "store"), "are both sqlite:///"),
        (("archive", "archive"), "are both in"),
        (("store", "postgresql://u:s3cr3t@h/d"), "expected sqlite:///file.db"),
        (("store", "mysql://u:s3cr3t@127.0.0.1"), "the name of the database is missing"),
        (("store", "mysql://u:s3cr3t@127.0.0.1/d?x=1"), "option"),
        (("sqlite:///nowhere.db", "sqlite:///new.db"), "there is no database at"),
        (("sqlite:///", "sqlite:///new.db"), "SQLite needs a file"),
        (("nowhere", "somewhere"), "there is no archive at"),
        (("store",), "Missing argument 'TO'"),
    ],
)
def test_places_that_cannot_be_used_are_refused(
    store: str, places: tuple[str, ...], said: str
) -> None:
    before = read_everything(sa.make_url(store))

    done = run_here("move", *places)

    assert done.returncode == 2
    assert said in words(done.stderr)
    assert "s3cr3t" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert read_everything(sa.make_url(store)) == before


def test_a_database_that_is_away_is_told_in_one_sentence(store: str) -> None:
    done = run_here("move", store, "mysql://u:s3cr3t@127.0.0.1:9/d")

    assert done.returncode == 1
    assert "Can't connect" in words(done.stderr)
    assert "s3cr3t" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
