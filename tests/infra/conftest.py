"""What the tests of the stack share: its templates, synthesized once for all of them."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SYNTHESIS_SECONDS = 300


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with every shape of the stack; whoever comes first synthesizes it."""
    shared = tmp_path_factory.getbasetemp()
    # With several workers, each has a folder of its own inside a common one.
    folder = (shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared) / "aws-shapes"
    with (folder.parent / "aws-shapes.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "refused.json").exists():
            _synthesize(folder)
    return folder


def _synthesize(folder: Path) -> None:
    bin_folder = str(ROOT / ".venv" / "bin")
    environment = {
        **os.environ,
        "PATH": os.pathsep.join((bin_folder, os.environ["PATH"])),
        "PYTHONPATH": str(ROOT / "infra"),
    }
    command = (sys.executable, str(ROOT / "tests" / "aws_shapes.py"), str(folder))
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SYNTHESIS_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


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
