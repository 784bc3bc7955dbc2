"""Upgrading while the page is being read: old and new code on the old and on the new schema.

The old code is that of the repository's own history, as it was before the newest migration. During
a deployment both run side by side, and after a rollback the old one runs on the new schema.
"""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

import coinlog
from cmc_server import CMCServer
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.migrate import current_revision
from coinlog.store.schema import REVISION
from market import answer_all
from program import get
from servers import free_port

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path("src", "coinlog")
VERSIONS = PACKAGE / "store" / "migrations" / "versions"
PATHS = ("/", "/assets/1", "/compare?ids=1,1027", "/log", "/es/", "/ready", "/api/v1/assets")
DATA = ("/api/v1/assets/1/series?range=7d", "/api/v1/log")


def git(*arguments: str) -> bytes:
    try:
        return subprocess.check_output(
            ("git", *arguments),  # noqa: S607  found on PATH
            cwd=ROOT,
            stderr=subprocess.PIPE,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"the code before the newest migration is not in this checkout: {error}")


@pytest.fixture(scope="module")
def old_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the sources of the last commit before the newest migration."""
    newest = next((ROOT / VERSIONS).glob(f"{REVISION}_*.py")).relative_to(ROOT)
    added = git("log", "--diff-filter=A", "--format=%H", "-1", "--", str(newest)).decode().strip()
    if not added:
        pytest.skip("the newest migration is not committed yet")
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(fileobj=io.BytesIO(git("archive", f"{added}^", "src"))) as sources:
        # As the newest Pythons do by themselves and the oldest 3.11 cannot.
        sources.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
        sources.extractall(folder)  # noqa: S202
    # Its bundle was built then and is in no repository; what is tested here reads no script.
    shutil.copytree(ROOT / PACKAGE / "web" / "static", folder / PACKAGE / "web" / "static")
    return folder / "src"


@pytest.fixture
def settings(mariadb_url: sa.URL, own_world: Path) -> Iterator[dict[str, str]]:
    with CMCServer() as source:
        answer_all(source, at=time.time())
        yield {
            **os.environ,
            "COINLOG_DATABASE_URL": mariadb_url.render_as_string(hide_password=False),
            "COINLOG_ARCHIVE": str(own_world / "archive"),
            "COINLOG_CMC_URL": source.url,
        }


def run(code: Path, settings: Mapping[str, str], *arguments: str) -> None:
    done = tried(code, settings, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def tried(
    code: Path, settings: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    environment = {**settings, "PYTHONPATH": str(code)}
    command = (sys.executable, "-m", "coinlog", *arguments)
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@contextmanager
def serving(code: Path, settings: Mapping[str, str]) -> Iterator[int]:
    port = free_port()
    environment = {**settings, "PYTHONPATH": str(code), "COINLOG_PORT": str(port)}
    process = subprocess.Popen((sys.executable, "-m", "coinlog", "serve"), env=environment)
    try:
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def test_old_and_new_code_serve_on_the_old_and_on_the_new_schema(
    old_code: Path, settings: dict[str, str]
) -> None:
    new_code = Path(coinlog.__file__).parents[1]
    engine = open_engine(settings["COINLOG_DATABASE_URL"])
    run(old_code, settings, "record")
    old_revision = current_revision(engine)
    assert old_revision not in {None, REVISION}
    with ExitStack() as stack:
        ports = [stack.enter_context(serving(code, settings)) for code in (old_code, new_code)]
        before = [told(port) for port in ports]
        run(new_code, settings, "migrate")
        assert current_revision(engine) == REVISION
        run(new_code, settings, "record")
        # A rollback starts the old code anew.
        ports.append(stack.enter_context(serving(old_code, settings)))
        after = [told(port) for port in ports]
    engine.dispose()

    assert before[0]["price"] == [100.5]
    assert all(one == before[0] for one in (*before, *after))


def test_what_old_code_records_on_the_new_schema_is_kept_and_loaded_by_the_new(
    old_code: Path, settings: dict[str, str]
) -> None:
    new_code = Path(coinlog.__file__).parents[1]
    engine = open_engine(settings["COINLOG_DATABASE_URL"])
    run(old_code, settings, "record")
    run(new_code, settings, "migrate")
    before = outcomes(engine)
    # Of another minute, and so another slot.
    old = tried(old_code, {**settings, "COINLOG_INTERVAL": "1m"}, "record")
    meanwhile = outcomes(engine)
    loaded = tried(new_code, settings, "load")
    after = outcomes(engine)
    engine.dispose()

    said = " ".join((old.stdout + old.stderr).split())
    assert old.returncode == 1
    assert "kept in the archive, not yet loaded" in said
    assert "a newer coinlog made it, so use that one" in said
    assert before == meanwhile == {"stored": 1}
    assert loaded.returncode == 0, loaded.stderr
    assert after == {"stored": 2}


def outcomes(engine: sa.Engine) -> dict[str, int]:
    """Return how many slots of the ledger have each outcome."""
    outcome = schema.slot.c.outcome
    with engine.connect() as connection:
        query = sa.select(outcome, sa.func.count()).group_by(outcome)
        return dict(map(tuple, connection.execute(query)))


def told(port: int) -> dict[str, object]:
    """Return what the API says of an asset and of the ledger, once every page has answered."""
    for path in PATHS:
        assert get(port, path).status_code == 200, path
    series, log = (get(port, path).json() for path in DATA)
    return {
        "price": series["price"],
        "slots": series["slots"],
        "outcomes": [(row["slot"], row["outcome"], row["assets"]) for row in log["slots"]],
    }
