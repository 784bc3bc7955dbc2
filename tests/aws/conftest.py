"""Functions on AWS without AWS: a bucket by moto's server, a source and databases of our own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
import sqlalchemy as sa
import time_machine

from cmc_server import CMCServer
from coinlog.archive import Archive, open_archive
from coinlog.slots import floor_slot
from coinlog.store import schema
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from market import answer_all
from samples import STEP
from synthesized import shapes
from tls_servers import NAME, TlsMariaDB, named

__all__ = ["shapes"]


@pytest.fixture
def now_slot() -> Iterator[int]:
    """Return the slot of now, which does not end while a test runs: the clock is put back then.

    By less than the time for which a token is good, as its check has the real time.
    """
    back = 600 if STEP - time.time() % STEP < 300 else 0
    with time_machine.travel(time.time() - back) if back else nullcontext():
        yield floor_slot(time.time(), STEP)


@pytest.fixture
def source(now_slot: int) -> Iterator[CMCServer]:
    with CMCServer() as server:
        answer_all(server, at=now_slot + 12)
        yield server


@pytest.fixture
def archive(bucket: str) -> Archive:
    return open_archive(f"s3://{bucket}/ours")


@pytest.fixture
def function(
    archive: Archive, source: CMCServer, monkeypatch: pytest.MonkeyPatch
) -> pytest.MonkeyPatch:
    """Set the environment of a function, without a database; return what changes it."""
    settings = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "COINLOG_ARCHIVE": archive.location,
        "COINLOG_CMC_URL": source.url,
        "COINLOG_ASSETS": "top:2",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def database(
    function: pytest.MonkeyPatch, migrated: sa.URL, tls_mariadb: TlsMariaDB
) -> Iterator[sa.URL]:
    """Give the function an empty database; return the address to look into it by itself."""
    settings = {
        "COINLOG_DATABASE_CA": str(tls_mariadb.authority.file),
        "DB_HOST": NAME,
        "DB_PORT": str(migrated.port),
        "DB_USER": str(migrated.username),
        "DB_PASSWORD": str(migrated.password),
        "DB_NAME": str(migrated.database),
    }
    for name, value in settings.items():
        function.setenv(name, value)
    yield migrated
    _empty(migrated)


@pytest.fixture(scope="session")
def migrated(shared_tls_mariadb: TlsMariaDB) -> Iterator[sa.URL]:
    """Return the address of a database with its tables, which the tests share."""
    with shared_tls_mariadb.database() as url:
        engine = open_engine(url)
        migrate(engine)
        engine.dispose()
        yield url


def _empty(url: sa.URL) -> None:
    engine = open_engine(url)
    with engine.begin() as connection:
        for table in schema.metadata.sorted_tables:
            if table is not schema.store:
                connection.execute(table.delete())
        connection.execute(schema.store.update().values(source=None))
    engine.dispose()


@pytest.fixture(scope="session")
def shared_tls_mariadb() -> Iterator[TlsMariaDB]:
    server = TlsMariaDB()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def tls_mariadb(
    shared_tls_mariadb: TlsMariaDB, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TlsMariaDB]:
    """Return a running MariaDB that is known by a name alone, which leads to it meanwhile."""
    with named(monkeypatch, NAME, "another.test"):
        yield shared_tls_mariadb
