"""What the tests of the stack share: its templates, synthesized once for all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from synthesized import shapes

__all__ = ["shapes"]


@pytest.fixture(scope="session")
def template(shapes: Path) -> dict[str, Any]:
    """Return the template of the default shape."""
    return read_template(shapes / "page")


@pytest.fixture(scope="session")
def refused(shapes: Path) -> dict[str, list[str]]:
    """Return the sentences with which broken stacks were refused."""
    found: dict[str, list[str]] = json.loads((shapes / "refused.json").read_text())
    return found


def read_template(folder: Path) -> dict[str, Any]:
    """Return the one template in a folder."""
    found: dict[str, Any] = json.loads((folder / "coinlog.template.json").read_text())
    return found
