"""What tests of the store may ask for besides: an empty store, a source, a recorder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from cmc_server import CMCServer
from coinlog.store.engine import open_engine
from coinlog.store.migrate import migrate
from market import Desk, answer_all
from recorded import Polls, polls


@pytest.fixture
def engine(store_url: sa.URL) -> Iterator[sa.Engine]:
    """Return an empty store."""
    engine = open_engine(store_url)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def source() -> Iterator[CMCServer]:
    """Return a source that answers all that a slot asks for."""
    with CMCServer() as server:
        answer_all(server)
        yield server


@pytest.fixture
def real_polls(store_url: sa.URL, shared: Path) -> Polls:
    """Return the rows of the ten recorded polls: all on SQLite, a tenth on MariaDB.

    That MariaDB keeps each number of a real answer is proven in ``test_recorded_answers.py``.
    """
    part = 1 if store_url.get_backend_name() == "sqlite" else 10
    # Bitcoin and Ethereum are always among them: a slot without one of them is partial.
    return {
        at: [row for row in rows if int(row["id"]) % part == 0 or row["id"] in {"1", "1027"}]
        for at, rows in polls(shared).items()
    }


@pytest.fixture
def desk(store_url: sa.URL, tmp_path: Path, source: CMCServer) -> Iterator[Desk]:
    """Return a recorder with an empty store."""
    desk = Desk(store_url, tmp_path / "archive", source.url)
    yield desk
    desk.engine.dispose()
