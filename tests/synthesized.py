"""Every shape of the stack, synthesized once for all tests: CDK starts slowly."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from canaries import KEY, WORD

ROOT = Path(__file__).resolve().parents[1]
SECRETS = {
    **dict.fromkeys(("COINLOG_API_KEY", "CMC_API_KEY", "COIN_API_KEY"), KEY),
    **dict.fromkeys(("DB_PASSWORD", "COINLOG_MOVE_PASSWORD", "AWS_SECRET_ACCESS_KEY"), WORD),
    "COINLOG_DATABASE_URL": f"mysql://u:{WORD}@h/d",
}
"""What whoever deploys may have in their environment, and no template may hold."""

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
        **SECRETS,
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
