"""A short storm of SIGKILLs; the long one is ``tests/kill_storm.py --kills 200``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "kill_storm.py"


@pytest.mark.parametrize("store", ["sqlite", "mariadb"])
def test_no_kill_tears_loses_or_doubles_a_slot(store: str) -> None:
    command = [sys.executable, str(SCRIPT), "--kills", "12", "--seed", "7", "--store", store]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "torn=0, lost=0, doubled=0" in done.stdout
