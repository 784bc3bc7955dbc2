"""Make what AWS Lambda runs: dist/ zips of the function and of its layer, for arm64 and x86_64.

All of it or nothing: it is made in a folder beside, and takes the old one's place when it is whole.
The same sources and lock make the same bytes again: order, times and modes in the zips are fixed.
The folders they are made of stay beside them, for the infrastructure to upload. Nothing compiled
by Python is in them: that would take the runtime's own Python to make, and more room than there is.
"""

from __future__ import annotations

import argparse
import ast
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "coinlog"
LOCK = ROOT / "requirements-lambda.lock"
SENDERS_LOCK = ROOT / "requirements-send.lock"
"""What ``send`` needs beside that; what is in both is in the layer of all."""

# The oldest C library a wheel may ask for. Lambda's runtimes have glibc 2.26 (Python 3.11) and 2.34
# (from 3.12 on). uv knows no name between 2.17 and 2.28, and obstore's wheel for arm64 asks for
# 2.24, so a test looks at what the libraries really ask for.
PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux2014"}

# What a running handler never opens: tests, sources of compiled parts, types for editors, and
# what an installer notes about itself. Licences and lists of contents stay.
UNUSED_FOLDERS = {"bin", "testing", "tests", "__pycache__"}
UNUSED_ENDINGS = (".c", ".pxd", ".pyi", ".pyx", ".pyc", ".lock")
UNUSED_NOTES = {"INSTALLER", "RECORD", "REQUESTED", "WHEEL", "entry_points.txt", "top_level.txt"}

PYTHONS = ("3.11", "3.12", "3.13")
"""The runtimes of Lambda that the program itself can run on."""

HANDLERS = ("capture", "load", "record", "send")

OLDEST_TIME = (1980, 1, 1, 0, 0, 0)
PLAIN_FILE = 0o100644 << 16


def main() -> None:
    """Build everything into a folder and say how large each zip is, packed and unpacked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default="3.13", help="the Lambda runtime's Python (3.13)")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where to (dist)")
    parser.add_argument("--architecture", choices=PLATFORMS, nargs="*", default=[*PLATFORMS])
    given = parser.parse_args()
    if given.python not in PYTHONS:
        sys.exit(f"LAMBDA_PYTHON is {given.python[:20]!r}: expected {_listed(PYTHONS)}")
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=given.out) as name:
        made = Path(name)
        build(made, given.python, given.architecture)
        for path in sorted(made.iterdir()):
            _replace(given.out / path.name, path)
    sys.stdout.write(
        f"  Runtime python{given.python}; handler coinlog.aws.record.handler, or that of "
        f"{_listed([one for one in HANDLERS if one != 'record'])}\n"
    )


def build(out: Path, python: str, architectures: list[str]) -> None:
    """Build the function and its layers into an empty folder."""
    function = _folder(out / "function")
    copy_function(function)
    _pack(function, out / "coinlog-function.zip")
    for architecture in architectures:
        layer = _folder(out / f"layer-{architecture}")
        install_layer(layer / "python", architecture, python)
        _pack(layer, out / f"coinlog-layer-{architecture}.zip")
        senders = _folder(out / f"senders-{architecture}")
        _install(senders / "python", architecture, python, _only_in(SENDERS_LOCK, LOCK))
        _pack(senders, out / f"coinlog-senders-{architecture}.zip")


def _only_in(lock: Path, other: Path) -> str:
    """Return the part of a lock whose packages are not in another."""
    names = {entry.split("==")[0] for entry in _entries(other)}
    return "".join(entry for entry in _entries(lock) if entry.split("==")[0] not in names)


def _entries(lock: Path) -> list[str]:
    """Return a lock's packages, each with its version and hashes."""
    lines = lock.read_text(encoding="utf-8").splitlines(keepends=True)
    text = "".join(line for line in lines if not line.lstrip().startswith("#"))
    return re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]


def _replace(old: Path, new: Path) -> None:
    if old.is_dir():
        shutil.rmtree(old)
    new.replace(old)


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def copy_function(target: Path) -> None:
    """Copy the parts of coinlog that its handlers on AWS import, directly or through others."""
    for part in sorted(handlers_parts()):
        source = _source(part)
        copied = target / "coinlog" / source.name
        if source.is_dir():
            shutil.copytree(source, copied, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copied)
    shutil.copyfile(ROOT / "LICENSE", target / "LICENSE")


def handlers_parts() -> set[str]:
    """Return the names right inside the package that ``coinlog.aws`` comes to, itself included."""
    found = {"__init__"}
    waiting = {"aws"}
    while waiting:
        part = waiting.pop()
        found.add(part)
        waiting |= set(_imported(_source(part))) - found
    return found


def _source(part: str) -> Path:
    folder = PACKAGE / part
    return folder if folder.is_dir() else PACKAGE / f"{part}.py"


def _imported(source: Path) -> Iterator[str]:
    """Yield the parts of coinlog that a part imports, at its top or later."""
    for path in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            parts = [name.split(".")[1] for name in names if name.startswith("coinlog.")]
            yield from (part for part in parts if _source(part).exists())


def install_layer(target: Path, architecture: str, python: str) -> None:
    """Install the locked packages for a Lambda runtime, and remove what it never opens."""
    _install(target, architecture, python, LOCK.read_text(encoding="utf-8"))


def _install(target: Path, architecture: str, python: str, lock: str) -> None:
    uv = _output(str(ROOT / "scripts" / "find_uv.sh"))
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write(lock)
        file.flush()
        _output(
            *(uv, "pip", "install", "--quiet", "--target", str(target)),
            *("--python-version", python, "--python-platform", PLATFORMS[architecture]),
            *("--only-binary", ":all:", "--no-deps", "--no-compile", "--link-mode", "copy"),
            *("--require-hashes", "--requirement", file.name),
        )
    for path in sorted(target.rglob("*"), reverse=True):
        if path.is_dir() and path.name in UNUSED_FOLDERS:
            shutil.rmtree(path)
        elif path.is_file() and _unused(path):
            path.unlink()


def _unused(path: Path) -> bool:
    noted = path.parent.suffix == ".dist-info" and path.name in UNUSED_NOTES
    return noted or path.name.endswith(UNUSED_ENDINGS)


def _output(*command: str) -> str:
    done = subprocess.run(  # noqa: S603 -- uv and what finds it
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{command[0]} failed; dist/ stays as it was:\n{done.stderr}")
    return done.stdout.strip()


def _folder(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _pack(folder: Path, target: Path) -> None:
    """Zip what is in a folder, the same bytes for the same files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(target, "w") as zipped:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), OLDEST_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, wherever this runs, so that the mode below counts
            entry.external_attr = PLAIN_FILE
            zipped.writestr(entry, path.read_bytes(), compresslevel=6)
    unpacked = sum(path.stat().st_size for path in files)
    packed = target.stat().st_size
    sys.stdout.write(f"  {target.name:<26} {_mb(packed)}, {_mb(unpacked)} unpacked\n")


def _mb(size: int) -> str:
    return f"{size / 1e6:4.1f} MB"


if __name__ == "__main__":
    main()
