"""``coinlog import`` from the command line: what it says first, what it refuses, what it leaves."""

from __future__ import annotations

import json
import os
import pty
import sqlite3
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from adopting import first_ticker
from market import encoded
from program import COMMAND, run, run_here, run_json, run_json_here
from samples import listings_body

HEADER = "Name,Symbol,Price,Time\n"
ROWS = (
    "Bitcoin,BTC,34567.891,2021-06-29 00:00:05\n"
    "Ethereum,ETH,2100.5,2021-06-29 00:00:06\n"
    "Bitcoin,BTC,34600.0,2021-06-29 06:00:05\n"
)
MAP = ("--map", "BTC=1,ETH=1027")


@pytest.fixture
def table(own_world: Path) -> Path:
    path = own_world / "precios.csv"
    path.write_text(HEADER + ROWS + "Bitcoin,BTC,1,ayer\n")
    return path


def words(text: str) -> str:
    return " ".join(text.split())


def test_a_summary_comes_first_and_one_line_last(table: Path) -> None:
    done = run("import", str(table), *MAP)

    assert done.returncode == 0, done.stderr
    said = words(done.stdout)
    assert "precios.csv: 4 lines, 2021-06-29T00:00:05Z to 2021-06-29T06:00:05Z" in said
    assert "taken as UTC" in said
    assert "BTC, Bitcoin → 1" in said
    assert "refused line 5: 'ayer' is no time" in said
    assert done.stdout.splitlines()[-1] == "✓ 2 attempts in 2 slots imported, 2 loaded"
    assert done.stderr == ""


def test_a_dry_run_writes_nothing(table: Path, own_world: Path) -> None:
    done = run_here("import", str(table), "--dry-run")

    assert done.returncode == 0
    assert "--map BTC=ID,ETH=ID" in done.stdout
    assert not list((own_world / "data").rglob("import-*"))


def test_nothing_is_imported_before_every_asset_is_told(table: Path, own_world: Path) -> None:
    done = run_here("import", str(table), "--map", "BTC=1")

    assert done.returncode == 2
    assert "ETH, Ethereum (1 row) is not known" in words(done.stderr)
    assert "--map ETH=ID" in done.stderr
    assert not list((own_world / "data").rglob("import-*"))


def test_candidates_are_named_and_one_is_offered(table: Path, own_world: Path) -> None:
    rows = [(1, "Bitcoin", "BTC"), (4023, "Bitcoin BEP2", "BTC"), (1027, "Ether", "ETH")]
    keys = ("id", "name", "symbol")
    known = own_world / "map.json"
    known.write_bytes(encoded({"data": [dict(zip(keys, row, strict=True)) for row in rows]}))
    table.write_text(HEADER.replace("Name,", "") + "BTC,1.5,2021-06-29\nETH,1.5,2021-06-29\n")
    done = run_here("import", str(table), "--assets-file", str(known))

    said = words(done.stderr)
    assert "BTC (1 row) could be 1 Bitcoin (BTC) or 4023 Bitcoin BEP2 (BTC)" in said
    assert "--map BTC=ID,ETH=1027" in said
    again = run_json_here("import", str(table), "--assets-file", str(known), *MAP)
    assert [each["asset_id"] for each in again["matched"]] == [1, 1027]


def test_what_cannot_be_told_is_left_out_where_that_is_said(table: Path) -> None:
    facts = run_json_here("import", str(table), "--map", "BTC=1", "--skip-unresolved")

    assert facts["plan"]["outcomes"] == {"stored": 1, "partial": 1, "failed": 0}
    assert [each["label"]["symbol"] for each in facts["unresolved"]] == ["ETH"]
    completed = run_json_here("import", str(table), *MAP)
    assert completed["plan"]["new_attempts"] == 1
    again = run_json_here("import", str(table), *MAP)
    assert (again["plan"]["new_attempts"], again["settled_attempts"]) == (0, 0)
    assert "imported before" in run_here("import", str(table), *MAP).stdout


