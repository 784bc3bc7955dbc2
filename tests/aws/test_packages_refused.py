"""A `make lambda` that cannot be done leaves what is there as it was, and says what it wants."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from packages import BUILDER, FUNCTION, layer, senders


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return a folder with packages in it that were made before."""
    out = tmp_path / "out"
    (out / "function").mkdir(parents=True)
    for name in ("function/old.py", FUNCTION, layer("arm64"), senders("arm64")):
        (out / name).write_text("made before")
    return out


def refused(out: Path, python: str, **environment: str) -> str:
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    done = subprocess.run(
        (sys.executable, str(BUILDER), "--out", str(out), "--python", python),
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    return done.stderr


@pytest.mark.parametrize("python", ["2.7", "abc", "3.10", "3.13.1", ""])
def test_a_python_that_lambda_does_not_have_is_refused_at_once(out: Path, python: str) -> None:
    expected = f"LAMBDA_PYTHON is {python!r}: expected 3.11, 3.12 or 3.13\n"

    assert refused(out, python) == expected


def test_packages_that_cannot_be_had_replace_nothing(out: Path, tmp_path: Path) -> None:
    nowhere = {"UV_OFFLINE": "1", "UV_CACHE_DIR": str(tmp_path / "empty")}
    (tmp_path / "empty").mkdir()
    told = refused(out, "3.13", **nowhere)

    assert "dist/ stays as it was" in told
    assert not list(out.glob(".new-*"))
