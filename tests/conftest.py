"""What every test may ask for: both kinds of store, a browser, the recorded answers."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser, sync_playwright

from ready import ReadyDatabases, ReadyFile
from s3_server import S3Server
from servers import MariaDB

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

OURS = ("COINLOG_", "DB_", "CMC_", "COIN_")
PROXIES = ("http_proxy", "https_proxy", "all_proxy")

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)

# Each program that a test starts would compile all that it imports anew, for more than a second,
# where compiled code is not written; beside the sources it would get into what is built of them.
sys.dont_write_bytecode = False
os.environ["PYTHONDONTWRITEBYTECODE"] = ""
sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(ROOT / ".venv" / ".compiled")

# The same examples in every run: a test fails for a change and never by chance.
hypothesis_settings.register_profile("coinlog", deadline=None, derandomize=True, database=None)
hypothesis_settings.load_profile("coinlog")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs the recorded answers where they are absent; run the browser's tests last.

    Playwright leaves its event loop running in this thread, where later tests could not
    run one of their own. Of both kinds the files with the most tests come first, so that in the
    end no process waits long for another's last file.
    """
    absent = pytest.mark.skip(reason="../shared with the recorded answers is not here")
    for item in items:
        if item.get_closest_marker("shared") and not SHARED.is_dir():
            item.add_marker(absent)
    sizes = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.get_closest_marker("browser") is not None, -sizes[item.path]))


@pytest.fixture(autouse=True)
def own_world(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """Keep the developer's own settings, data and ``.env`` out of every test."""
    for name in list(os.environ):
        if name.startswith(OURS) or name.lower() in PROXIES:
            monkeypatch.delenv(name)
    world = tmp_path_factory.mktemp("world")
    monkeypatch.setenv("COINLOG_DATA", str(world / "data"))
    monkeypatch.chdir(world)
    yield world
    # What a test has written is of no use afterwards, and stores are large.
    shutil.rmtree(world, ignore_errors=True)


@pytest.fixture
def shared() -> Path:
    """Return the folder with the recorded answers; mark the test ``shared`` as well."""
    return SHARED


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """Return a running MariaDB that all tests share: never stop this one."""
    with MariaDB() as server:
        yield server


@pytest.fixture
def own_mariadb() -> Iterator[MariaDB]:
    """Return a running MariaDB of this test's own, to stop, kill and start again."""
    with MariaDB() as server:
        yield server


@pytest.fixture(scope="session")
def ready_file(tmp_path_factory: pytest.TempPathFactory) -> ReadyFile:
    """Return what gives copies of a SQLite store without rows."""
    return ReadyFile(tmp_path_factory.mktemp("ready"))


@pytest.fixture(scope="session")
def ready_databases(mariadb: MariaDB) -> ReadyDatabases:
    """Return what lends MariaDB stores without rows."""
    return ReadyDatabases(mariadb)


@pytest.fixture(params=["sqlite", "mariadb"])
def store_url(request: pytest.FixtureRequest, own_world: Path) -> Iterator[sa.URL]:
    """Return the address of a store without rows: once on SQLite, once on MariaDB."""
    if request.param == "sqlite":
        yield request.getfixturevalue("ready_file").copy(own_world / "coinlog.db")
    else:
        with request.getfixturevalue("ready_databases").lend() as url:
            yield url


@pytest.fixture(params=["sqlite", "mariadb"])
def bare_url(request: pytest.FixtureRequest, own_world: Path) -> Iterator[sa.URL]:
    """Return the address of a database that has not even tables, where that is the point."""
    if request.param == "sqlite":
        yield sa.URL.create("sqlite", database=str(own_world / "coinlog.db"))
    else:
        yield request.getfixturevalue("mariadb_url")


@pytest.fixture
def mariadb_url(mariadb: MariaDB) -> Iterator[sa.URL]:
    """Return the address of an empty MariaDB database, for what concerns MariaDB alone."""
    with mariadb.database() as url:
        yield url


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """Return a running server that speaks S3."""
    server = S3Server()
    yield server
    server.stop()


@pytest.fixture
def bucket(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the name of an empty bucket; ``s3://`` addresses lead to its server meanwhile."""
    for name, value in s3_server.settings.items():
        monkeypatch.setenv(name, value)
    with s3_server.bucket() as name:
        yield name


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Return a running Chromium; mark the test ``browser`` as well."""
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    with sync_playwright() as playwright:
        # Without one on PATH, Playwright starts its own, if `playwright install` put one there.
        browser = playwright.chromium.launch(executable_path=found, args=[*CHROMIUM_FLAGS])
        yield browser
        browser.close()
