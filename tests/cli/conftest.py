"""What tests of commands may ask for besides: a market to record."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from coinlog.simulated.process import simulated_process


@pytest.fixture(scope="session")
def market() -> Iterator[str]:
    """Return the address of a made-up market."""
    with simulated_process() as url:
        yield url