def test_an_import_that_would_lose_assets_is_refused_before_anything_is_written(
    table: Path, own_world: Path
) -> None:
    lines = ROWS.splitlines(keepends=True)
    table.write_text(HEADER + lines[0])
    assert run_here("import", str(table), "--map", "BTC=1").returncode == 0
    table.write_text(HEADER + lines[1])
    before = list((own_world / "data").rglob("import-*"))
    tried = run_json_here("import", str(table), "--map", "ETH=1027", "--dry-run")
    done = run_here("import", str(table), "--map", "ETH=1027")

    assert len(tried["plan"]["conflicts"]) == 1
    assert done.returncode == 2
    assert "nothing was imported: 1 slot of this import" in words(done.stderr)
    assert "joined into one CSV file" in words(done.stderr)
    assert list((own_world / "data").rglob("import-*")) == before


def test_rows_older_than_what_is_known_of_their_asset_need_a_word_which_is_offered(
    table: Path,
) -> None:
    assert run_here("import", str(table), *MAP).returncode == 0
    table.write_text(table.read_text().replace("2021-06-29", "2020-06-29"))
    done = run_here("import", str(table))

    assert done.returncode == 2
    assert "is called as 1 Bitcoin (BTC) is, which this store knows since 2021" in words(
        done.stderr
    )
    assert "--map BTC=1,ETH=1027" in words(done.stderr)


