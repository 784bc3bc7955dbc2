"""The packages of `make lambda`, made into a folder, and laid out as Lambda does with them."""

from __future__ import annotations

import functools
import platform
import subprocess
import sys
import zipfile
from pathlib import Path

from lambda_runtime import Place

ROOT = Path(__file__).resolve().parent.parent
BUILDER = ROOT / "scripts" / "build_lambda.py"
RUNTIME_LOCK = ROOT / "requirements-lambda-runtime.lock"

NEWEST = "3.13"
ARCHITECTURES = ("arm64", "x86_64")
OURS = "x86_64" if platform.machine() in {"x86_64", "AMD64"} else "arm64"
FUNCTION = "coinlog-function.zip"


def layer(architecture: str = OURS) -> str:
    """Return the name of a layer's zip."""
    return f"coinlog-layer-{architecture}.zip"


def senders(architecture: str = OURS) -> str:
    """Return the name of the zip of the layer that sends alerts."""
    return f"coinlog-senders-{architecture}.zip"


def build(out: Path, python: str, *architectures: str) -> Path:
    """Make the packages into a folder and return it."""
    command = (sys.executable, str(BUILDER), "--out", str(out), "--python", python)
    _output(*command, "--architecture", *architectures)
    return out


def contents(package: Path) -> dict[str, bytes]:
    """Return the files in a zip by name."""
    with zipfile.ZipFile(package) as zipped:
        return {entry.filename: zipped.read(entry) for entry in zipped.infolist()}


def interpreter(version: str) -> str | None:
    """Return a Python of this machine; pyenv hides those that it has not been told to use."""
    command = (_uv(), "python", "find", "--system", version)
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    hidden = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    return found.stdout.strip() or (str(hidden[-1]) if hidden else None)


def unpack(packages: Path, python: str, root: Path, *further: str) -> Place:
    """Lay packages out below a folder, with further layers, beside what Lambda's runtime brings."""
    place = Place(python, root)
    place.unzip(packages / FUNCTION, packages / layer(), *(packages / name for name in further))
    into = ("--target", place.folders[-1], "--python", python)
    lock = ("--no-deps", "--require-hashes", "--requirement", str(RUNTIME_LOCK))
    _output(_uv(), "pip", "install", "--quiet", *into, *lock)
    return place


@functools.cache
def _uv() -> str:
    return str(ROOT / _output(str(ROOT / "scripts" / "find_uv.sh")))


def _output(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()
