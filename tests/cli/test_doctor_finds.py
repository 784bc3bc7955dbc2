"""Every illness that ``coinlog doctor`` knows, made for real: its code, its words, its remedy."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from cmc_server import CMCServer, error_reply
from coinlog.archive import open_archive
from coinlog.attempts import Claim
from coinlog.cli.doctor.programs import running_recorder
from coinlog.market import SourceKind
from coinlog.move.unfinished import begin
from coinlog.parts import Parts
from coinlog.settings import load_settings
from coinlog.slots import floor_slot
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from coinlog.store.writer import note_schedule, settle
from market import LISTINGS, answer_all, put_attempt
from program import get, read_until, run_here, running
from samples import HOUR, SLOT, STEP, settlement, snapshot
from servers import MariaDB, free_port

Findings = dict[str, dict[str, Any]]


@pytest.fixture(autouse=True)
def fine_source(
    answering: CMCServer, own_world: Path, monkeypatch: pytest.MonkeyPatch
) -> CMCServer:
    """Ask a source that answers, unless a test has another."""
    assert own_world
    monkeypatch.setenv("COINLOG_CMC_URL", answering.url)
    return answering


@pytest.fixture(scope="module")
def answering() -> Iterator[CMCServer]:
    with CMCServer() as server:
        answer_all(server, at=time.time())
        yield server


def found(**settings: str) -> Findings:
    """Return what doctor finds, by code."""
    done = run_here("doctor", "--json", **settings)
    findings = json.loads(done.stdout)
    wrong = [one for one in findings if one["level"] == "wrong"]
    assert done.returncode == (1 if wrong else 0)
    assert [one for one in findings if one["fine"] != (one["level"] != "wrong")] == []
    return {one["code"]: one for one in findings}


@pytest.fixture
def data(own_world: Path) -> Path:
    return own_world / "data"


@pytest.fixture
def engine(data: Path) -> Iterator[sa.Engine]:
    """Return a store with the newest schema."""
    engine = open_engine(f"sqlite:///{data}/coinlog.db")
    migrate(engine)
    yield engine
    engine.dispose()


def execute(engine: sa.Engine, statement: str, **values: object) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text(statement), values)


def record_at(engine: sa.Engine, slot: int) -> None:
    """Store a slot, and what was due from then on."""
    settle(engine, settlement(slot, found=snapshot()), slot + 14)
    note_schedule(engine, slot, STEP, "top:200")


def test_settings_that_cannot_be_used_are_a_finding_too() -> None:
    told = found(COINLOG_INTERVAL="7m")

    assert [*told] == ["setting_unusable"]
    assert "minutes that divide an hour" in told["setting_unusable"]["text"]


def test_settings_that_look_like_a_mistake(own_world: Path) -> None:
    (own_world / ".env").write_text("COINLOG_API_KEY='k-1'\nCOINLOG_DATABASE_URL=sqlite:///x.db\n")
    (own_world / ".env").chmod(0o644)
    with (own_world / ".env").open("a") as file:
        file.write("DB_HOST=127.0.0.1\n")

    told = found(COINLOG_INTERVALL="1h")
    (own_world / ".env").chmod(0o600)
    closed = found()

    assert "did you mean COINLOG_INTERVAL?" in told["setting_unknown"]["text"]
    assert "the address is used and DB_HOST is not" in told["settings_contradict"]["text"]
    assert told["secrets_readable"]["do"] == "chmod 600 .env"
    assert {told[code]["level"] for code in ("setting_unknown", "secrets_readable")} == {"look"}
    assert "secrets_readable" not in closed


def test_of_the_made_up_market_commands_are_its_own_and_its_source_may_rest() -> None:
    port = free_port()
    done = run_here("doctor", "--simulated", "--json", COINLOG_CMC_URL=f"http://127.0.0.1:{port}")
    told = {one["code"]: one for one in json.loads(done.stdout)}
    assert told["source_simulated"]["level"] == "look"
    assert told["source_simulated"]["do"] == "coinlog simulate"
    assert told["nothing_recorded"]["do"] == "coinlog up --simulated"
    assert told["backup_unknown"]["do"] == "coinlog backup --simulated FOLDER"


def test_an_archive_that_cannot_be_made() -> None:
    assert found(COINLOG_ARCHIVE="/proc/nope")["archive_unreachable"]["level"] == "wrong"


def test_an_archive_with_all_that_can_be_said_of_one(data: Path, engine: sa.Engine) -> None:
    archive = open_archive(str(data / "archive"))
    for number in range(3):
        put_attempt(archive, SLOT + number * STEP)
    for machine, number in (("here", 1), ("there", 2)):
        archive.claim(SLOT, Claim(number, SLOT + 1.0, machine, 1, 1.0))
    for ours in ("alerts/looked", "alerts.toml", "loaded/20260126T180000Z"):
        archive.objects.put(ours, b"")
    archive.objects.put("holiday.jpg", b"no answer")
    body = next(path for path in archive.objects.sizes() if "listings" in path)
    archive.objects.put(body, b"rot")

    told = found()

    assert "1 attempt of the newest 20 cannot be read" in told["archive_damaged"]["text"]
    assert "bring it back from a copy" in told["archive_damaged"]["text"]
    assert told["archive_foreign"]["text"].startswith("1 thing in ")
    assert "holiday.jpg" in told["archive_foreign"]["text"]
    assert "here" in told["archive_shared"]["text"]
    assert "3 attempts" in told["attempts_waiting"]["text"]
    assert told["attempts_waiting"]["do"] == "coinlog load"
    assert engine.dialect.name == "sqlite"


def test_a_store_without_tables_or_with_others(data: Path, engine: sa.Engine) -> None:
    elsewhere = data / "none.db"
    absent = found(COINLOG_DATABASE_URL=f"sqlite:///{elsewhere}")
    execute(engine, "UPDATE alembic_version SET version_num = '0003'")
    older = found()
    execute(engine, "UPDATE alembic_version SET version_num = '9999'")
    newer = found()

    assert absent["schema_absent"]["do"] == "coinlog up"
    assert absent["nothing_recorded"]["do"] == "coinlog up"
    assert not elsewhere.exists()
    assert older["schema_older"]["do"] == "coinlog migrate"
    assert "use the newer one" in newer["schema_newer"]["text"]


def test_a_store_that_is_half_moved(engine: sa.Engine) -> None:
    begin(engine, "sqlite:///elsewhere.db")

    assert "the same `coinlog move` goes on" in found()["database_half_moved"]["text"]


def test_a_file_that_is_damaged_or_something_else(data: Path, engine: sa.Engine) -> None:
    for number in range(40):
        record_at(engine, SLOT + number * STEP)
    engine.dispose()
    path = data / "coinlog.db"
    raw = bytearray(path.read_bytes())
    # Every page of tables but the first, which says what the file is.
    for page in range(3 * 4096, len(raw) - 4096, 4096):
        raw[page : page + 64] = b"\xff" * 64
    path.write_bytes(raw)
    damaged = found()
    path.write_bytes(b"a letter to my aunt " * 400)
    other = found()

    assert damaged["database_damaged"]["level"] == "wrong"
    assert "damaged" in other["database_damaged"]["text"]


def test_a_server_that_is_away_or_refuses(mariadb: MariaDB, mariadb_url: sa.URL) -> None:
    parts = {
        "DB_HOST": "127.0.0.1",
        "DB_PORT": str(mariadb.port),
        "DB_USER": str(mariadb_url.username),
        "DB_NAME": str(mariadb_url.database),
    }
    engine = open_engine(mariadb_url)
    migrate(engine)
    engine.dispose()
    password = str(mariadb_url.password)

    signin = found(**parts, DB_PASSWORD="not-it")
    away = found(**{**parts, "DB_PORT": "9"}, DB_PASSWORD=password)
    elsewhere = found(**{**parts, "DB_NAME": "nobodys"}, DB_PASSWORD=password)
    name = mariadb_url.database
    mariadb.execute(f"REVOKE UPDATE ON `{name}`.* FROM {name}@'%'")
    rights = found(**parts, DB_PASSWORD=password)
    mariadb.execute(f"GRANT UPDATE ON `{name}`.* TO {name}@'%'", "SET GLOBAL read_only = ON")
    readonly = found(**parts, DB_PASSWORD=password)
    mariadb.execute("SET GLOBAL read_only = OFF")

    assert "check DB_USER and DB_PASSWORD" in signin["database_signin"]["text"]
    assert "not-it" not in json.dumps(signin)
    assert "database_away" in away
    assert "GRANT ALL" in elsewhere["database_rights"]["text"]
    assert "may not do that" in rights["database_rights"]["text"]
    assert "read-only" in readonly["database_readonly"]["text"]


def test_what_verifying_has_found(data: Path, engine: sa.Engine) -> None:
    put_attempt(open_archive(str(data / "archive")), SLOT)
    run_here("load")
    never = found()
    execute(engine, "UPDATE quote SET price = 7 WHERE asset_id = 1")
    run_here("verify")
    unlike = found()
    execute(engine, "UPDATE quote SET price = 100.5 WHERE asset_id = 1")
    execute(engine, "UPDATE latest SET price = 100.5 WHERE asset_id = 1")
    run_here("verify")

    assert never["never_verified"]["do"] == "coinlog verify"
    assert unlike["unlike_archive"]["do"] == "coinlog replay"
    assert "archive 100.5" in unlike["unlike_archive"]["text"]
    assert found()["verified_fine"]["fine"]


def test_a_ledger_that_lacks_what_was_due(engine: sa.Engine) -> None:
    now = time.time()
    record_at(engine, floor_slot(now, STEP) - 40 * STEP)
    nobody = found()
    record_at(engine, floor_slot(now, STEP))
    fresh = found()

    assert "and no `coinlog up` runs in this folder" in nobody["recorder_not_running"]["text"]
    assert nobody["recorder_not_running"]["do"] == "coinlog up"
    assert "39 of the 41 slots before were missed" in fresh["slots_missed"]["text"]
    assert fresh["ledger_fine"]["text"].startswith("fresh: newest slot")


def test_a_source_that_keeps_failing_is_told_with_its_cause() -> None:
    with CMCServer() as source:
        source.on(LISTINGS, error_reply(401, 1001, "This API Key is invalid."))
        settings = {"COINLOG_CMC_URL": source.url, "COINLOG_API_KEY": "k-1"}
        run_here("record", **settings)
        told = found(**settings)

    assert told["key_wrong"]["level"] == "wrong"
    # Within its grace a slot is not yet due.
    assert re.search(r"(0 slots|1 slot) due", told["source_failing"]["text"])
    assert "wrong_key" in told["source_failing"]["text"]


def test_a_clock_that_is_wrong_and_a_limit_that_is_reached() -> None:
    hours_off = formatdate(time.time() - 3 * HOUR, usegmt=True)
    with CMCServer() as source:
        source.on(LISTINGS, error_reply(429, 1008, "You've exceeded...", Date=hours_off))
        told = found(COINLOG_CMC_URL=source.url, COINLOG_DEADLINE_SECONDS="1")

    assert told["source_rate_limited"]["level"] == "wrong"
    assert re.search("our clock is 10[78]\\d\\d s ahead", told["clock_wrong"]["text"])
    assert told["clock_wrong"]["do"] == "timedatectl set-ntp true"


def test_settings_that_are_not_those_of_the_store(engine: sa.Engine) -> None:
    now = time.time()
    slot = floor_slot(now, STEP)
    record_at(engine, slot)
    execute(engine, "UPDATE slot SET observed_at = :ahead", ahead=int(now) + 3 * HOUR)

    told = found(COINLOG_INTERVAL="1h")

    assert "the settings say top:200 every 1h" in told["schedule_differs"]["text"]
    assert "in the future: our clock is behind" in told["clock_behind"]["text"]


def test_a_made_up_market_under_the_settings_of_the_real_one(engine: sa.Engine) -> None:
    made_up = snapshot(source=SourceKind.SIMULATED)
    settle(engine, settlement(found=made_up, source=SourceKind.SIMULATED), SLOT + 20)

    assert found()["other_market"]["do"] == "coinlog status --simulated"


def test_the_newest_backup_and_where_it_went(data: Path, engine: sa.Engine, tmp_path: Path) -> None:
    record_at(engine, SLOT)
    none = found()
    run_here("backup", str(tmp_path / "a.tar"), "--without-archive")
    partial = found()
    (data / "archive").mkdir(exist_ok=True)
    run_here("backup", str(tmp_path / "b.tar"))
    fresh = found()
    note = data / "newest-backup.json"
    note.write_text(
        re.sub(r'"made_at":\d+', f'"made_at":{time.time() - 40 * 24 * HOUR:.0f}', note.read_text())
    )
    old = found()
    (tmp_path / "b.tar").unlink()

    assert none["backup_unknown"]["do"] == "coinlog backup FOLDER"
    assert "of the database alone" in partial["backup_partial"]["text"]
    assert str(tmp_path / "b.tar") in fresh["backup_fine"]["text"]
    assert old["backup_old"]["do"] == f"coinlog backup {tmp_path}"
    assert "backup_gone" in found()


def test_coinlog_itself_at_the_port_and_its_recorder() -> None:
    port = str(free_port())
    with running("up", COINLOG_PORT=port) as process:
        read_until(process, "next slot")
        get(int(port), "/live")
        told = found(COINLOG_PORT=port)
        since = running_recorder(Parts(load_settings()))

    assert f"coinlog answers at 127.0.0.1 port {port}" in told["port_fine"]["text"]
    assert since is not None
    assert told["source_fine"]["fine"]
    assert [code for code, one in told.items() if not one["fine"]] == []


def test_it_reads_well_at_80_columns_and_without_colour(data: Path) -> None:
    put_attempt(open_archive(str(data / "archive")), floor_slot(time.time(), STEP))
    run_here("load")

    lines = run_here("doctor").stdout.splitlines()

    # A path stays in one piece, so that it can be copied.
    assert [line for line in lines if len(line) > 80 and " " in line[12:]] == []
    assert "\x1b" not in "".join(lines)
    starts = [line for line in lines[:-1] if not line.startswith(" " * 12)]
    assert [line for line in starts if not re.match(r"[✓!✗] [a-z]+ +\S", line)] == []
    assert {line.index(line.split(maxsplit=2)[2]) for line in starts} == {12}
    assert re.fullmatch(r"nothing is wrong, \d things to look at", lines[-1])
    assert [line for line in lines if line.startswith(" " * 12 + "→ coinlog ")]