def ask_at_a_terminal(arguments: Sequence[str], answers: str) -> tuple[int, str]:
    """Run a command with a terminal for its stdin, and type into it."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        env=dict(os.environ),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    os.close(theirs)
    os.write(ours, answers.encode())
    said, _ = process.communicate(timeout=60)
    os.close(ours)
    return process.returncode, said


def test_at_a_terminal_the_unknown_are_asked_for(table: Path) -> None:
    run_here("import", str(table), "--map", "BTC=1", "--skip-unresolved")
    table.write_text(table.read_text().replace("Bitcoin", "Bitcoins").replace("06-29", "06-30"))
    code, said = ask_at_a_terminal(["import", str(table)], "7\n1\nid:0\nid:1027\n")

    assert code == 0, said
    assert "1) 1 Bitcoin (BTC)" in said
    assert "BTC, Bitcoins → 1" in said
    assert "ETH, Ethereum → 1027" in said


def test_a_pipe_is_read_once(table: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "import", "-", *MAP, "--json"],
        input=table.read_bytes(),
        capture_output=True,
        timeout=60,
        check=True,
    )

    assert json.loads(done.stdout)["source"] == "stdin"
    assert json.loads(done.stdout)["settled_attempts"] == 2


def test_the_tutorials_own_database_is_the_store_too(mariadb_url: sa.URL) -> None:
    engine = sa.create_engine(mariadb_url)
    with engine.begin() as connection:
        for statement in (
            "CREATE TABLE Monedas (Name TEXT, Symbol TEXT, Price FLOAT, Time TIMESTAMP)",
            "INSERT INTO Monedas VALUES ('Bitcoin', 'BTC', 1.5, '2021-06-29 00:00:05')",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()
    password = str(mariadb_url.password)
    database = {
        "DB_HOST": "127.0.0.1",
        "DB_PORT": str(mariadb_url.port),
        "DB_USER": str(mariadb_url.username),
        "DB_NAME": str(mariadb_url.database),
        "DB_PASSWORD": password,
    }
    done = run("import", "store", "--map", "BTC=1", **database)
    assert done.returncode == 0, done.stderr
    user, port, name = (database[f"DB_{key}"] for key in ("USER", "PORT", "NAME"))
    address = f"mysql://{user}@127.0.0.1:{port}/{name}"
    elsewhere = run("import", address, "--map", "BTC=1", COINLOG_IMPORT_PASSWORD=password)

    assert elsewhere.returncode == 0, elsewhere.stderr
    assert "0 attempts in 1 slot imported, 1 loaded" in elsewhere.stdout
    shown = done.stdout + done.stderr + elsewhere.stdout + elsewhere.stderr
    assert password not in shown
    assert run_json("import", "store", "--map", "BTC=1", **database)["settled_attempts"] == 0
    assert run_json("verify", **database)["differences"] == 0


def test_a_folder_of_answers_and_a_sqlite_file_are_told_by_their_content(own_world: Path) -> None:
    folder = own_world / "answers"
    folder.mkdir()
    (folder / "new.json").write_bytes(listings_body([1, 1027], 1_624_926_225))
    bitcoin = {"id": "bitcoin", "name": "Bitcoin", "symbol": "BTC", "price_usd": "9024.09"}
    (folder / "old.json").write_bytes(first_ticker(1_525_137_187, [bitcoin]))
    facts = run_json_here("import", str(folder), "--map", "bitcoin=1")
    assert (facts["settled_attempts"], facts["from"]) == (2, "2018-05-01T01:13:07Z")

    connection = sqlite3.connect(own_world / "old.db")
    connection.execute("CREATE TABLE cryptos (symbol, name, price, timestamp)")
    connection.execute("INSERT INTO cryptos VALUES ('A1', 'Asset 1', '1.5', 1624999999)")
    connection.commit()
    connection.close()
    facts = run_json_here("import", str(own_world / "old.db"))
    assert (facts["source"], facts["settled_attempts"]) == ("table cryptos of old.db", 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.csv"], "no file or folder"),
        (["mysql://u:canary@h:x/d"], "address of the database"),
        (["precios.csv", "--timezone", "Mars"], "Europe/Madrid"),
        (["precios.csv", "--interval", "7m"], "interval"),
        (["precios.csv", "--columns", "price"], "FIELD=COLUMN"),
        (["precios.csv", "--columns", "price=Valor"], "is not there"),
        (["precios.csv", "--delimiter", "ab"], "one character"),
        (["precios.csv", "--map", "XYZ=1"], "no row is about that"),
        (["precios.csv", "--assets-file", "precios.csv"], "/v1/cryptocurrency/map"),
        ([".", "--time-from", "name"], "--time-format"),
    ],
)
@pytest.mark.usefixtures("table")
def test_wrong_use_is_explained_with_exit_code_2(arguments: list[str], said: str) -> None:
    done = run_here("import", *arguments)

    assert done.returncode == 2
    assert said in words(done.stderr)
    assert "Traceback" not in done.stderr
    assert "canary" not in done.stderr


NOTHING = {
    "other files": ("readme.txt", "hello", "there is no file to import"),
    "a folder of errors": ("a.json", "{}", "1 file was refused: a.json: it begins with"),
    "a header": ("precios.csv", HEADER, "there is no line to import in precios.csv"),
    "no time": ("precios.csv", HEADER + "Bitcoin,BTC,1,ayer\nBitcoin,BTC,1,hoy\n", "2 lines were"),
    "no price": (
        "precios.csv",
        HEADER + "Bitcoin,BTC,-,2021-06-29\n",
        "1 attempt failed (got 1 row",
    ),
}


@pytest.mark.parametrize("what", NOTHING)
def test_nothing_to_import_is_said_and_is_no_success(own_world: Path, what: str) -> None:
    name, text, said = NOTHING[what]
    (own_world / name).write_text(text)
    source = name if name.endswith(".csv") else "."
    # The second time nothing is new, and still nothing was ever imported.
    for _ in range(2):
        done = run_here("import", source, "--map", "BTC=1")

        assert done.returncode == 1
        assert "nothing could be imported: " in words(done.stderr)
        assert said in words(done.stderr)
        assert "✓" not in done.stdout
    as_json = run_here("import", source, "--map", "BTC=1", "--json")
    assert (as_json.returncode, json.loads(as_json.stdout)["imported"]) == (1, False)


def test_what_was_left_out_whole_is_no_success(table: Path) -> None:
    done = run_here("import", str(table), "--skip-unresolved")

    assert done.returncode == 1
    assert "no row is about an asset that was told" in words(done.stderr)


def test_refused_rows_are_no_duplicates(own_world: Path) -> None:
    rows = [f"Bitcoin,BTC,{price},2021-06-29 0{hour}:00\n" for hour, price in enumerate("xx5")]
    (own_world / "malos.csv").write_text(HEADER + "".join(rows) + "Ether,ETH,x,2021-06-29 01:00\n")
    (own_world / "dobles.csv").write_text(HEADER + "".join(rows) + rows[2].replace("5", "6"))

    assert "came after" not in run_here("import", "malos.csv", "--dry-run", *MAP).stdout
    assert (
        "1 row came after" in run_here("import", "dobles.csv", "--dry-run", "--map", "BTC=1").stdout
    )


def test_the_true_reason_comes_before_a_name_that_no_row_has(own_world: Path) -> None:
    bad, good = "Bitcoin,BTC,1.5,31/12/2021 18:00\n", "Ether,ETH,1.5,2021-06-29 00:00\n"
    (own_world / "precios.csv").write_text(HEADER + bad)
    done = run_here("import", "precios.csv", *MAP)
    assert done.returncode == 1
    assert "1 line was refused: line 2: '31/12/2021 18:00' is no time" in words(done.stderr)
    assert "--map names" not in done.stderr

    (own_world / "precios.csv").write_text(HEADER + bad + good)
    done = run_here("import", "precios.csv", *MAP)
    assert done.returncode == 2
    reason, _, unused = words(done.stderr).partition("; and --map names 'BTC', and no row is about")
    assert "'31/12/2021 18:00' is no time" in reason
    assert unused


def test_two_assets_are_not_given_one_id(table: Path, own_world: Path) -> None:
    done = run_here("import", str(table), "--map", "BTC=1,ETH=1")

    assert done.returncode == 2
    assert "--map gives 'BTC' and 'ETH' the same id 1" in words(done.stderr)
    # An asset that was renamed goes by its old name first, and by its new one later.
    renamed = own_world / "renombrada.csv"
    renamed.write_text(
        HEADER + "MIOTA,MIOTA,0.5,2023-05-01\nIOTA,IOTA,0.5,2024-05-01\nIOTA,Iota,0.5,2024-05-01\n"
    )
    facts = run_json_here("import", str(renamed), "--map", "MIOTA=1720,IOTA=1720")
    assert facts["settled_attempts"] == 2


def test_a_field_that_is_left_out_is_said(own_world: Path) -> None:
    header = HEADER.replace("Time", "Time,percent_change_24h")
    (own_world / "precios.csv").write_text(header + "Bitcoin,BTC,16500,2021-06-29,5%\n")
    done = run_here("import", "precios.csv", "--map", "BTC=1")

    assert done.returncode == 0, done.stderr
    assert "1 new (1 stored)" in done.stdout
    assert (
        "left out 2021-06-29T00:00:00Z: percent_change_24h was left out of 1 line (line 2: "
        "'5%' is no number"
    ) in words(done.stdout)


def test_one_price_is_said_as_it_is_read(table: Path) -> None:
    said = words(run_here("import", str(table), "--dry-run").stdout)

    assert "note 34567.891 is read as 34567.891 USD" in said


def test_an_export_is_imported_as_it_is(table: Path, own_world: Path) -> None:
    run_json_here("import", str(table), *MAP)
    for fields in ((), ("--fields", "price,market_cap")):
        run_json_here("export", str(own_world / "out.csv"), "--overwrite", *fields)
        facts = run_json_here("import", str(own_world / "out.csv"), "--dry-run")

        assert (facts["count"], facts["refused"], facts["unresolved"]) == (3, 0, [])
        assert facts["plan"]["quotes"] == 3
        assert facts["from"] == "2021-06-29T00:00:05Z"
