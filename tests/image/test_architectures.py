"""Both kinds of machine: what is locked comes ready made for each, so nothing is compiled."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from containers import ROOT

LOCKS = ("requirements-aws.lock", "requirements-build.lock")
ONE_KIND = ("amd64", "arm64", "x86_64", "aarch64", "x64")


@pytest.mark.parametrize("machine", ["aarch64", "x86_64"])
@pytest.mark.parametrize("python", ["3.11", "3.13"])
def test_every_locked_package_is_ready_made(machine: str, python: str, tmp_path: Path) -> None:
    uv = subprocess.check_output([ROOT / "scripts" / "find_uv.sh"], cwd=ROOT, text=True).strip()
    where = ("--python-platform", f"{machine}-unknown-linux-gnu", "--python-version", python)
    locks = [word for lock in LOCKS for word in ("--requirement", lock)]
    strict = ("--dry-run", "--quiet", "--only-binary", ":all:", "--require-hashes")
    # Into an empty folder, so that nothing counts as installed.
    command = (uv, "pip", "install", "--target", str(tmp_path), *strict, *where, *locks)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_the_bundler_is_locked_for_both() -> None:
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_bytes())["packages"]

    assert {"linux-x64", "linux-arm64"} <= {name.rpartition("/")[2] for name in lock}


def test_the_dockerfile_names_no_kind_of_machine() -> None:
    text = (ROOT / "Dockerfile").read_text()

    assert [kind for kind in ONE_KIND if kind in text] == []
