"""A recorder whose alerts are looked after, slot by slot, and a receiver of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from cmc_server import CMCServer
from coinlog.alerts.rule import Rule
from market import Desk, answer_all
from ready import ReadyDatabases, ReadyFile
from receivers import Receiver
from ringing import Makes, Ringing


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


@pytest.fixture
def source() -> Iterator[CMCServer]:
    with CMCServer() as server:
        answer_all(server)
        yield server


@pytest.fixture
def makes(own_world: Path, source: CMCServer, receiver: Receiver, ready_file: ReadyFile) -> Makes:
    """Return what makes a recorder with rules, on SQLite."""
    url = ready_file.copy(own_world / "coinlog.db")
    return lambda rules: _ringing(url, own_world, source, receiver, rules)


@pytest.fixture
def makes_on_mariadb(
    own_world: Path, source: CMCServer, receiver: Receiver, ready_databases: ReadyDatabases
) -> Iterator[Makes]:
    """Return what makes a recorder with rules, on MariaDB."""
    with ready_databases.lend() as url:
        yield lambda rules: _ringing(url, own_world, source, receiver, rules)


def _ringing(
    url: sa.URL, folder: Path, source: CMCServer, receiver: Receiver, rules: Sequence[Rule]
) -> Ringing:
    return Ringing(Desk(url, folder / "archive", source.url), source, rules, receiver)
