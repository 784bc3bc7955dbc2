"""Exporting from the command line: pipes, files, JSON, and wrong use in one sentence."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa

from coinlog.market import SourceKind
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from exports import ask_duckdb, fill
from program import COMMAND, run, run_here, run_json_here


@pytest.fixture
def filled(own_world: Path) -> sa.URL:
    """Return a store where the program itself looks for it."""
    url = sa.URL.create("sqlite", database=str(own_world / "data" / "coinlog.db"))
    fill(url)
    return url


@pytest.mark.usefixtures("filled")
def test_stdout_holds_nothing_but_data_and_stderr_says_whose_it_is() -> None:
    done = run("export", "-", "--assets", "id:1", "--fields", "price")

    lines = done.stdout.splitlines()
    assert (done.returncode, len(lines)) == (0, 5)
    assert lines[0] == "slot,observed_at,asset_id,symbol,name,slug,price,origin,resolution,source"
    assert lines[1].startswith("2026-01-26T18:00:00Z,2026-01-26T18:00:12Z,1,")
    assert done.stderr.startswith("Data: CoinMarketCap, https://coinmarketcap.com. ")
    assert "redistributing" in done.stderr


@pytest.mark.usefixtures("filled")
def test_programs_are_told_what_was_exported() -> None:
    facts = run_json_here("export", "history", "--format", "parquet")

    assert (facts["rows"], facts["files"], facts["format"]) == (65, 3, "parquet")
    assert facts["destination"] == "history/quotes"
    assert facts["attribution"].startswith("Data: CoinMarketCap")
    _, rows = ask_duckdb("SELECT count(*) FROM 'history/quotes/*/*.parquet'")
    assert rows == [(65,)]


@pytest.mark.usefixtures("filled")
def test_people_are_told_in_one_line_where_it_went() -> None:
    done = run_here("export", "--range", "all")

    assert done.stdout == "✓ 65 rows of quotes exported to coinlog-quotes.csv, 0.0 MB\n"
    assert Path("coinlog-quotes.csv").is_file()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["x.csv", "--format", "jsonl"], "expected the same"),
        (["-", "--format", "parquet"], "expected a folder"),
        (["-", "--json"], "expected one of them"),
        (["-", "--assets", "bitcoin"], "or all"),
        (["-", "--assets", "id:99"], "no asset with the id 99"),
        (["-", "--fields", "price,luck"], "fields='luck'"),
        (["-", "--range", "2y"], "range='2y'"),
        (["-", "--range", "1d", "--to", "2026-01-01"], "exclude each other"),
        (["-", "--from", "yesterday"], "from='yesterday'"),
        (["-", "--from", "2026-02-01", "--to", "2026-01-01"], "is after"),
        (["-", "--what", "log", "--assets", "id:1"], "--assets cannot be used with --what log"),
        (["-", "--what", "luck"], "'luck'"),
        (["-", "--format", "xlsx"], "'xlsx'"),
        (["nowhere/x.csv"], "no folder nowhere"),
    ],
)
@pytest.mark.usefixtures("filled")
def test_wrong_use_is_explained_with_exit_code_2(arguments: list[str], expected: str) -> None:
    done = run_here("export", *arguments)

    assert done.returncode == 2
    assert expected in " ".join(done.stderr.split())
    assert (done.stdout, "Traceback" in done.stderr) == ("", False)


@pytest.mark.parametrize("made", [False, True], ids=["absent", "empty"])
def test_without_a_record_there_is_nothing_to_export(own_world: Path, *, made: bool) -> None:
    if made:
        engine = open_engine(f"sqlite:///{own_world}/data/coinlog.db")
        migrate(engine)
        engine.dispose()

    done = run_here("export", "x.csv")

    assert done.returncode == 1
    assert "coinlog record" in done.stderr
    assert not Path("x.csv").exists()
    assert made == (own_world / "data").exists()


@pytest.mark.usefixtures("filled")
def test_a_full_disk_is_one_sentence() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*COMMAND, "export", "-"], stdout=full, stderr=-1, check=False)

    assert done.returncode == 1
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.usefixtures("filled")
def test_a_reader_that_goes_away_is_no_trouble() -> None:
    process = subprocess.Popen([*COMMAND, "export", "-"], stdout=-1, stderr=-1)
    assert process.stdout is not None
    process.stdout.close()

    _, said = process.communicate(timeout=60)

    assert b"Traceback" not in said


def test_a_made_up_market_says_so(own_world: Path) -> None:
    database = own_world / "data" / "simulated" / "coinlog.db"
    fill(sa.URL.create("sqlite", database=str(database)), SourceKind.SIMULATED)

    done = run("export", "--simulated", "--format", "jsonl", "--assets", "id:1")
    refused = run("export", "--simulated", "prices.jsonl")

    assert "SIMULATED-coinlog-quotes.jsonl" in done.stdout
    assert done.stderr.startswith("SIMULATED, not Data: CoinMarketCap.")
    lines = Path("SIMULATED-coinlog-quotes.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0])["source"] == "SIMULATED"
    assert refused.returncode == 2
