"""What tests of the source may ask for: a server that misbehaves on demand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cmc_server import CMCServer


@pytest.fixture
def server() -> Iterator[CMCServer]:
    """Return a running server in the source's place; it answers 404 until told otherwise."""
    with CMCServer() as running:
        yield running
