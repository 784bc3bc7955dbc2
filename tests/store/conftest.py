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
def desk(store_url: sa.URL, tmp_path: Path, source: CMCServer) -> Iterator[Desk]:
    """Return a recorder with an empty store."""
    desk = Desk(store_url, tmp_path / "archive", source.url)
    yield desk
    desk.engine.dispose()
