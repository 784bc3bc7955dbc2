"""Functions on AWS without AWS: a bucket by moto's server, a source and a database of our own."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from cmc_server import CMCServer
from coinlog.archive import Archive, open_archive
from coinlog.slots import floor_slot
from market import answer_all
from samples import STEP
from tls_servers import NAME, TlsMariaDB, named


@pytest.fixture
def now_slot() -> int:
    return floor_slot(time.time(), STEP)


@pytest.fixture
def source(now_slot: int) -> Iterator[CMCServer]:
    with CMCServer() as server:
        answer_all(server, at=now_slot + 12)
        yield server


@pytest.fixture
def archive(bucket: str) -> Archive:
    return open_archive(f"s3://{bucket}")


@pytest.fixture
def functions(
    bucket: str, source: CMCServer, mariadb_url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> sa.URL:
    """Set the environment of all functions; return the address of their empty database."""
    settings = {
        "COINLOG_ARCHIVE": f"s3://{bucket}",
        "COINLOG_CMC_URL": source.url,
        "COINLOG_ASSETS": "top:2",
        "DB_HOST": str(mariadb_url.host),
        "DB_PORT": str(mariadb_url.port),
        "DB_USER": str(mariadb_url.username),
        "DB_PASSWORD": str(mariadb_url.password),
        "DB_NAME": str(mariadb_url.database),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return mariadb_url


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
